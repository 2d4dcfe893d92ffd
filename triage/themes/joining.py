"""Which theme a report belongs to, judged by the theme's exemplars alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# How many of a theme's exemplars must speak for a report. Half of the themes known by five
# exemplars, half new: of the joins, right were 0.50 with one, 0.73 with two, 0.84 with three.
VOICES = 3
MIN_SIMILARITY = 0.30
# How far the second theme must be behind; equal themes are for a human to tell apart.
MIN_MARGIN = 0.05


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
    ranked = sorted(
        (
            (_similarity(vector, members), -theme_id)
            for theme_id, members in exemplars.items()
            if len(members)
        ),
        reverse=True,
    )
    if not ranked or not ranked[0][0] >= min_similarity:
        return None
    best, negative_id = ranked[0]
    if len(ranked) > 1 and best - ranked[1][0] < min_margin:
        return None
    return -negative_id, best


def _similarity(vector: Floats, members: Floats) -> float:
    similarities = np.sort(members @ vector)[::-1][:VOICES]
    return float(similarities.sum() / VOICES)
