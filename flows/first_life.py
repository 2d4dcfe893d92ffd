"""What is known of an issue before anybody looked at it: what was sent."""

from __future__ import annotations

from triage.filing import first_told, section_digest
from triage.listening import IssueFacts, Label
from triage.privacy import withheld_in
from triage.store.life import IssueLife
from triage.types import IssueDraft, Theme, Verdict
from triage.workspace import Workspace


def first_life(
    workspace: Workspace,
    repository: str,
    number: int,
    draft: IssueDraft,
    theme: Theme,
    verdict: Verdict,
) -> IssueLife:
    """What is known of an issue right after it was filed: what was sent."""
    facts = IssueFacts(
        state="open",
        state_reason=None,
        labels=tuple(Label(0, name) for name in draft.labels),
        assignees=(draft.assignee,) if draft.assignee else (),
        milestone=draft.milestone,
        locked=False,
        section=section_digest(draft.body),
    )
    told = first_told(theme, verdict, releases(workspace), withheld_in(draft.body))
    return IssueLife(repository, number, facts, told)


def releases(workspace: Workspace) -> list[str]:
    """The released versions, oldest first."""
    return [version.name for version in workspace.config.versions if version.released]
