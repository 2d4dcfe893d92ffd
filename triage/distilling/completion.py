"""A chat completion as its server sent it: the text that answers, and what it cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from triage.distilling.plain import BadAnswer

_MOST_TOKENS = 10**9
# Where a server reports none: a token of English is some four characters.
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said, why it stopped, and the tokens that the server counted, if it did."""

    content: object
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def text(self) -> str:
        """The answer. Raises ``BadAnswer`` where there is none, or not the whole of it."""
        if self.finish_reason == "length":
            raise BadAnswer("the answer is cut off")
        if self.finish_reason == "content_filter":
            raise BadAnswer("the endpoint filtered the answer")
        content = self.content
        if isinstance(content, list):  # some servers send reasoning and text as parts
            parts = [part for part in content if isinstance(part, dict)]
            content = "".join(
                str(part.get("text", "")) for part in parts if part.get("type") == "text"
            )
        if not isinstance(content, str) or not content.strip():
            raise BadAnswer("the model gave no text")
        return content

    def tokens(self, sent: str) -> tuple[int, int]:
        """Tokens in and out, estimated from the characters where the server counts none."""
        said = self.content if isinstance(self.content, str) else ""
        given, came = self.prompt_tokens, self.completion_tokens
        return (
            len(sent) // _CHARACTERS_A_TOKEN if given is None else given,
            len(said) // _CHARACTERS_A_TOKEN if came is None else came,
        )


def read_completion(body: bytes) -> Completion | None:
    """The completion in a response, or None where the body is an error after all.

    Raises ``BadAnswer`` where it is neither. Gateways report the trouble of the server behind
    them with status 200.
    """
    try:
        response = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("the response is no chat completion") from error
    if not isinstance(response, dict):
        raise BadAnswer("the response is no chat completion")
    if response.get("error") and not response.get("choices"):
        return None
    usage = response.get("usage")
    try:
        choice = response["choices"][0]
        content = choice["message"].get("content")
    except (LookupError, TypeError, AttributeError) as error:
        raise BadAnswer("the response is no chat completion") from error
    return Completion(
        content,
        str(choice.get("finish_reason")),
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
    )


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None
