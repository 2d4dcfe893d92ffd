"""The failure of one report in a phrase: what an LLM answered, once it was validated."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from triage.distilling.plain import BadAnswer, plain_text

LAYERS = ("model", "harness", "serving", "config", "docs", "other")
# The schema asks for 5 to 14 words; a few more or less are still a good phrase.
WORDS = (3, 20)
LONGEST_PHRASE = 160

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
# Chat templates often swallow the opening tag.
_REASONING = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Distillation:
    """The failure of one report in few plain words, and the layer at fault."""

    failure: str
    layer: str


def read_answer(content: str) -> Distillation:
    """The distillation in an LLM's answer. Raises ``BadAnswer`` for anything else."""
    answer = read_object(content, {"failure": str, "layer": str})
    if answer["layer"] not in LAYERS:
        raise BadAnswer("the answer does not follow the schema")
    phrase = plain_text(answer["failure"], "the phrase", words=WORDS, longest=LONGEST_PHRASE)
    return Distillation(phrase, answer["layer"])


def read_object(content: str, fields: dict[str, type]) -> dict[str, Any]:
    """These fields of the JSON object, each of its type, or ``BadAnswer``.

    Whatever else is in the object is left out: older servers cannot hold a model to the schema.
    Some models think aloud before it, some servers wrap it in a code fence, whatever they were
    asked for; both are taken away. Anything else around it is prose, and refused.
    """
    bare = _REASONING.sub("", content).strip()
    fenced = _FENCE.fullmatch(bare)
    try:
        answer = json.loads(fenced[1] if fenced else bare, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise BadAnswer("the answer does not follow the schema")
    if any(type(answer.get(name)) is not wanted for name, wanted in fields.items()):
        raise BadAnswer("the answer does not follow the schema")
    return {name: answer[name] for name in fields}


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
