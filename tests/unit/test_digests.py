"""Digests: who is told what of a week, in words that set nothing off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.pages import facts
from triage.digests import (
    Digest,
    Line,
    WeekFacts,
    digest_markdown,
    digest_text,
    draft_digests,
    last_week,
)
from triage.digests.wording import MOST_LINES, QUIET, REPEATED
from triage.verification import ReleaseVerdict, Verification

WEEK = date(2026, 11, 9)
INSIDE = datetime(2026, 11, 15, 23, 59, tzinfo=UTC)
BEFORE = datetime(2026, 11, 8, 23, 59, tzinfo=UTC)


def week_facts(number: int, **changes: object) -> WeekFacts:
    """A theme of five people, three of them before the week, that nothing happened to."""
    known = WeekFacts(
        theme=facts(number, "Parcels are counted twice").theme,
        owner="mira",
        made_at=BEFORE,
        arrivals={WEEK - timedelta(weeks=1): 5},
        verified=(),
        awaits=(),
        url=None,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def verdict(said: ReleaseVerdict) -> Verification:
    return Verification(1, "corvane-4.1", "corvane-4.2", said, None, (), None, WEEK, False)


def drafted(*found: WeekFacts) -> Digest:
    return draft_digests(found, ["mira"], WEEK, min_reporters=3)[0]


def test_the_last_whole_week_ends_on_sunday() -> None:
    assert last_week(datetime(2026, 11, 16, 0, 0, tzinfo=UTC)) == WEEK
    assert last_week(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)) == WEEK
    assert last_week(datetime(2026, 11, 15, 23, 0, tzinfo=UTC)) == WEEK - timedelta(days=7)


def test_a_week_in_which_nothing_happened_says_nothing() -> None:
    digest = drafted(week_facts(1))
    assert digest.sections == ()
    assert QUIET in digest_markdown(digest)


def test_a_theme_founded_in_the_week_is_new_and_not_grown_as_well() -> None:
    digest = drafted(week_facts(1, made_at=INSIDE, arrivals={WEEK: 5}))
    assert [heading for heading, _ in digest.sections] == ["New this week"]


def test_growth_is_counted_in_new_people_against_the_week_before() -> None:
    earlier = WEEK - timedelta(weeks=1)
    grew = drafted(week_facts(1, arrivals={earlier: 2, WEEK: 4}))
    assert grew.grew[0].said == "4 new people, 2 the week before; 6 people in all"
    for arrivals in ({earlier: 4, WEEK: 4}, {earlier: 1, WEEK: 2}, {earlier: 9}):
        assert drafted(week_facts(1, arrivals=arrivals)).grew == ()


def test_verdicts_of_the_week_are_told_but_no_missing_evidence() -> None:
    verified = (
        (BEFORE, verdict(ReleaseVerdict.WORSE)),
        (INSIDE, verdict(ReleaseVerdict.FIXED)),
        (INSIDE, verdict(ReleaseVerdict.NOT_ENOUGH_EVIDENCE)),
    )
    digest = drafted(week_facts(1, verified=verified))
    assert [line.said for line in digest.verified] == ["fixed in corvane-4.2"]


def test_each_owner_gets_their_own_and_everybody_has_a_digest() -> None:
    found = draft_digests(
        [week_facts(1, awaits=("nobody claimed it",)), week_facts(2, owner="noor", made_at=INSIDE)],
        ["mira", "ada"],
        WEEK,
        min_reporters=3,
    )
    assert [one.owner for one in found] == ["ada", "mira", "noor"]
    assert [len(one.sections) for one in found] == [0, 1, 1]
    assert found[1].awaits[0].theme == "T1"


def test_a_theme_of_too_few_people_is_named_without_its_title() -> None:
    digest = drafted(week_facts(1, made_at=INSIDE, arrivals={WEEK: 2}))
    _, text = digest_text(digest)
    assert "T1" in text
    assert "Parcels" not in text + digest_markdown(digest)


def test_text_of_a_report_calls_nobody_and_hides_nothing() -> None:
    hostile = "@channel <!everyone> [x](http://evil.example) \u202egnp #12\n# Heading"
    line = Line("T1", hostile, "2 people", "https://example.com/issues/1")
    digest = Digest("mira", WEEK, (line,), (), (), ())
    for told in (digest_text(digest)[1], digest_markdown(digest)):
        assert "@channel" not in told
        assert "#12" not in told
        assert "\u202e" not in told
        assert "\n# Heading" not in told
        assert "http://evil" not in told
    assert "[x](" not in digest_markdown(digest)


def test_a_long_section_says_how_many_are_left_out() -> None:
    lines = tuple(Line(f"T{n}", "Parcels", "2 people", None) for n in range(MOST_LINES + 4))
    digest = Digest("mira", WEEK, lines, (), (), ())
    assert "and 4 more" in digest_text(digest)[1]
    assert "and 4 more" in digest_markdown(digest)
    assert f"{MOST_LINES + 4} new this week" in digest_text(digest)[0]


def test_a_repeated_message_says_that_it_may_be_one() -> None:
    digest = drafted(week_facts(1, made_at=INSIDE))
    assert digest_text(digest, is_repeat=True)[1].startswith(REPEATED)
    assert REPEATED not in digest_text(digest)[1]
