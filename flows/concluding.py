"""What follows from a release's verdicts: they are stored, and told on the issues, once each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flows.desk import FiledTheme, load_filed
from flows.discretion import load_private_themes
from flows.ledger import claims_of
from flows.planning import places
from flows.upkeep import is_machine_closed
from triage.config.model import ModelVersion, Recurrence
from triage.database import Session
from triage.filing import verdict_note
from triage.store.actions import COMMENT, EDIT, intend
from triage.store.decisions import load_corrections, load_decisions
from triage.store.ledger import load_verifications, save_verification
from triage.store.life import retire_issue
from triage.store.probes import load_probe_runs
from triage.store.renaming import repository_today
from triage.types import Correction, Verdict
from triage.verification import (
    Agreement,
    Consequences,
    IssueStanding,
    ReleaseOutcome,
    ThemeOutcome,
    Verification,
    compare_probes,
    consequences,
)
from triage.workspace import Workspace

UNNAMED_TRADE = "Traded: its opposite, which is not named here, moved the other way."


def conclude(
    session: Session,
    workspace: Workspace,
    new: ModelVersion,
    outcome: ReleaseOutcome,
    now: datetime,
    *,
    tells: bool,
) -> tuple[dict[int, tuple[str, ...]], bool]:
    """Store what changed and intend what follows; returns each theme's lines, and whether a quick
    fix turned out not to have helped.

    What follows is intended in the repository that the theme's issue is in, also the private one.
    """
    by_theme = _load_filed_everywhere(session, workspace)
    held, decisions = load_verifications(session), load_decisions(session)
    corrections, probes = load_corrections(session), load_probe_runs(session)
    trades = _trade_lines(outcome, load_private_themes(session, workspace))
    said: dict[int, tuple[str, ...]] = {}
    failed_any = False
    for one in outcome.themes:
        theme_id = one.theme_id
        before = held.get((theme_id, new.name))
        decision = decisions.get(theme_id)
        compared = compare_probes(
            one.verdict,
            probes.get((theme_id, outcome.old_version)),
            probes.get((theme_id, new.name)),
        )
        lines = one.lines
        if compared.agreement is not Agreement.NOT_RUN:
            lines = (*lines, compared.line)
        if theme_id in trades:
            lines = (*lines, trades[theme_id])
        said[theme_id] = lines
        words = corrections.get(theme_id, [])
        issue = by_theme.get(theme_id)
        standing = _standing(
            workspace,
            new,
            issue,
            words,
            is_quick_fix=decision is not None and decision.verdict is Verdict.QUICK_FIX,
        )
        follows = consequences(one.verdict, standing)
        if theme_id in trades and follows.closes:
            follows = replace(
                follows,
                closes=False,
                sentences=("Its opposite got worse, so this stays open for a person to judge.",),
            )
        failed = follows.failed_quick_fix or (before is not None and before.was_quick_fix)
        failed_any |= follows.failed_quick_fix and not (before and before.was_quick_fix)
        if before is None or _differs(before, one, now.date()):
            save_verification(session, one, outcome, lines, today=now.date(), was_quick_fix=failed)
        if tells and issue is not None and issue.life.gone is None:
            _tell(session, workspace, new, issue, one, lines, follows, now)
    return said, failed_any


def _load_filed_everywhere(session: Session, workspace: Workspace) -> dict[int, FiledTheme]:
    """Every theme with an issue, in the repository that all may read or the private one."""
    return {
        each.theme.theme_id: each
        for place in places(workspace).values()
        for each in load_filed(
            session, place, repository_today(session, place.repository or "")
        ).values()
    }


def _trade_lines(outcome: ReleaseOutcome, private: Collection[int]) -> dict[int, str]:
    """What a trade says of each of the two; one whose issue is for few is not named elsewhere."""
    return {
        theme_id: UNNAMED_TRADE if other in private and theme_id not in private else trade.line
        for trade in outcome.trades
        for theme_id, other in (
            (trade.mended, trade.worsened),
            (trade.worsened, trade.mended),
        )
    }


def _differs(before: Verification, one: ThemeOutcome, today: date) -> bool:
    """Whether there is another verdict, or the day has come for which another look was promised.

    Until then the promise stands: a day that moved with every look would rewrite every issue.
    """
    reason = one.reason.value if one.reason is not None else None
    if (before.verdict, before.reason) != (one.verdict, reason):
        return True
    is_due = before.next_check is None or before.next_check <= today
    return is_due and before.next_check != one.next_check


def _standing(
    workspace: Workspace,
    new: ModelVersion,
    issue: FiledTheme | None,
    words: Sequence[Correction],
    *,
    is_quick_fix: bool,
) -> IssueStanding:
    facts = issue.life.facts if issue is not None else None
    held = issue.life.held if issue is not None else {}
    is_open = facts is None or facts.is_open
    return IssueStanding(
        is_open=is_open,
        closed_by_machine=issue is not None and is_machine_closed(issue),
        held_open_by=held.get("state") if is_open else None,
        milestone=facts.milestone if facts is not None else None,
        version_milestone=new.milestone_title,
        next_milestone=workspace.config.next_version.milestone_title,
        is_quick_fix=is_quick_fix,
        fix_was_tried=new.name in claims_of(words),
        reopens=workspace.config.releases.recurrence is Recurrence.REOPEN,
    )


def _tell(
    session: Session,
    workspace: Workspace,
    new: ModelVersion,
    issue: FiledTheme,
    one: ThemeOutcome,
    lines: Sequence[str],
    follows: Consequences,
    now: datetime,
) -> None:
    """Intend the comment, then what it announces; each once for a version and verdict."""
    life = issue.life
    key = f"{life.repository}#{life.number} verdict {new.name} {one.verdict}"
    if follows.comments and "comments" not in life.held and not life.facts.locked:
        headline = f"{new.name}: {one.verdict}"
        body = verdict_note(headline, lines, follows.sentences, key, workspace.marker_key)
        payload = {"note": key, "body": body}
        intend(session, life.repository, life.number, key, COMMENT, payload, now=now)
    fields: dict[str, str] = {}
    expected = None
    if follows.closes:
        fields, expected = {"state": "closed", "state_reason": "completed"}, "open"
    elif follows.reopens:
        fields, expected = {"state": "open"}, "closed"
    upcoming = workspace.config.next_version
    if follows.milestone is not None:
        fields["milestone"] = follows.milestone
    if fields:
        wanted: dict[str, Any] = {
            "fields": fields,
            "expected": expected,
            "from_milestone": life.facts.milestone,
            "milestone_due": upcoming.planned.isoformat() if upcoming.planned else None,
        }
        edit_key = f"{key}: edit"
        intend(session, life.repository, life.number, edit_key, EDIT, wanted, now=now)
    if follows.files_anew:
        retire_issue(session, issue.theme.theme_id)
