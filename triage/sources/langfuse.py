"""Low scores in Langfuse, each with what was asked and answered: incremental by time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from triage.errors import SourceError
from triage.sources.conversations import conversation, part_of
from triage.sources.issue_fields import UnreadableIssue, text_of
from triage.sources.langfuse_api import Langfuse
from triage.sources.pages import ReportPage, set_aside
from triage.types import Kind, RawReport

SCORES_PER_PAGE = 100  # the most that the API gives
# Scores may come to light some ten minutes after their time; read twice, they are stored once.
OVERLAP = timedelta(minutes=30)
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class LowScores:
    """Which scores are reports: by name (all without), and from which value downwards.

    A number up to ``at_most``, a truth value that is false, a category that is listed.
    """

    names: tuple[str, ...] = ()
    at_most: float = 0.0
    categories: tuple[str, ...] = ()
    kind: Kind = Kind.USER

    def takes(self, score: Mapping[str, Any]) -> bool:
        """Whether a score is low."""
        value, kind = score.get("value"), score.get("dataType")
        if kind == "CATEGORICAL":
            return value in self.categories
        if kind == "BOOLEAN":
            return value is False or value == 0
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return kind == "NUMERIC" and is_number and float(str(value)) <= self.at_most


@dataclass(frozen=True, slots=True)
class _Position:
    """Scores before ``since`` were read; ``page`` goes on where a run was interrupted.

    Pages come newest first, so ``since`` moves to ``latest`` only behind the last page.
    """

    since: str | None = None
    latest: str | None = None
    page: str | None = None

    @classmethod
    def from_cursor(cls, cursor: str | None) -> _Position:
        try:
            stored = json.loads(cursor or "{}")
            found = cls(*(stored.get(name) for name in ("since", "latest", "page")))
            if any(one is not None and not isinstance(one, str) for one in _parts(found)):
                return cls()
            for moment in (found.since, found.latest):
                if moment is not None:
                    datetime.fromisoformat(moment)
        except (AttributeError, TypeError, ValueError):
            return cls()
        return found

    def to_cursor(self) -> str:
        return json.dumps({"since": self.since, "latest": self.latest, "page": self.page})


def fetch_low_scores(
    langfuse: Langfuse,
    low: LowScores,
    cursor: str | None,
    *,
    origin: str,
    redact: Callable[[str], str],
) -> Iterator[ReportPage]:
    """Reports of the low scores since ``cursor``; raises ``SourceError``, the last cursor holds."""
    position = _Position.from_cursor(cursor)
    while True:
        found = langfuse.fetch_scores(_parameters(position, low))
        scores = found.get("data")
        if not isinstance(scores, list):
            raise SourceError(
                f"Reading scores of {langfuse.host}",
                "the answer has no list 'data'",
                "Check that sources.langfuse.host is a Langfuse server.",
            )
        reports, rejections = [], []
        for score in scores:
            try:
                report = _report(langfuse, low, score, origin)
            except UnreadableIssue as problem:
                place = f"score {score.get('id', '?') if isinstance(score, Mapping) else '?'}"
                remedy = "Open the score's trace in Langfuse; without one it cannot be a report."
                rejections.append(set_aside(origin, place, problem, score, remedy, redact))
            else:
                if report is not None:
                    reports.append(report)
        latest = max((t for t in (position.latest, *map(_time_of, scores)) if t), default=None)
        page = part_of(found, "meta").get("cursor")
        if isinstance(page, str) and page and page != position.page and scores:
            position = _Position(position.since, latest, page)
            yield ReportPage(tuple(reports), tuple(rejections), position.to_cursor())
        else:
            position = _Position(latest or position.since)
            yield ReportPage(tuple(reports), tuple(rejections), position.to_cursor())
            return


def _parameters(position: _Position, low: LowScores) -> dict[str, str]:
    parameters = {"limit": str(SCORES_PER_PAGE), "fields": "details,subject"}
    if low.names:
        parameters["name"] = ",".join(low.names)
    if position.since is not None:
        since = datetime.fromisoformat(position.since) - OVERLAP
        parameters["fromTimestamp"] = f"{since:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    if position.page is not None:
        parameters["cursor"] = position.page
    return parameters


def _report(langfuse: Langfuse, low: LowScores, score: Any, origin: str) -> RawReport | None:
    if not isinstance(score, Mapping):
        raise UnreadableIssue("score", "it is not an object")
    if not low.takes(score) or (low.names and score.get("name") not in low.names):
        return None
    name, comment = text_of(score, "name"), text_of(score, "comment", optional=True).strip()
    trace, seen = _subject(langfuse, score)
    prompt, response = conversation(seen.get("input")), conversation(seen.get("output"))
    if not (prompt or response or comment):
        raise UnreadableIssue("subject", "neither comment nor trace says what happened")
    value = score.get("value")
    asked = f"Asked: {_short(prompt)}\n\nAnswered: {_short(response)}"
    body = comment or f"This answer was rated low.\n\n{asked}"
    path = trace.get("htmlPath")
    return RawReport(
        origin=origin,
        external_id=text_of(score, "id"),
        place=f"score {score.get('id')}",
        title="",
        body=f"{body}\n\n> score {name}: {value}",
        channel="langfuse",
        kind=low.kind,
        created_at=_moment(score.get("timestamp")),
        model=_model(trace, seen),
        environment=_joined(trace.get("name"), score.get("environment")),
        url=f"{langfuse.host}{path}" if isinstance(path, str) else None,
        author=_string(trace.get("userId")),
        rating=float(value) if isinstance(value, int | float) else None,
        prompt=prompt or None,
        response=response or None,
    )


def _subject(
    langfuse: Langfuse, score: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The trace of a score, and the part of it that was scored; empty where there is none."""
    subject = part_of(score, "subject")
    kind, own_id = subject.get("kind"), _string(subject.get("id"))
    trace_id = _string(subject.get("traceId")) if kind == "observation" else own_id
    if kind not in ("trace", "observation") or trace_id is None:
        return {}, {}
    trace = langfuse.fetch_trace(trace_id) or {}
    for observation in _observations(trace) if kind == "observation" else ():
        if observation.get("id") == own_id:
            return trace, observation
    return trace, trace


def _observations(trace: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = trace.get("observations")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _model(trace: Mapping[str, Any], seen: Mapping[str, Any]) -> str | None:
    """The model that was scored, else that of the trace's last generation."""
    for one in (seen, *reversed(_observations(trace))):
        model = _string(one.get("model")) or _string(one.get("providedModelName"))
        if model:
            return model
    return None


def _parts(position: _Position) -> tuple[Any, ...]:
    return position.since, position.latest, position.page


def _time_of(score: Any) -> str | None:
    """A score's time in one form, so that texts compare as times do."""
    try:
        return _moment(score.get("timestamp")).isoformat(timespec="microseconds")
    except (AttributeError, UnreadableIssue):
        return None


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise UnreadableIssue("timestamp", "it is not a time") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _joined(*parts: Any) -> str | None:
    return ", ".join(part for part in parts if isinstance(part, str) and part) or None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _short(text: str) -> str:
    joined = " ".join(text[: 4 * _SHOWN].split())
    return joined if len(joined) <= _SHOWN else f"{joined[: _SHOWN - 1]}…"
