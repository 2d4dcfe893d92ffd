"""A draft as people and machines read it before it is sent."""

from __future__ import annotations

import json

from triage.types import IssueDraft


def render_console(draft: IssueDraft) -> str:
    """The payload as indented JSON, nothing left out."""
    return json.dumps(draft.payload, ensure_ascii=False, indent=2)


def render_draft_file(draft: IssueDraft) -> str:
    """A Markdown file: a YAML header with everything but the body, then the exact body."""
    header = {name: value for name, value in draft.payload.items() if name != "body"}
    header["theme"] = f"T{draft.theme_id}"
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in header.items()]
    return "\n".join(["---", *lines, "---", draft.body])
