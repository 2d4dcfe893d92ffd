"""Which layer a theme's words are about; without a reader, by likeness to described failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MODEL = "model"
# Of a report: how its lead in likeness becomes log-odds; fitted over invented failure modes.
LEAD_WEIGHT = 18.0
LEAD_BASE = 0.4

# General sentences, to be embedded once; written without sight of any one report.
LAYER_PROTOTYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "model": (
            "The model ignores a clear instruction and does what it was told not to do.",
            "The answer is wrong: the reasoning has a mistake and the model is confident of it.",
            "The model invents facts, names, functions or sources that do not exist.",
            "The model claims that it finished, tested or checked something although it did not.",
            "The model agrees with whatever the user says and gives up a correct answer.",
            "The model refuses a harmless request and lectures the user.",
            "The model repeats the same step or sentence again and again without progress.",
            "The model slips into another language or loses the requested tone and style.",
            "The model takes a risky or irreversible action that nobody asked for.",
            "The model misreads what is in a picture, table or long document.",
            "The model gives up early, cuts corners or fakes the result to pass a check.",
            "The model chooses the wrong tool or fills in the arguments carelessly.",
        ),
        "harness": (
            "The application does not pass the user's input, file or setting on to the model.",
            "The client's parser rejects or loses a valid reply of the model.",
            "The command line tool or editor extension crashes, hangs or shows a wrong state.",
            "The agent software truncates, rewrites or drops output before anyone sees it.",
            "The permission dialog, session restore or history of the tool does not work.",
            "After an update of the app a feature that used to work is broken.",
            "The system prompt of the product contains a wrong or misleading instruction.",
        ),
        "serving": (
            "The inference server answers with an HTTP error or an exception and a stack trace.",
            "The streaming endpoint sends malformed, missing or duplicated chunks.",
            "The server's chat template or tokenizer renders the prompt wrongly.",
            "With this quantised build or GPU backend the output is garbage; another is fine.",
            "The server's tool call or reasoning parser leaves markers in the content field.",
            "An API parameter of the request is silently ignored by the server.",
            "The request times out, runs out of memory or is cut off by the server.",
        ),
        "config": (
            "A default value is wrong and changing one setting solves the problem.",
            "The configured context length or output limit is too small, so text is cut off.",
            "The configuration file has a wrong model name, token or sampling parameter.",
            "The limit in the settings does not match what the model supports.",
        ),
        "docs": (
            "The documentation describes an option, parameter or command that does not exist.",
            "The example in the guide fails when copied as it is written.",
            "The manual is outdated, contradicts itself or lacks a needed step.",
        ),
        "other": (
            "A question about pricing, billing, an account or a subscription.",
            "A wish for a new feature, or praise or complaint without a failure.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class TextSignals:
    """What a theme's words say of the layer at fault; log-odds are positive towards the model.

    ``words`` and ``answers`` come from reading and from an LLM; ``layers`` are mean chances,
    ``answered`` counts of an LLM's answers. ``read_by`` names who read. ``usual`` is how often
    failures of the capabilities that the words concern are the model's; it is part of ``words``.
    """

    words: float = 0.0
    answers: float = 0.0
    layers: Mapping[str, float] = field(default_factory=dict)
    answered: Mapping[str, int] = field(default_factory=dict)
    read_by: str = ""
    usual: float | None = None


def compare_with_layers(
    vectors: Floats, prototypes: Mapping[str, Floats]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-odds (n,) that the model is at fault and chances (n, layers) of each layer.

    ``vectors`` (n, d) are centred unit vectors; ``prototypes`` maps each layer to the vectors
    (k, d) of its sentences as embedded. They are centred here by their own mean (kappa per report
    against the layer alone rose from 0.30 to 0.34). A report is as like a layer as it is to the
    nearest two of its sentences.
    """
    centre = np.concatenate(list(prototypes.values())).mean(axis=0)
    columns = []
    for sentences in prototypes.values():
        own = sentences - centre
        own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        columns.append(np.sort(vectors @ own.T, axis=1)[:, -2:].mean(axis=1))
    similarity = np.stack(columns, axis=1).astype(np.float64)
    at = list(prototypes).index(MODEL)
    lead = similarity[:, at] - np.delete(similarity, at, axis=1).max(axis=1)
    raised = np.exp(LEAD_WEIGHT * (similarity - similarity.max(axis=1, keepdims=True)))
    return LEAD_WEIGHT * lead + LEAD_BASE, raised / raised.sum(axis=1, keepdims=True)
