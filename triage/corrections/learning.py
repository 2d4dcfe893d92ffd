"""What people's words teach the reader: kernel logistic regression on top of what it reads.

The shipped reader stays as it is; what is learnt is added to its logarithms, near the reports that
were corrected and hardly elsewhere. A few dozen corrections say much about failures like theirs
and little about others: a linear update, which reaches everywhere, made the verdicts on other
failures worse (0.20 to 0.22 wrong), this one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Likeness falls off with the eighth power of (1 + cosine) / 2: a cosine of 0.6 counts 0.17, of 0.3
# 0.03. Of the powers 4, 8 and 16 this was the lowest that did no harm to other failures.
SHARPNESS = 8
STRENGTH = 8.0
JITTER = 1e-4
# A theme of a hundred reports is one word of a person, not a hundred.
REPORTS_PER_THEME = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A corrected report: its theme, its text, and what a person said of the theme."""

    theme_id: int
    fingerprint: str
    is_fundamental: bool | None
    capability: str | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What corrections taught. ``based_on`` names the reader and the embedding it adds to.

    ``verdict_weights`` (n,) and ``capability_weights`` (n, k), by ``capability_ids``, belong to the
    texts in ``fingerprints``.
    """

    based_on: str
    fingerprints: tuple[str, ...] = ()
    verdict_weights: tuple[float, ...] = ()
    capability_ids: tuple[str, ...] = ()
    capability_weights: tuple[tuple[float, ...], ...] = ()

    def shifts(self, unit: Floats, examples: Floats, ids: Sequence[str]) -> tuple[Doubles, Doubles]:
        """What to add to the log-odds (n,) and to the capabilities ``ids`` (n, k) of reports.

        ``unit`` (n, d) and ``examples`` (m, d, in the order of ``fingerprints``) are centred unit
        vectors.
        """
        capability = np.zeros((len(unit), len(ids)))
        if not self.fingerprints:
            return np.zeros(len(unit)), capability
        near = nearness(unit, examples)
        learnt = near @ np.array(self.capability_weights)
        for place, name in enumerate(self.capability_ids):
            if name in ids:
                capability[:, list(ids).index(name)] = learnt[:, place]
        return near @ np.array(self.verdict_weights), capability

    def without(self, missing: set[str]) -> Learnt:
        """The same without the texts that are gone."""
        kept = [at for at, key in enumerate(self.fingerprints) if key not in missing]
        return replace(
            self,
            fingerprints=tuple(self.fingerprints[at] for at in kept),
            verdict_weights=tuple(self.verdict_weights[at] for at in kept),
            capability_weights=tuple(self.capability_weights[at] for at in kept),
        )


def nearness(left: Floats, right: Floats) -> Doubles:
    """The kernel (n, m): positive definite, 1 times its strength for the same text."""
    cosine = np.asarray(left @ right.T, dtype=np.float64)
    return np.asarray(STRENGTH * ((1 + np.clip(cosine, -1, 1)) / 2) ** SHARPNESS)


def learn(
    examples: Sequence[Example],
    vectors: Floats,
    log_odds: Doubles,
    scores: Doubles,
    *,
    ids: Sequence[str],
    based_on: str,
) -> Learnt:
    """Fit what must be added so that the examples come out as people said.

    ``vectors`` (n, d) are centred unit vectors, ``log_odds`` (n,) and ``scores`` (n, k) what is
    read in them without corrections. Examples that say nothing of one of the two do not count
    for it. Each theme counts as at most ``REPORTS_PER_THEME`` reports.
    """
    if not examples:
        return Learnt(based_on)
    weights = _weights(examples)
    verdict = np.zeros(len(examples))
    own = [at for at, one in enumerate(examples) if one.is_fundamental is not None]
    if own:
        said = np.array([1.0 if examples[at].is_fundamental else -1.0 for at in own])
        verdict[own] = _fit_verdict(nearness(vectors[own], vectors[own]), log_odds[own], said,
                                    weights[own])  # fmt: skip
    capability = np.zeros((len(examples), len(ids)))
    own = [at for at, one in enumerate(examples) if one.capability in ids]
    if own:
        truth = np.array([list(ids).index(str(examples[at].capability)) for at in own])
        capability[own] = _fit_capability(
            nearness(vectors[own], vectors[own]), scores[own], truth, weights[own]
        )
    return Learnt(
        based_on=based_on,
        fingerprints=tuple(one.fingerprint for one in examples),
        verdict_weights=tuple(float(one) for one in verdict),
        capability_ids=tuple(ids),
        capability_weights=tuple(tuple(float(one) for one in row) for row in capability),
    )


def _weights(examples: Sequence[Example]) -> Doubles:
    themes = [one.theme_id for one in examples]
    return np.array([min(1.0, REPORTS_PER_THEME / themes.count(theme)) for theme in themes])


def _fit_verdict(near: Doubles, log_odds: Doubles, said: Doubles, weights: Doubles) -> Doubles:
    root = np.linalg.cholesky(near + JITTER * np.eye(len(near)))

    def loss(inner: Doubles) -> tuple[float, Doubles]:
        margin = said * (log_odds + root @ inner)
        slack = weights / (1 + np.exp(np.clip(margin, -500, 500)))
        value = (weights * np.logaddexp(0, -margin)).sum() + 0.5 * inner @ inner
        return float(value), root.T @ (-slack * said) + inner

    return np.asarray(np.linalg.solve(root.T, _least(loss, len(near))))


def _fit_capability(
    near: Doubles, scores: Doubles, truth: NDArray[np.int64], weights: Doubles
) -> Doubles:
    root = np.linalg.cholesky(near + JITTER * np.eye(len(near)))
    shape = scores.shape
    is_true = np.eye(shape[1])[truth]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        inner = flat.reshape(shape)
        raised = scores + root @ inner
        logs = raised - np.logaddexp.reduce(raised, axis=1, keepdims=True)
        value = -(weights[:, None] * logs * is_true).sum() + 0.5 * (inner * inner).sum()
        slope = root.T @ (weights[:, None] * (np.exp(logs) - is_true)) + inner
        return float(value), slope.ravel()

    return np.asarray(np.linalg.solve(root.T, _least(loss, scores.size).reshape(shape)))


def _least(loss: Callable[[Doubles], tuple[float, Doubles]], size: int) -> Doubles:
    """Where a function that gives its value and slope is least: (size,)."""
    from scipy.optimize import minimize  # half a second that other commands need not pay

    return np.asarray(minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x)
