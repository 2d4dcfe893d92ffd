"""What the stages that follow issues share: the desk, whose issue is whose, what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flows.file_issues import open_own_tracker
from flows.first_life import first_life
from triage.database import Session
from triage.errors import TrackerError
from triage.filing import section_digest
from triage.listening import LabelNames
from triage.store.decisions import load_decisions
from triage.store.issues import IssueRecord, load_issues
from triage.store.life import IssueLife, load_label_aliases, load_lives
from triage.store.renaming import load_repositories, note_name, rename_repository
from triage.store.themes import load_themes
from triage.tracker import IssueDesk, open_desk
from triage.types import Theme, Verdict
from triage.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FiledTheme:
    """A theme whose issue exists, with what is known of the issue."""

    theme: Theme
    record: IssueRecord
    life: IssueLife


def open_checked_desk(workspace: Workspace) -> tuple[IssueDesk, str | None]:
    """The desk, and the reason why it can only be read, or None.

    A repository that was renamed or transferred is followed to its present name, whether the
    configuration still has the old one or the new one already. Raises ``SettingsError`` when no
    repository or login is set.
    """
    tracker = open_own_tracker(workspace)
    blocker = tracker.can_write()
    present = desk_of(workspace, tracker.repository).present_name()
    with workspace.database.session() as session:
        note_name(session, tracker.repository, present)
        others = load_repositories(session) - {present}
    for former in sorted({*others, tracker.repository} - {present}):
        if former == tracker.repository or _name_today(workspace, former) == present:
            with workspace.database.session() as session:
                rename_repository(session, former, present)
    return desk_of(workspace, present), blocker


def _name_today(workspace: Workspace, repository: str) -> str | None:
    """A repository's present name; None where it cannot be seen any more."""
    try:
        return desk_of(workspace, repository).present_name()
    except TrackerError:
        return None


def desk_of(workspace: Workspace, repository: str) -> IssueDesk:
    """The desk of any repository; nothing is asked yet."""
    return open_desk(workspace.settings, repository, section_of=section_digest)


def load_filed(session: Session, workspace: Workspace, repository: str) -> dict[int, FiledTheme]:
    """Every theme with an issue in this repository, by the issue's number; of any status."""
    lives, decisions = load_lives(session, repository), load_decisions(session)
    themes = {theme.theme_id: theme for theme in load_themes(session, None)}
    found = {}
    for theme_id, record in load_issues(session).items():
        filed = record.filed
        if filed is None or filed.repository.casefold() != repository.casefold():
            continue
        theme, decision = themes[theme_id], decisions.get(theme_id)
        verdict = decision.verdict if decision is not None else Verdict.UNDECIDED
        life = lives.get(filed.number)
        if life is None:
            life = first_life(workspace, repository, filed.number, record.draft, theme, verdict)
        found[filed.number] = FiledTheme(theme, record, life)
    return found


def label_names(session: Session, workspace: Workspace, repository: str) -> LabelNames:
    """How labels are called here, as configured and as people renamed them since."""
    config = workspace.config
    present = load_label_aliases(session, repository)
    return LabelNames(
        capability_prefix=config.github.capability_label_prefix,
        priority_prefix=config.github.priority_label_prefix,
        capabilities=[each.id for each in config.capabilities],
        renamed={new: old for old, new in present.items()},
    )


def milestone_versions(workspace: Workspace) -> Mapping[str, str]:
    """The version that each milestone's title stands for."""
    return {version.milestone_title: version.name for version in workspace.config.versions}


def is_released(workspace: Workspace, version: str, now: datetime) -> bool:
    """Whether a version is out."""
    days = {each.name: each.released for each in workspace.config.versions}
    released = days.get(version)
    return released is not None and released <= now.date()
