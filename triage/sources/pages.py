"""What every incremental source gives: pages of reports, each with the cursor that follows it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triage.sources.issue_fields import UnreadableIssue
from triage.types import RawAnswer, RawReport, Rejection

PAGE = 100  # reports of a page, where the source itself has no pages
_EXCERPT_CHARS = 200


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Some reports, what was set aside, and the cursor to store in the same transaction.

    ``answers`` are all that people said behind our own comment, by the report's external id.
    """

    reports: tuple[RawReport, ...]
    rejections: tuple[Rejection, ...]
    cursor: str
    answers: Mapping[str, tuple[RawAnswer, ...]] = field(default_factory=dict)


def set_aside(
    origin: str,
    place: str,
    problem: UnreadableIssue,
    item: Any,
    remedy: str,
    redact: Callable[[str], str],
) -> Rejection:
    """The rejection of one item of an API's answer."""
    raw = json.dumps(item, ensure_ascii=False, sort_keys=True)
    return Rejection(
        origin=origin,
        place=place,
        field=problem.field,
        problem=problem.problem,
        remedy=remedy,
        # redacted before it is cut, lest half a secret pass
        excerpt=redact(raw[: 10 * _EXCERPT_CHARS])[:_EXCERPT_CHARS],
        digest=hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest(),
    )
