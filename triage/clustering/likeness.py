"""How alike a group's members are, and how alike strangers are by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

NOISE = -1
# One-sided 95 % of a normal distribution.
CHANCE = 1.645
# Rows looked at for the spread of chance; 2,000 rows are two million pairs.
SAMPLE = 2000
# With few reports there is no chance to measure; the spread measured on 362 and on 22,500 reports
# of two kinds was 0.12 and 0.11.
USUAL_SPREAD = 0.12


def chance_similarity(unit: Floats, similarity: Floats | None = None) -> float:
    """The cosine similarity that one pair of strangers in twenty exceeds.

    ``unit`` (n, d) are centred unit vectors, and ``similarity`` (n, n) those of all pairs, where
    they are known. After centring, strangers scatter around 0; pairs below 0 are strangers for
    certain, and their spread, mirrored, is that of all strangers, however many pairs above 0 belong
    together. Few rows are blended with a usual spread.
    """
    step = max(1, len(unit) // SAMPLE)
    rows = unit[::step]
    pairs = rows @ rows.T if similarity is None else similarity[::step, ::step]
    below = np.minimum(pairs, 0)  # every pair twice; nothing is below 0 to itself
    count = np.count_nonzero(below) // 2
    known = count / (count + SAMPLE)
    total = np.einsum("ij,ij->", below, below, dtype=np.float64) / 2
    spread = np.sqrt(total / count) if count else USUAL_SPREAD
    return float(CHANCE * (known * spread + (1 - known) * USUAL_SPREAD))


def fellow_similarity(unit: Floats, labels: Labels) -> Floats:
    """Mean cosine similarity of each row to every cluster, itself left out: (n, k) float32.

    ``labels`` (n,) has -1 for noise and 0 to k - 1 else. A cluster's only member gets 0 there.
    """
    from scipy.sparse import csr_array

    count = int(labels.max(initial=NOISE)) + 1
    members = np.flatnonzero(labels != NOISE)
    own = labels[members]
    is_member = csr_array(
        (np.ones(len(members), dtype=np.float32), (own, members)), shape=(count, len(unit))
    )
    sizes = np.bincount(own, minlength=count).astype(np.float32)
    similarity = unit @ (is_member @ unit).T
    to_fellows = similarity[members, own] - np.einsum("ij,ij->i", unit[members], unit[members])
    similarity /= np.maximum(sizes, 1)
    similarity[members, own] = to_fellows / np.maximum(sizes[own] - 1, 1)
    return np.asarray(similarity, dtype=np.float32)


def neighbourhood_share(labels: Labels, neighbours: NDArray[np.int64]) -> Floats:
    """Share of each row's nearest rows that are in its own cluster: (n,) float32, 0 for noise.

    ``neighbours`` (n, k) are rows, -1 where there is none.
    """
    around = np.where(neighbours >= 0, labels[neighbours], NOISE)
    is_own = (around == labels[:, np.newaxis]) & (labels != NOISE)[:, np.newaxis]
    if not neighbours.shape[1]:
        return np.zeros(len(labels), dtype=np.float32)
    return np.asarray(is_own.mean(axis=1), dtype=np.float32)
