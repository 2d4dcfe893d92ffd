"""What people said of which reports belong together, and what follows for themes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from triage.types import Bond, BondKind


def standing(bonds: Iterable[Bond]) -> tuple[list[Bond], list[tuple[Bond, Bond]]]:
    """The bonds that hold, and each that does not with the later one that overruled it.

    Of two bonds of another kind about the same two groups of reports the later holds. Groups are
    the same where most of the reports of each side of the older are on one side of the later: a
    theme that was merged and split elsewhere since is another matter.
    """
    ordered = sorted(bonds, key=lambda bond: (bond.said_at, bond.bond_id))
    holds: list[Bond] = []
    overruled: list[tuple[Bond, Bond]] = []
    for later in ordered:
        contradicted = [old for old in holds if old.kind is not later.kind and _same(old, later)]
        overruled += [(old, later) for old in contradicted]
        holds = [old for old in holds if old not in contradicted]
        holds.append(later)
    return holds, overruled


def _same(older: Bond, later: Bond) -> bool:
    return (_mostly(older.left, later.left) and _mostly(older.right, later.right)) or (
        _mostly(older.left, later.right) and _mostly(older.right, later.left)
    )


def _mostly(reports: frozenset[int], side: frozenset[int]) -> bool:
    return 2 * len(reports & side) > len(reports)


def theme_of_side(side: Iterable[int], theme_of: Mapping[int, int]) -> int | None:
    """The theme that most of a side's reports are in now, None where they are in none."""
    counted = Counter(theme_of[report] for report in side if report in theme_of)
    return min(counted, key=lambda theme: (-counted[theme], theme), default=None)


def kept_apart(bonds: Iterable[Bond], theme_of: Mapping[int, int]) -> set[frozenset[int]]:
    """Pairs of present themes that a person does not want merged."""
    pairs = set()
    for bond in bonds:
        left, right = (theme_of_side(side, theme_of) for side in (bond.left, bond.right))
        if bond.kind is BondKind.APART and None not in (left, right) and left != right:
            pairs.add(frozenset((int(left or 0), int(right or 0))))
    return pairs


def barred(bonds: Iterable[Bond], theme_of: Mapping[int, int]) -> dict[int, set[int]]:
    """By report, the themes it must not enter: those of what a person set it apart from."""
    closed: dict[int, set[int]] = {}
    for bond in bonds:
        if bond.kind is not BondKind.APART:
            continue
        for own, other in ((bond.left, bond.right), (bond.right, bond.left)):
            theme = theme_of_side(other, theme_of)
            for report in own if theme is not None else ():
                closed.setdefault(report, set()).add(int(theme or 0))
    return closed


def without_foes(reports: Sequence[int], bonds: Iterable[Bond]) -> list[int]:
    """Those of some reports that no person set apart from the rest: the smaller sides stay out."""
    kept = list(reports)
    for bond in bonds:
        if bond.kind is BondKind.APART:
            inside = set(kept)
            fewer = min(bond.left & inside, bond.right & inside, key=len)
            both = bond.left & inside and bond.right & inside
            kept = [report for report in kept if report not in fewer] if both else kept
    return kept


def tears(leaving: Collection[int], staying: Collection[int], bonds: Iterable[Bond]) -> bool:
    """Whether parting the two groups would part what a person put together."""
    leaves, stays = frozenset(leaving), frozenset(staying)
    return any(
        bond.kind is BondKind.TOGETHER
        and (
            (_any_more(bond.left, leaves, stays) and _any_more(bond.right, stays, leaves))
            or (_any_more(bond.left, stays, leaves) and _any_more(bond.right, leaves, stays))
        )
        for bond in bonds
    )


def _any_more(side: frozenset[int], here: frozenset[int], there: frozenset[int]) -> bool:
    return len(side & here) > len(side & there)
