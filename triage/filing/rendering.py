"""A draft as people and machines read it before it is sent."""

from __future__ import annotations

import json

from triage.types import IssueDraft


def issue_payload(draft: IssueDraft) -> dict[str, object]:
    """The fields of the request that creates the issue; the milestone by its title."""
    return {
        "title": draft.title,
        "body": draft.body,
        "labels": list(draft.labels),
        "assignees": [draft.assignee] if draft.assignee else [],
        "milestone": draft.milestone,
    }


def render_console(draft: IssueDraft) -> str:
    """The payload as indented JSON, nothing left out."""
    return json.dumps(issue_payload(draft), ensure_ascii=False, indent=2)


def render_draft_file(draft: IssueDraft) -> str:
    """A Markdown file: a YAML header with everything but the body, then the exact body."""
    header = {name: value for name, value in issue_payload(draft).items() if name != "body"}
    header["theme"] = f"T{draft.theme_id}"
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in header.items()]
    return "\n".join(["---", *lines, "---", draft.body])
