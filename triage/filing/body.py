"""The whole body of an issue, within GitHub's limit and with the marker at its end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from triage.filing import sections
from triage.filing.chart import reports_per_week
from triage.filing.context import DraftContext
from triage.filing.marker import SECTION_BEGIN, SECTION_END, marker
from triage.types import Decision, Report, Route, Theme

# GitHub refuses more than 65,536 characters; the difference is room for a later note.
MAX_BODY_CHARS = 60_000


def issue_body(
    theme: Theme,
    decision: Decision,
    route: Route,
    reports: Sequence[Report],
    context: DraftContext,
) -> str:
    """The machine's part between its two marks, then the hidden marker.

    A body that would be too long loses its last quotes and nothing else: every other section
    is bounded by itself (together below 30,000 characters).
    """
    blocks = sections.quote_blocks(theme, reports, context)
    room = MAX_BODY_CHARS - len(_assembled(theme, decision, route, context, []))
    kept = [
        block
        for block, used in zip(blocks, accumulate(len(b) + 2 for b in blocks), strict=True)
        if used <= room
    ]
    return _assembled(theme, decision, route, context, kept)


def _assembled(
    theme: Theme, decision: Decision, route: Route, context: DraftContext, quotes: list[str]
) -> str:
    why = context.withheld.get(theme.theme_id)
    parts = (
        SECTION_BEGIN,
        sections.what_fails(theme, context),
        *sections.earlier_issue(theme, context),
        *sections.since_release(theme, context),
        sections.verdict(decision, context),
        *([sections.evidence(decision)] if why is None else []),
        sections.who_reports(theme, is_withheld=why is not None),
        reports_per_week(theme.profile.weeks),
        sections.quotes(theme, quotes, why),
        *([sections.error_signatures(theme)] if why is None else []),
        sections.owner(route, context),
        sections.corrections(theme, decision),
        SECTION_END,
        marker(theme.theme_id, context.marker_key),
    )
    return "\n\n".join(parts) + "\n"
