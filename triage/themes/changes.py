"""Which merges and splits a full clustering makes by itself, and which wait for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from triage.themes.bonds import kept_apart, tears
from triage.themes.comparing import Comparison, Merge, Split
from triage.types import Bond, Change, ProposalKind

# Of two themes, so much must be in one cluster, and so alike must they be, to become one without
# a person: as alike as no two different intents of 150 are. Of 13 pairs that fell together in the
# labelled reports, fed in ten slices, 5 were one failure, and figures told them apart badly.
CLEAR_SHARE = 0.7
CLEAR_LIKENESS = 0.9
# A theme falls apart by itself where its parts are no more alike than this: 9 of 9 were right, of
# those less clear 2 of 4.
CLEAR_GAP = 0.6
CLEAR_COVER = 0.75
# Splits of one run move at most this share of all reports to another theme. Fed in ten slices, they
# moved 0.001 a step.
MOST_MOVED = 0.03


@dataclass(frozen=True, slots=True)
class Standing:
    """What about a theme matters when it could be merged or split: is it open, is it a person's."""

    is_open: bool
    has_issue: bool
    has_word: bool
    reports: int


@dataclass(frozen=True, slots=True)
class People:
    """What people said: their bonds, the present theme of every report, and who stays by word.

    ``pinned`` are reports that a person put where they are.
    """

    bonds: Sequence[Bond]
    theme_of: Mapping[int, int]
    pinned: Collection[int]


def draft_changes(
    comparison: Comparison,
    report_ids: Sequence[int],
    standings: Mapping[int, Standing],
    people: People,
) -> list[Change]:
    """The merges and splits that a comparison suggests and no person's word forbids.

    ``report_ids`` are those of the comparison's rows. A change without a hindrance is to be
    made; no theme takes part in two of them, and splits together move at most three reports in a
    hundred. Clearest first; the same comparison gives the same changes.
    """
    apart = kept_apart(people.bonds, people.theme_of)
    merges = [
        _merge(each, standings)
        for each in sorted(comparison.merges, key=lambda m: (-m.share * m.likeness, m.survivor))
        if _may_meet((each.survivor, each.absorbed), standings, apart)
    ]
    splits = [
        change
        for each in sorted(comparison.splits, key=lambda s: (s.likeness, s.theme))
        if (change := _split(each, report_ids, standings, people, apart)) is not None
    ]
    return _one_each([*merges, *splits], most_moved=int(MOST_MOVED * len(report_ids)))


def _may_meet(
    pair: tuple[int, int], standings: Mapping[int, Standing], apart: Collection[frozenset[int]]
) -> bool:
    return all(standings[theme].is_open for theme in pair) and frozenset(pair) not in apart


def _merge(found: Merge, standings: Mapping[int, Standing]) -> Change:
    survivor, absorbed = sorted(
        (found.survivor, found.absorbed), key=lambda theme: _weight(theme, standings[theme])
    )
    hindrance = None
    if found.share < CLEAR_SHARE or found.likeness < CLEAR_LIKENESS:
        hindrance = f"not clear: made from {CLEAR_SHARE:.0%} and {CLEAR_LIKENESS:.2f} on"
    elif standings[absorbed].has_issue:
        hindrance = "both have an issue"
    elif standings[absorbed].has_word:
        hindrance = "a person corrected both"
    return Change(
        kind=ProposalKind.MERGE,
        theme_id=survivor,
        other_id=absorbed,
        report_ids=(),
        reason=(
            f"at least {found.share:.0%} of the reports of each fell into one cluster, and they "
            f"are {found.likeness:.2f} times as like each other as among themselves"
        ),
        figures={"share": round(found.share, 4), "likeness": round(found.likeness, 4)},
        hindrance=hindrance,
    )


def _weight(theme: int, standing: Standing) -> tuple[bool, bool, int, int]:
    """Whoever sorts first survives: who has an issue, a person's word, more reports, is older."""
    return not standing.has_issue, not standing.has_word, -standing.reports, theme


def _split(
    found: Split,
    report_ids: Sequence[int],
    standings: Mapping[int, Standing],
    people: People,
    apart: Collection[frozenset[int]],
) -> Change | None:
    leaving = [report_ids[row] for row in found.leaving]
    free = tuple(sorted(report for report in leaving if report not in people.pinned))
    members = [report for report, theme in people.theme_of.items() if theme == found.theme]
    staying = set(members) - set(leaving)
    if not standings[found.theme].is_open or not free or tears(leaving, staying, people.bonds):
        return None
    pair = (found.theme, found.target)
    target = found.target if found.target and _may_meet(pair, standings, apart) else None
    hindrance = None
    if found.likeness > CLEAR_GAP or found.covered < CLEAR_COVER:
        hindrance = f"not clear: made up to {CLEAR_GAP:.2f} and from {CLEAR_COVER:.0%} covered on"
    there = f"that of T{target}" if target else "one of their own"
    return Change(
        kind=ProposalKind.SPLIT,
        theme_id=found.theme,
        other_id=target,
        report_ids=free,
        reason=(
            f"{len(leaving)} of its {len(members)} reports fell into another cluster, {there}, and "
            f"are only {found.likeness:.2f} times as like the rest as they are among themselves"
        ),
        figures={
            "share": round(found.share, 4),
            "covered": round(found.covered, 4),
            "likeness": round(found.likeness, 4),
        },
        hindrance=hindrance,
    )


def _one_each(changes: Iterable[Change], *, most_moved: int) -> list[Change]:
    """Let each theme change once, and splits move no more than they may together."""
    changed: set[int] = set()
    moved = 0
    drafted = []
    for change in changes:
        taking_part = {change.theme_id, change.other_id or change.theme_id}
        if change.hindrance is None:
            if taking_part & changed:
                change = replace(change, hindrance="one change of a theme at a time")
            elif moved + len(change.report_ids) > most_moved:
                share = f"{MOST_MOVED:.0%}"
                change = replace(change, hindrance=f"a run moves at most {share} of all reports")
        if change.hindrance is None:
            changed |= taking_part
            moved += len(change.report_ids)
        drafted.append(change)
    return drafted
