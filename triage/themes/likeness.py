"""Whether two groups of reports can be told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

# Of 158 clusters of 22,500 utterances no two were more like each other than 0.83 times as like as
# within them, of those of two sets of labelled reports 0.52 and 0.72.
SAME = 0.9
# Reports of one failure in different words are 0.3 to 0.5 alike; beyond this they are near copies.
NEAR_COPIES = 0.7


def likeness(first: Floats, second: Floats) -> float:
    """Mean similarity between two groups of unit vectors over the mean within them, 0 to 1.

    1 where they cannot be told apart.
    """
    return float(_likeness_of_all([first, second])[0, 1])


def unite_alike(labels: Labels, vectors: Floats) -> Labels:
    """Clusters (n,), -1 for noise, with those made one that cannot be told apart.

    A clustering that looks for contrast tears even reports that are all alike into several, and
    leaves some of them out: a cluster of near copies also takes in whoever is as near as they are.
    """
    united = _united(labels, vectors)
    for label in range(int(united.max(initial=-1)) + 1):
        members = vectors[united == label]
        likeness_within = _within(members)
        if likeness_within >= NEAR_COPIES:
            nearness = vectors @ members.mean(axis=0)
            united[(united == -1) & (nearness >= SAME * likeness_within)] = label
    return united


def _united(labels: Labels, vectors: Floats) -> Labels:
    """Clusters (n,), -1 for noise, with those made one that cannot be told apart."""
    count = int(labels.max(initial=-1)) + 1
    if count < 2:
        return labels
    alike = _likeness_of_all([vectors[labels == label] for label in range(count)]) >= SAME
    first = np.arange(count)
    for label in range(count):
        others = np.flatnonzero(alike[label])
        first[np.isin(first, first[others])] = first[others].min(initial=first[label])
    numbers = np.unique(first, return_inverse=True)[1]
    return np.where(labels < 0, labels, numbers[np.maximum(labels, 0)]).astype(np.int64)


def _likeness_of_all(groups: list[Floats]) -> NDArray[np.float64]:
    """Of every two groups (k, k)."""
    centres = np.stack([group.mean(axis=0, dtype=np.float64) for group in groups])
    within = np.sqrt([max(_within(group), 1e-6) for group in groups])
    return np.asarray(np.clip(centres @ centres.T / np.outer(within, within), 0.0, 1.0))


def _within(group: Floats) -> float:
    """Mean cosine similarity over all pairs, from the length of the rows' sum."""
    count = len(group)
    if count < 2:
        return 1.0
    squared = float(np.sum(group.sum(axis=0, dtype=np.float64) ** 2))
    return (squared - count) / (count * (count - 1))
