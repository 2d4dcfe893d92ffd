"""A draft as people and machines read it before it is sent."""

from __future__ import annotations

import json

from triage.filing.markdown import code_span, safe_prose
from triage.types import IssueDraft


def render_draft_file(draft: IssueDraft) -> str:
    """A Markdown file: a YAML header with everything but the body, then the exact body."""
    header = {name: value for name, value in draft.payload.items() if name != "body"}
    header["theme"] = f"T{draft.theme_id}"
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in header.items()]
    return "\n".join(["---", *lines, "---", draft.body])


def render_page(draft: IssueDraft) -> str:
    """A draft as a Markdown page to read: heading, a small table, then the exact body."""
    rows = {
        "labels": " ".join(code_span(label) for label in draft.labels),
        "assignee": code_span(draft.assignee) if draft.assignee else "nobody",
        "milestone": code_span(draft.milestone) if draft.milestone else "none",
    }
    table = [f"| {name} | {value} |" for name, value in rows.items()]
    head = [f"## {safe_prose(draft.title, 200)}", "", "| | |", "| --- | --- |", *table]
    return "\n".join([*head, "", draft.body])
