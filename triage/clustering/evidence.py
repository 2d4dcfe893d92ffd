"""What speaks for two reports being one failure, as views that clustering can weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.clustering.centring import unit_length
from triage.clustering.views import View, shares_view

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Ranges of weights beside the meaning's one. Labelled reports, adjusted Rand index with the middle
# weights: meaning alone 0.32, with layers and capabilities 0.36, with known failures too 0.38.
LAYERS = (0.05, 0.25)
CAPABILITIES = (0.1, 0.5)
KNOWN_FAILURES = (0.0, 0.2)
WORDING = (0.0, 0.2)
# Labelled reports with an LLM's phrases: index without 0.69, with (0.2, 0.5) 0.703, with (0.3, 0.6)
# 0.720, noise left out 0.71, 0.75 and 0.78. 36 samples of 28 other failures among single ones, by
# the model without its adapter: 0.331 without, (0.2, 0.4) 0.342, (0.3, 0.6) 0.337; noise left out
# 0.73, 0.78 and 0.81.
PHRASE_WORDS = (0.3, 0.6)
# An LLM's phrase tells the meaning better than what was learnt from words, which then counts less.
BESIDE_A_PHRASE = 0.4
LAYER_BESIDE_A_PHRASE = 0.7


@dataclass(frozen=True, slots=True)
class Readings:
    """Logarithms of chances, row by row.

    ``layers`` (n, 6): where the mend belongs, by an LLM's answer or as learnt; ``capabilities``
    (n, k): whose concern it is; ``failures`` (n, m): which known failure it resembles.
    """

    layers: Doubles
    capabilities: Doubles
    failures: Doubles


def evidence_views(
    meaning: Floats,
    wording: Floats,
    readings: Readings | None,
    *,
    is_distilled: NDArray[np.bool_],
    phrase_words: Floats,
) -> list[View]:
    """Views of n reports: what they mean, what they concern, and how they are worded.

    ``meaning`` (n, d) and ``wording`` (n, w) are centred unit vectors; ``is_distilled`` (n,) says
    where an LLM's phrase is part of the meaning, and ``phrase_words`` (m, v) are the mean word
    vectors of those phrases, row by row. One fix resolves two reports only where it mends the same
    layer and capability: without ``readings`` that goes unseen.
    """
    views = [View(meaning, 1.0, 1.0), View(wording, *WORDING)]
    if is_distilled.any():
        words = np.zeros((len(meaning), phrase_words.shape[1]), dtype=np.float32)
        words[is_distilled] = unit_length(phrase_words - phrase_words.mean(axis=0))
        views.append(View(words, *PHRASE_WORDS))
    if readings is None or len(meaning) == 0:
        return views
    less = np.where(is_distilled, BESIDE_A_PHRASE, 1.0).astype(np.float32)[:, np.newaxis]
    layer = np.where(is_distilled, LAYER_BESIDE_A_PHRASE, 1.0).astype(np.float32)[:, np.newaxis]
    return [
        *views,
        View(layer * shares_view(readings.layers), *LAYERS),
        View(less * shares_view(readings.capabilities), *CAPABILITIES),
        View(less * shares_view(readings.failures, unit=True), *KNOWN_FAILURES),
    ]
