"""Near-duplicates are linked, and nothing else is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import fingerprint, is_near_duplicate, link_duplicates, shingle_bands
from triage.types import DuplicateCandidate

ENGLISH = (
    "When I stream a reply with two tool calls in one turn, the second call's arguments arrive "
    "twice in Loomcode, so the parser sees an array where it expects an object."
)
CHINESE = "一次回复里有两个工具调用的时候，第二个调用的参数在终端里会出现两遍，解析器因此把对象当成数组，整个任务就停在那里不动了。"  # noqa: E501, RUF001
PINNED = (1190277991159096217, 1704992660882078831)
OTHER = (
    "After about forty minutes the session forgets which files it has already edited and starts "
    "over with the first one, throwing away my changes without asking."
)


def candidate(report_id: int, text: str) -> DuplicateCandidate:
    return DuplicateCandidate(report_id, fingerprint(text), text, shingle_bands(text))


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (ENGLISH, ENGLISH.upper() + "!!!"),
        (ENGLISH, ENGLISH.replace("Loomcode", "Tarn CLI")),
        (ENGLISH, ENGLISH + " Please fix it."),
        (CHINESE, CHINESE.replace("终端", "界面")),
    ],
)
def test_a_copy_with_small_changes_is_a_near_duplicate_and_shares_a_band(
    text: str, copy: str
) -> None:
    assert is_near_duplicate(text, copy)
    assert set(shingle_bands(text)) & set(shingle_bands(copy))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (ENGLISH, OTHER),
        (ENGLISH, ENGLISH[:90]),
        (ENGLISH, "With several tools called at once the arguments of the later one come doubled."),
        ("it fails", "it failed"),
        ("bad answer", "bad answers"),
        ("不好用", "不好看"),
    ],
)
def test_other_words_for_the_same_and_short_texts_are_none(text: str, other: str) -> None:
    assert not is_near_duplicate(text, other)


def test_short_texts_have_no_bands_but_equal_ones_are_duplicates() -> None:
    assert shingle_bands("bad answer") == ()
    assert is_near_duplicate("Bad answer!", "bad   answer")


def test_bands_are_the_same_on_every_machine_and_fit_a_bigint() -> None:
    bands = shingle_bands(ENGLISH)
    assert bands[:2] == PINNED
    assert len(bands) == 16
    assert all(-(2**63) <= band < 2**63 for band in bands)


def test_one_persons_five_posts_are_one_family() -> None:
    posts = [
        ENGLISH,
        ENGLISH + "?",
        ENGLISH.replace("twice", "two times"),
        ENGLISH,
        ENGLISH.lower(),
    ]
    candidates = [candidate(10 + number, text) for number, text in enumerate(posts)]
    assert link_duplicates(candidates, range(10, 15)) == {11: 10, 12: 10, 13: 10, 14: 10}


def test_a_newcomer_joins_the_stored_first_report_and_strangers_stay_apart() -> None:
    stored, copy, stranger = candidate(3, ENGLISH), candidate(8, ENGLISH + "!"), candidate(9, OTHER)
    assert link_duplicates([stranger, copy, stored], [8, 9]) == {8: 3}


def test_a_reworded_report_that_now_repeats_a_later_one_joins_it() -> None:
    assert link_duplicates([candidate(3, ENGLISH), candidate(7, ENGLISH)], [3]) == {3: 7}


def test_an_equal_text_is_preferred_to_a_near_one() -> None:
    near, equal = candidate(1, ENGLISH.replace("twice", "two times")), candidate(2, ENGLISH)
    assert link_duplicates([near, equal, candidate(5, ENGLISH)], [5]) == {5: 2}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([ENGLISH, CHINESE, OTHER, "bad answer", ENGLISH + " Again."]), max_size=12
    ),
    st.sets(st.integers(0, 11)),
)
def test_families_are_flat_and_hold_only_near_duplicates(
    texts: list[str], to_link: set[int]
) -> None:
    candidates = [candidate(number, text) for number, text in enumerate(texts)]
    links = link_duplicates(candidates, to_link)
    assert not set(links) & set(links.values())
    assert set(links) <= to_link
    for copy, first in links.items():
        assert is_near_duplicate(texts[copy], texts[first])


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=300))
def test_any_text_has_bands_and_repeats_itself(text: str) -> None:
    assert len(shingle_bands(text)) in (0, 16)
    assert is_near_duplicate(text, text)


def test_bands_propose_nearly_every_near_duplicate() -> None:
    rng = random.Random(7)
    words = [f"w{rng.randrange(10**5)}" for _ in range(120)]
    found = proposed = 0
    for _ in range(200):
        copy = list(words)
        for _ in range(rng.randrange(1, 12)):
            copy[rng.randrange(len(copy))] = f"x{rng.randrange(10**5)}"
        a, b = " ".join(words), " ".join(copy)
        if is_near_duplicate(a, b):
            found += 1
            proposed += bool(set(shingle_bands(a)) & set(shingle_bands(b)))
    assert found > 50
    assert proposed >= 0.97 * found
