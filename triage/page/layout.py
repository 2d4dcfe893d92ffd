"""Where each text lies on the map: near the texts that it is like, the same for the same seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

# t-SNE (van der Maaten 2008; Barnes-Hut 2014) of so many texts; the others are placed among them.
MOST_LANDMARKS = 1500
ITERATIONS = 500
PERPLEXITY = 30.0
# How far a text is drawn towards the middle of its theme before it is placed. Without it the themes
# of the sample lie across each other.
THEME_PULL = 0.5
NEAREST = 3
BLOCK = 2048  # texts compared with the landmarks at a time
NO_THEME = 0
# Copies of a text stand so far apart, within so wide a circle; the margin keeps it on the map.
COPY_STEP, COPY_RADIUS = 0.005, 0.05
_MARGIN = 0.06
_FEW = 4  # texts; so few are put on a circle


def lay_out(vectors: Floats, themes: Integers, *, seed: int = 0) -> Floats:
    """Places (n, 2) in 0 to 1 for unit ``vectors`` (n, d), float32; ``themes`` (n,), 0 for none.

    Near means alike; far says little, as with any map of so many dimensions. The same input and
    seed give the same places on one machine: one thread, since sums in another order differ.
    """
    count = len(vectors)
    if count <= _FEW:
        turns = np.linspace(0, 2 * np.pi, max(count, 1), endpoint=False)[:count]
        circle = 0.5 + 0.3 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        return circle.astype(np.float32)
    pulled = _pulled(vectors, themes)
    marks = _landmarks(themes, np.random.default_rng(seed))
    projection = TSNE(
        n_components=2,
        perplexity=min(PERPLEXITY, (len(marks) - 1) / 3),
        init="pca",
        max_iter=ITERATIONS,
        random_state=seed,
    )
    with threadpool_limits(limits=1):
        placed = projection.fit_transform(pulled[marks])
    places = np.empty((count, 2), dtype=np.float64)
    places[marks] = placed
    others = np.setdiff1d(np.arange(count), marks)
    for start in range(0, len(others), BLOCK):
        part = others[start : start + BLOCK]
        places[part] = _among(pulled[part], pulled[marks], placed)
    return _within_square(places)


def spread_copies(places: Floats, texts: Integers) -> Floats:
    """One place (n, 2) a report, of ``places`` (m, 2) by text; copies stand around their text.

    ``texts`` (n,) is the row of each report's text. Copies go round in a sunflower's spiral (Vogel
    1979), so that ten reports of one text look like ten; many stand closer together.
    """
    if len(texts) == 0:
        return np.zeros((0, 2), dtype=np.float32)
    copies = np.bincount(texts, minlength=len(places))
    step = np.minimum(COPY_STEP, COPY_RADIUS / np.sqrt(np.maximum(copies, 1)))
    order = np.argsort(texts, kind="stable")
    ordered = texts[order]
    first = np.searchsorted(ordered, ordered, side="left")
    nth = np.empty(len(texts), dtype=np.int64)
    nth[order] = np.arange(len(texts)) - first
    radius = step[texts] * np.sqrt(nth)
    turn = nth * np.pi * (3 - np.sqrt(5))
    around = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return np.asarray(np.clip(places[texts] + around, 0, 1), dtype=np.float32)


def _pulled(vectors: Floats, themes: Integers) -> Floats:
    sums = np.zeros((int(themes.max()) + 1, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, themes, vectors)
    sums[NO_THEME] = 0
    centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    moved = vectors + THEME_PULL * centres[themes]
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-12), dtype=np.float32)


def _landmarks(themes: Integers, chance: np.random.Generator) -> Integers:
    """Rows that are placed by themselves: of each theme its share, at least one, ascending."""
    if len(themes) <= MOST_LANDMARKS:
        return np.arange(len(themes))
    shuffled = chance.permutation(len(themes))
    _, firsts = np.unique(themes[shuffled], return_index=True)
    first = shuffled[firsts][:MOST_LANDMARKS]
    rest = shuffled[~np.isin(shuffled, first)][: MOST_LANDMARKS - len(first)]
    return np.sort(np.concatenate([first, rest]))


def _among(vectors: Floats, marks: Floats, placed: Floats) -> NDArray[np.float64]:
    """Between the nearest landmarks, the nearer the more alike."""
    alike = vectors @ marks.T
    nearest = np.argpartition(-alike, NEAREST, axis=1)[:, :NEAREST]
    weights = np.exp(8 * np.take_along_axis(alike, nearest, axis=1))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nk,nkd->nd", weights, placed[nearest]), dtype=np.float64)


def _within_square(places: NDArray[np.float64]) -> Floats:
    low, high = places.min(axis=0), places.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    inner = (places - low) / span
    return np.asarray(_MARGIN + (1 - 2 * _MARGIN) * inner, dtype=np.float32)
