"""Looks through the whole database for what was forgotten: words, ids and vectors."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, text
from sqlmodel import Session

from triage.store.columns import Column, load_columns, squeezing

Vector = NDArray[np.float32]

# Numbers mean a report in these columns only; everywhere else they count something.
_NUMBERS = {"report_id", "medoid_id", "duplicate_of"}
_MANY_NUMBERS = {"report_ids", "left_reports", "right_reports"}
_LISTED_NUMBERS = {"exemplar_ids"}  # JSON
# Keeps that somebody forgot something: our own numbers there point to nothing any more.
_ACCOUNTS = {"audit", "tombstone"}
NEAR = 1e-6  # cosine distance below which a vector is the same one


@dataclass(frozen=True, slots=True)
class Traces:
    """What must be found nowhere.

    ``pieces`` are squeezed texts, ``names`` ids as they are written (keyed hashes, fingerprints,
    the sources' own ids), ``report_ids`` our numbers, ``vectors`` what was embedded.
    """

    pieces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    report_ids: tuple[int, ...] = ()
    vectors: tuple[Vector, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """One kind of trace in one column: how many rows still hold it."""

    kind: str
    table: str
    column: str
    found: int


def search_traces(session: Session, traces: Traces) -> list[Search]:
    """Look for everything in every column that could hold it; one entry each, found or not."""
    done = []
    for column in load_columns(session):
        if column.holds_words:
            done.append(_search(session, column, "text", _has_piece(column), traces.pieces))
            patterns = [as_word(name) for name in traces.names]
            done.append(_search(session, column, "id", _has_name(column), patterns))
        numbers = _has_number(column)
        if numbers is not None and column.table not in _ACCOUNTS:
            done.append(_search(session, column, "number", numbers, traces.report_ids))
        if column.kind == "vector":
            done.append(_search_vectors(session, column, traces.vectors))
    return done


def shared_pieces(session: Session, pieces: Collection[str]) -> set[str]:
    """Which pieces stand in reports that are stored: others said the same, and keep it."""
    if not pieces:
        return set()
    words = " || ' ' || ".join(
        f"coalesce({column.as_text()}, '')"
        for column in load_columns(session)
        if column.table == "report" and column.holds_words
    )
    statement = text(
        f"SELECT DISTINCT piece FROM (SELECT {squeezing(words)} AS said FROM report OFFSET 0) own, "
        "unnest(CAST(:pieces AS text[])) AS piece WHERE strpos(own.said, piece) > 0"
    )
    return set(session.execute(statement, {"pieces": list(pieces)}).scalars())


def as_word(name: str) -> str:
    """A pattern (of Python's and of PostgreSQL's) for a name that stands alone."""
    escaped = re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", name)
    return rf"(^|[^A-Za-z0-9_-]){escaped}($|[^A-Za-z0-9_-])"


def _has_piece(column: Column) -> str:
    return (
        f"SELECT count(*) FROM (SELECT {squeezing(column.as_text())} AS said FROM {column.place} "
        "OFFSET 0) own WHERE EXISTS (SELECT FROM unnest(CAST(:wanted AS text[])) AS piece "
        "WHERE strpos(own.said, piece) > 0)"
    )


def _has_name(column: Column) -> str:
    return (
        f"SELECT count(*) FROM {column.place} WHERE "
        f"{column.as_text()} ~ ANY(CAST(:wanted AS text[]))"
    )


def _has_number(column: Column) -> str | None:
    count = f"SELECT count(*) FROM {column.place} WHERE"
    if column.name in _NUMBERS and column.kind == "bigint":
        return f"{count} {column.quoted} = ANY(CAST(:wanted AS bigint[]))"
    if column.name in _MANY_NUMBERS and column.kind == "bigint[]":
        return f"{count} {column.quoted} && CAST(:wanted AS bigint[])"
    if column.name in _LISTED_NUMBERS and column.kind == "jsonb":
        listed = f"SELECT FROM jsonb_array_elements_text({column.quoted}) AS item"
        return f"{count} EXISTS ({listed} WHERE item::bigint = ANY(CAST(:wanted AS bigint[])))"
    return None


def _search(
    session: Session, column: Column, kind: str, statement: str, wanted: Sequence[str | int]
) -> Search:
    found = 0
    if wanted:
        found = session.execute(text(statement), {"wanted": list(wanted)}).scalar_one()
    return Search(kind, column.table, column.name, int(found))


def _search_vectors(session: Session, column: Column, vectors: Sequence[Vector]) -> Search:
    # of another length nothing is near, and the comparison would be an error
    statement = text(
        f"SELECT count(*) FROM {column.place} WHERE CASE WHEN vector_dims({column.quoted}) = "
        f":length THEN {column.quoted} <=> CAST(:vector AS vector) < {NEAR} ELSE false END"
    ).bindparams(bindparam("vector"))
    found = 0
    for vector in vectors:
        values = {"length": len(vector), "vector": str([float(value) for value in vector])}
        found += int(session.execute(statement, values).scalar_one())
    return Search("vector", column.table, column.name, found)
