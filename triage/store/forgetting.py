"""Takes reports out of the database whole: their words, vectors, answers about them, mentions."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.cleaning import fingerprint
from triage.privacy.traces import quotes
from triage.store.among import among
from triage.store.columns import load_columns
from triage.store.learnt import forget_learnt
from triage.store.privacy_tables import TombstoneRow
from triage.store.tables import (
    DistillationRow,
    EmbeddingRow,
    LandmarkRow,
    ReportRow,
    ReportSupporterRow,
    ThemeMemberRow,
    ThemeRow,
)
from triage.store.traces import Vector, as_word

FORGOTTEN = "[forgotten]"
_WORDS = ("title", "body", "failure_text", "code", "prompt", "response", "url", "environment",
          "model_written")  # fmt: skip
# Mentions are looked for in all other tables, whatever was added since.
_NEVER_SCRUBBED = {"report", "audit", "tombstone", "alembic_version", "installation"}
_DELETED_WHOLE = {"rejected", "posted_key"}
# By fingerprint, where no other report has the same text.
_BY_TEXT = (
    "DELETE FROM embedding WHERE fingerprint = ANY(:gone)",
    "DELETE FROM distillation WHERE fingerprint = ANY(:gone)",
    "DELETE FROM reading WHERE fingerprint = ANY(:gone)",
    "DELETE FROM theme_anchor WHERE fingerprint = ANY(:gone)",
    "DELETE FROM landmark WHERE fingerprint = ANY(:gone)",
    "DELETE FROM unanswered WHERE question_hash = ANY(:gone)",
)
# These are keyed by a hash of several texts: what was asked since may have shown this one. They
# are a memory only; what is still wanted is asked again.
_SINCE = (
    "DELETE FROM wording WHERE answered_at >= :since",
    "DELETE FROM pair_answer WHERE answered_at >= :since",
    "DELETE FROM unanswered WHERE asked_at >= :since",
)
_NUMBERS = (
    "UPDATE proposal SET report_ids = ARRAY(SELECT unnest(report_ids) EXCEPT "
    "SELECT unnest(CAST(:ids AS bigint[]))) WHERE report_ids && CAST(:ids AS bigint[])",
    "UPDATE bond SET left_reports = ARRAY(SELECT unnest(left_reports) EXCEPT "
    "SELECT unnest(CAST(:ids AS bigint[]))) WHERE left_reports && CAST(:ids AS bigint[])",
    "UPDATE bond SET right_reports = ARRAY(SELECT unnest(right_reports) EXCEPT "
    "SELECT unnest(CAST(:ids AS bigint[]))) WHERE right_reports && CAST(:ids AS bigint[])",
)
# The oldest of those that repeated a forgotten report is the first of its family from now on.
_NEW_ROOTS = """
    WITH heirs AS (
        SELECT duplicate_of AS old, min(report_id) AS heir FROM report
        WHERE duplicate_of = ANY(:ids) AND report_id <> ALL(:ids) GROUP BY duplicate_of
    )
    UPDATE report SET duplicate_of = nullif(heirs.heir, report.report_id)
    FROM heirs WHERE report.duplicate_of = heirs.old AND report.report_id <> ALL(:ids)
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What a person or some reports left in the database, read before it goes.

    ``names`` are (origin, external id, fingerprint, author hash) of each report, ``supported`` the
    (origin, external id) of other people's reports that the person stood behind. ``own_texts`` are
    the fingerprints that no other report has; ``vectors`` are of those.
    """

    report_ids: tuple[int, ...]
    names: tuple[tuple[str, str, str, str | None], ...]
    texts: tuple[str, ...]
    author_hash: str | None
    supported: tuple[tuple[str, str], ...]
    theme_ids: frozenset[int]
    own_texts: frozenset[str]
    vectors: tuple[Vector, ...]
    since: datetime | None


def find_authored(session: Session, author_hash: str) -> list[int]:
    """Numbers of the reports of one person, oldest first."""
    own = select(col(ReportRow.report_id)).where(col(ReportRow.author_hash) == author_hash)
    return list(session.execute(own.order_by(col(ReportRow.report_id))).scalars())


def is_supporter(session: Session, person_hash: str) -> bool:
    """Whether a person stands behind somebody else's report."""
    found = select(col(ReportSupporterRow.report_id)).where(
        col(ReportSupporterRow.person_hash) == person_hash
    )
    return session.execute(found.limit(1)).first() is not None


def load_remains(session: Session, report_ids: Sequence[int], author_hash: str | None) -> Remains:
    """Everything by which reports, and the person if one is given, are found again."""
    rows = list(
        session.execute(
            select(ReportRow).where(among(col(ReportRow.report_id), report_ids))
        ).scalars()
    )
    keys = {row.fingerprint for row in rows}
    shared = select(col(ReportRow.fingerprint)).where(
        among(col(ReportRow.fingerprint), keys), ~among(col(ReportRow.report_id), report_ids)
    )
    own_texts = frozenset(keys - set(session.execute(shared).scalars()))
    behind = select(
        col(ReportRow.report_id), col(ReportRow.origin), col(ReportRow.external_id)
    ).join(ReportSupporterRow, col(ReportSupporterRow.report_id) == col(ReportRow.report_id))
    others = session.execute(
        behind.where(
            col(ReportSupporterRow.person_hash) == author_hash,
            ~among(col(ReportRow.report_id), report_ids),
        )
    ).all()
    members = select(col(ThemeMemberRow.theme_id)).where(
        among(col(ThemeMemberRow.report_id), [*report_ids, *(row.report_id for row in others)])
    )
    return Remains(
        report_ids=tuple(row.report_id for row in rows),
        names=tuple((r.origin, r.external_id, r.fingerprint, r.author_hash) for r in rows),
        texts=tuple(text for row in rows for text in _texts(row)),
        author_hash=author_hash,
        supported=tuple((row.origin, row.external_id) for row in others),
        theme_ids=frozenset(session.execute(members).scalars()),
        own_texts=own_texts,
        vectors=_vectors(session, own_texts),
        since=min((row.received_at for row in rows), default=None),
    )


def delete_reports(session: Session, remains: Remains) -> dict[str, int]:
    """Delete reports and all that hangs on them or on their texts alone; returns rows by table."""
    ids, counts = list(remains.report_ids), Counter[str]()
    session.execute(text(_NEW_ROOTS), {"ids": ids})
    for statement in _NUMBERS:
        _run(session, counts, statement, ids=ids)
    own = delete(ReportRow).where(among(col(ReportRow.report_id), ids))
    counts["report"] = len(session.execute(own.returning(col(ReportRow.report_id))).all())
    if remains.author_hash is not None:
        _run(
            session,
            counts,
            "DELETE FROM report_supporter WHERE person_hash = :who",
            who=remains.author_hash,
        )
    delete_by_text(session, counts, {key for _, _, key, _ in remains.names})
    if remains.since is not None:
        for statement in _SINCE:
            _run(session, counts, statement, since=remains.since)
    _run(
        session,
        counts,
        "DELETE FROM probe_result WHERE probe = ANY(:names) AND NOT EXISTS "
        "(SELECT FROM report WHERE external_id = probe)",
        names=[external_id for _, external_id, _, _ in remains.names],
    )
    return {table: count for table, count in sorted(counts.items()) if count}


def delete_by_text(session: Session, counts: Counter[str], texts: Collection[str]) -> set[str]:
    """Delete what is kept by the fingerprints of texts that no report has any more; these."""
    kept = select(col(ReportRow.fingerprint)).where(among(col(ReportRow.fingerprint), texts))
    gone = set(texts) - set(session.execute(kept).scalars())
    gone |= _phrases_of(session, gone)
    for statement in _BY_TEXT:
        _run(session, counts, statement, gone=sorted(gone))
    counts["learnt"] += forget_learnt(session, gone)
    return gone


def scrub(session: Session, pieces: Collection[str], names: Collection[str]) -> dict[str, int]:
    """Replace every text that repeats a piece or names an id, in all other tables.

    A line that was set aside at intake goes whole, so does what was answered to a sender. Returns
    rows by table.
    """
    counts: Counter[str] = Counter()
    mention = Mention(pieces, names)
    for column in load_columns(session):
        if not column.holds_words or column.is_key or column.table in _NEVER_SCRUBBED:
            continue
        rows = session.execute(
            text(f"SELECT ctid::text AS at, {column.quoted} AS said FROM {column.place}")
        ).all()
        for row in rows:
            clean = mention.removed(row.said)
            if clean == row.said:
                continue
            counts[column.table] += 1
            where = f"WHERE ctid = CAST('{row.at}' AS tid)"
            if column.table in _DELETED_WHOLE:
                session.execute(text(f"DELETE FROM {column.place} {where}"))
                continue
            value = json.dumps(clean) if column.kind.startswith("json") else clean
            assignment = f"{column.quoted} = CAST(:value AS {column.kind})"
            session.execute(
                text(f"UPDATE {column.place} SET {assignment} {where}"), {"value": value}
            )
    return dict(sorted(counts.items()))


class Mention:
    """Finds the words or ids of something in texts and in JSON, however deep."""

    def __init__(self, pieces: Collection[str], names: Collection[str]) -> None:
        self._pieces = tuple(pieces)
        self._names = [re.compile(as_word(name)) for name in names]

    def is_in(self, said: str) -> bool:
        """Whether a text repeats or names it."""
        return quotes(said, self._pieces) or any(name.search(said) for name in self._names)

    def removed(self, value: Any) -> Any:
        """The value with ``FORGOTTEN`` in place of every text in it that does."""
        if isinstance(value, str):
            return FORGOTTEN if self.is_in(value) else value
        if isinstance(value, dict):
            return {self.removed(key): self.removed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.removed(item) for item in value]
        return value


def find_quoting_themes(session: Session, ids: Collection[int], mention: Mention) -> frozenset[int]:
    """Themes of any status whose description names one of some reports or repeats its words."""
    wanted, found = set(ids), set()
    for row in session.execute(select(ThemeRow)).scalars():
        named = {row.medoid_id, *row.exemplar_ids} & wanted
        said = "\n".join((row.title, row.summary, json.dumps(row.profile), *row.keywords))
        if named or mention.is_in(said):
            found.add(row.theme_id)
    return frozenset(found)


def save_tombstones(session: Session, hashes: Collection[str]) -> None:
    """Keep hashes of what must not be taken in again."""
    if hashes:
        rows = [{"hash": each} for each in sorted(hashes)]
        session.execute(insert(TombstoneRow).on_conflict_do_nothing(), rows)


def load_tombstones(session: Session, hashes: Collection[str]) -> set[str]:
    """Which of some hashes stand for something that was forgotten."""
    found = select(col(TombstoneRow.hash)).where(among(col(TombstoneRow.hash), hashes))
    return set(session.execute(found).scalars())


def has_tombstones(session: Session) -> bool:
    """Whether anything was ever forgotten."""
    return session.execute(select(col(TombstoneRow.hash)).limit(1)).first() is not None


def _texts(row: ReportRow) -> list[str]:
    said = [getattr(row, name) for name in _WORDS]
    return [text for text in (*said, *row.error_signatures) if text]


def _vectors(session: Session, keys: Collection[str]) -> tuple[Vector, ...]:
    """Of texts that no other report has; what others wrote too stays theirs."""
    found = []
    for table in (EmbeddingRow, LandmarkRow):
        rows = session.execute(select(table.vector).where(among(col(table.fingerprint), keys)))
        found += [np.asarray(vector, dtype=np.float32) for vector in rows.scalars()]
    return tuple(found)


def _phrases_of(session: Session, gone: Collection[str]) -> set[str]:
    """Fingerprints of the phrases that an LLM put those texts into, and no other text."""
    failure, key = col(DistillationRow.failure), col(DistillationRow.fingerprint)
    own = set(session.execute(select(failure).where(among(key, gone))).scalars())
    shared = session.execute(
        select(failure).where(among(failure, own), ~among(key, gone))
    ).scalars()
    return {fingerprint(phrase) for phrase in own - set(shared)}


def _run(session: Session, counts: Counter[str], statement: str, **values: Any) -> None:
    table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
    result: Any = session.execute(text(statement), values)
    counts[table] += result.rowcount
