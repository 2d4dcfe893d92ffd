"""Verdicts, assignments and corrections: histories whose last entry holds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col

from triage.store.tables import CorrectionRow, DecisionRow, RouteRow
from triage.types import Correction, Decision, EvidenceItem, Priority, Route, Verdict


def save_decision(session: Session, theme_id: int, decision: Decision) -> None:
    """Append a decision to a theme's history; from now on it holds."""
    session.add(
        DecisionRow(
            theme_id=theme_id,
            verdict=decision.verdict,
            confidence=decision.confidence,
            priority=decision.priority,
            reasons=list(decision.reasons),
            evidence=[asdict(item) for item in decision.evidence],
            would_change=list(decision.would_change),
            policy_version=decision.policy_version,
            set_by=decision.set_by,
        )
    )


def load_decisions(session: Session) -> dict[int, Decision]:
    """The decision that holds, for every theme that was ever decided."""
    statement = (
        select(DecisionRow)
        .ext(distinct_on(col(DecisionRow.theme_id)))
        .order_by(col(DecisionRow.theme_id), col(DecisionRow.decision_id).desc())
    )
    return {row.theme_id: _decision(row) for row in session.execute(statement).scalars()}


def load_decision(session: Session, theme_id: int) -> Decision | None:
    """The decision that holds for one theme, if it was ever decided."""
    statement = (
        select(DecisionRow)
        .where(col(DecisionRow.theme_id) == theme_id)
        .order_by(col(DecisionRow.decision_id).desc())
        .limit(1)
    )
    row = session.execute(statement).scalar()
    return None if row is None else _decision(row)


def load_decision_history(session: Session, theme_id: int) -> list[tuple[datetime, Decision]]:
    """Every decision on a theme, oldest first."""
    statement = (
        select(DecisionRow)
        .where(col(DecisionRow.theme_id) == theme_id)
        .order_by(col(DecisionRow.decision_id))
    )
    return [(row.decided_at, _decision(row)) for row in session.execute(statement).scalars()]


def save_route(session: Session, theme_id: int, route: Route) -> None:
    """Append an assignment to a theme's history; from now on it holds."""
    session.add(RouteRow(theme_id=theme_id, **asdict(route)))


def load_routes(session: Session) -> dict[int, Route]:
    """The assignment that holds, for every theme that was ever routed."""
    statement = (
        select(RouteRow)
        .ext(distinct_on(col(RouteRow.theme_id)))
        .order_by(col(RouteRow.theme_id), col(RouteRow.route_id).desc())
    )
    return {
        row.theme_id: Route(
            capability=row.capability,
            owner=row.owner,
            reason=row.reason,
            is_fallback=row.is_fallback,
            confidence=row.confidence,
            set_by=row.set_by,
            map_version=row.map_version,
        )
        for row in session.execute(statement).scalars()
    }


def save_correction(session: Session, correction: Correction) -> None:
    """Keep a person's word; earlier words on the same field stay in the history."""
    session.add(CorrectionRow(**asdict(correction)))


def load_corrections(session: Session) -> dict[int, list[Correction]]:
    """All corrections by theme, oldest first."""
    corrections: dict[int, list[Correction]] = {}
    statement = select(CorrectionRow).order_by(col(CorrectionRow.correction_id))
    for row in session.execute(statement).scalars():
        corrections.setdefault(row.theme_id, []).append(
            Correction(row.theme_id, row.field, row.value, row.author, row.reason, row.created_at)
        )
    return corrections


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        verdict=Verdict(row.verdict),
        confidence=row.confidence,
        priority=Priority(row.priority),
        reasons=tuple(row.reasons),
        evidence=tuple(EvidenceItem(**item) for item in row.evidence),
        policy_version=row.policy_version,
        set_by=row.set_by,
        would_change=tuple(row.would_change),
    )
