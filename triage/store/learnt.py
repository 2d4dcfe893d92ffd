"""What corrections taught, night by night; the newest whole one that is used counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from triage.corrections import Learnt
from triage.store.tables import LearntRow


@dataclass(frozen=True, slots=True)
class LearningRecord:
    """One night's learning: whether it came into use, and what was measured."""

    learnt_id: int
    learnt_at: datetime
    is_used: bool
    figures: Mapping[str, Any]


def save_learnt(
    session: Session, learnt: Learnt, *, is_used: bool, figures: Mapping[str, Any]
) -> None:
    """Keep what a night learnt, used or not; the ones before it stay, for the way back."""
    content = json.dumps(asdict(learnt))
    session.add(
        LearntRow(
            content=content, checksum=_checksum(content), is_used=is_used, figures=dict(figures)
        )
    )


def load_learnt(session: Session) -> tuple[Learnt | None, str | None]:
    """The newest one in use that is whole, and a remark where a newer one is not."""
    statement = (
        select(LearntRow).where(col(LearntRow.is_used)).order_by(col(LearntRow.learnt_id).desc())
    )
    note = None
    for row in session.execute(statement).scalars():
        found = _parse(row.content) if row.checksum == _checksum(row.content) else None
        if found is not None:
            return found, note
        note = f"what was learnt on {row.learnt_at:%Y-%m-%d} is damaged; the one before is used"
    return None, note


def load_learning_history(session: Session) -> list[LearningRecord]:
    """Every night's learning, oldest first."""
    statement = select(LearntRow).order_by(col(LearntRow.learnt_id))
    return [
        LearningRecord(row.learnt_id, row.learnt_at, row.is_used, row.figures)
        for row in session.execute(statement).scalars()
    ]


def roll_back(session: Session) -> bool:
    """Take the newest one out of use, so that the one before it counts; False if there is none."""
    statement = (
        select(col(LearntRow.learnt_id))
        .where(col(LearntRow.is_used))
        .order_by(col(LearntRow.learnt_id).desc())
        .limit(1)
    )
    newest = session.execute(statement).scalar_one_or_none()
    if newest is None:
        return False
    session.execute(
        update(LearntRow).where(col(LearntRow.learnt_id) == newest).values(is_used=False)
    )
    return True


def forget_learnt(session: Session, fingerprints: Collection[str]) -> int:
    """Take some texts out of everything that was ever learnt; returns in how many it was."""
    changed = 0
    for row in session.execute(select(LearntRow)).scalars():
        found = _parse(row.content)
        if found is not None and not set(fingerprints).isdisjoint(found.fingerprints):
            content = json.dumps(asdict(found.without(set(fingerprints))))
            row.content, row.checksum = content, _checksum(content)
            changed += 1
    session.flush()
    return changed


def _parse(content: str) -> Learnt | None:
    try:
        values = json.loads(content)
        return Learnt(
            based_on=values["based_on"],
            fingerprints=tuple(values["fingerprints"]),
            verdict_weights=tuple(values["verdict_weights"]),
            capability_ids=tuple(values["capability_ids"]),
            capability_weights=tuple(tuple(row) for row in values["capability_weights"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
