"""A second witness beside the embedding model: the letters that reports are written in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage.clustering.centring import unit_length
from triage.clustering.likeness import NOISE
from triage.letters import count_letters

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

# Groups of three to five letters within words work in every language without a word list.
LETTERS = (3, 5)
BUCKETS = 2**17
# A group in one text tells nothing; one in a fifth of all texts, and in more than ten, is grammar.
LEAST_TEXTS = 2
COMMON_SHARE = 0.2
COMMON_TEXTS = 10
DIRECTIONS = 150
PHRASE_WEIGHT = 2.0
# Of a member's eight nearest by wording, how many must be in its theme. Labelled reports, pure
# cores and reports in them: any 0.58 and 0.54, two 0.84 and 0.34, three 0.82 and 0.17.
WITNESSES = 2


def wording_vectors(texts: Sequence[str], phrases: Sequence[str | None]) -> Floats:
    """Where texts stand by their letters alone: (n, at most 150) unit vectors, float32.

    TF-IDF over hashed groups of letters, reduced by latent semantic analysis (Deerwester et al.
    1990). ``phrases`` say the failure of the same texts in few words, where an LLM did; they count
    twice. The same texts in another order get the same vectors.
    """
    rows = list(zip(texts, phrases, strict=True))
    distinct = sorted(set(rows), key=lambda row: (row[0], row[1] or ""))
    if not distinct:
        return np.zeros((0, 1), dtype=np.float32)
    place = {row: number for number, row in enumerate(distinct)}
    reduced = _reduced(_weighted(distinct))
    return reduced[[place[row] for row in rows]]


def _weighted(rows: Sequence[tuple[str, str | None]]) -> Any:
    """Sparse TF-IDF rows of unit length: (n, BUCKETS)."""
    # scikit-learn takes a second to import and only themes need it
    from sklearn.preprocessing import normalize

    counts = _letters([text for text, _ in rows])
    if not any(phrase for _, phrase in rows):
        return _weigh(counts, _rarity(counts))
    said = _letters([phrase or "" for _, phrase in rows])
    rarity = _rarity(counts + said)
    return normalize(_weigh(counts, rarity) + PHRASE_WEIGHT * _weigh(said, rarity), copy=False)


def _letters(texts: Sequence[str]) -> Any:
    return count_letters(texts, LETTERS, BUCKETS).astype(np.float32)


def _rarity(counts: Any) -> Floats:
    """Inverse document frequency of each bucket, 0 where it tells nothing: (BUCKETS,)."""
    holding = np.bincount(counts.indices, minlength=BUCKETS)
    total = counts.shape[0]
    tells = (holding >= LEAST_TEXTS) & (holding <= max(COMMON_TEXTS, COMMON_SHARE * total))
    return np.where(tells, np.log((1 + total) / (1 + holding)) + 1, 0).astype(np.float32)


def _weigh(counts: Any, rarity: Floats) -> Any:
    """Counts damped and weighted by rarity, to unit length, in place."""
    from sklearn.preprocessing import normalize

    counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
    counts.eliminate_zeros()
    return normalize(counts, copy=False)


def _reduced(weighted: Any) -> Floats:
    from sklearn.utils.extmath import randomized_svd

    directions = min(DIRECTIONS, weighted.shape[0] - 1)
    if directions < 1 or weighted.nnz == 0:
        return np.zeros((weighted.shape[0], 1), dtype=np.float32)
    # few texts fill few buckets; the empty ones only cost time: 362 texts 6.5 s, without them 0.9
    weighted = weighted[:, np.unique(weighted.indices)]
    # thin matrices: several threads only wait for each other, on a busy machine for minutes
    with threadpool_limits(1, user_api="blas"):
        left, strength, _ = randomized_svd(weighted, directions, n_iter=4, random_state=0)
    return unit_length(np.asarray(left * strength, dtype=np.float32))


def is_corroborated(labels: Labels, neighbours: Labels) -> NDArray[np.bool_]:
    """Per row, whether reports worded like it are in its group: (n,), False for noise.

    ``neighbours`` (n, 8) are each row's nearest by wording. What the embedding model puts
    together for a reason of its own is seldom worded alike; a small group needs fewer witnesses.
    """
    around = np.where(neighbours >= 0, labels[neighbours], NOISE)
    witnesses = (around == labels[:, np.newaxis]).sum(axis=1)
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    fellows = sizes[np.maximum(labels, 0)] - 1
    return np.asarray((labels != NOISE) & (witnesses >= np.minimum(WITNESSES, fellows / 2)))
