"""The vectors that new reports are compared with: anchors of themes, and texts that are in none.

Up to a few thousand are compared one by one, which is exact. A space with more gets an HNSW index
of its own (pgvector needs a fixed dimension for one): a search then costs about the same however
many there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, text
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.copying import copy_in, copy_new, copy_out
from triage.store.tables import LandmarkRow

Vector = NDArray[np.float32]

INDEXABLE_DIMENSIONS = 2000  # pgvector's limit for an HNSW index on vectors of 32-bit numbers
# Of the 8 nearest of 22,000 utterances this finds 99.6 % in 1.6 ms, 40 (pgvector's default) 98.8 %.
SEARCH_WIDTH = 100
BUILD_MEMORY = "256MB"
COLUMNS = {"space_id": "int8", "fingerprint": "text", "vector": "vector"}


def replace_landmarks(session: Session, space_id: int, vectors: Mapping[str, Vector]) -> None:
    """Let a space have these landmarks (float32, by fingerprint) and no others."""
    session.execute(delete(LandmarkRow).where(col(LandmarkRow.space_id) == space_id))
    session.execute(text(f"DROP INDEX IF EXISTS {_index(space_id)}"))
    copy_in(session, "landmark", COLUMNS, _rows(space_id, vectors))


def add_landmarks(session: Session, space_id: int, vectors: Mapping[str, Vector]) -> None:
    """Add landmarks to a space; those already there stay."""
    if vectors:
        copy_new(session, "landmark", COLUMNS, _rows(space_id, vectors))


def _rows(space_id: int, vectors: Mapping[str, Vector]) -> Iterator[tuple[int, str, Vector]]:
    return ((space_id, fingerprint, vector) for fingerprint, vector in vectors.items())


def remove_landmarks(session: Session, space_id: int, fingerprints: Collection[str]) -> None:
    """Take landmarks away; those that are not there do not matter."""
    session.execute(
        delete(LandmarkRow).where(
            col(LandmarkRow.space_id) == space_id, among(col(LandmarkRow.fingerprint), fingerprints)
        )
    )


def count_landmarks(session: Session, space_id: int) -> int:
    """How many landmarks a space has."""
    statement = select(func.count()).where(col(LandmarkRow.space_id) == space_id)
    return int(session.execute(statement).scalar_one())


def load_landmarks(
    session: Session, space_id: int, fingerprints: Collection[str] | None = None
) -> dict[str, Vector]:
    """Landmarks (float32) of a space by fingerprint, sorted; all without fingerprints."""
    wanted = "" if fingerprints is None else "AND fingerprint = ANY(%s)"
    query = (
        f"SELECT fingerprint, vector FROM landmark WHERE space_id = %s {wanted} "
        'ORDER BY fingerprint COLLATE "C"'
    )
    parameters = [space_id] if fingerprints is None else [space_id, list(fingerprints)]
    # the wire form of a vector: two words of 16 bits, of which one is its length, then the numbers
    return {
        fingerprint.decode(): np.frombuffer(wire, dtype=">f4", offset=4).astype(np.float32)
        for fingerprint, wire in copy_out(session, query, parameters)
    }


def index_landmarks(session: Session, space_id: int, dimensions: int) -> bool:
    """Make the space's HNSW index unless it is there; False where pgvector cannot make one."""
    if dimensions > INDEXABLE_DIMENSIONS:
        return False
    if session.execute(text("SELECT to_regclass(:name)"), {"name": _index(space_id)}).scalar():
        return True
    session.execute(text(f"SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'"))
    session.execute(
        text(
            f"CREATE INDEX {_index(space_id)} ON landmark "
            f"USING hnsw ((vector::vector({int(dimensions)})) vector_cosine_ops) "
            f"WHERE space_id = {int(space_id)}"
        )
    )
    session.execute(text("ANALYZE landmark"))  # else the planner takes the table for a small one
    return True


def nearest_landmarks(
    session: Session, space_id: int, vectors: Vector, count: int
) -> list[list[str]]:
    """Fingerprints of the ``count`` landmarks nearest to each of (n, d) vectors, nearest first.

    By the space's index, which misses four in a thousand.
    """
    cast = f"vector({int(vectors.shape[1])})"
    session.execute(text(f"SET LOCAL hnsw.ef_search = {SEARCH_WIDTH}"))
    statement = text(
        f"SELECT fingerprint FROM landmark WHERE space_id = {int(space_id)} "
        f"ORDER BY (vector::{cast}) <=> CAST(:vector AS {cast}) LIMIT {int(count)}"
    )
    return [list(session.execute(statement, {"vector": vector}).scalars()) for vector in vectors]


def _index(space_id: int) -> str:
    return f"landmark_{int(space_id)}_hnsw"
