"""Learn a reader from labelled reports, and measure it on failures that were held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.clustering import unit_length
from triage.letters import Sparse
from triage.reading.calibrating import calibrate, mean_by_mode
from triage.reading.features import Floats, assemble, fit_rarity, reader_letters
from triage.reading.reader import (
    LAYERS,
    MODEL_LAYER,
    Linear,
    RawReadings,
    Reader,
    read_log_odds,
    usual_chance,
)

# Chosen by cross-validation over 320 invented failure modes: more regularisation loses accuracy,
# less makes the surest readings wrong.
LAYER_C = 2.0
CAPABILITY_C = 1.0
FOLDS = 5
PRIOR_REPORTS = 3
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Reports to learn from. ``texts`` and ``phrases`` (one a report) as they were embedded.

    ``modes`` name the failure that each report shares with others: what is held back to measure
    is whole failures, never single reports. ``map_texts`` describe the capabilities themselves.
    """

    texts: Sequence[str]
    vectors: Floats
    phrases: Sequence[str]
    phrase_vectors: Floats
    modes: Sequence[str]
    layers: Sequence[str]
    capabilities: Sequence[str]
    map_texts: Sequence[str]
    map_vectors: Floats
    map_capabilities: Sequence[str]


def train_reader(lesson: Lesson, *, embedding: str, trained_on: str) -> Reader:
    """Fit the two regressions on all reports, the calibration on readings of held-back ones."""
    centre = lesson.vectors.mean(axis=0).astype(np.float32)
    counts = reader_letters(lesson.texts)
    rarity = fit_rarity(counts)
    ids = tuple(dict.fromkeys(lesson.map_capabilities))

    def features(vectors: Floats, counted: Sparse) -> Sparse:
        return assemble(vectors, counted, centre=centre, rarity=rarity)

    taught = _Taught(
        reports=features(lesson.vectors, counts),
        phrases=features(lesson.phrase_vectors, reader_letters(lesson.phrases)),
        map=features(lesson.map_vectors, reader_letters(lesson.map_texts)),
        layers=np.array([LAYERS.index(layer) for layer in lesson.layers]),
        capabilities=np.array([ids.index(one) for one in lesson.capabilities]),
        map_capabilities=np.array([ids.index(one) for one in lesson.map_capabilities]),
    )
    held_back = np.zeros(len(lesson.texts))
    routed = np.zeros((len(lesson.texts), len(ids)))
    fold_of = _folds(lesson.modes)
    for fold in range(FOLDS):
        own, layers, capabilities = fold_of == fold, *taught.fit(fold_of != fold)
        routed[own] = capabilities.log_probabilities(taught.reports[own])
        read = RawReadings(layers.log_probabilities(taught.reports[own]), routed[own])
        held_back[own] = read_log_odds(read.layers, usual_chance(read, taught.model_shares(~own)))
    calibration, figures = calibrate(
        routed,
        held_back,
        is_model=taught.layers == MODEL_LAYER,
        capabilities=taught.capabilities,
        modes=lesson.modes,
        folds=fold_of,
        vectors=lesson.vectors - centre,
    )
    everything = np.ones(len(lesson.texts), dtype=bool)
    layers, capabilities = taught.fit(everything)
    return Reader(
        embedding=embedding,
        trained_on=trained_on,
        capability_ids=ids,
        centre=centre,
        rarity=rarity,
        layers=layers,
        capabilities=capabilities,
        model_shares=taught.model_shares(everything),
        map_given_layer=_map_given_layer(taught.layers, taught.capabilities, len(ids)),
        failures=_failures(lesson),
        calibration=calibration,
        figures=figures,
    )


@dataclass(frozen=True, slots=True)
class _Taught:
    """The features of everything that is learnt from, and what is true of it."""

    reports: Sparse
    phrases: Sparse
    map: Sparse
    layers: Labels
    capabilities: Labels
    map_capabilities: Labels

    def fit(self, chosen: NDArray[np.bool_]) -> tuple[Linear, Linear]:
        """Both regressions from some of the reports and their phrases."""
        import scipy.sparse as sparse

        both = sparse.vstack([self.reports[chosen], self.phrases[chosen]], format="csr")
        layers = _logistic(both, np.tile(self.layers[chosen], 2), len(LAYERS), LAYER_C)
        with_map = sparse.vstack([both, self.map], format="csr")
        known = np.concatenate([np.tile(self.capabilities[chosen], 2), self.map_capabilities])
        classes = int(self.map_capabilities.max()) + 1
        return layers, _logistic(with_map, known, classes, CAPABILITY_C)

    def model_shares(self, chosen: NDArray[np.bool_]) -> Floats:
        """The model's share of each capability's failures, drawn towards its share of all."""
        is_model = self.layers[chosen] == MODEL_LAYER
        classes = int(self.map_capabilities.max()) + 1
        counts = np.bincount(self.capabilities[chosen], minlength=classes)
        models = np.bincount(self.capabilities[chosen], weights=is_model, minlength=classes)
        whole = (is_model.sum() + 1) / (len(is_model) + 2)
        shares = (models + PRIOR_REPORTS * whole) / (counts + PRIOR_REPORTS)
        return np.asarray(shares, dtype=np.float32)


def _logistic(features: Sparse, labels: Labels, classes: int, strength: float) -> Linear:
    """Multinomial logistic regression; a class that nothing is an example of gets no chance."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, max_iter=80, tol=1e-3).fit(features, labels)
    weights = np.zeros((classes, features.shape[1]), dtype=np.float32)
    bias = np.full(classes, -30.0, dtype=np.float32)
    found, offset = fitted.coef_, fitted.intercept_
    if len(found) == 1:  # of two classes only the difference is given
        found, offset = np.vstack([-found, found]) / 2, np.concatenate([-offset, offset]) / 2
    weights[fitted.classes_], bias[fitted.classes_] = found, offset
    return Linear(weights, bias)


def _map_given_layer(layers: Labels, capabilities: Labels, classes: int) -> Floats:
    """Logarithms of how often each capability goes with a layer, drawn towards the whole."""
    counts = np.zeros((len(LAYERS), classes))
    np.add.at(counts, (layers, capabilities), 1)
    whole = (counts.sum(axis=0) + 1) / (counts.sum() + classes)
    shares = (counts + PRIOR_REPORTS * whole) / (counts.sum(axis=1, keepdims=True) + PRIOR_REPORTS)
    return np.asarray(np.log(shares), dtype=np.float32)


def _failures(lesson: Lesson) -> Floats:
    """One unit vector a mode, from its reports and their phrases, each centred: (m, d)."""
    texts = unit_length(lesson.vectors - lesson.vectors.mean(axis=0))
    phrases = unit_length(lesson.phrase_vectors - lesson.phrase_vectors.mean(axis=0))
    both = unit_length(texts + phrases).astype(np.float64)
    return unit_length(mean_by_mode(both, lesson.modes)[0].astype(np.float32))


def _folds(modes: Sequence[str]) -> Labels:
    """The fold of each report: a mode is in one fold whole, neighbours in name are apart."""
    place = {mode: number for number, mode in enumerate(dict.fromkeys(modes))}
    return np.array([place[mode] % FOLDS for mode in modes])
