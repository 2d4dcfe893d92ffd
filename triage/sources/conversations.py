"""What was asked and answered, as logs hold it: a text, chat messages, or any other JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from triage.sources.sample_runs import LONGEST_TEXT


def conversation(value: Any) -> str:
    """A text as it is, messages with their roles, anything else as JSON; bounded in length."""
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if isinstance(value, Mapping) and "content" in value:
        return content_of(value["content"])[:LONGEST_TEXT]
    if isinstance(value, list) and value and all(_is_message(one) for one in value):
        told = [f"{one.get('role', '?')}: {content_of(one.get('content'))}" for one in value]
        return "\n\n".join(told)[:LONGEST_TEXT]
    return text_of(value)[:LONGEST_TEXT]


def content_of(value: Any) -> str:
    """The text of a message; images and the like are left out."""
    if isinstance(value, list):
        return "\n".join(
            text_of(part.get("text"))
            for part in value
            if isinstance(part, Mapping) and part.get("type") == "text"
        )
    return text_of(value)


def text_of(value: Any) -> str:
    """A text as it is, nothing for null, several with commas, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def part_of(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within an object; empty where it is missing or something else."""
    part = item.get(name)
    return part if isinstance(part, Mapping) else {}


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and "content" in value
