"""One record of a file becomes a report, or a rejection that says what to mend."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from triage.sources.values import (
    WrongField,
    is_absent,
    parse_moment,
    read_kind,
    read_rating,
    read_text,
    well_formed,
)
from triage.types import RawReport, Rejection

FIELDS = frozenset(
    {
        *("id", "source", "created_at", "title", "body", "model", "environment", "language"),
        *("url", "author", "rating", "kind", "prompt", "response"),
    }
)
EXCERPT_LENGTH = 200
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REDACTION_WINDOW = 4000
_CUT_TAIL = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the file holds it; ``repeated`` are keys that it gives more than once."""

    place: str
    fields: Mapping[str, object]
    digest: str
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flaw:
    """A piece of a file that is no record; ``text`` is its (unredacted) beginning."""

    place: str
    problem: str
    remedy: str
    text: str
    digest: str
    field: str = "line"


@dataclass(frozen=True, slots=True)
class RecordIntake:
    """Turns records of one origin into reports.

    ``received_at`` is now, for dates that lie ahead of it; ``redact`` takes secrets and
    personal data out of what a rejection quotes.
    """

    origin: str
    received_at: datetime
    redact: Callable[[str], str]
    taken: dict[str, str] = field(default_factory=dict)  # id to content, of this file

    def take(self, found: Record | Flaw) -> RawReport | Rejection:
        """The report in a record, or why there is none; never both, never an exception."""
        if isinstance(found, Flaw):
            return self._rejection(found)
        try:
            report = self._report(found)
            self._note_id(report)
            return report
        except WrongField as wrong:
            return self._rejection(
                Flaw(
                    found.place,
                    wrong.problem,
                    wrong.remedy,
                    _quotable(found.fields),
                    found.digest,
                    wrong.field,
                )
            )

    def _note_id(self, report: RawReport) -> None:
        """One id, one report: a second content under it would silently replace the first."""
        content = _digest(replace(report, place=""))
        if self.taken.setdefault(report.external_id, content) != content:
            raise WrongField(
                "id",
                "'id' was used before in this file for another content",
                "Give each record an id of its own.",
            )

    def _report(self, record: Record) -> RawReport:
        fields = record.fields
        for name in record.repeated:
            if name in FIELDS:
                raise WrongField(name, f"'{name}' is given twice", "Keep one of the two values.")
        texts = {
            name: read_text(fields, name) for name in sorted(FIELDS - {"created_at", "rating"})
        }
        body = texts["body"]
        if body is None or not body.strip():
            raise WrongField("body", "'body' is missing or empty", self._body_remedy(fields))
        channel = (texts["source"] or "user").strip() or "user"
        moment = self._created_at(fields.get("created_at"))
        return RawReport(
            origin=self.origin,
            external_id=(texts["id"] or "").strip() or _content_id(texts, moment),
            place=record.place,
            title=texts["title"] or "",
            body=body,
            channel=channel,
            kind=read_kind(texts["kind"], channel),
            created_at=moment,
            model=texts["model"],
            environment=texts["environment"],
            language=texts["language"],
            url=texts["url"],
            author=texts["author"],
            rating=read_rating(fields.get("rating")),
            prompt=texts["prompt"],
            response=texts["response"],
        )

    def _body_remedy(self, fields: Mapping[str, object]) -> str:
        others = ", ".join(sorted(str(name)[:30] for name in fields if name != "body")[:12])
        found = f" (fields found: {self._quote(others)})" if others and "body" not in fields else ""
        return f"Give the reporter's own words in the field 'body'{found}."

    def _created_at(self, value: object) -> datetime | None:
        if is_absent(value):
            return None
        try:
            moment = parse_moment(value)
        except (ValueError, OverflowError) as error:
            written = self._quote(str(value))[:60] if isinstance(value, str | int | float) else "…"
            raise WrongField(
                "created_at",
                f"'created_at' is no date: '{written}'",
                "Write ISO 8601 (2026-11-03 or 2026-11-03T09:30:00Z) or epoch seconds.",
            ) from error
        if moment < EARLIEST or moment > self.received_at + timedelta(days=1):
            side = "before 2015" if moment < EARLIEST else "in the future"
            raise WrongField(
                "created_at",
                f"'created_at' lies {side}: {moment:%Y-%m-%d}",
                "Correct the date, or leave the field out to use the time of intake.",
            )
        return moment

    def _rejection(self, flaw: Flaw) -> Rejection:
        return Rejection(
            origin=self.origin,
            place=flaw.place,
            field=flaw.field,
            problem=flaw.problem,
            remedy=flaw.remedy,
            excerpt=self._quote(flaw.text),
            digest=flaw.digest,
        )

    def _quote(self, text: str) -> str:
        """At most 200 redacted characters on one line.

        Redaction sees a window of the text; where that cuts the text, its tail is dropped,
        since half a secret at the cut would not be recognised.
        """
        joined = text[: _REDACTION_WINDOW * 2].replace("\x00", "")
        window = joined[:_REDACTION_WINDOW]
        redacted = self.redact(well_formed(window))
        if len(joined) > len(window):
            redacted = redacted[:-_CUT_TAIL]
        return _CONTROLS.sub(" ", redacted).strip()[:EXCERPT_LENGTH]


def _digest(report: RawReport) -> str:
    return hashlib.sha256(repr(report).encode("utf-8", "surrogatepass")).hexdigest()


def _content_id(texts: Mapping[str, str | None], moment: datetime | None) -> str:
    """An id for a record that has none: the same content gets the same id in any file."""
    content = {**texts, "id": None, "created_at": moment.isoformat() if moment else None}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return "content-" + hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _quotable(fields: Mapping[str, object]) -> str:
    """What a rejection may quote: the texts, never the author."""
    parts = (fields.get("title"), fields.get("body"))
    return " ".join(part for part in parts if isinstance(part, str))
