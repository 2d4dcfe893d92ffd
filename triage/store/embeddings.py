"""Vectors by embedding space and fingerprint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Text, any_, exists, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlmodel import Session, col

from triage.errors import DatabaseError
from triage.store.copying import copy_new, copy_out
from triage.store.tables import EmbeddingRow, EmbeddingSpaceRow, ReportRow

Vector = NDArray[np.float32]

# Rows turned into numbers at a time: 6 MB of 384 dimensions.
ROWS_PER_PART = 4096
ALL_VECTORS = "SELECT fingerprint, vector FROM embedding WHERE space_id = %s ORDER BY fingerprint"
SOME_VECTORS = """
    SELECT fingerprint, vector FROM embedding WHERE space_id = %s AND fingerprint = ANY(%s)
    ORDER BY fingerprint
"""


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


def load_unembedded(
    session: Session, space_id: int, keys: Collection[str] | None = None
) -> dict[str, Unembedded]:
    """By fingerprint, every text (or of ``keys`` every one) that has no vector in this space."""
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
        .ext(distinct_on(col(ReportRow.fingerprint)))
        .where(~known, col(ReportRow.failure_text) != "")
        .order_by(col(ReportRow.fingerprint), col(ReportRow.report_id))
    )
    if keys is not None:
        wanted = literal(list(keys), ARRAY(Text))
        statement = statement.where(col(ReportRow.fingerprint) == any_(wanted))
    return {
        fingerprint: Unembedded(text, model, environment)
        for fingerprint, text, model, environment in session.execute(statement)
    }


def save_vectors(session: Session, space_id: int, vectors: Mapping[str, Vector]) -> None:
    """Store vectors (float32, one row each, by fingerprint); those already there stay.

    By COPY into a temporary table: 22,500 of 384 numbers take 0.2 s of this process where an
    INSERT of many rows took 4.9. Raises ``DatabaseError`` for values that are no numbers, and
    for vectors of another length than the space's.
    """
    if not vectors:
        return
    dimensions = _dimensions(session, space_id)
    if any(vector.shape != (dimensions,) for vector in vectors.values()):
        raise _wrong_length("Storing vectors", dimensions)
    rows = ((space_id, fingerprint, vector) for fingerprint, vector in vectors.items())
    types = {"space_id": "int8", "fingerprint": "text", "vector": "vector"}
    copy_new(session, "embedding", types, rows)


def load_vectors(
    session: Session, space_id: int, fingerprints: Iterable[str] | None = None
) -> dict[str, Vector]:
    """Vectors (float32) of a space by fingerprint; all of them without fingerprints."""
    return dict(zip(*load_vector_matrix(session, space_id, fingerprints), strict=True))


def load_vector_matrix(
    session: Session, space_id: int, fingerprints: Iterable[str] | None = None
) -> tuple[list[str], Vector]:
    """Vectors of a space as one matrix: their fingerprints, ascending, and (n, d) float32.

    All of them without ``fingerprints``; those that are not there are left out. Raises
    ``DatabaseError`` when a vector has not as many numbers as its space has dimensions.
    """
    query = ALL_VECTORS if fingerprints is None else SOME_VECTORS
    parameters = [space_id] if fingerprints is None else [space_id, list(fingerprints)]
    dimensions = _dimensions(session, space_id)
    keys: list[str] = []
    parts = [np.empty((0, dimensions), dtype=np.float32)]
    rows = copy_out(session, query, parameters)
    while part := list(islice(rows, ROWS_PER_PART)):
        keys += [fingerprint.decode() for fingerprint, _ in part]
        parts.append(_numbers([vector for _, vector in part], dimensions))
    return keys, np.concatenate(parts)


def _dimensions(session: Session, space_id: int) -> int:
    space = session.get(EmbeddingSpaceRow, space_id)
    return 0 if space is None else space.dimensions


def _numbers(vectors: Sequence[bytes], dimensions: int) -> Vector:
    """What pgvector sends: two 16-bit integers, of which the first counts, and the numbers."""
    sent = np.dtype([("dimensions", ">i2"), ("unused", ">i2"), ("numbers", ">f4", (dimensions,))])
    if any(len(vector) != sent.itemsize for vector in vectors):
        raise _wrong_length("Loading vectors", dimensions)
    return np.frombuffer(b"".join(vectors), dtype=sent)["numbers"].astype(np.float32)


def _wrong_length(attempted: str, dimensions: int) -> DatabaseError:
    return DatabaseError(
        attempted,
        f"some have not the {dimensions} dimensions of their space",
        "Delete this space's rows from the table `embedding`; `triage run` embeds the texts anew.",
    )
