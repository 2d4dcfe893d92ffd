"""Issues of a GitHub repository as reports: incremental, in pages, each with its cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from triage.errors import SourceError, TrackerError
from triage.sources.github_cursor import Position, change_time
from triage.sources.issue_answers import answers_in, split_at_ours
from triage.sources.issue_fields import (
    UnreadableIssue,
    count_of,
    is_bot,
    login_of,
    number_of,
    text_of,
)
from triage.sources.pages import ReportPage, set_aside
from triage.types import Kind, RawAnswer, RawReport, Rejection

# Each issue may cost two further requests; so a run that hits the rate limit loses at most the
# comments of twenty.
ISSUES_PER_PAGE = 20


class ListedIssues(Protocol):
    """One page of a repository's issues as GitHub's JSON; nothing where it is unchanged."""

    @property
    def items(self) -> Sequence[Any]: ...
    @property
    def etag(self) -> str | None: ...
    @property
    def has_more(self) -> bool: ...
    @property
    def is_unchanged(self) -> bool: ...


class IssueReader(Protocol):
    """What this source needs of GitHub; each method raises ``TrackerError``."""

    def fetch_issues(
        self,
        repository: str,
        *,
        since: str | None,
        labels: Sequence[str],
        page: int,
        etag: str | None,
    ) -> ListedIssues:
        """Issues and pull requests, open and closed, the least recently changed first."""

    def fetch_comments(self, repository: str, number: int) -> Iterable[Any]:
        """All comments on an issue."""

    def fetch_thumbs_up(self, repository: str, number: int) -> Iterable[Any]:
        """All 👍 reactions to an issue."""


@dataclass(frozen=True, slots=True)
class _Source:
    reader: IssueReader
    repository: str
    own_marker: Callable[[str], bool]
    redact: Callable[[str], str]
    kind: Kind
    include_bots: bool
    own_comment: Callable[[int, str], bool]


def fetch_reports(
    reader: IssueReader,
    repository: str,
    cursor: str | None,
    *,
    own_marker: Callable[[str], bool],
    redact: Callable[[str], str],
    labels: Sequence[str] = (),
    kind: Kind = Kind.USER,
    include_bots: bool = False,
    own_comment: Callable[[int, str], bool] = lambda number, body: False,
) -> Iterator[ReportPage]:
    """Read what changed since ``cursor``, the oldest change first.

    Left out: pull requests, issues with our own marker, and those of bots unless
    ``include_bots``. Whoever commented or gave a 👍 supports the report, but for bots and its
    author; comments behind ours (``own_comment`` knows it by issue and text) are answers to it
    and support nothing. A later 👍 alone does not count as a change on GitHub and is seen with
    the next one. ``labels``: only issues that carry all of them; other labels than the cursor's,
    or a cursor that cannot be read, start from the beginning. An issue that cannot be read
    becomes a rejection. Some issues are given twice around a page's end, so storing must be
    idempotent. Raises ``SourceError``; the last cursor that was given then still holds.
    """
    source = _Source(reader, repository, own_marker, redact, kind, include_bots, own_comment)
    try:
        yield from _pages(source, Position.from_cursor(cursor, labels))
    except TrackerError as error:
        raise SourceError(error.attempted, error.problem, error.remedy) from error


def _pages(source: _Source, position: Position) -> Iterator[ReportPage]:
    """Follow ``since``, not page numbers: an issue that changes meanwhile only moves to the end.

    Page numbers serve where one moment's changes fill more than a page.
    """
    seen: set[tuple[Any, Any]] = set()
    number = 1
    while True:
        listed = source.reader.fetch_issues(
            source.repository,
            since=position.since_text,
            labels=position.labels,
            page=number,
            etag=position.etag if number == 1 else None,
        )
        if listed.is_unchanged:
            return
        reached = position = position.with_etag(None)
        for start in range(0, len(listed.items), ISSUES_PER_PAGE):
            batch = listed.items[start : start + ISSUES_PER_PAGE]
            fresh = [item for item in batch if _version(item) not in seen]
            seen.update(map(_version, fresh))
            reached = reached.after(batch)
            if fresh:
                yield _page(source, fresh, reached)
        if reached.since != position.since:
            position, number = reached, 1
        elif listed.has_more:
            number += 1
        else:
            if number == 1:
                yield ReportPage((), (), position.with_etag(listed.etag).to_cursor())
            return


def _page(source: _Source, items: Iterable[Any], reached: Position) -> ReportPage:
    reports, rejections = [], []
    answers: dict[str, tuple[RawAnswer, ...]] = {}
    for item in items:
        try:
            report = _report(source, item, answers)
        except UnreadableIssue as problem:
            rejections.append(_rejection(source, item, problem))
        else:
            if report is not None:
                reports.append(report)
    return ReportPage(tuple(reports), tuple(rejections), reached.to_cursor(), answers)


def _report(
    source: _Source, item: Any, answers: dict[str, tuple[RawAnswer, ...]]
) -> RawReport | None:
    """The report of an issue; None for what is left out. Answers to our comment go there."""
    if not isinstance(item, Mapping):
        raise UnreadableIssue("issue", "it is not an object")
    if "pull_request" in item:
        return None
    body = text_of(item, "body", optional=True)
    user = item.get("user")
    if source.own_marker(body) or (is_bot(user) and not source.include_bots):
        return None
    name = f"{source.repository}#{number_of(item)}"
    created_at = change_time(item, "created_at")
    if created_at is None:
        raise UnreadableIssue("created_at", "it is not a time")
    author = login_of(user)
    comments, behind = split_at_ours(_comments(source, item), number_of(item), source.own_comment)
    if behind is not None:
        answers[name] = answers_in(behind)
    return RawReport(
        origin=f"github:{source.repository}",
        external_id=name,
        place=name,
        body=body,
        title=text_of(item, "title"),
        channel="github",
        kind=source.kind,
        created_at=created_at,
        url=text_of(item, "html_url"),
        author=author,
        supporters=_supporters(source, item, comments, author),
    )


def _comments(source: _Source, item: Mapping[str, Any]) -> Iterable[Any]:
    """The comments on an issue; asked for only where there are any."""
    if not count_of(item, "comments"):
        return ()
    return source.reader.fetch_comments(source.repository, number_of(item))


def _supporters(
    source: _Source, item: Mapping[str, Any], comments: Iterable[Any], author: str | None
) -> tuple[str, ...]:
    """Other people behind an issue, in order of appearance."""
    reactions = item.get("reactions")
    thumbs: Iterable[Any] = ()
    if isinstance(reactions, Mapping) and count_of(reactions, "+1"):
        thumbs = source.reader.fetch_thumbs_up(source.repository, number_of(item))
    people: dict[str, str] = {}
    for entry in chain(comments, thumbs):
        user = entry.get("user") if isinstance(entry, Mapping) else None
        login = login_of(user)
        if login is not None and not is_bot(user):
            people.setdefault(login.casefold(), login)
    if author is not None:
        people.pop(author.casefold(), None)
    return tuple(people.values())


def _rejection(source: _Source, item: Any, problem: UnreadableIssue) -> Rejection:
    number = item.get("number", "?") if isinstance(item, Mapping) else "?"
    return set_aside(
        f"github:{source.repository}",
        f"{source.repository}#{number}",
        problem,
        item,
        "Open the issue on GitHub; if it reads well there, the API's answer is at fault.",
        source.redact,
    )


def _version(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, Mapping):
        return (None, repr(item))
    return (repr(item.get("number")), repr(item.get("updated_at")))
