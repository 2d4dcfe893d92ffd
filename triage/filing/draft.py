"""One theme as one GitHub issue, ready to be sent or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triage.filing.body import issue_body
from triage.filing.context import DraftContext
from triage.filing.hostile import visible_line
from triage.filing.markdown import code_span, plain_title, safe_prose
from triage.filing.marker import marker
from triage.filing.sections import OWNER_HEADING
from triage.privacy import without_words, without_words_of_reports
from triage.types import Decision, IssueDraft, Report, Route, Theme, Verdict

_VERDICT_LABEL = {
    Verdict.QUICK_FIX: "quick-fix",
    Verdict.FUNDAMENTAL: "fundamental",
    Verdict.UNDECIDED: "needs-verdict",
}
_MAX_LABEL_CHARS = 50  # GitHub's limit


def draft_issue(
    theme: Theme,
    decision: Decision,
    route: Route,
    reports: Sequence[Report],
    context: DraftContext,
) -> IssueDraft:
    """Build the issue for a theme that passed the gate.

    ``reports`` are the theme's; the exemplars among them are quoted. No text in them can
    mention anybody, refer to anything, load anything, or pass for a part of ours. A theme whose
    words are withheld is shown by its counts alone, with the reason.
    """
    why = context.withheld.get(theme.theme_id)
    if why is not None:
        released = [release.version for release in context.releases]
        theme = without_words(theme, why, [*released, context.next_version or ""])
        decision, reports = without_words_of_reports(decision), ()
    assignee = route.owner or context.fallback_owner
    fallback = context.fallback_owner if context.fallback_owner != assignee else None
    return IssueDraft(
        theme_id=theme.theme_id,
        title=_title(theme, route),
        body=issue_body(theme, decision, route, reports, context),
        labels=_labels(decision, route, context),
        milestone=context.next_version,
        assignee=assignee,
        fallback_assignee=fallback,
        marker=marker(theme.theme_id, context.marker_key),
        milestone_due=context.next_version_due.isoformat() if context.next_version_due else None,
    )


def with_fallback_assignee(draft: IssueDraft, reason: str) -> IssueDraft:
    """The draft for the fallback owner, with the intended one and ``reason`` named in the body."""
    if draft.fallback_assignee is None:
        taker = "Nobody is assigned."
    else:
        taker = f"Assigned to {code_span(draft.fallback_assignee, 60)} instead."
    intended = code_span(draft.assignee or "", 60)
    note = f"{intended} could not be assigned: {safe_prose(reason, 300)} {taker}"
    # Text from reports stands in quotes, lists and tables, so only our heading is a whole line.
    heading = f"\n{OWNER_HEADING}\n"
    return replace(
        draft,
        body=draft.body.replace(heading, f"{heading}\n{note}\n", 1),
        assignee=draft.fallback_assignee,
        fallback_assignee=None,
    )


def _title(theme: Theme, route: Route) -> str:
    area = f"[{route.capability}] " if route.capability else ""
    return plain_title(area + (visible_line(theme.text.title) or "Untitled failure"))


def _labels(decision: Decision, route: Route, context: DraftContext) -> tuple[str, ...]:
    names = [
        *([f"{context.capability_label_prefix}{route.capability}"] if route.capability else []),
        _VERDICT_LABEL[decision.verdict],
        f"{context.priority_label_prefix}{decision.priority}",
        *context.extra_labels,
    ]
    return tuple(dict.fromkeys(name[:_MAX_LABEL_CHARS] for name in names))
