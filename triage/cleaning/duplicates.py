"""Near-duplicates: who copies whom, found by MinHash bands and settled exactly.

Texts are compared as sets of character 5-grams of their normalised form, which works for
languages without spaces too. Bands only propose candidates (Broder 1997; Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, chapter 3); the exact Jaccard similarity decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from triage.cleaning.identity import normalise
from triage.types import DuplicateCandidate

SHINGLE_CHARACTERS = 5
# Below this many shingles one changed word is half the text: only equal texts count.
FEWEST_SHINGLES = 8
# Precision first: two people who describe one failure in own words stay far below 0.5.
NEAR_DUPLICATE_JACCARD = 0.8
# 16 bands of 5 rows propose a pair at Jaccard 0.8 with probability 0.998, at 0.3 with 0.04.
BANDS = 16
ROWS = 5
_HASH_BASE = 0x9E3779B1  # odd, 2^32 over the golden ratio
_FNV_START = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of the normalised text."""
    normal = normalise(text)
    return frozenset(
        normal[start : start + SHINGLE_CHARACTERS]
        for start in range(len(normal) - SHINGLE_CHARACTERS + 1)
    )


def shingle_bands(text: str) -> tuple[int, ...]:
    """Sixteen signed 64-bit keys; near-duplicates nearly surely share one.

    The same on every machine and in every run. Empty for texts with fewer than eight shingles.
    """
    hashes = _shingle_hashes(normalise(text))
    if len(set(hashes.tolist())) < FEWEST_SHINGLES:
        return ()
    factors, offsets = _permutations()
    minima = (factors * _mixed(hashes) + offsets).min(axis=1).astype(np.uint64)
    # FNV-1a over a band's rows; its number is in it, so that keys of two bands never meet
    keys = _FNV_START ^ np.arange(BANDS, dtype=np.uint64)
    for row in minima.reshape(BANDS, ROWS).T:
        keys = (keys ^ row) * _FNV_PRIME
    return tuple(keys.view(np.int64).tolist())


def _shingle_hashes(normal: str) -> NDArray[np.uint32]:
    """A 32-bit polynomial hash of every shingle as it comes (shape (n,)), one twice twice."""
    codes = np.frombuffer(normal.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint32)
    count = max(0, len(codes) - SHINGLE_CHARACTERS + 1)
    hashes = np.zeros(count, dtype=np.uint32)
    for offset in range(SHINGLE_CHARACTERS):
        hashes = hashes * np.uint32(_HASH_BASE) + codes[offset : offset + count]
    return hashes


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's finaliser: like texts have like polynomial hashes, these are not."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes = (hashes ^ (hashes >> np.uint32(shift))) * np.uint32(factor)
    return hashes ^ (hashes >> np.uint32(16))


@cache
def _permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Odd factors and offsets (80, 1): each pair permutes the numbers below 2^32.

    Stored keys depend on them: they are those of datasketch's ``affine32`` with seed 1.
    """
    chance = np.random.RandomState(1)
    factors = chance.randint(0, 2**31, BANDS * ROWS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    offsets = chance.randint(0, 2**32, BANDS * ROWS, dtype=np.uint32)
    return factors[:, np.newaxis], offsets[:, np.newaxis]


def is_near_duplicate(a: str, b: str) -> bool:
    """Whether the texts are equal when normalised, or share 80 % of their shingles (Jaccard)."""
    return normalise(a) == normalise(b) or _are_near(shingles(a), shingles(b))


def _are_near(a: frozenset[str], b: frozenset[str]) -> bool:
    fewer, more = sorted((len(a), len(b)))
    if fewer < FEWEST_SHINGLES or fewer < NEAR_DUPLICATE_JACCARD * more:
        return False
    shared = len(a & b)
    return shared >= NEAR_DUPLICATE_JACCARD * (len(a) + len(b) - shared)


def link_duplicates(
    candidates: Sequence[DuplicateCandidate], to_link: Collection[int]
) -> Mapping[int, int]:
    """The first report that each of ``to_link`` repeats (report id to that report's id).

    ``candidates`` are reports that repeat no other, those of ``to_link`` among them. An equal
    text is preferred to a near one, the lower id to the higher. What is linked is nobody's
    first report, so families stay flat.
    """
    links: dict[int, int] = {}
    to_link = frozenset(to_link)
    families = _Families({b for c in candidates if c.report_id in to_link for b in c.shingle_bands})
    for candidate in sorted(candidates, key=lambda c: c.report_id):
        if candidate.report_id not in to_link:
            families.add(candidate)
    for candidate in sorted(candidates, key=lambda c: c.report_id):
        if candidate.report_id not in to_link:
            continue
        first = families.find(candidate)
        if first is None:
            families.add(candidate)
        else:
            links[candidate.report_id] = first
    return links


class _Families:
    """First reports by fingerprint and by band; only ``bands`` are ever asked for."""

    def __init__(self, bands: Collection[int]) -> None:
        self._bands = frozenset(bands)
        self._by_fingerprint: dict[str, int] = {}
        self._by_band: dict[int, list[int]] = defaultdict(list)
        self._texts: dict[int, str] = {}
        self._shingles: dict[int, frozenset[str]] = {}

    def add(self, candidate: DuplicateCandidate) -> None:
        self._by_fingerprint.setdefault(candidate.fingerprint, candidate.report_id)
        self._texts[candidate.report_id] = candidate.failure_text
        for band in self._bands.intersection(candidate.shingle_bands):
            self._by_band[band].append(candidate.report_id)

    def find(self, candidate: DuplicateCandidate) -> int | None:
        if candidate.fingerprint in self._by_fingerprint:
            return self._by_fingerprint[candidate.fingerprint]
        sharing = {
            report_id
            for band in candidate.shingle_bands
            for report_id in self._by_band.get(band, ())
        }
        own = shingles(candidate.failure_text) if sharing else frozenset()
        return next((i for i in sorted(sharing) if _are_near(own, self._shingles_of(i))), None)

    def _shingles_of(self, report_id: int) -> frozenset[str]:
        if report_id not in self._shingles:
            self._shingles[report_id] = shingles(self._texts[report_id])
        return self._shingles[report_id]
