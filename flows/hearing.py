"""Take what was seen on GitHub: people's changes and commands become corrections, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from flows.correcting import apply_in
from flows.desk import FiledTheme, is_released, milestone_versions
from triage.database import Session
from triage.errors import TriageError
from triage.listening import (
    ChainEnd,
    Change,
    ChangeKind,
    LabelNames,
    SeenEvent,
    SeenIssue,
    Word,
    attribute,
    find_changes,
    follow_chain,
    label_renames,
    words_of,
)
from triage.store.heard import (
    forget_duplicate,
    known_events,
    load_duplicates,
    save_duplicate,
    save_heard,
)
from triage.store.life import IssueLife, save_label_alias, save_life
from triage.store.themes import set_theme_status
from triage.types import ThemeStatus
from triage.workspace import Workspace

BOT_PATIENCE = 2  # a program that undid the machine so often keeps the field
SOMEBODY = "somebody"
_FIELDS = {
    ChangeKind.ASSIGNED: "owner",
    ChangeKind.UNASSIGNED: "owner",
    ChangeKind.MILESTONED: "milestone",
    ChangeKind.DEMILESTONED: "milestone",
    ChangeKind.CLOSED: "state",
    ChangeKind.REOPENED: "state",
    ChangeKind.SECTION: "section",
}


@dataclass(slots=True)
class Ear:
    """Everything that taking one look needs; ``filed`` is kept up to date while it is taken."""

    workspace: Workspace
    session: Session
    repository: str
    filed: dict[int, FiledTheme]
    names: LabelNames
    latest: dict[tuple[int, str], datetime]
    now: datetime
    counts: Counter[str] = field(default_factory=Counter)


def unexplained_changes(issue: SeenIssue, life: IssueLife) -> tuple[Change, ...]:
    """What people changed: not what was known, nor what a write of unknown outcome wanted."""
    if life.seen_at is not None and issue.updated_at < life.seen_at:
        return ()
    changes = find_changes(life.facts, issue.facts)
    if life.pending is None:
        return changes
    unexplained = find_changes(life.pending, issue.facts)
    return tuple(change for change in changes if change in unexplained)


def take_issue(
    ear: Ear, issue: SeenIssue, events: Sequence[SeenEvent], originals: Mapping[int, int]
) -> None:
    """Take over how an issue is now; what people set they hold from now on."""
    life = ear.filed[issue.number].life
    if life.seen_at is not None and issue.updated_at < life.seen_at:
        return
    for old, new in label_renames(life.facts, issue.facts).items():
        save_label_alias(ear.session, ear.repository, old, new)
        ear.names = replace(
            ear.names, renamed={**ear.names.renamed, new: ear.names.renamed.get(old, old)}
        )
        ear.counts["labels renamed"] += 1
    changes = attribute(unexplained_changes(issue, life), events)
    for change in sorted(changes, key=lambda c: c.at or issue.updated_at):
        life = _take_change(ear, issue, life, change)
        if change.kind is ChangeKind.CLOSED and issue.number in originals:
            who, at = change.actor or SOMEBODY, change.at or issue.updated_at
            target = originals[issue.number]
            save_duplicate(ear.session, ear.repository, issue.number, target, author=who, at=at)
        if change.kind is ChangeKind.REOPENED:
            forget_duplicate(ear.session, ear.repository, issue.number)
    life = replace(life, facts=issue.facts, pending=None, gone=None, seen_at=issue.updated_at)
    keep(ear, life)


def _take_change(ear: Ear, issue: SeenIssue, life: IssueLife, change: Change) -> IssueLife:
    name = _FIELDS.get(change.kind)
    if change.kind in (ChangeKind.LABELED, ChangeKind.UNLABELED):
        name = ear.names.role_of(change.value or "")
    if name is None:
        return life
    ear.counts["changes"] += 1
    if change.kind is ChangeKind.CLOSED:
        life = replace(life, closed_by=change.actor or SOMEBODY)
    elif change.kind is ChangeKind.REOPENED:
        life = replace(life, closed_by=None)
    if change.is_bot:
        count = life.bots.get(name, 0) + 1
        life = replace(life, bots={**life.bots, name: count})
        who = change.actor or "a program"
        return life.holding(name, who) if count >= BOT_PATIENCE or name == "state" else life
    if change.actor is not None:
        words = _words_of_change(ear, issue, change)
        key = f"event:{change.event_id}"
        reason = f"{change.kind} on #{issue.number}"
        say(ear, issue.number, key, words, change.actor, reason, change.at or issue.updated_at)
    return life.holding(name, change.actor or SOMEBODY)


def _words_of_change(ear: Ear, issue: SeenIssue, change: Change) -> list[Word]:
    versions = milestone_versions(ear.workspace)
    words = list(words_of(change, ear.names, versions=versions))
    version = versions.get(issue.facts.milestone or "")
    is_taken = change.kind is ChangeKind.ASSIGNED
    if is_taken and version and not is_released(ear.workspace, version, ear.now):
        words.append(Word("claim", version))
    if change.kind is ChangeKind.CLOSED and change.value in (None, "completed") and version:
        words.append(Word("claim", version))
    if change.kind is ChangeKind.CLOSED and change.value == "not_planned":
        words.append(Word("not-a-problem", "yes"))
    return words


def say(
    ear: Ear,
    number: int,
    key: str,
    words: Sequence[Word],
    author: str,
    reason: str,
    at: datetime,
) -> list[str]:
    """Let words on an issue's theme hold, each once; returns what was wrong with them."""
    theme = ear.filed[number].theme
    problems, outcomes = [], []
    if known_events(ear.session, ear.repository, [key]):
        return []
    for word in words:
        if theme.status is ThemeStatus.MERGED:
            outcomes.append(f"{theme.name} is part of another theme: not taken")
            continue
        newest = ear.latest.get((theme.theme_id, word.field))
        if newest is not None and newest >= at:
            outcomes.append(f"{word.field}: a later word holds")
            continue
        try:
            with ear.session.begin_nested():
                said = apply_in(
                    ear.workspace,
                    ear.session,
                    theme.name,
                    {word.field: word.value},
                    author=author,
                    because=reason,
                    at=at,
                )
        except TriageError as error:
            problems.append(f"{error.problem}. {error.remedy}")
            outcomes.append(error.problem)
            continue
        if word == Word("state", "open") and theme.status is ThemeStatus.DISMISSED:
            set_theme_status(ear.session, theme.theme_id, ThemeStatus.OPEN)
        ear.latest[theme.theme_id, word.field] = at
        ear.counts["corrections"] += 1
        outcomes += said
    outcome = "; ".join(outcomes) or "noted"
    save_heard(ear.session, ear.repository, key, number, author=author, outcome=outcome, at=at)
    return problems


def merge_duplicates(ear: Ear) -> None:
    """Merge the themes of issues that are said to repeat another, at the ends of their chains."""
    duplicates = load_duplicates(ear.session, ear.repository)
    edges = {number: target for number, (target, _, _) in duplicates.items()}
    for number, (target, author, at) in duplicates.items():
        filed = ear.filed.get(number)
        if filed is None or filed.theme.status is ThemeStatus.MERGED:
            continue
        end = chain_end(ear, number, edges)
        if isinstance(end, ChainEnd):
            key = f"duplicate:{number}:{target}:{end.name}"
            save_heard(
                ear.session, ear.repository, key, number, author=author, outcome=str(end), at=at
            )
            continue
        survivor = ear.filed[end].theme
        if survivor.theme_id == filed.theme.theme_id:
            continue
        word = Word("merge-into", survivor.name)
        reason = f"#{number} repeats #{end}"
        key = f"merge:{number}:{end}:{at.isoformat()}"
        if not say(ear, number, key, [word], author, reason, at):
            ear.counts["merged"] += 1
            absorbed = replace(
                filed.theme, status=ThemeStatus.MERGED, forwards_to=survivor.theme_id
            )
            ear.filed[number] = replace(filed, theme=absorbed)


def chain_end(ear: Ear, number: int, edges: Mapping[int, int]) -> int | ChainEnd:
    ours = [n for n, each in ear.filed.items() if each.theme.status is ThemeStatus.OPEN]
    is_open = [
        n for n, each in ear.filed.items() if each.life.facts.is_open and each.life.gone is None
    ]
    return follow_chain(number, edges, ours=ours, is_open=is_open)


def keep(ear: Ear, life: IssueLife) -> None:
    save_life(ear.session, life)
    ear.filed[life.number] = replace(ear.filed[life.number], life=life)
