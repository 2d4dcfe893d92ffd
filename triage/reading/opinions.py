"""From what was read to an opinion on every report: log-odds, layers, capabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.reading.features import Floats
from triage.reading.pulling import pulled
from triage.reading.reader import (
    BELIEF,
    LAYERS,
    MODEL_LAYER,
    Calibration,
    Doubles,
    RawReadings,
    read_log_odds,
    usual_chance,
)

# An LLM that says "model" was right in 96 of 100 labelled reports: 3 log-odds. The words beside it
# settle the rest; at their full weight they cost more than they mend (kappa 0.92 instead of 0.93).
ANSWER_WEIGHT = 3.0
WORDS_BESIDE_ANSWER = 0.5


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of n reports say, each with its neighbours' say.

    ``log_odds`` (n,) that the model is at fault, not yet calibrated; ``layers`` (n, 6) chances;
    ``answers`` (n,) is +1 where an LLM named the model, -1 where another layer, 0 where none did;
    ``usual`` (n,) how often failures of what they concern are the model's, empty if unknown.
    """

    log_odds: Doubles
    layers: Doubles
    answers: NDArray[np.int64]
    usual: Doubles

    def calibrated(self, calibration: Calibration) -> Doubles:
        """Log-odds (n,) of each report by itself that its failure needs a new model."""
        own = BELIEF * (calibration.slope * self.log_odds + calibration.offset)
        return _beside(own, self.answers)

    def of_theme(self, rows: NDArray[np.int64], calibration: Calibration) -> tuple[float, float]:
        """Log-odds of a theme by its reports' words, and by an LLM's answers about them.

        Both shrink with the number of reports: one report is half as much as many.
        """
        count = len(rows)
        mean = float(self.log_odds[rows].mean())
        answers = self.answers[rows]
        asked = int(np.count_nonzero(answers))
        # Not times BELIEF: of 16 clear themes three would stay open then, and two do without it.
        words = (calibration.theme_slope * mean + calibration.theme_offset) * count / (count + 1)
        if asked * 2 > count:
            words *= WORDS_BESIDE_ANSWER
        said = ANSWER_WEIGHT * float(answers.sum()) / (asked + 1) if asked else 0.0
        return words, said


def weigh(
    text: RawReadings,
    phrase: RawReadings,
    has_phrase: NDArray[np.bool_],
    answered: Sequence[str | None],
    *,
    model_shares: Floats,
    shift: Doubles,
    unit: Floats,
    neighbours: NDArray[np.int64],
) -> Words:
    """Bring together what was read in texts and in their phrases (rows that have one).

    ``model_shares`` (k,) are those of each capability's failures, as in ``Reader``, ``shift`` (n,)
    is what corrections taught, in log-odds; ``unit`` (n, d) are centred unit vectors.
    """
    usual = usual_chance(text, model_shares)
    log_odds = read_log_odds(text.layers, usual)
    layers = np.exp(text.layers)
    if has_phrase.any():
        by_phrase = usual_chance(phrase, model_shares)
        said = read_log_odds(phrase.layers, by_phrase)
        log_odds[has_phrase] = (log_odds[has_phrase] + said[has_phrase]) / 2
        usual[has_phrase] = (usual[has_phrase] + by_phrase[has_phrase]) / 2
        layers[has_phrase] = (layers[has_phrase] + np.exp(phrase.layers[has_phrase])) / 2
    return Words(
        log_odds=pulled((log_odds + shift)[:, None], unit, neighbours)[:, 0],
        layers=layers,
        answers=np.array([_answer(layer) for layer in answered], dtype=np.int64),
        usual=usual if len(model_shares) else np.zeros(0),
    )


def _answer(layer: str | None) -> int:
    if layer is None or layer not in LAYERS:
        return 0
    return 1 if layer == LAYERS[MODEL_LAYER] else -1


def _beside(own: Doubles, answers: NDArray[np.int64]) -> Doubles:
    asked = answers != 0
    return np.asarray(np.where(asked, WORDS_BESIDE_ANSWER * own + ANSWER_WEIGHT * answers, own))
