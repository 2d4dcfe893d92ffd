"""Which theme a report belongs to, judged by the theme's exemplars alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# How many of a theme's exemplars must speak for a report. Half of the themes known by five
# exemplars, half new: of the joins, right were 0.50 with one, 0.73 with two, 0.84 with three.
VOICES = 3
MIN_SIMILARITY = 0.30
# How far the second theme must be behind; equal themes are for a human to tell apart.
MIN_MARGIN = 0.05
NEIGHBOURHOOD = 8
BATCH = 1000


def join_theme(
    vector: Floats,
    exemplars: Mapping[int, Floats],
    *,
    min_similarity: float = MIN_SIMILARITY,
    min_margin: float = MIN_MARGIN,
) -> tuple[int, float] | None:
    """The theme that a report joins and its similarity, or None: then it stays outside.

    ``vector`` (d,) and each theme's ``exemplars`` (k, d) are unit vectors centred by
    ``clustering.LanguageCentres``; uncentred ones put texts of one language together. The
    similarity is the sum of the three highest cosine similarities over three, so that a theme
    with one or two exemplars needs nearer ones. A theme counts by its best three members, not
    by its mean, so it does not drift towards whatever joined last.
    """
    return join_themes(
        vector[np.newaxis], exemplars, min_similarity=min_similarity, min_margin=min_margin
    )[0]


def join_themes(
    vectors: Floats,
    exemplars: Mapping[int, Floats],
    *,
    min_similarity: float | Mapping[int, float] = MIN_SIMILARITY,
    min_margin: float = MIN_MARGIN,
) -> list[tuple[int, float] | None]:
    """``join_theme`` for many reports (n, d) at once: one product per theme, not per pair.

    ``min_similarity`` may say another one for each theme.
    """
    names = sorted(theme_id for theme_id, members in exemplars.items() if len(members))
    if not names or not len(vectors):
        return [None] * len(vectors)
    columns = [voiced_similarity(vectors, exemplars[theme_id]) for theme_id in names]
    similarities = np.stack(columns, axis=1)
    rows = np.arange(len(vectors))
    nearest = similarities.argmax(axis=1)  # of equals the oldest theme
    best = similarities[rows, nearest]
    similarities[rows, nearest] = -np.inf
    margins = best - similarities.max(axis=1)
    if isinstance(min_similarity, Mapping):
        needed = np.array([min_similarity[name] for name in names])[nearest]
    else:
        needed = np.full(len(vectors), min_similarity)
    is_near = (best >= needed) & (margins >= min_margin)
    return [
        (names[theme], float(similarity)) if near else None
        for theme, similarity, near in zip(nearest, best, is_near, strict=True)
    ]


def is_backed(
    places: Sequence[tuple[int, float]],
    neighbour_themes: NDArray[np.int64],
    *,
    least: int = VOICES,
) -> list[bool]:
    """Whether enough of each report's nearest reports are in the theme that it would join.

    ``neighbour_themes`` (n, k) are the themes of the nearest reports, in a theme or not (0). A
    report between two themes, or among reports that are in none, waits: on the labelled reports
    this left out two more of three strangers that were near to a theme's best members.
    """
    return [
        int((row == theme_id).sum()) >= least
        for (theme_id, _), row in zip(places, neighbour_themes, strict=True)
    ]


def themes_around(
    vectors: Floats,
    landmarks: Floats,
    themes: NDArray[np.int64],
    own: NDArray[np.int64],
    *,
    count: int = NEIGHBOURHOOD,
) -> NDArray[np.int64]:
    """The themes of each report's nearest landmarks (m, d): (n, at most ``count``), 0 for none.

    ``themes`` (m,) are the landmarks', ``own`` (n,) the row of each report among them, which does
    not count, or -1. A thousand reports at a time: 100,000 landmarks are then 400 MB.
    """
    count = min(count, len(landmarks))
    around = [np.zeros((0, count), dtype=np.int64)]
    for start in range(0, len(vectors) if count else 0, BATCH):
        batch = slice(start, start + BATCH)
        similarity = vectors[batch] @ landmarks.T
        itself = np.flatnonzero(own[batch] >= 0)
        similarity[itself, own[batch][itself]] = -np.inf
        nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        around.append(themes[nearest])
    return np.concatenate(around) if count else np.zeros((len(vectors), 0), dtype=np.int64)


def voiced_similarity(
    vectors: Floats, members: Floats, *, leave_out: bool = False
) -> NDArray[np.float64]:
    """Sum of the three highest cosine similarities of each row to the members, over three: (n,).

    ``leave_out``: the rows are the members themselves, and none speaks for itself.
    """
    likeness = vectors @ members.T
    others = len(members) - leave_out
    if leave_out:
        np.fill_diagonal(likeness, -np.inf)
    voices = min(VOICES, others)
    highest = np.sort(likeness, axis=1)[:, len(members) - voices :]
    total: NDArray[np.float64] = highest.sum(axis=1, dtype=np.float64)
    return total / VOICES
