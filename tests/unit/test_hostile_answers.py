"""Whatever an API answers becomes reports, rejections, or the source's trouble; nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import clean_report, redact
from triage.errors import SourceError
from triage.sources.huggingface import Hub, HubRepository, fetch_discussions
from triage.sources.langfuse import LowScores, fetch_low_scores
from triage.sources.langfuse_api import Langfuse
from triage.types import RawReport

NOW = datetime(2026, 11, 20, tzinfo=UTC)
KEYS = [
    "num", "title", "author", "name", "events", "type", "data", "latest", "raw", "hidden",
    "reactions", "reaction", "users", "createdAt", "isPullRequest", "numComments", "id", "value",
    "dataType", "timestamp", "subject", "kind", "traceId", "comment", "input", "output", "userId",
    "observations", "model", "htmlPath", "environment", "messages", "content", "role",
]  # fmt: skip
LEAVES = st.sampled_from(
    ["comment", "trace", "observation", "NUMERIC", "BOOLEAN", "2026-11-03T09:30:00Z", "\x00", "👍"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | LEAVES | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=9)
    ),
    max_leaves=25,
)


class AnyHub(Hub):
    """A Hub that answers with what it was given."""

    def __init__(self, listing: list[Any], discussion: Any) -> None:
        super().__init__("https://hub.example", None)
        self._answers = listing, discussion

    def fetch_listing(self, repository: HubRepository) -> Iterator[Any]:
        yield {"num": 1, "title": "x"}
        yield from self._answers[0]

    def fetch_discussion(self, repository: HubRepository, number: int) -> Any:
        return self._answers[1]


class AnyLangfuse(Langfuse):
    """A Langfuse that answers with what it was given."""

    def __init__(self, scores: Any, trace: Any) -> None:
        super().__init__("https://langfuse.example", "pk", "sk")
        self._answers = scores, trace

    def fetch_scores(self, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        json.dumps(parameters)
        return {"data": self._answers[0], "meta": {}}

    def fetch_trace(self, trace_id: str) -> Mapping[str, Any] | None:
        return self._answers[1] if isinstance(self._answers[1], dict) else None


def clean(reports: tuple[RawReport, ...]) -> None:
    for report in reports:
        clean_report(report, hash_key=b"k", received_at=NOW, resolve_version=str)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=3), JSON)
def test_whatever_the_hub_answers(listing: list[Any], discussion: Any) -> None:
    pages = fetch_discussions(
        AnyHub(listing, discussion), HubRepository("a/b"), None, redact=redact
    )
    for page in pages:
        clean(page.reports)
        json.loads(page.cursor)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=3), JSON, st.text(max_size=20))
def test_whatever_langfuse_answers(scores: list[Any], trace: Any, cursor: str) -> None:
    low = {"id": "1", "name": "n", "value": 0, "dataType": "NUMERIC", "timestamp": NOW.isoformat()}
    about = {**low, "subject": {"kind": "trace", "id": "t"}}
    client = AnyLangfuse([about, *scores], trace)
    try:
        for page in fetch_low_scores(client, LowScores(), cursor, origin="x", redact=redact):
            clean(page.reports)
            json.loads(page.cursor)
    except SourceError:
        pass
