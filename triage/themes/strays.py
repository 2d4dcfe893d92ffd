"""Members that are with a theme for one reason only, and by a full clustering for none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.themes.comparing import NO_THEME, NOISE

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

# A run lets go of at most this share of all reports, those least like their theme first. Labelled
# reports in ten slices: of the index of one run over all 0.91 is reached without it, 0.95 with it,
# and 0.55 and 0.62 of the noise is left out; 0.006 of the reports change their theme in a step.
MOST_STRAYS = 0.01
# Likeness to a theme is the mean over the nearest so many of its members.
VOICES = 3


@dataclass(frozen=True, slots=True)
class Stray:
    """The member at ``row`` leaves its theme for ``target``, 0 for none."""

    row: int
    target: int


def find_strays(
    labels: Labels,
    themes: Labels,
    vectors: Floats,
    homes: Mapping[int, int],
    *,
    stays: Collection[int],
) -> list[Stray]:
    """Who leaves its theme after a full clustering, those at home elsewhere first.

    ``labels`` (n,) has -1 for noise, ``themes`` 0 for none, ``vectors`` (n, d) are centred unit
    vectors, ``homes`` the cluster that each theme is at home in; the rows ``stays`` stay in any
    case: the core, and whom a person put there. A member goes when the clustering calls it noise,
    or into the one theme that is at home where it fell; not where its own theme has no home.
    """
    shared = Counter(homes.values())
    theme_at = {label: theme for theme, label in homes.items() if shared[label] == 1}
    found = []
    for row in range(len(labels)):
        theme, label = int(themes[row]), int(labels[row])
        if theme == NO_THEME or row in stays or homes.get(theme, label) == label:
            continue
        target = NO_THEME if label == NOISE else theme_at.get(label)
        if target is not None:
            found.append((target == NO_THEME, _likeness(row, theme, themes, vectors), row, target))
    most = int(MOST_STRAYS * len(labels))
    return [Stray(row, target) for _, _, row, target in sorted(found)[:most]]


def _likeness(row: int, theme: int, themes: Labels, vectors: Floats) -> float:
    others = np.flatnonzero(themes == theme)
    nearest = np.sort(vectors[others[others != row]] @ vectors[row])[-VOICES:]
    return round(float(nearest.mean()), 5) if len(nearest) else 0.0
