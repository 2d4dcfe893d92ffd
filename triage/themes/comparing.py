"""What a clustering of everything says about the themes there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.themes.likeness import likeness

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Rows = NDArray[np.int64]

NOISE = -1
NO_THEME = 0
# A theme is at home in a cluster with this share of those of its reports that are in any.
AT_HOME = 0.5
# Fewer reports of a theme in a cluster are chance.
FEWEST = 3
# Of two themes at home in one cluster, each must have this share of all its reports there.
MERGE_SHARE = 0.5
# Both parts of a theme that falls apart must have this share of all its reports.
SPLIT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Merge:
    """Two themes that fell into one cluster.

    ``share`` is the smaller of the two shares of their reports in it; ``likeness`` is the mean
    cosine similarity between them over that within them, 1 where they cannot be told apart.
    """

    survivor: int
    absorbed: int
    share: float
    likeness: float


@dataclass(frozen=True, slots=True)
class Split:
    """A theme whose reports fell into two clusters: ``leaving`` are the rows of the smaller part.

    ``target`` is the theme that is at home where they fell, 0 where there is none. ``share`` is the
    smaller part's of the theme, ``covered`` that of both parts; ``likeness`` as in ``Merge``.
    """

    theme: int
    leaving: tuple[int, ...]
    target: int
    share: float
    covered: float
    likeness: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where reports without a theme belong, what should be founded, and what themes are doubtful.

    ``homes`` are the clusters that themes are at home in; ``placed`` the rows that go into each
    theme; ``founded`` the rows of new themes, largest first.
    """

    homes: Mapping[int, int]
    placed: Mapping[int, tuple[int, ...]]
    founded: tuple[tuple[int, ...], ...]
    merges: tuple[Merge, ...]
    splits: tuple[Split, ...]


def compare(labels: Labels, themes: Labels, vectors: Floats, *, least: int) -> Comparison:
    """Compare clusters with themes, report by report (n,).

    ``labels`` has -1 for noise, ``themes`` 0 for none, ``vectors`` (n, d) are centred unit vectors;
    ``least`` reports make a theme. Reports without a theme go into the theme that dominates their
    cluster: at home there, with at least half of those of the cluster's reports that are in any
    theme. Where none is at home they found one. Where several are and none dominates, the reports
    wait: the themes may be one.
    """
    homes = find_homes(labels, themes)
    at_home: dict[int, list[int]] = {}
    for theme, label in homes.items():
        at_home.setdefault(label, []).append(theme)
    placed: dict[int, tuple[int, ...]] = {}
    founded: list[tuple[int, ...]] = []
    for label in range(int(labels.max(initial=NOISE)) + 1):
        inside = np.flatnonzero(labels == label)
        free = tuple(int(row) for row in inside[themes[inside] == NO_THEME])
        settled = themes[inside][themes[inside] != NO_THEME]
        if label not in at_home:
            if len(free) >= least:
                founded.append(free)
            continue
        largest = max(at_home[label], key=lambda theme: (int((settled == theme).sum()), -theme))
        if free and 2 * int((settled == largest).sum()) >= len(settled):
            placed[largest] = free
    founded.sort(key=lambda rows: (-len(rows), rows))
    return Comparison(
        homes=homes,
        placed=placed,
        founded=tuple(founded),
        merges=tuple(_merges(labels, themes, vectors, at_home)),
        splits=tuple(_splits(labels, themes, vectors, homes, at_home, least)),
    )


def find_homes(labels: Labels, themes: Labels) -> dict[int, int]:
    """The cluster that holds at least half of a theme's clustered reports, and three of them."""
    homes = {}
    for theme in np.unique(themes[themes != NO_THEME]):
        found = labels[(themes == theme) & (labels != NOISE)]
        if len(found):
            counts = np.bincount(found)
            home = int(counts.argmax())
            enough = min(FEWEST, int((themes == theme).sum()))
            if counts[home] >= max(AT_HOME * len(found), enough):
                homes[int(theme)] = home
    return homes


def _merges(
    labels: Labels, themes: Labels, vectors: Floats, at_home: Mapping[int, Sequence[int]]
) -> list[Merge]:
    found = []
    for label, together in sorted(at_home.items()):
        rows = {theme: np.flatnonzero(themes == theme) for theme in together}
        shares = {theme: float((labels[rows[theme]] == label).mean()) for theme in together}
        able = sorted(theme for theme in together if shares[theme] >= MERGE_SHARE)
        found += [
            Merge(
                survivor=first,
                absorbed=second,
                share=min(shares[first], shares[second]),
                likeness=likeness(vectors[rows[first]], vectors[rows[second]]),
            )
            for place, first in enumerate(able)
            for second in able[place + 1 :]
        ]
    return found


def _splits(
    labels: Labels,
    themes: Labels,
    vectors: Floats,
    homes: Mapping[int, int],
    at_home: Mapping[int, Sequence[int]],
    least: int,
) -> list[Split]:
    found = []
    for theme in np.unique(themes[themes != NO_THEME]):
        rows = np.flatnonzero(themes == theme)
        clustered = rows[labels[rows] != NOISE]
        if not len(clustered):
            continue
        counts = np.bincount(labels[clustered])
        order = np.argsort(-counts, kind="stable")[:2]
        if len(order) < 2 or counts[order[1]] < max(FEWEST, SPLIT_SHARE * len(rows)):
            continue
        stays = clustered[labels[clustered] == order[0]]
        leaves = clustered[labels[clustered] == order[1]]
        others = [each for each in at_home.get(int(order[1]), ()) if each != theme]
        if not others and len(leaves) < least:
            continue
        found.append(
            Split(
                theme=int(theme),
                leaving=tuple(int(row) for row in leaves),
                target=others[0] if len(others) == 1 else NO_THEME,
                share=len(leaves) / len(rows),
                covered=(len(leaves) + len(stays)) / len(rows),
                likeness=likeness(vectors[stays], vectors[leaves]),
            )
        )
    return found
