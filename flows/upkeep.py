"""Keep issues true: what the themes say now against what their issues say."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flows.desk import FiledTheme, label_names, load_filed
from flows.discretion import judge_sensitivity, load_earlier_issues, withheld_themes
from flows.first_life import releases
from flows.ledger import load_release_notes
from flows.planning import draft_context
from flows.showing import ShowProgress, silent
from flows.writing import Pen, send_edit
from triage.corrections import latest
from triage.database import Session
from triage.errors import TrackerError, TrackerGone, TrackerLocked, TrackerRateLimited
from triage.filing import (
    Situation,
    Upkeep,
    draft_issue,
    elsewhere_note,
    merged_note,
    news_note,
    plan_upkeep,
    section_digest,
    with_section,
)
from triage.listening import SeenIssue
from triage.store.actions import COMMENT, EDIT, intend, log_write
from triage.store.decisions import load_corrections, load_decisions, load_routes
from triage.store.issues import save_sent
from triage.store.ledger import load_judged_versions
from triage.store.life import MACHINE, load_label_aliases, load_lives_by_theme, save_life
from triage.store.reports import load_theme_reports
from triage.store.themes import load_forwards
from triage.tracker import Edit
from triage.types import Correction, IssueDraft, ThemeStatus
from triage.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """What an issue lacks: the upkeep, and the draft that its marked part comes from."""

    filed: FiledTheme
    upkeep: Upkeep
    draft: IssueDraft


def plan_all(workspace: Workspace, repository: str, *, now: datetime) -> list[PlannedEdit]:
    """What every issue lacks; comments and closings that follow are intended at once."""
    planned = []
    with workspace.database.session() as session:
        filed = load_filed(session, workspace, repository)
        live = {n: each for n, each in filed.items() if each.life.gone is None}
        by_theme = {each.theme.theme_id: each for each in filed.values()}
        corrections = load_corrections(session)
        for each in live.values():
            if each.theme.status is not ThemeStatus.OPEN:
                _retire(session, workspace, each, by_theme, corrections, now)
        planned = _plan_open(session, workspace, repository, live, corrections, now)
        for plan in planned:
            _speak(session, workspace, plan, now)
            save_life(session, replace(plan.filed.life, told=plan.upkeep.told))
    return [plan for plan in planned if plan.upkeep.is_edit]


def _plan_open(
    session: Session,
    workspace: Workspace,
    repository: str,
    filed: Mapping[int, FiledTheme],
    corrections: Mapping[int, list[Correction]],
    now: datetime,
) -> list[PlannedEdit]:
    decisions, routes = load_decisions(session), load_routes(session)
    reports, judged = load_theme_reports(session), load_judged_versions(session)
    names = label_names(session, workspace, repository)
    aliases = load_label_aliases(session, repository)
    withheld = withheld_themes(
        workspace,
        [each.theme for each in filed.values()],
        judge_sensitivity(session, workspace, reports),
    )
    context = replace(
        draft_context(workspace),
        earlier_issues=load_earlier_issues(session, workspace),
        release_notes=load_release_notes(session, workspace),
        withheld=withheld,
    )
    released = releases(workspace)
    absorbed: dict[int, list[int]] = {}
    for theme_id, survivor in load_forwards(session).items():
        absorbed.setdefault(survivor, []).append(theme_id)
    planned = []
    for each in filed.values():
        theme_id = each.theme.theme_id
        if (
            each.theme.status is not ThemeStatus.OPEN
            or theme_id not in decisions
            or theme_id not in routes
            or not reports.get(theme_id)
        ):
            continue
        decision, route = decisions[theme_id], routes[theme_id]
        draft = draft_issue(each.theme, decision, route, reports[theme_id], context)
        words = latest(corrections.get(theme_id, []))
        situation = Situation(
            facts=each.life.facts,
            told=each.life.told,
            held=each.life.held,
            role_of=names.role_of,
            priority_of=names.priority_of,
            present_name=aliases,
            absorbed=absorbed.get(theme_id, ()),
            awaited=_awaited(words, judged.get(theme_id, ())),
            withheld=withheld.get(theme_id),
            title=each.record.draft.title,
        )
        upkeep = plan_upkeep(
            each.theme,
            decision,
            draft,
            section_digest(draft.body),
            released,
            situation,
            now.date(),
        )
        if upkeep.told.withheld and not each.life.told.withheld:
            # words that must go outrank who holds the text; afterwards a hold counts again
            each = replace(each, life=each.life.releasing("section"))
        planned.append(PlannedEdit(each, upkeep, draft))
    return planned


def write_planned(
    pen: Pen, planned: Collection[PlannedEdit], progress: ShowProgress = silent
) -> None:
    """Bring issues in line, one request each; one that people just changed waits for its turn."""
    for done, plan in enumerate(planned, start=1):
        life = plan.filed.life
        if not pen.may_write(life.number):
            pen.counts["writes waiting"] += 1
            continue
        try:
            seen = pen.desk.fetch_issue(life.number)
            if seen.facts != life.facts and not _only_ids_differ(seen, plan):
                pen.counts["writes waiting"] += 1  # listened to first, by the next look
                continue
            _write(pen, plan, seen)
        except TrackerRateLimited as error:
            pen.limited = str(error)
            pen.counts["writes waiting"] += 1
        except TrackerGone as error:
            with pen.workspace.database.session() as session:
                save_life(session, replace(life, gone=error.problem))
            pen.counts["issues gone"] += 1
        except TrackerLocked:
            pen.counts["issues locked"] += 1
        except TrackerError:
            pen.counts["writes failed"] += 1
        progress("updating issues", done, len(planned))


def _write(pen: Pen, plan: PlannedEdit, seen: SeenIssue) -> None:
    upkeep, number = plan.upkeep, plan.filed.life.number
    body = with_section(seen.body, plan.draft.body) if upkeep.rewrites_section else None
    # a title that people gave is theirs
    is_ours = upkeep.retitles and seen.title == plan.filed.record.draft.title
    title = plan.draft.title if is_ours else None
    edit = Edit(body=body, labels=upkeep.labels, assignees=upkeep.assignees, title=title)
    if edit == Edit():
        return
    key = f"upkeep: {_digest(repr(edit))} {pen.now.isoformat()}"
    with pen.workspace.database.session() as session:
        log_write(session, pen.desk.repository, number, key, now=pen.now)
    pen.breathe(number)
    life = replace(plan.filed.life, told=upkeep.told)
    send_edit(pen, life, edit, seen)
    if upkeep.retitles or plan.upkeep.told.withheld:
        with pen.workspace.database.session() as session:
            save_sent(session, plan.filed.theme.theme_id, plan.draft)


def _only_ids_differ(seen: SeenIssue, plan: PlannedEdit) -> bool:
    """Whether the issue is as it was filed, and only the ids of its labels were not known yet."""
    known = plan.filed.life.facts
    labels = seen.facts.label_names == known.label_names
    return labels and replace(seen.facts, labels=known.labels) == known


def _speak(session: Session, workspace: Workspace, plan: PlannedEdit, now: datetime) -> None:
    if not plan.upkeep.news:
        return
    life = plan.filed.life
    note = f"{life.repository}#{life.number} news {_digest(repr(plan.upkeep.news))}"
    body = news_note(plan.upkeep.news, note, workspace.marker_key)
    payload = {"note": note, "body": body}
    intend(session, life.repository, life.number, note, COMMENT, payload, now=now)


def _retire(
    session: Session,
    workspace: Workspace,
    each: FiledTheme,
    by_theme: Mapping[int, FiledTheme],
    corrections: Mapping[int, list[Correction]],
    now: datetime,
) -> None:
    """Close the issue of a theme that was merged or set aside, unless people keep it open."""
    life = each.life
    if not life.facts.is_open or "state" in life.held:
        return
    payload = {
        "fields": {"state": "closed", "state_reason": "not_planned"},
        "expected": "open",
    }
    if each.theme.status is ThemeStatus.DISMISSED:
        intend(session, life.repository, life.number, "close: set aside", EDIT, payload, now=now)
        return
    survivor_id = _survivor_of(session, each.theme.theme_id)
    survivor = by_theme.get(survivor_id)
    if survivor is None:
        theirs = load_lives_by_theme(session).get(survivor_id)
        if theirs and theirs.facts.is_open and theirs.gone is None:
            note = f"{life.repository}#{life.number} followed elsewhere"
            comment = {"note": note, "body": elsewhere_note(note, workspace.marker_key)}
            intend(session, life.repository, life.number, note, COMMENT, comment, now=now)
            key = "close: followed elsewhere"
            intend(session, life.repository, life.number, key, EDIT, payload, now=now)
        return
    if survivor.life.number == life.number:
        return
    if not survivor.life.facts.is_open or survivor.life.gone is not None:
        return
    target = survivor.life.number
    said = [w for w in corrections.get(each.theme.theme_id, []) if w.field == "merge-into"]
    author, reason = (said[-1].author, said[-1].reason) if said else (None, "")
    note = f"{life.repository}#{life.number} merged into #{target}"
    body = merged_note(target, author, reason, note, workspace.marker_key)
    comment = {"note": note, "body": body}
    intend(session, life.repository, life.number, note, COMMENT, comment, now=now)
    key = f"close: merged into #{target}"
    onto = {**payload, "onto": target}
    intend(session, life.repository, life.number, key, EDIT, onto, now=now)


def _survivor_of(session: Session, theme_id: int) -> int:
    return load_forwards(session).get(theme_id, theme_id)


def _awaited(words: Mapping[str, Correction], judged: Collection[str]) -> str | None:
    """The version that somebody claimed, until there is a verdict on it."""
    claim = words.get("claim")
    return claim.value if claim is not None and claim.value not in {"", *judged} else None


def is_machine_closed(each: FiledTheme) -> bool:
    """Whether the machine closed the issue, and no person has touched its state."""
    life = each.life
    return not life.facts.is_open and life.closed_by == MACHINE and "state" not in life.held


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
