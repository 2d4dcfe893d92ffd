"""Filing: which themes become issues, and what those issues say. No I/O; nothing is sent here.

``gate`` decides what may be filed, ``draft`` builds the issue, ``rendering`` shows it; ``upkeep``
keeps it true, ``section`` finds our part of a body, ``notes`` words the comments.
"""

from triage.filing.context import DraftContext, Release, ReleaseNote
from triage.filing.draft import draft_issue, with_fallback_assignee
from triage.filing.gate import FilingPolicy, filing_blocker, within_budget
from triage.filing.marker import has_note_marker, marker, marker_in, note_marker
from triage.filing.notes import (
    elsewhere_note,
    error_note,
    help_note,
    mended_note,
    merged_note,
    news_note,
    told_note,
    verdict_note,
)
from triage.filing.rendering import render_draft_file, render_page
from triage.filing.section import emptied_section, section_digest, with_section
from triage.filing.upkeep import Situation, Told, Upkeep, first_told, plan_upkeep

__all__ = [
    "DraftContext",
    "FilingPolicy",
    "Release",
    "ReleaseNote",
    "Situation",
    "Told",
    "Upkeep",
    "draft_issue",
    "elsewhere_note",
    "emptied_section",
    "error_note",
    "filing_blocker",
    "first_told",
    "has_note_marker",
    "help_note",
    "marker",
    "marker_in",
    "mended_note",
    "merged_note",
    "news_note",
    "note_marker",
    "plan_upkeep",
    "render_draft_file",
    "render_page",
    "section_digest",
    "told_note",
    "verdict_note",
    "with_fallback_assignee",
    "with_section",
    "within_budget",
]
