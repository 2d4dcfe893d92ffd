"""Reading: which layer is at fault and whose capability it is, by the words of a report."""

from triage.reading.measuring import calibration_error, kappa
from triage.reading.opinions import Words, weigh
from triage.reading.pulling import NEIGHBOURS, pulled
from triage.reading.reader import (
    BELIEF,
    FORMAT,
    LAYERS,
    Calibration,
    Linear,
    RawReadings,
    Reader,
    Trust,
    log_softmax,
    model_log_odds,
    read_log_odds,
    usual_chance,
)

__all__ = [
    "BELIEF",
    "FORMAT",
    "LAYERS",
    "NEIGHBOURS",
    "Calibration",
    "Linear",
    "RawReadings",
    "Reader",
    "Trust",
    "Words",
    "calibration_error",
    "kappa",
    "log_softmax",
    "model_log_odds",
    "pulled",
    "read_log_odds",
    "usual_chance",
    "weigh",
]
