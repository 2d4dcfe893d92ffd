"""A report's neighbours have a say in what it is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.reading.features import Floats
from triage.reading.reader import Doubles

NEIGHBOURS = 8
# Of a report's own evidence. On labelled reports of failures that were not learnt from, kappa of
# the surest three quarters rose from 0.63 to 0.65 and the calibration error fell from 0.09 to 0.05;
# a full share took both back.
NEIGHBOURS_SHARE = 0.5


def pulled(values: Doubles, vectors: Floats, neighbours: NDArray[np.int64]) -> Doubles:
    """``values`` (n, k) plus a share of the mean of each row's neighbours', (n, k).

    ``vectors`` (n, d) are centred unit vectors: the nearer a neighbour, the more it counts (the
    square of the cosine). ``neighbours`` (n, m) are rows, -1 for none.
    """
    if neighbours.shape[1] == 0:
        return values
    weights = np.empty(neighbours.shape)
    for column in range(neighbours.shape[1]):
        cosine = np.einsum("ij,ij->i", vectors, vectors[neighbours[:, column]])
        weights[:, column] = np.where(neighbours[:, column] >= 0, np.clip(cosine, 0, None) ** 2, 0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    said = np.zeros(values.shape)
    for column in range(neighbours.shape[1]):
        said += weights[:, [column]] * values[neighbours[:, column]]
    return np.asarray(values + NEIGHBOURS_SHARE * said)
