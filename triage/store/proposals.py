"""Merges and splits that full clusterings suggested, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlmodel import Session, col

from triage.errors import UnknownProposal
from triage.store.tables import ProposalRow
from triage.types import Change, Proposal, ProposalKind, ProposalState


def save_changes(session: Session, run_id: int, changes: Sequence[Change]) -> None:
    """Store what a run suggests: what it applies as applied, the rest as open proposals.

    One that was open already keeps its number and gets the new figures; an open one that the run
    did not find again is withdrawn.
    """
    known = {_key(each.change): each.proposal_id for each in load_proposals(session)}
    for change in changes:
        state = ProposalState.APPLIED if change.hindrance is None else ProposalState.OPEN
        values = _columns(change) | {"run_id": run_id, "state": state}
        if state is ProposalState.APPLIED:
            values["decided_at"] = func.now()
        number = known.pop(_key(change), None)
        if number is None:
            session.add(ProposalRow(**values))
        else:
            _update(session, number, **values)
    for number in known.values():
        _update(session, number, state=ProposalState.WITHDRAWN, decided_at=func.now())
    session.flush()


def load_proposals(
    session: Session, state: ProposalState | None = ProposalState.OPEN
) -> list[Proposal]:
    """Proposals by number; only open ones unless told otherwise (None: all)."""
    statement = select(ProposalRow).order_by(col(ProposalRow.proposal_id))
    if state is not None:
        statement = statement.where(col(ProposalRow.state) == state)
    return [_proposal(row) for row in session.execute(statement).scalars()]


def load_proposal(session: Session, number: int) -> Proposal:
    """One proposal; raises ``UnknownProposal``."""
    row = session.get(ProposalRow, number, populate_existing=True)
    if row is None:
        raise UnknownProposal(
            f"Looking for proposal {number}",
            "no proposal has this number",
            "`triage proposals` lists the open ones.",
        )
    return _proposal(row)


def decide_proposal(
    session: Session,
    number: int,
    state: ProposalState,
    *,
    decided_by: str,
    because: str,
    decided_at: datetime,
) -> None:
    """Note a person's answer."""
    _update(
        session, number, state=state, decided_by=decided_by, because=because, decided_at=decided_at
    )


def save_advice(session: Session, number: int, advice: str) -> None:
    """Note what an LLM thinks of a proposal; it decides nothing."""
    _update(session, number, advice=advice)


def withdraw_proposals(session: Session, theme_id: int) -> None:
    """Withdraw what is open about a theme: a person changed it, the figures are old."""
    about = or_(col(ProposalRow.theme_id) == theme_id, col(ProposalRow.other_id) == theme_id)
    session.execute(
        update(ProposalRow)
        .where(about, col(ProposalRow.state) == ProposalState.OPEN)
        .values(state=ProposalState.WITHDRAWN, decided_at=func.now())
    )


def _key(change: Change) -> tuple[ProposalKind, frozenset[int] | int]:
    """What makes two suggestions the same: the pair to merge, or the theme to split."""
    if change.kind is ProposalKind.MERGE and change.other_id is not None:
        return change.kind, frozenset((change.theme_id, change.other_id))
    return change.kind, change.theme_id


def _columns(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "theme_id": change.theme_id,
        "other_id": change.other_id,
        "report_ids": list(change.report_ids),
        "reason": change.reason,
        "figures": dict(change.figures),
        "hindrance": change.hindrance,
    }


def _update(session: Session, number: int, **values: Any) -> None:
    session.execute(
        update(ProposalRow).where(col(ProposalRow.proposal_id) == number).values(**values)
    )


def _proposal(row: ProposalRow) -> Proposal:
    change = Change(
        kind=ProposalKind(row.kind),
        theme_id=row.theme_id,
        other_id=row.other_id,
        report_ids=tuple(row.report_ids),
        reason=row.reason,
        figures=row.figures,
        hindrance=row.hindrance,
    )
    return Proposal(
        proposal_id=row.proposal_id,
        run_id=row.run_id,
        change=change,
        state=ProposalState(row.state),
        advice=row.advice,
        decided_by=row.decided_by,
        because=row.because,
        decided_at=row.decided_at,
    )
