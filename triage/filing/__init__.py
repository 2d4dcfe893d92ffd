"""Filing: which themes become issues, and what those issues say. No I/O; nothing is sent here.

``gate`` decides what may be filed, ``draft`` builds the issue, ``rendering`` shows it.
"""

from triage.filing.context import DraftContext, Release
from triage.filing.draft import draft_issue, with_fallback_assignee
from triage.filing.gate import FilingPolicy, filing_blocker, within_budget
from triage.filing.marker import marker, marker_in
from triage.filing.rendering import render_draft_file, render_page

__all__ = [
    "DraftContext",
    "FilingPolicy",
    "Release",
    "draft_issue",
    "filing_blocker",
    "marker",
    "marker_in",
    "render_draft_file",
    "render_page",
    "with_fallback_assignee",
    "within_budget",
]
