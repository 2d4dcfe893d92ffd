"""What an LLM answered is hostile text until it was validated here."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

LAYERS = ("model", "harness", "serving", "config", "docs", "other")
# The schema asks for 5 to 14 words; a word more or less is still a good phrase.
WORDS = (3, 20)
LONGEST_PHRASE = 160
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARKUP = re.compile(r"https?:|www\.|[<>`@#\[\]{}|\\]|\*\*|__")
# Addressed to whoever reads it, not said of a failure.
_INSTRUCTION = re.compile(
    r"(?i)\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instruction|previous|above|prompt|rule)"
    r"|\b(?:mark|label|classify|treat|route|file|close|assign)\b.{0,20}\b(?:this|it|theme|issue|report)\b"
    r"|\bsystem prompt\b|\bas an ai\b|\b(?:please|you must|you should|do not answer)\b"
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "failure": {
            "type": "string",
            "description": "the failure mode in 5 to 14 plain words, no product names",
        },
        "layer": {"type": "string", "enum": list(LAYERS)},
    },
    "required": ["failure", "layer"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Distillation:
    """The failure of one report in few plain words, and the layer at fault."""

    failure: str
    layer: str


class BadAnswer(ValueError):
    """The answer cannot be used; the message says why, without its text."""


def read_answer(content: str) -> Distillation:
    """The distillation in an LLM's answer. Raises ``BadAnswer`` for anything else."""
    try:
        answer = json.loads(_without_fence(content))
    except (ValueError, RecursionError) as error:
        raise BadAnswer("the answer is not JSON") from error
    if not isinstance(answer, dict) or set(answer) != {"failure", "layer"}:
        raise BadAnswer("the answer does not follow the schema")
    failure, layer = answer["failure"], answer["layer"]
    if not isinstance(failure, str) or layer not in LAYERS:
        raise BadAnswer("the answer does not follow the schema")
    return Distillation(_plain_phrase(failure), str(layer))


def _plain_phrase(failure: str) -> str:
    phrase = " ".join(unicodedata.normalize("NFKC", failure).split()).rstrip(".")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") for character in phrase):
        raise BadAnswer("the phrase holds characters that are not shown")
    if len(phrase) > LONGEST_PHRASE:
        raise BadAnswer("the phrase is too long")
    words = len(phrase.split()) + len(_SPACELESS.findall(phrase)) // 2
    if not WORDS[0] <= words <= WORDS[1] + (20 if _SPACELESS.search(phrase) else 0):
        raise BadAnswer("the phrase has too few or too many words")
    if _MARKUP.search(phrase):
        raise BadAnswer("the phrase holds a link or markup")
    if _INSTRUCTION.search(phrase):
        raise BadAnswer("the phrase reads like an instruction")
    return phrase


def _without_fence(content: str) -> str:
    """Some servers wrap JSON in a code fence whatever they are asked for."""
    stripped = content.strip()
    fenced = re.fullmatch(r"```(?:json)?\s*(\{.*\})\s*```", stripped, re.DOTALL)
    return fenced[1] if fenced else stripped
