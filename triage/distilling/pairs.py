"""Would one fix resolve both? The question for two groups of texts, in whichever order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from triage.distilling.answers import read_object
from triage.distilling.plain import plain_text
from triage.types import PairAnswer

REASON_WORDS = (3, 40)
LONGEST_REASON = 300

PAIR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "same_fix": {"type": "boolean"},
        "because": {"type": "string", "description": "the reason in 5 to 20 plain words"},
    },
    "required": ["same_fix", "because"],
    "additionalProperties": False,
}


def group_hash(texts: Sequence[str]) -> str:
    """SHA-256 hex of a group of texts; their order does not count."""
    written = json.dumps(sorted(set(texts)), ensure_ascii=False)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


def pair_message(first: Sequence[str], second: Sequence[str]) -> str:
    """Both groups as JSON; the same message whichever group is named first."""
    one, other = sorted((first, second), key=group_hash)
    return json.dumps({"first": list(one), "second": list(other)}, ensure_ascii=False)


def read_pair_answer(content: str) -> PairAnswer:
    """The answer for a pair. Raises ``BadAnswer`` for anything that is none."""
    answer = read_object(content, {"same_fix": bool, "because": str})
    because = plain_text(
        answer["because"], "the reason", words=REASON_WORDS, longest=LONGEST_REASON
    )
    return PairAnswer(answer["same_fix"], because)
