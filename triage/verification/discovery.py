"""Several themes at once: q-values, so that among claims made few are false."""

from __future__ import annotations

import numpy as np

from triage.verification.ratio import Floats
from triage.verification.rules import Discovery


def q_values(chances: Floats, method: Discovery = Discovery.BENJAMINI_HOCHBERG) -> Floats:
    """Adjusted p-values (..., T) over the last axis; nan is not part of the family and stays.

    Claiming all themes with a q-value of at most q makes at most the share q of claims false on
    average: Benjamini and Hochberg 1995; with the harmonic factor Benjamini and Yekutieli 2001.
    """
    tested = ~np.isnan(chances)
    count = tested.sum(-1, keepdims=True)
    filled = np.where(tested, chances, 2.0)  # sorts behind every p-value
    order = np.argsort(filled, axis=-1, kind="stable")
    ranked = np.take_along_axis(filled, order, -1)
    rank = np.arange(1, chances.shape[-1] + 1)
    factor = np.ones_like(count, dtype=np.float64)
    if method is Discovery.BENJAMINI_YEKUTIELI:
        harmonic = np.cumsum(1.0 / rank)
        factor = np.where(count > 0, harmonic[np.maximum(count - 1, 0)], 1.0)
    raised = np.minimum(ranked * count * factor / rank, 1.0)
    stepped = np.minimum.accumulate(raised[..., ::-1], axis=-1)[..., ::-1]
    result = np.empty_like(chances)
    np.put_along_axis(result, order, stepped, -1)
    return np.where(tested, result, np.nan)
