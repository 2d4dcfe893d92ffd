"""What is filed next: the gate, the budget, and the drafts of what passes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flows.discretion import judge_sensitivity, load_earlier_issues, withheld_themes
from flows.ledger import load_release_notes
from triage.decision import is_severe
from triage.filing import (
    DraftContext,
    FilingPolicy,
    Release,
    draft_issue,
    filing_blocker,
    within_budget,
)
from triage.store.decisions import load_decisions, load_routes
from triage.store.issues import load_issues
from triage.store.life import load_label_aliases
from triage.store.renaming import repository_today
from triage.store.reports import load_theme_reports
from triage.store.themes import load_themes, save_blocker
from triage.types import IssueDraft, IssueState
from triage.workspace import Workspace


def plan(
    workspace: Workspace, held: Mapping[int, str]
) -> tuple[list[IssueDraft], list[IssueDraft], int]:
    """Drafts of what may be filed now, most urgent first; every other blocker is stored.

    ``held`` are themes that must wait for another reason. Returns the drafts, those for the private
    repository, and how many themes wait.
    """
    policy = filing_policy(workspace)
    with workspace.database.session() as session:
        decisions, routes = load_decisions(session), load_routes(session)
        issues, reports = load_issues(session), load_theme_reports(session)
        sensitive = judge_sensitivity(session, workspace, reports)
        blockers: dict[int, str] = {}
        candidates = []
        for theme in load_themes(session):
            theme_id = theme.theme_id
            record = issues.get(theme_id)
            empty = None if reports.get(theme_id) else "no report is left in it"
            blocker = (
                empty
                or held.get(theme_id)
                or filing_blocker(
                    theme,
                    decisions.get(theme_id),
                    routes.get(theme_id),
                    policy,
                    has_issue=record is not None and record.state is IssueState.FILED,
                    developer_severe=is_severe(reports.get(theme_id, [])),
                )
                or _privacy_blocker(workspace, sensitive.get(theme_id))
            )
            if blocker is None:
                candidates.append((theme, decisions[theme_id]))
            else:
                blockers[theme_id] = blocker
        chosen, beyond = within_budget(candidates, policy)
        for theme_id, blocker in {**blockers, **beyond}.items():
            save_blocker(session, theme_id, blocker)
        notes = load_release_notes(session, workspace)
        drafts: dict[bool, list[IssueDraft]] = {False: [], True: []}
        for is_private, place in places(workspace).items():
            aliases = load_label_aliases(session, repository_today(session, place.repository or ""))
            context = replace(
                draft_context(place),
                earlier_issues=load_earlier_issues(session, place),
                release_notes=notes,
                withheld=withheld_themes(place, chosen, sensitive),
            )
            for theme in chosen:
                theme_id = theme.theme_id
                if (theme_id in sensitive) is is_private:
                    draft = draft_issue(
                        theme, decisions[theme_id], routes[theme_id], reports[theme_id], context
                    )
                    drafts[is_private].append(_as_labels_are_called(draft, aliases))
    unfiled = [t for t in blockers if t not in issues or issues[t].state is not IssueState.FILED]
    return drafts[False], drafts[True], len(unfiled) + len(beyond)


def places(workspace: Workspace) -> dict[bool, Workspace]:
    """Where issues go: False the repository that all may read, True the private one if any."""
    private = workspace.private_repository
    return {False: workspace} | ({True: workspace.at(private)} if private is not None else {})


def _privacy_blocker(workspace: Workspace, sensitive: str | None) -> str | None:
    """Why a sensitive theme stays inside; None where it may be filed, here or in private."""
    if sensitive is None or workspace.private_repository is not None:
        return None
    return (
        f"sensitive: {sensitive}; privacy.private_repository in triage.yaml says where it may be "
        "filed, `triage correct --not-sensitive` that it is not"
    )


def _as_labels_are_called(draft: IssueDraft, aliases: Mapping[str, str]) -> IssueDraft:
    """The draft with the names that people gave to labels since."""
    return replace(draft, labels=tuple(aliases.get(name, name) for name in draft.labels))


def filing_policy(workspace: Workspace) -> FilingPolicy:
    """The gate's thresholds from the configuration."""
    policy = workspace.config.policy
    return FilingPolicy(
        min_reporters=policy.min_reporters,
        min_coherence=policy.min_coherence,
        max_new_issues_per_run=policy.max_new_issues_per_run,
    )


def draft_context(workspace: Workspace) -> DraftContext:
    """What a draft says about the model family and the capabilities."""
    config = workspace.config
    released = [version for version in config.versions if version.released]
    return DraftContext(
        family_title=config.family.title,
        marker_key=workspace.marker_key,
        next_version=config.next_version.milestone_title,
        next_version_due=config.next_version.planned,
        releases=tuple(Release(version.name, version.released) for version in released),
        capability_titles={each.id: each.title for each in config.capabilities},
        fallback_owner=config.triage_owner,
        capability_label_prefix=config.github.capability_label_prefix,
        priority_label_prefix=config.github.priority_label_prefix,
        extra_labels=config.github.extra_labels,
    )
