"""How often people changed what the machine said: over time, by capability, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import sqrt

from triage.types import Correction

# Which words of people are about what.
ABOUT = {
    "verdict": "verdict",
    "capability": "capability",
    "owner": "owner",
    "not-owner": "owner",
    "merge-into": "theme",
    "split": "theme",
    "not-a-problem": "theme",
}
OVERALL = "all"
NO_CAPABILITY = "none"
WILSON_Z = 1.96


@dataclass(frozen=True, slots=True)
class Judged:
    """What the machine said of one theme, and when it said so first."""

    theme_id: int
    verdict: str | None
    capability: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of ``themes`` decided in a month, how many had something changed by people.

    A word that confirms what the machine had said is no change. Themes that nobody touched count
    as decided, never as right: ``low`` and ``high`` are the interval (Wilson 1927, 95 %) of the
    share that was changed.
    """

    month: str
    capability: str
    about: str
    themes: int
    changed: int
    confirmed: int

    @property
    def share(self) -> float:
        """The share that was changed."""
        return self.changed / self.themes if self.themes else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies, as far as so many themes can tell."""
        if not self.themes:
            return 0.0, 1.0
        n, p, z = self.themes, self.share, WILSON_Z
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def agreement(
    judged: Sequence[Judged], corrections: Mapping[int, Sequence[Correction]]
) -> list[Agreement]:
    """Agreement by month, capability (and all) and subject; the latest month first.

    ``judged`` are the machine's own first words on each theme. The month is that in which it
    decided, so that a later correction still counts against the policy of that month.
    """
    cells: dict[tuple[str, str, str], list[int]] = {}
    for one in judged:
        month = f"{date(one.decided_at.year, one.decided_at.month, 1):%Y-%m}"
        words = corrections.get(one.theme_id, ())
        for about in dict.fromkeys(ABOUT.values()):
            changed, confirmed = _outcome(one, about, words)
            for capability in (OVERALL, one.capability or NO_CAPABILITY):
                cell = cells.setdefault((month, capability, about), [0, 0, 0])
                cell[0] += 1
                cell[1] += changed
                cell[2] += confirmed
    ordered = sorted(cells, key=lambda key: (key[1] != OVERALL, key[1], key[2]))
    ordered.sort(key=lambda key: key[0], reverse=True)
    return [Agreement(*key, *cells[key]) for key in ordered]


def _outcome(one: Judged, about: str, words: Iterable[Correction]) -> tuple[bool, bool]:
    """Whether people changed, and whether they confirmed, what was said on a subject."""
    said = {"verdict": one.verdict, "capability": one.capability}.get(about)
    own = [word for word in words if ABOUT.get(word.field) == about]
    if not own:
        return False, False
    if about in ("verdict", "capability"):
        return own[-1].value != said, own[-1].value == said
    return True, False
