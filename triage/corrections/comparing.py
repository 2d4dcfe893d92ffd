"""Is what corrections teach better than what is in use? Cross-validated over themes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.corrections.learning import Doubles, Example, Floats, learn

FOLDS = 5
# Below this many themes every comparison is chance.
LEAST_THEMES = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """Errors over corrected themes that each candidate had not learnt from.

    ``before`` and ``after`` are mean negative logarithms of the chance of what people said (lower
    is better), ``errors_before`` and ``errors_after`` shares of wrong themes.
    """

    themes: int
    before: float
    after: float
    errors_before: float
    errors_after: float

    @property
    def blocker(self) -> str | None:
        """Why what was learnt does not come into use, or None when it does."""
        if self.themes < LEAST_THEMES:
            return f"only {self.themes} of at least {LEAST_THEMES} themes were corrected"
        if self.errors_after > self.errors_before:
            return "it makes more errors on themes that it had not learnt from"
        if self.after >= self.before:
            return "it is no better on themes that it had not learnt from"
        return None

    def figures(self) -> dict[str, float | int | str]:
        """For showing and storing."""
        return {
            "themes": self.themes,
            "loss before": round(self.before, 3),
            "loss after": round(self.after, 3),
            "errors before": round(self.errors_before, 3),
            "errors after": round(self.errors_after, 3),
            "outcome": self.blocker or "in use",
        }


def compare(
    examples: Sequence[Example],
    vectors: Floats,
    log_odds: Doubles,
    scores: Doubles,
    *,
    ids: Sequence[str],
) -> Comparison:
    """Learn from four fifths of the corrected themes and look at the fifth, in turn.

    What is in use is judged on the same themes without anything learnt: a stored state has seen
    them, and would look better than it is. Arguments as for ``learn``.
    """
    themes = list(dict.fromkeys(example.theme_id for example in examples))
    fold_of = {theme: number % FOLDS for number, theme in enumerate(sorted(themes))}
    folds = np.array([fold_of[example.theme_id] for example in examples])
    verdict_shift, capability_shift = np.zeros(len(examples)), np.zeros_like(scores)
    for fold in range(FOLDS):
        own, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(own) == 0 or len(rest) == 0:
            continue
        taught = learn(
            [examples[int(at)] for at in rest], vectors[rest], log_odds[rest], scores[rest],
            ids=ids, based_on="",
        )  # fmt: skip
        verdict_shift[own], capability_shift[own] = taught.shifts(vectors[own], vectors[rest], ids)
    before = _judge(examples, themes, log_odds, scores, ids)
    after = _judge(examples, themes, log_odds + verdict_shift, scores + capability_shift, ids)
    return Comparison(len(themes), before[0], after[0], before[1], after[1])


def _judge(
    examples: Sequence[Example],
    themes: Sequence[int],
    log_odds: Doubles,
    scores: Doubles,
    ids: Sequence[str],
) -> tuple[float, float]:
    """Mean loss and share of errors over what people said of themes, each word once."""
    losses, errors = [], []
    for theme in themes:
        own = [at for at, example in enumerate(examples) if example.theme_id == theme]
        said = examples[own[0]]
        if said.is_fundamental is not None:
            margin = float(log_odds[own].mean()) * (1 if said.is_fundamental else -1)
            losses.append(float(np.logaddexp(0, -margin)))
            errors.append(margin <= 0)
        if said.capability in ids:
            place = list(ids).index(str(said.capability))
            mean: NDArray[np.float64] = scores[own].mean(axis=0)
            losses.append(float(np.logaddexp.reduce(mean) - mean[place]))
            errors.append(int(mean.argmax()) != place)
    return (float(np.mean(losses)), float(np.mean(errors))) if losses else (0.0, 0.0)
