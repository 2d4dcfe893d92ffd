"""Vectors by embedding space and fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.tables import EmbeddingRow, EmbeddingSpaceRow, ReportRow

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A text without a vector, and what the first report with it says of model and environment."""

    text: str
    model: str | None
    environment: str | None


def ensure_space(session: Session, *, model: str, revision: str, dimensions: int) -> int:
    """The id of the embedding space of this model at this revision."""
    statement = insert(EmbeddingSpaceRow).values(
        model=model, revision=revision, dimensions=dimensions
    )
    session.execute(statement.on_conflict_do_nothing())
    space = select(col(EmbeddingSpaceRow.space_id)).where(
        col(EmbeddingSpaceRow.model) == model, col(EmbeddingSpaceRow.revision) == revision
    )
    return int(session.execute(space).scalar_one())


def find_space(session: Session, *, model: str, revision: str) -> int | None:
    """The embedding space of this model at this revision, None before it was first used."""
    statement = select(col(EmbeddingSpaceRow.space_id)).where(
        col(EmbeddingSpaceRow.model) == model, col(EmbeddingSpaceRow.revision) == revision
    )
    return session.execute(statement).scalar_one_or_none()


def load_unembedded(session: Session, space_id: int) -> dict[str, Unembedded]:
    """By fingerprint, every text that has no vector in this space yet."""
    known = exists().where(
        col(EmbeddingRow.space_id) == space_id,
        col(EmbeddingRow.fingerprint) == col(ReportRow.fingerprint),
    )
    statement = (
        select(
            col(ReportRow.fingerprint),
            col(ReportRow.failure_text),
            col(ReportRow.model_written),
            col(ReportRow.environment),
        )
        .distinct(col(ReportRow.fingerprint))
        .where(~known)
        .order_by(col(ReportRow.fingerprint), col(ReportRow.report_id))
    )
    return {
        fingerprint: Unembedded(text, model, environment)
        for fingerprint, text, model, environment in session.execute(statement)
    }


def save_vectors(session: Session, space_id: int, vectors: Mapping[str, Vector]) -> None:
    """Store vectors (float32, one row each, by fingerprint); those already there stay."""
    if not vectors:
        return
    rows = [
        {"space_id": space_id, "fingerprint": fingerprint, "vector": vector}
        for fingerprint, vector in vectors.items()
    ]
    session.execute(insert(EmbeddingRow).on_conflict_do_nothing(), rows)


def load_vectors(
    session: Session, space_id: int, fingerprints: Iterable[str] | None = None
) -> dict[str, Vector]:
    """Vectors (float32) of a space by fingerprint; all of them without fingerprints."""
    statement = select(col(EmbeddingRow.fingerprint), col(EmbeddingRow.vector)).where(
        col(EmbeddingRow.space_id) == space_id
    )
    if fingerprints is not None:
        statement = statement.where(col(EmbeddingRow.fingerprint).in_(list(fingerprints)))
    return {
        fingerprint: np.asarray(vector, dtype=np.float32)
        for fingerprint, vector in session.execute(statement)
    }
