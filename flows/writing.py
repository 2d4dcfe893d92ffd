"""Write to issues: every intent once, within a budget, never against a person."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flows.desk import FiledTheme, load_filed
from flows.redrafting import draft_anew, title_hash
from triage.errors import TrackerError, TrackerGone, TrackerLocked, TrackerRateLimited
from triage.filing import emptied_section, has_note_marker, section_digest, with_section
from triage.listening import IssueFacts, Label, SeenIssue
from triage.store.actions import (
    COMMENT,
    REACT,
    REWRITE,
    IssueAction,
    count_writes,
    load_open_actions,
    mark_attempted,
    mark_done,
    note_error,
)
from triage.store.issues import save_sent
from triage.store.life import MACHINE, IssueLife, load_life, load_past_issues, save_life
from triage.tracker import Edit, IssueDesk
from triage.workspace import Workspace

# GitHub asks for a second between writes (its secondary limit on creating content).
PAUSE_SECONDS = 1.0
# A comment of unknown outcome is looked for at once, and written again only after this long.
RESEND_AFTER = timedelta(seconds=60)
CLOCK_MARGIN = timedelta(hours=1)
# Loop guard: whatever happens on an issue, the machine writes to it so often a day and no more.
WRITES_PER_ISSUE_AND_DAY = 12
NO_MARKS = "our part was not found in it: look whether words are left, and delete them by hand"


@dataclass(slots=True)
class Pen:
    """What one run of writing shares; ``limited`` ends it, ``counts`` say what it did."""

    workspace: Workspace
    desk: IssueDesk
    now: datetime
    pause_seconds: float = PAUSE_SECONDS
    resend_after: timedelta = RESEND_AFTER
    writes_per_day: int = WRITES_PER_ISSUE_AND_DAY
    limited: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    written: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)

    def may_write(self, number: int) -> bool:
        """Whether this issue's budget of the day has room."""
        if number in self.gone:
            return False
        return self.limited is None and self.written.get(number, 0) < self.writes_per_day

    def breathe(self, number: int) -> None:
        """Count a write and wait as long as GitHub wants between two."""
        self.written[number] = self.written.get(number, 0) + 1
        time.sleep(self.pause_seconds)


def open_pen(
    workspace: Workspace,
    desk: IssueDesk,
    *,
    now: datetime,
    pause_seconds: float = PAUSE_SECONDS,
    resend_after: timedelta = RESEND_AFTER,
) -> Pen:
    """A pen that knows how much was written to each issue in the last day."""
    with workspace.database.session() as session:
        written = count_writes(session, desk.repository, now - timedelta(days=1))
    return Pen(workspace, desk, now, pause_seconds, resend_after, written=written)


def write_intended(pen: Pen, only: str | None = None) -> None:
    """Carry out what was intended, in order; what must wait holds back what follows on its issue.

    ``only`` names the kind of action that is carried out; without it all are.

    A rate limit ends the run and is noted in ``pen.limited``; what is left is done by the next.
    """
    with pen.workspace.database.session() as session:
        actions = load_open_actions(session, pen.desk.repository)
        actions = [action for action in actions if only in (None, action.kind)]
        filed = load_filed(session, pen.workspace, pen.desk.repository)
        past = load_past_issues(session, pen.desk.repository)
    waiting: set[int] = set()
    for action in actions:
        number = action.number
        issue = filed.get(number)
        is_former = number in past and action.kind in (COMMENT, REWRITE)
        if not is_former and (issue is None or issue.life.gone is not None):
            done(pen, action, "the issue is gone")
            continue
        if number in waiting or not pen.may_write(number):
            pen.counts["writes waiting"] += 1
            waiting.add(number)
            continue
        try:
            outcome = _carry_out(pen, action, issue)
        except TrackerRateLimited as error:
            pen.limited = str(error)
            pen.counts["writes waiting"] += 1
            continue
        except TrackerGone as error:
            _note_gone(pen, action, issue, error)
            continue
        except TrackerLocked:
            outcome = "the issue is locked"
        except TrackerError as error:
            pen.counts["writes failed"] += 1
            waiting.add(number)
            with pen.workspace.database.session() as session:
                note_error(session, action.action_id, str(error))
            continue
        if outcome is None:
            pen.counts["writes waiting"] += 1
            waiting.add(number)
            continue
        done(pen, action, outcome)


def _carry_out(pen: Pen, action: IssueAction, issue: FiledTheme | None) -> str | None:
    if action.kind == COMMENT:
        return _write_comment(pen, action)
    if action.kind == REACT:
        return _write_reaction(pen, action)
    if action.kind == REWRITE:
        return _write_anew(pen, action, issue)
    return _write_edit(pen, action, issue) if issue is not None else "the issue is gone"


def _write_comment(pen: Pen, action: IssueAction) -> str | None:
    """Write a comment unless it is there; None: its fate is unknown, and it is too early."""
    note, body = str(action.payload["note"]), str(action.payload["body"])
    if action.attempted_at is not None:
        since = action.intended_at - CLOCK_MARGIN
        for comment in pen.desk.fetch_comments_on(action.number, since=since):
            if has_note_marker(comment.body, note, pen.workspace.marker_key):
                return "found"
        if pen.now - action.attempted_at < pen.resend_after:
            return None
    attempt(pen, action)
    pen.desk.comment(action.number, body)
    pen.counts["comments"] += 1
    return "written"


def _write_reaction(pen: Pen, action: IssueAction) -> str | None:
    attempt(pen, action)
    try:
        pen.desk.react(int(action.payload["comment_id"]), str(action.payload["content"]))
    except TrackerGone:
        return "the comment is gone"
    pen.counts["reactions"] += 1
    return "written"


def _write_edit(pen: Pen, action: IssueAction, filed: FiledTheme) -> str | None:
    """Close, reopen or move an issue, unless people were first or its target is closed."""
    fields, expected = dict(action.payload["fields"]), action.payload.get("expected")
    now = pen.desk.fetch_issue(action.number)
    state = fields.get("state")
    if state is not None and now.facts.state == state:
        return "it is so already"
    if expected is not None and now.facts.state != expected:
        return "people were first"
    with pen.workspace.database.session() as session:
        life = load_life(session, action.repository, action.number) or filed.life
    if life.facts.state != now.facts.state:
        return "people were first"
    if action.attempted_at is not None and state is not None and _was_undone(pen, action, state):
        return "done, and undone by people"
    onto = action.payload.get("onto")
    if onto is not None and not pen.desk.fetch_issue(int(onto)).facts.is_open:
        return f"#{onto} is closed: nothing is closed onto it"
    if fields.get("milestone") and action.payload.get("from_milestone") != now.facts.milestone:
        del fields["milestone"]  # people moved it meanwhile
    if fields.get("milestone") == now.facts.milestone:
        fields.pop("milestone", None)
    if not fields:
        return "nothing is left to do"
    attempt(pen, action)
    due = action.payload.get("milestone_due")
    send_edit(pen, life, Edit(**fields, milestone_due=due), now)
    return "written"


def _write_anew(pen: Pen, action: IssueAction, issue: FiledTheme | None) -> str:
    """Write our part of an issue as it is to be now, whoever holds it: words are to be forgotten.

    Everything around it stays, and so does a title that people gave.
    """
    now = pen.desk.fetch_issue(action.number)
    with pen.workspace.database.session() as session:
        draft = None if issue is None else draft_anew(session, pen.workspace, issue.theme)
        life = load_life(session, action.repository, action.number)
    body = with_section(now.body, draft.body if draft is not None else emptied_section())
    sent = action.payload.get("title_hash")
    is_ours = sent is not None and title_hash(now.title, pen.workspace.marker_key) == sent
    title = draft.title if draft is not None else "A failure that was forgotten"
    edit = Edit(body=body, title=title if is_ours else None)
    if edit == Edit():
        return NO_MARKS
    attempt(pen, action)
    life = life or (issue.life if issue is not None else None)
    if life is None:
        pen.desk.edit(action.number, edit)
    else:
        send_edit(pen, life, edit, now)
    if issue is not None and draft is not None:
        with pen.workspace.database.session() as session:
            save_sent(session, issue.theme.theme_id, draft)
    pen.counts["issues rewritten"] += 1
    return "written" if body is not None else NO_MARKS


def send_edit(pen: Pen, life: IssueLife, edit: Edit, now: SeenIssue) -> SeenIssue:
    """Send an edit: what it wants is noted first, what came of it afterwards."""
    wanted = _wanted(now.facts, edit)
    with pen.workspace.database.session() as session:
        save_life(session, replace(life, pending=wanted))
    seen = pen.desk.edit(life.number, edit)
    closed_by = life.closed_by
    if edit.state is not None:
        closed_by = MACHINE if edit.state == "closed" else None
    facts = _learned(life.facts, seen.facts, edit)
    known = replace(life, facts=facts, pending=None, closed_by=closed_by, seen_at=seen.updated_at)
    with pen.workspace.database.session() as session:
        save_life(session, known)
    pen.counts["edits"] += 1
    return seen


def _wanted(facts: IssueFacts, edit: Edit) -> IssueFacts:
    ids = {label.name: label.label_id for label in facts.labels}
    labels = facts.labels
    if edit.labels is not None:
        labels = tuple(Label(ids.get(name, 0), name) for name in edit.labels)
    return replace(
        facts,
        labels=labels,
        state=edit.state or facts.state,
        state_reason=_reason_of(edit) if edit.state else facts.state_reason,
        assignees=edit.assignees if edit.assignees is not None else facts.assignees,
        milestone=edit.milestone or facts.milestone,
        section=section_digest(edit.body) if edit.body is not None else facts.section,
    )


def _reason_of(edit: Edit) -> str | None:
    """GitHub itself says of what is opened again that it was."""
    return "reopened" if edit.state == "open" else edit.state_reason


def _learned(known: IssueFacts, seen: IssueFacts, edit: Edit) -> IssueFacts:
    """What was known with what the edit changed; what people changed meanwhile is heard later."""
    return IssueFacts(
        state=seen.state if edit.state else known.state,
        state_reason=seen.state_reason if edit.state else known.state_reason,
        labels=seen.labels if edit.labels is not None else known.labels,
        assignees=seen.assignees if edit.assignees is not None else known.assignees,
        milestone=seen.milestone if edit.milestone is not None else known.milestone,
        locked=known.locked,
        section=seen.section if edit.body is not None else known.section,
    )


def _was_undone(pen: Pen, action: IssueAction, state: str) -> bool:
    """Whether an edit of unknown outcome did arrive, and people took it back since."""
    kind = "closed" if state == "closed" else "reopened"
    since = (action.attempted_at or action.intended_at) - timedelta(minutes=2)
    events = pen.desk.fetch_events_of(action.number)
    return any(event.kind == kind and event.at >= since for event in events)


def attempt(pen: Pen, action: IssueAction) -> None:
    """Note that a write is about to be sent, and wait as long as GitHub wants between two."""
    with pen.workspace.database.session() as session:
        mark_attempted(session, action.action_id, now=pen.now)
    pen.breathe(action.number)


def done(pen: Pen, action: IssueAction, outcome: str) -> None:
    """Note what became of a write; it is never sent again."""
    with pen.workspace.database.session() as session:
        mark_done(session, action.action_id, outcome, now=pen.now)


def _note_gone(pen: Pen, action: IssueAction, issue: FiledTheme | None, error: TrackerGone) -> None:
    with pen.workspace.database.session() as session:
        if issue is not None:
            save_life(session, replace(issue.life, gone=error.problem))
        mark_done(session, action.action_id, error.problem, now=pen.now)
    pen.counts["issues gone"] += 1
    pen.gone.add(action.number)
