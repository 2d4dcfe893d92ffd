"""GitHub issues as a source, read from a GitHub API that runs on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.github.emulator import token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.errors import SourceError
from triage.filing import marker, marker_in
from triage.sources.github import fetch_reports
from triage.sources.pages import ReportPage
from triage.tracker import GitHubReader, open_session
from triage.types import Kind, RawReport

KEY = b"a key for tests"
LIST = r"/issues$"
COMMENTS = r"/comments$"
REACTIONS = r"/reactions$"
FIRST = datetime(2026, 9, 1, 12, tzinfo=UTC)

Fetch = Callable[..., Iterator[ReportPage]]


def redact(text: str) -> str:
    return text.replace("hunter2", "[secret]")


@pytest.fixture
def fetch(github_proxy: GitHubProxy, github_repository: EmulatedRepository) -> Fetch:
    """Reads this test's repository, three issues a page."""

    def read(cursor: str | None = None, **options: Any) -> Iterator[ReportPage]:
        github = open_session(api_url=github_proxy.api_url, token=token_of("waldo"))
        return fetch_reports(
            GitHubReader(github, page_size=3),
            github_repository.name,
            cursor,
            own_marker=lambda body: marker_in(body, KEY) is not None,
            redact=redact,
            **options,
        )

    return read


@pytest.fixture
def issues_changed(
    github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> Callable[..., list[int]]:
    """Opens issues that changed so many seconds after a first day."""

    def open_all(*seconds: float, **fields: Any) -> list[int]:
        numbers = []
        for offset in seconds:
            number = github_repository.open_issue(f"at {offset}", "text", **fields)
            github_proxy.scene.changed_at[number] = stamp(offset)
            numbers.append(number)
        return numbers

    return open_all


def stamp(seconds: float) -> str:
    return f"{FIRST + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def reports_of(pages: list[ReportPage]) -> list[RawReport]:
    return [report for page in pages for report in page.reports]


def numbers_of(pages: list[ReportPage]) -> list[int]:
    return [int(report.external_id.rpartition("#")[2]) for report in reports_of(pages)]


# --- what a report is ---------------------------------------------------------------------------


def test_an_issue_becomes_a_report(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    number = github_repository.open_issue("It forgets 汉字", "I asked for JSON.", by="mira")
    [report] = reports_of(list(fetch(kind=Kind.DEVELOPER)))

    name = f"{github_repository.name}#{number}"
    assert report.created_at is not None
    assert datetime.now(UTC) - report.created_at < timedelta(minutes=1)
    web = github_proxy.api_url.removesuffix("/api/v3")
    assert report == RawReport(
        origin=f"github:{github_repository.name}",
        external_id=name,
        place=name,
        body="I asked for JSON.",
        title="It forgets 汉字",
        channel="github",
        kind=Kind.DEVELOPER,
        created_at=report.created_at,
        url=f"{web}/{github_repository.name}/issues/{number}",
        author="mira",
    )


def test_pull_requests_our_own_issues_and_bots_are_left_out(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    kept = github_repository.open_issue("kept", "text", by="mira")
    pull = github_repository.open_issue("a pull request", "text", by="mira")
    github_proxy.scene.pull_requests.add(pull)
    github_repository.open_issue("ours", f"text\n{marker(3, KEY)}")
    forged = github_repository.open_issue("forged", f"text\n{marker(3, b'no key of ours')}")
    bots = github_repository.open_issue("nightly build failed", "text", by="okan")
    github_proxy.scene.bots.add("okan")

    assert sorted(numbers_of(list(fetch()))) == [kept, forged]
    assert sorted(numbers_of(list(fetch(include_bots=True)))) == [kept, forged, bots]


def test_closed_issues_and_issues_without_text_are_reports(
    fetch: Fetch, github_repository: EmulatedRepository
) -> None:
    github_repository.edit_issue(github_repository.open_issue("closed", "x"), state="closed")
    github_repository.open_issue("no text", None)
    assert {r.title: r.body for r in reports_of(list(fetch()))} == {"closed": "x", "no text": ""}


def test_only_issues_with_all_labels_are_read(
    fetch: Fetch, github_repository: EmulatedRepository
) -> None:
    github_repository.open_issue("both", "x", labels=["bug", "model"])
    github_repository.open_issue("one", "x", labels=["bug"])
    assert [r.title for r in reports_of(list(fetch(labels=("bug", "model"))))] == ["both"]


# --- who stands behind it -----------------------------------------------------------------------


def test_commenters_and_thumbs_support_a_report_each_once(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    number = github_repository.open_issue("it fails", "text", by="mira")
    for login in ("juno", "mira", "tesse", "juno", "okan"):
        github_repository.comment(number, "same here", by=login)
    github_proxy.scene.thumbs_up[number] = ["juno", "waldo", "mira"]
    github_proxy.scene.bots.add("okan")

    [report] = reports_of(list(fetch()))
    assert report.supporters == ("juno", "tesse", "waldo")  # neither the author nor a bot


def test_all_pages_of_comments_count(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    number = github_repository.open_issue("it fails", "text", by="mira")
    for _ in range(4):
        github_repository.comment(number, "talk", by="juno")
    github_repository.comment(number, "me too", by="tesse")
    assert reports_of(list(fetch()))[0].supporters == ("juno", "tesse")
    assert len(github_proxy.sent("GET", COMMENTS)) == 2


def test_comments_and_reactions_are_asked_for_only_where_there_are_any(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    silent = github_repository.open_issue("silent", "text")
    commented = github_repository.open_issue("commented", "text")
    github_repository.comment(commented, "me too", by="juno")
    liked = github_repository.open_issue("liked", "text")
    github_proxy.scene.thumbs_up[liked] = ["juno"]
    list(fetch())

    asked = {r.path.rpartition("/issues/")[2] for r in github_proxy.sent("GET", r"/issues/\d")}
    assert asked == {f"{commented}/comments", f"{liked}/reactions"}
    assert silent not in (commented, liked)


# --- how far it was read --------------------------------------------------------------------------


def test_every_issue_is_read_over_many_pages(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    numbers = issues_changed(*range(0, 1000, 100))
    assert numbers_of(list(fetch())) == numbers


def test_an_issue_that_changes_while_others_are_read_hides_none(
    fetch: Fetch, issues_changed: Callable[..., list[int]], github_proxy: GitHubProxy
) -> None:
    numbers = issues_changed(*range(0, 800, 100))
    # by page numbers, the fourth issue would slip onto the page that was read already
    pages = fetch()
    read = [next(pages)]
    github_proxy.scene.changed_at[numbers[0]] = stamp(5000)
    read += pages
    assert set(numbers_of(read)) == set(numbers)
    assert numbers_of(read)[-1] == numbers[0]


def test_more_changes_in_one_moment_than_fit_a_page_are_all_read(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    numbers = issues_changed(*[100] * 8, 500)
    assert sorted(numbers_of(list(fetch()))) == numbers


def test_a_second_reading_takes_only_what_is_new(
    fetch: Fetch, issues_changed: Callable[..., list[int]], github_proxy: GitHubProxy
) -> None:
    numbers = issues_changed(0, 100, 200, 300)
    cursor = list(fetch())[-1].cursor
    [new] = issues_changed(400)
    github_proxy.scene.changed_at[numbers[1]] = stamp(500)

    again = list(fetch(cursor))
    # the last one is read twice: changes come to light late
    assert numbers_of(again) == [numbers[3], new, numbers[1]]
    assert numbers_of(list(fetch(again[-1].cursor))) == []


def test_what_comes_to_light_late_is_still_read(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    issues_changed(0, 100)
    cursor = list(fetch())[-1].cursor
    [late] = issues_changed(95)
    assert late in numbers_of(list(fetch(cursor)))


def test_nothing_new_costs_one_conditional_request(
    fetch: Fetch, issues_changed: Callable[..., list[int]], github_proxy: GitHubProxy
) -> None:
    issues_changed(*range(0, 700, 100))
    cursor = list(fetch())[-1].cursor
    github_proxy.requests.clear()

    assert list(fetch(cursor)) == []
    assert [r.status for r in github_proxy.requests] == [304]


def test_an_empty_repository_costs_one_conditional_request_too(
    fetch: Fetch, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> None:
    [page] = fetch()
    assert (page.reports, page.rejections) == ((), ())
    github_proxy.requests.clear()
    assert list(fetch(page.cursor)) == []
    assert [r.status for r in github_proxy.requests] == [304]

    github_repository.open_issue("the first", "text")
    assert [r.title for r in reports_of(list(fetch(page.cursor)))] == ["the first"]


def test_a_full_page_that_is_unchanged_does_not_hide_what_comes_behind_it(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    numbers = issues_changed(100, 100, 100)
    cursor = list(fetch())[-1].cursor
    [new] = issues_changed(101)
    assert new in numbers_of(list(fetch(cursor)))
    assert new not in numbers


def test_an_interrupted_reading_goes_on_from_the_last_stored_page(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    numbers = issues_changed(*range(0, 900, 100))
    first = next(fetch())
    rest = list(fetch(first.cursor))
    assert set(numbers_of([first, *rest])) == set(numbers)
    assert numbers[0] not in numbers_of(rest)


@pytest.mark.parametrize(
    "cursor", ["", "not JSON", "[]", "{}", '{"labels": [], "since": 5, "etag": null}', "null"]
)
def test_a_cursor_that_cannot_be_read_starts_from_the_beginning(
    fetch: Fetch, issues_changed: Callable[..., list[int]], cursor: str
) -> None:
    numbers = issues_changed(0, 100)
    assert numbers_of(list(fetch(cursor))) == numbers


def test_other_labels_start_from_the_beginning(
    fetch: Fetch, issues_changed: Callable[..., list[int]]
) -> None:
    old = issues_changed(0, labels=["model"])
    issues_changed(900, labels=["bug"])
    cursor = list(fetch(labels=("bug",)))[-1].cursor
    assert numbers_of(list(fetch(cursor, labels=("model",)))) == old


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_spent_rate_limit_is_an_error_and_what_was_given_is_not_read_again(
    fetch: Fetch, issues_changed: Callable[..., list[int]], github_proxy: GitHubProxy
) -> None:
    numbers = issues_changed(*range(0, 800, 100))
    pages = fetch()
    given = [next(pages), next(pages)]
    github_proxy.fail("GET", LIST, status=403, headers={"Retry-After": "3000"}, body={})
    with pytest.raises(SourceError, match="rate limit"):
        next(pages)

    rest = list(fetch(given[-1].cursor))
    assert set(numbers_of([*given, *rest])) == set(numbers)
    assert not set(numbers[:4]) & set(numbers_of(rest))


def test_a_failure_within_a_page_gives_none_of_it(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    number = github_repository.open_issue("it fails", "text")
    github_repository.comment(number, "me too", by="juno")
    github_proxy.fail("GET", COMMENTS, status=401, body={})
    with pytest.raises(SourceError, match=rf"comments on {github_repository.name}#{number}"):
        next(fetch())


@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": True}])
def test_a_short_failure_is_not_noticed(
    fetch: Fetch,
    issues_changed: Callable[..., list[int]],
    github_proxy: GitHubProxy,
    fault: dict[str, Any],
) -> None:
    numbers = issues_changed(0, 100)
    github_proxy.fail("GET", LIST, **fault)
    assert numbers_of(list(fetch())) == numbers


def test_an_invisible_repository_is_an_error_that_names_it(
    fetch: Fetch, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> None:
    github_proxy.fail("GET", LIST, status=404, body={"message": "Not Found"})
    with pytest.raises(SourceError, match=rf"{github_repository.name}.*not visible"):
        list(fetch())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": ["hunter2"]}, "title"),
        ({"body": 5}, "body"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"html_url": None}, "html_url"),
        ({"number": "seven"}, "number"),
    ],
)
def test_an_unreadable_issue_is_set_aside_and_stops_no_other(
    fetch: Fetch,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    change: dict[str, Any],
    field: str,
) -> None:
    number = github_repository.open_issue("hunter2", "text")
    github_repository.open_issue("fine", "text")
    sent = github_proxy.scene.overlay(github_repository.issues()[0])
    github_proxy.scene.replaced[number] = {**sent, **change}

    pages = list(fetch())
    assert [r.title for r in reports_of(pages)] == ["fine"]
    [rejection] = [r for page in pages for r in page.rejections]
    assert rejection.field == field
    assert rejection.place == f"{github_repository.name}#{change.get('number', number)}"
    assert "hunter2" not in rejection.excerpt
    assert len(rejection.excerpt) <= 200


def test_a_deleted_account_is_an_author_without_a_name(
    fetch: Fetch, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    number = github_repository.open_issue("it fails", "text")
    sent = github_proxy.scene.overlay(github_repository.issues()[0])
    github_proxy.scene.replaced[number] = {**sent, "user": None}
    assert [r.author for r in reports_of(list(fetch()))] == [None]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_ISSUE = {
    "number": 1,
    "title": "t",
    "body": "b",
    "user": {"login": "mira", "type": "User"},
    "html_url": "https://github.example/a/b/issues/1",
    "created_at": stamp(0),
    "updated_at": stamp(0),
    "comments": 1,
    "reactions": {"+1": 1},
}


class _OnePage:
    """A reader whose single page holds what it was given, for texts no server would send."""

    def __init__(self, items: list[Any], people: list[Any]) -> None:
        self.items, self.people = items, people
        self.etag, self.has_more, self.is_unchanged = None, False, False

    def fetch_issues(self, repository: str, **asked: Any) -> _OnePage:
        return self

    def fetch_comments(self, repository: str, number: int) -> list[Any]:
        return self.people

    fetch_thumbs_up = fetch_comments


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(sorted(_ISSUE)), _JSON, max_size=3),
    stranger=_JSON,
    people=st.lists(_JSON | st.builds(lambda user: {"user": user}, _JSON), max_size=3),
)
def test_whatever_github_sends_the_good_issue_is_read_and_every_other_accounted_for(
    changes: dict[str, Any], stranger: Any, people: list[Any]
) -> None:
    good = {**_ISSUE, "number": 2, "comments": 0, "reactions": {}}
    reader = _OnePage([{**_ISSUE, **changes}, stranger, good], people)
    pages = list(fetch_reports(reader, "a/b", None, own_marker=lambda _: False, redact=redact))
    reports, rejected = reports_of(pages), [r for page in pages for r in page.rejections]
    assert "a/b#2" in {report.external_id for report in reports}
    assert len(reports) + len(rejected) == 3
    assert all(json.loads(page.cursor) for page in pages)
