"""Posted reports in and out of the database: many requests in one transaction, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.copying import copy_in
from triage.store.encoding import decode_report
from triage.store.intake import save_rejections
from triage.store.posted_tables import PostedKeyRow, PostedReportRow
from triage.types import CleanReport, Rejection

MOST_COUNTED = 10_000  # health checks ask every second
_TYPES = {"origin": "text", "external_id": "text", "author_hash": "text", "content": "text"}


@dataclass(frozen=True, slots=True)
class PostedReport:
    """A cleaned report on its way into the database; ``content`` by ``encode_report``."""

    external_id: str
    author_hash: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body of a response."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Submission:
    """All of one request that is to be stored, and what is answered once it is.

    ``digest`` is that of the request's body; ``key`` its idempotency key, if it has one.
    """

    origin: str
    digest: str
    key: str | None
    reports: tuple[PostedReport, ...]
    rejections: tuple[Rejection, ...]
    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class WaitingReports:
    """How many posted reports no collection has taken yet, and since when the first waits."""

    count: int
    since: datetime | None


def save_submissions(session: Session, submissions: Sequence[Submission]) -> list[Answer | None]:
    """Store requests and say what to answer each: its own answer, or that of its key's first use.

    None: its key was used with another body. What repeats a key or misuses it stores nothing. No
    two of the submissions may share origin and key.
    """
    known = _claim_keys(session, [one for one in submissions if one.key is not None])
    fresh = [one for one in submissions if (one.origin, one.key) not in known]
    rows = [
        (one.origin, report.external_id, report.author_hash, report.content)
        for one in fresh
        for report in one.reports
    ]
    if rows:
        copy_in(session, "posted_report", _TYPES, rows)
    save_rejections(session, [rejection for one in fresh for rejection in one.rejections])
    return [_answer(one, known.get((one.origin, one.key or ""))) for one in submissions]


def _claim_keys(
    session: Session, keyed: Sequence[Submission]
) -> dict[tuple[str, str | None], tuple[str, Answer]]:
    """What keys were used for before, by origin and key; the others are taken from now on.

    In the order of the keys, so that two transactions with the same ones do not lock each other.
    """
    if not keyed:
        return {}
    origin, key = col(PostedKeyRow.origin), col(PostedKeyRow.key)
    rows = [
        {"origin": one.origin, "key": one.key, "digest": one.digest,
         "status": one.status, "answer": one.answer}
        for one in sorted(keyed, key=lambda one: (one.origin, one.key or ""))
    ]  # fmt: skip
    statement = insert(PostedKeyRow).values(rows).on_conflict_do_nothing().returning(origin, key)
    taken = {(row.origin, row.key) for row in session.execute(statement)}
    used = [(row["origin"], row["key"]) for row in rows if (row["origin"], row["key"]) not in taken]
    if not used:
        return {}
    found = session.execute(select(PostedKeyRow).where(tuple_(origin, key).in_(used))).scalars()
    return {(row.origin, row.key): (row.digest, Answer(row.status, row.answer)) for row in found}


def _answer(one: Submission, known: tuple[str, Answer] | None) -> Answer | None:
    if known is None:
        return Answer(one.status, one.answer)
    digest, answer = known
    return answer if digest == one.digest else None


def take_posted(session: Session, limit: int) -> list[CleanReport]:
    """Remove the oldest posted reports and return them, in the order in which they came.

    They are gone once the session's transaction, which is to save them, commits. The caller holds
    ``hold_reports``, else a later word on a report could be saved before an earlier one.
    """
    posted_id = col(PostedReportRow.posted_id)
    oldest = select(posted_id).order_by(posted_id).limit(limit)
    statement = delete(PostedReportRow).where(posted_id.in_(oldest))
    rows = session.execute(statement.returning(posted_id, col(PostedReportRow.content))).all()
    return [decode_report(content) for _, content in sorted((row[0], row[1]) for row in rows)]


def load_waiting(session: Session) -> WaitingReports:
    """How many posted reports wait for a collection; more than ``MOST_COUNTED`` are not counted."""
    posted_id = col(PostedReportRow.posted_id)
    some = select(posted_id).limit(MOST_COUNTED).subquery()
    count = session.execute(select(func.count()).select_from(some)).scalar_one()
    first = select(col(PostedReportRow.received_at)).order_by(posted_id).limit(1)
    return WaitingReports(int(count), session.execute(first).scalar())


def forget_keys(session: Session, before: datetime) -> None:
    """Let idempotency keys that were answered before a time be used anew."""
    session.execute(delete(PostedKeyRow).where(col(PostedKeyRow.answered_at) < before))
