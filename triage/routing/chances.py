"""How likely each capability is: by what was learnt where the map has it, else by its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.routing.capabilities import Capability, ancestors

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# A capability is as near as its nearest three texts (title and description, and examples):
# one is chance, all punish a capability with many unlike examples.
NEAREST_TEXTS = 3
# Likeness times this is a logarithm of a chance; fitted over the invented modes.
LIKENESS_SCALE = 10.0
# How much an LLM's answer about the layer counts, in exponents of the layer's capabilities.
LAYER_SHARE = 0.6


def likeness(vectors: Floats, capability_vectors: Mapping[str, Floats]) -> Doubles:
    """Likeness (n, k) of reports (n, d), centred unit vectors, to the capabilities of the map.

    The capabilities' texts are centred by their own mean, as the reports are by theirs: what
    all of them share tells none apart (0.45 instead of 0.40 right over the invented modes).
    """
    centre = np.mean([texts.mean(axis=0) for texts in capability_vectors.values()], axis=0)
    columns = []
    for texts in capability_vectors.values():
        # a lone capability is its own centre; nothing is left to tell apart, so it stays as it is
        own = texts - centre if len(capability_vectors) > 1 else texts
        own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        columns.append(np.sort(vectors @ own.T, axis=1)[:, -NEAREST_TEXTS:].mean(axis=1))
    return np.asarray(np.stack(columns, axis=1), dtype=np.float64)


def capability_scores(
    like: Doubles,
    learnt: Doubles | None,
    learnt_ids: Sequence[str],
    capabilities: Sequence[Capability],
) -> Doubles:
    """Logarithms (n, k) of how likely each capability of the map is, not yet summing to one.

    ``like`` is the likeness (n, k) to the map's words, ``learnt`` the logarithms (n, m) of the
    learnt classes ``learnt_ids``, or None where nothing that was learnt can be used. A capability
    that was learnt, or made of learnt ones, is judged by that; words decide between the parts of a
    split. One that is new is judged by its words against those of the whole map.
    """
    words = log_softmax(LIKENESS_SCALE * like)
    if learnt is None:
        return words
    sources = [ancestors(each, learnt_ids) for each in capabilities]
    if not any(sources):
        return words
    columns = []
    for place, source in enumerate(sources):
        if not source:
            # by its words; beside what was learnt it counts as an average class would
            columns.append(words[:, place] + np.log(len(capabilities) / len(learnt_ids)))
            continue
        own = np.logaddexp.reduce([learnt[:, learnt_ids.index(one)] for one in source], axis=0)
        rivals = [at for at, other in enumerate(sources) if set(other) & set(source)]
        if len(rivals) > 1:
            own = own + words[:, place] - np.logaddexp.reduce(words[:, rivals], axis=1)
        columns.append(own)
    return np.stack(columns, axis=1)


def log_softmax(values: Doubles) -> Doubles:
    """Logarithms of probabilities that sum to one in every row."""
    return np.asarray(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
