"""A person's answer to a merge or split that a clustering proposed; it holds for ever."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.theme_upkeep import refresh_themes
from flows.update_themes import split_theme
from triage.database import Session
from triage.errors import UnknownProposal
from triage.store.audit import Action, record
from triage.store.bonds import load_side, save_bond
from triage.store.decisions import save_correction
from triage.store.proposals import decide_proposal, load_proposal
from triage.store.reports import load_reports
from triage.store.themes import merge_theme
from triage.types import BondKind, Change, Correction, Proposal, ProposalKind, ProposalState
from triage.workspace import Workspace


def answer_proposal(
    workspace: Workspace, number: int, *, accept: bool, author: str, because: str
) -> str:
    """Carry out a proposal, or see that it is never made again; returns what was done.

    Raises ``UnknownProposal`` when it is not open.
    """
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        proposal = load_proposal(session, number)
        if proposal.state is not ProposalState.OPEN:
            raise UnknownProposal(
                f"Answering proposal {number}",
                f"it is {proposal.state.value} already",
                "`triage proposals` lists the open ones.",
            )
        act = _accept if accept else _decline
        said = act(workspace, session, proposal, author, because)
        state = ProposalState.ACCEPTED if accept else ProposalState.DECLINED
        now = datetime.now(UTC)
        decide_proposal(session, number, state, decided_by=author, because=because, decided_at=now)
        answer = "accepted" if accept else "declined"
        record(session, author, Action.ANSWERED, [str(number)], answer=answer)
        refresh_themes(workspace, session)
    return said


def _accept(
    workspace: Workspace, session: Session, proposal: Proposal, author: str, because: str
) -> str:
    change = proposal.change
    if change.kind is ProposalKind.MERGE and change.other_id is not None:
        merge_theme(session, change.other_id, change.theme_id, said_by=author, because=because)
        _record(session, change.other_id, "merge-into", f"T{change.theme_id}", author, because)
        return f"T{change.other_id} is part of T{change.theme_id} now"
    reports = [
        report
        for report in load_reports(session, change.report_ids)
        if report.theme_id == change.theme_id
    ]
    new = split_theme(
        workspace, session, reports, into=change.other_id, said_by=author, because=because
    )
    names = ", ".join(report.external_id for report in reports)
    _record(session, change.theme_id, "split", f"T{new}: {names}", author, because)
    return f"T{change.theme_id}: {len(reports)} reports went to T{new}"


def _decline(
    _workspace: Workspace, session: Session, proposal: Proposal, author: str, because: str
) -> str:
    change = proposal.change
    own = load_side(session, change.theme_id)
    if change.kind is ProposalKind.MERGE and change.other_id is not None:
        other = change.other_id
        sides = (change.theme_id, own), (other, load_side(session, other))
        save_bond(session, BondKind.APART, *sides, said_by=author, because=because)
        return f"T{change.theme_id} and T{other} stay apart"
    parts = _parts(change, own)
    save_bond(session, BondKind.TOGETHER, *parts, said_by=author, because=because)
    return f"T{change.theme_id} stays whole"


def _parts(
    change: Change, own: frozenset[int]
) -> tuple[tuple[int, frozenset[int]], tuple[int, frozenset[int]]]:
    leaving = frozenset(change.report_ids)
    return (change.theme_id, leaving), (change.theme_id, own - leaving)


def _record(
    session: Session, theme_id: int, field: str, value: str, author: str, because: str
) -> None:
    now = datetime.now(UTC)
    save_correction(session, Correction(theme_id, field, value, author, because, now))
