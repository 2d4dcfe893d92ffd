"""The shipped reader: which layer is at fault and whose capability it is, by the words alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.letters import Sparse
from triage.reading.features import Floats, assemble, reader_letters

FORMAT = 2
LAYERS = ("model", "harness", "serving", "config", "docs", "other")
MODEL_LAYER = 0
# Cosines over this are logarithms of resembling. Pairs of labelled reports by what they resemble,
# average precision: 0.03 0.29, 0.05 0.30, 0.10 0.28; by their vectors alone 0.29.
SHARPNESS = 0.05
# How far it counts whether the failures of the capability that a report concerns are usually the
# model's. What words say was learnt from invented reports, and loses more on real-looking ones than
# what they concern: there log loss is 0.486 at 0, 0.478 at 0.5, 0.475 at 1 and 0.474 at 2 (on
# held-back invented ones 0.469, 0.472, 0.476 and 0.485).
USUAL_SHARE = 0.7
SUREST = (0.002, 0.998)  # nothing is usual without any exception
# What was learnt from invented reports is believed a little less than it says. Log loss on
# real-looking ones and its calibration error: 0.7 0.474 and 0.04, 0.85 0.471 and 0.03, 1 0.477 and
# 0.05; adjusted Rand index: 0.5 0.34, 0.75 0.36, 1 0.36, 1.5 0.36 with half of the cores mixed.
BELIEF = 0.85
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
    something else, so a reader must not be used with them. ``model_shares`` (capabilities,) says
    which share of each capability's failures are the model's. ``map_given_layer`` (layers,
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
    model_shares: Floats
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


def usual_chance(read: RawReadings, model_shares: Floats) -> Doubles:
    """How often failures of what reports concern are the model's: (n,) chances, 0.5 if unknown.

    ``model_shares`` (k,) as in ``Reader``, empty without one.
    """
    if not len(model_shares):
        return np.full(len(read.layers), 0.5)
    chances = np.exp(read.capabilities) @ np.asarray(model_shares, dtype=np.float64)
    return np.asarray(np.clip(chances, *SUREST))


def read_log_odds(layers: Doubles, usual: Doubles) -> Doubles:
    """Log-odds (n,) that the model is at fault, by the words and by what they concern.

    ``layers`` (n, 6) are logarithms of chances, ``usual`` (n,) from ``usual_chance``.
    """
    return np.asarray(model_log_odds(layers) + USUAL_SHARE * np.log(usual / (1 - usual)))


def model_log_odds(layers: Doubles) -> Doubles:
    """Log-odds (n,) that the model is at fault and not the software around it."""
    other = np.delete(layers, MODEL_LAYER, axis=1)
    highest = other.max(axis=1, keepdims=True)
    rest = highest[:, 0] + np.log(np.exp(other - highest).sum(axis=1))
    return np.asarray(layers[:, MODEL_LAYER] - rest)
