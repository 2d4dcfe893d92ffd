"""The shipped reader: which layer is at fault and whose capability it is, by the words alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.letters import Sparse
from triage.reading.features import Floats, assemble, reader_letters

FORMAT = 1
LAYERS = ("model", "harness", "serving", "config", "docs", "other")
MODEL_LAYER = 0
# Cosines over this are logarithms of resembling. Pairs of labelled reports by what they resemble,
# average precision: 0.03 0.29, 0.05 0.30, 0.10 0.28; by their vectors alone 0.29.
SHARPNESS = 0.05
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """A multinomial logistic regression: ``weights`` (classes, features), ``bias`` (classes,)."""

    weights: Floats
    bias: Floats

    def log_probabilities(self, features: Sparse) -> Doubles:
        """Natural logarithms, (n, classes)."""
        return log_softmax(np.asarray(features @ self.weights.T, dtype=np.float64) + self.bias)


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the best of several capabilities is to be believed.

    ``temperature`` multiplies the logarithms before they become chances; the log-odds of the
    best chance times ``slope`` plus the capability's own offset are those of its being right.
    """

    temperature: float = 1.0
    slope: float = 1.0
    offsets: tuple[float, ...] = ()

    def confidence(self, chance: float, place: int | None) -> float:
        """Probability that the best is right; ``place`` is None for one that was never learnt."""
        clipped = min(max(chance, 1e-6), 1 - 1e-6)
        known = place is not None and place < len(self.offsets)
        offset = self.offsets[place] if known and place is not None else self.typical_offset
        log_odds = self.slope * math.log(clipped / (1 - clipped)) + offset
        return 1 / (1 + math.exp(-log_odds))

    @property
    def typical_offset(self) -> float:
        """The mean offset, for a capability without its own."""
        return sum(self.offsets) / len(self.offsets) if self.offsets else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a reading becomes a probability: fitted on failures that were held back.

    ``slope`` and ``offset`` turn a report's log-odds into calibrated ones, ``theme_slope`` and
    ``theme_offset`` the mean over a theme's reports. ``trust`` and ``theme_trust`` do the same
    for capabilities.
    """

    slope: float = 1.0
    offset: float = 0.0
    theme_slope: float = 1.0
    theme_offset: float = 0.0
    trust: Trust = Trust()
    theme_trust: Trust = Trust()


@dataclass(frozen=True, slots=True)
class Reader:
    """What was learnt from labelled reports, tied to the embedding that it was learnt with.

    ``embedding`` names model, adapter and preparation of texts; vectors of another one mean
    something else, so a reader must not be used with them. ``map_given_layer`` (layers,
    capabilities) are logarithms of how often each capability goes with a layer. ``failures`` (m, d)
    are unit vectors of the failures learnt from. ``figures`` are what the training command measured
    on held-back failures.
    """

    embedding: str
    trained_on: str
    capability_ids: tuple[str, ...]
    centre: Floats
    rarity: Floats
    layers: Linear
    capabilities: Linear
    map_given_layer: Floats
    failures: Floats
    calibration: Calibration
    figures: dict[str, float]

    @property
    def name(self) -> str:
        """What is stored beside everything that it read."""
        return f"reader-{FORMAT}-{self.trained_on}"

    def read(self, vectors: Floats, texts: Sequence[str]) -> RawReadings:
        """Read ``texts`` with their vectors (n, d) as embedded."""
        features = assemble(vectors, reader_letters(texts), centre=self.centre, rarity=self.rarity)
        return RawReadings(
            self.layers.log_probabilities(features), self.capabilities.log_probabilities(features)
        )

    def resemblance(self, vectors: Floats) -> Doubles:
        """Logarithms of which learnt failure each of some centred unit vectors (n, d) is like."""
        return log_softmax(np.asarray(vectors @ self.failures.T, dtype=np.float64) / SHARPNESS)


@dataclass(frozen=True, slots=True)
class RawReadings:
    """Logarithms of the probabilities of each layer (n, 6) and shipped capability (n, k)."""

    layers: Doubles
    capabilities: Doubles


def log_softmax(values: Doubles) -> Doubles:
    """Logarithms of probabilities that sum to one in every row."""
    shifted = values - values.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.asarray(shifted)


def model_log_odds(layers: Doubles) -> Doubles:
    """Log-odds (n,) that the model is at fault and not the software around it."""
    other = np.delete(layers, MODEL_LAYER, axis=1)
    highest = other.max(axis=1, keepdims=True)
    rest = highest[:, 0] + np.log(np.exp(other - highest).sum(axis=1))
    return np.asarray(layers[:, MODEL_LAYER] - rest)
