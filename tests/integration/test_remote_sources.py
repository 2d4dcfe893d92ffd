"""Hub discussions and Langfuse scores as sources, read from servers that speak their APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.collect_reports import collect
from flows.remote_sources import describe_sources, source_rows
from tests.integration.remote_servers import HubState, LangfuseState, hub_app, langfuse_app
from tests.integration.serving import served
from tests.unit.evaluation_logs import sample, write_eval_log
from triage.cleaning import redact
from triage.config.model import HuggingFaceSource, InspectSource, LangfuseSource, Sources
from triage.errors import SourceError
from triage.sources.huggingface import Hub, HubRepository, fetch_discussions
from triage.sources.langfuse import LowScores, fetch_low_scores
from triage.sources.langfuse_api import Langfuse
from triage.sources.pages import ReportPage
from triage.store.intake import SourceState
from triage.store.reports import load_reports
from triage.types import Kind, RawReport
from triage.workspace import Workspace

REPOSITORY = HubRepository("fennwick/corvane")


@pytest.fixture(scope="module")
def hub_server() -> Iterator[tuple[str, HubState]]:
    state = HubState()
    with served(hub_app(state)) as address:
        yield address, state


@pytest.fixture
def hub(hub_server: tuple[str, HubState]) -> HubState:
    """The Hub, empty again."""
    hub_server[1].__init__()  # type: ignore[misc]
    return hub_server[1]


@pytest.fixture
def hub_address(hub_server: tuple[str, HubState]) -> str:
    return hub_server[0]


@pytest.fixture(scope="module")
def langfuse_server() -> Iterator[tuple[str, LangfuseState]]:
    state = LangfuseState()
    with served(langfuse_app(state)) as address:
        yield address, state


@pytest.fixture
def langfuse(langfuse_server: tuple[str, LangfuseState]) -> LangfuseState:
    """The project with one trace and no score."""
    state = langfuse_server[1]
    state.__init__()  # type: ignore[misc]
    state.traces["trace-1"] = {
        "id": "trace-1",
        "name": "chat",
        "input": {"messages": [{"role": "user", "content": "Which tide follows the ebb?"}]},
        "output": {"role": "assistant", "content": "The spring tide."},
        "userId": "user-7",
        "htmlPath": "/project/p/traces/trace-1",
        "observations": [
            {"id": "o-1", "type": "GENERATION", "model": "corvane-4.2", "input": "tide?",
             "output": "Spring."},
        ],
        "scores": [],
    }  # fmt: skip
    return state


@pytest.fixture
def langfuse_address(langfuse_server: tuple[str, LangfuseState]) -> str:
    return langfuse_server[0]


def reports(pages: list[ReportPage]) -> list[RawReport]:
    return [report for page in pages for report in page.reports]


# --- the Hub ------------------------------------------------------------------------------------


def read_hub(address: str, cursor: str | None = None, token: str | None = None) -> list[ReportPage]:
    return list(fetch_discussions(Hub(address, token), REPOSITORY, cursor, redact=redact))


def test_a_discussion_is_a_report_and_who_joined_in_supports_it(
    hub: HubState, hub_address: str
) -> None:
    hub.open("Loops for ever", ("mira", "It repeats the last word."), ("okan", "Same here"))
    hub.discussions[1]["events"][0]["data"]["reactions"] = [
        {"reaction": "👍", "users": ["juno", "mira"], "count": 2},
        {"reaction": "👀", "users": ["waldo"], "count": 1},
    ]
    hub.open("Add weights", ("bot", "x"), isPullRequest=True)
    for number in range(5):
        hub.open(f"Another {number}", ("mira", f"Number {number} fails."))
    found = {report.external_id: report for report in reports(read_hub(hub_address))}
    assert len(found) == 6
    report = found["fennwick/corvane/discussions/1"]
    assert (report.title, report.body) == ("Loops for ever", "It repeats the last word.")
    assert (report.origin, report.author) == ("huggingface:models/fennwick/corvane", "mira")
    assert report.supporters == ("okan", "juno")
    assert report.created_at == datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
    assert report.url == f"{hub_address}/fennwick/corvane/discussions/1"


def test_only_what_changed_is_read_again(hub: HubState, hub_address: str) -> None:
    hub.open("One", ("mira", "It stops."))
    hub.open("Two", ("mira", "It hangs."))
    cursor = read_hub(hub_address)[-1].cursor
    hub.asked.clear()
    assert read_hub(hub_address, cursor) == []
    assert not [path for path in hub.asked if path[-1].isdigit()]
    hub.discussions[2]["events"].append(hub.comment("okan", "Me too"))
    hub.open("Three", ("okan", "It lies."))
    again = reports(read_hub(hub_address, cursor))
    assert [report.title for report in again] == ["Two", "Three"]
    assert again[0].supporters == ("okan",)


def test_a_hidden_or_odd_discussion_stops_no_other(hub: HubState, hub_address: str) -> None:
    hub.open("Hidden", ("mira", "This comment has been hidden"))
    hub.discussions[1]["events"][0]["data"]["hidden"] = True
    hub.open("Odd", ("mira", "hunter2"), events=[hub.comment("mira", 17)])  # type: ignore[arg-type]
    hub.open("No time", ("mira", "x"), createdAt=None)
    hub.open("Deleted author", ("mira", "It stops."), author=None)
    pages = read_hub(hub_address)
    (report,) = reports(pages)
    assert (report.title, report.author) == ("Deleted author", None)
    aside = [one for page in pages for one in page.rejections]
    assert [(one.place[-1], one.field) for one in aside] == [("2", "raw"), ("3", "createdAt")]
    assert read_hub(hub_address, pages[-1].cursor) == []


def test_a_private_repository_wants_the_token_and_a_short_failure_is_tried_again(
    hub: HubState, hub_address: str
) -> None:
    hub.open("One", ("mira", "It stops."))
    hub.token = "hf_secret"
    with pytest.raises(SourceError, match="401") as caught:
        read_hub(hub_address)
    assert "TRIAGE_HF_TOKEN" in str(caught.value)
    hub.failing = 1
    assert len(reports(read_hub(hub_address, token="hf_secret"))) == 1
    with pytest.raises(SourceError, match="no answer"):
        read_hub("http://127.0.0.1:9")


# --- Langfuse -----------------------------------------------------------------------------------


def read_scores(
    address: str, low: LowScores | None = None, cursor: str | None = None
) -> list[ReportPage]:
    client = Langfuse(address, "pk-lf-test", "sk-lf-test")
    pages = fetch_low_scores(
        client, low or LowScores(), cursor, origin="langfuse:here", redact=redact
    )
    return list(pages)


def test_a_low_score_is_a_report_with_what_was_asked_and_answered(
    langfuse: LangfuseState, langfuse_address: str
) -> None:
    langfuse.rate("user-feedback", 0, minute=1, comment="That is not what follows.")
    langfuse.rate("user-feedback", 1, minute=2)
    langfuse.rate("helpful", False, minute=3, subject={
        "kind": "observation", "id": "o-1", "traceId": "trace-1"})  # fmt: skip
    langfuse.rate("verdict", "bad", minute=4)
    langfuse.rate("verdict", "good", minute=5)
    found = {r.external_id: r for r in reports(read_scores(
        langfuse_address, LowScores(categories=("bad",), kind=Kind.DEVELOPER)))}  # fmt: skip
    assert set(found) == {"score-1", "score-3", "score-4"}
    report = found["score-1"]
    assert report.body.startswith("That is not what follows.\n\n> score user-feedback: 0")
    assert report.prompt == "user: Which tide follows the ebb?"
    assert report.response == "The spring tide."
    assert (report.author, report.model, report.rating) == ("user-7", "corvane-4.2", 0.0)
    assert (report.kind, report.environment) == (Kind.DEVELOPER, "chat, production")
    assert report.url == f"{langfuse_address}/project/p/traces/trace-1"
    assert (found["score-3"].prompt, found["score-3"].response) == ("tide?", "Spring.")
    assert "Answered: Spring." in found["score-3"].body


def test_scores_are_read_on_from_the_cursor_and_an_interrupted_read_goes_on(
    langfuse: LangfuseState, langfuse_address: str
) -> None:
    for minute in range(5):
        langfuse.rate("user-feedback", 0, minute=minute, comment=f"It fails, {minute}.")
    pages = read_scores(langfuse_address, LowScores(names=("user-feedback",)))
    assert [len(page.reports) for page in pages] == [2, 2, 1]
    resumed = read_scores(langfuse_address, cursor=pages[0].cursor)
    assert [one.external_id for one in reports(resumed)] == ["score-3", "score-2", "score-1"]
    langfuse.rate("user-feedback", 0, minute=59, comment="It fails later.")
    langfuse.asked.clear()
    again = reports(read_scores(langfuse_address, cursor=pages[-1].cursor))
    assert again[0].external_id == "score-6"
    assert langfuse.asked[0]["fromTimestamp"] == "2026-11-03T08:34:00.000Z"


def test_a_server_without_traces_gives_observations_and_a_lost_trace_is_set_aside(
    langfuse: LangfuseState, langfuse_address: str
) -> None:
    langfuse.has_traces = False
    langfuse.observations["trace-1"] = [
        {"id": "o-1", "traceId": "trace-1", "parentObservationId": None, "userId": "user-7",
         "input": '"tide?"', "output": "Spring.", "providedModelName": "corvane-4.2"},
    ]  # fmt: skip
    langfuse.rate("user-feedback", 0, minute=1)
    langfuse.rate("user-feedback", 0, minute=2, subject={"kind": "trace", "id": "gone"})
    langfuse.rate("user-feedback", 0, minute=3, timestamp="yesterday", comment="It stops.")
    pages = read_scores(langfuse_address)
    (report,) = reports(pages)
    assert (report.model, report.author, report.response) == ("corvane-4.2", "user-7", "Spring.")
    aside = {one.place: one.field for page in pages for one in page.rejections}
    assert aside == {"score score-2": "subject", "score score-3": "timestamp"}


def test_wrong_keys_and_odd_answers_are_the_sources_trouble(
    langfuse: LangfuseState, langfuse_address: str, hub: HubState, hub_address: str
) -> None:
    with pytest.raises(SourceError, match="401"):
        list(fetch_low_scores(
            Langfuse(langfuse_address, "pk", "sk"), LowScores(), None, origin="x", redact=redact
        ))  # fmt: skip
    with pytest.raises(SourceError, match="no scores API v3"):
        read_scores(hub_address)
    langfuse.failing = 1
    langfuse.rate("user-feedback", 0, minute=1)
    assert len(reports(read_scores(langfuse_address))) == 1


# --- all together -------------------------------------------------------------------------------


@pytest.fixture
def reading(
    workspace: Workspace, tmp_path: Path, hub: HubState, langfuse: LangfuseState,
    hub_address: str, langfuse_address: str,
) -> Workspace:  # fmt: skip
    """An installation with every kind of source, each with one report."""
    hub.open("Loops for ever", ("mira", "It repeats the last word."))
    langfuse.rate("user-feedback", 0, minute=1, comment="That is not what follows.")
    logs = tmp_path / "logs"
    logs.mkdir()
    write_eval_log(logs / "a.eval", [sample("lund", 1, answer="Seven.", scores={"match": "I"})])
    config = workspace.config.model_copy(
        update={
            "sources": Sources(
                huggingface=(HuggingFaceSource(repository="fennwick/corvane"),),
                langfuse=LangfuseSource(host=langfuse_address),
                inspect=(InspectSource(folder="logs"), InspectSource(folder="nowhere")),
            )
        }
    )
    settings = workspace.settings.model_copy(
        update={
            "hf_endpoint": hub_address,
            "langfuse_public_key": SecretStr("pk-lf-test"),
            "langfuse_secret_key": SecretStr("sk-lf-test"),
        }
    )
    return replace(workspace, config=config, settings=settings)


def test_a_source_that_breaks_is_stale_and_the_others_go_on(
    reading: Workspace, hub: HubState
) -> None:
    summary = collect(reading)
    assert (summary.added, len(summary.failed_sources)) == (3, 1)
    hub.failing = 100
    assert len(collect(reading).failed_sources) == 2
    rows = {row["source"]: row for row in source_rows(reading, datetime.now(UTC))}
    assert [row["state"] for row in rows.values()] == ["stale", "read", "read", "stale"]
    assert "no such folder" in rows["inspect:nowhere"]["trouble"]
    hub.failing = 0
    again = collect(reading)
    assert (again.added, again.revised, len(again.failed_sources)) == (0, 0, 1)
    with reading.database.session() as session:
        found = load_reports(session)
    assert {report.channel for report in found} == {"huggingface", "langfuse", "inspect"}
    assert "user-7" not in json.dumps([str(report) for report in found])


def test_a_source_that_nobody_reads_any_more_is_stale_after_a_day() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    states = [
        SourceState("a", "x", now - timedelta(hours=2), None),
        SourceState("b", "x", now - timedelta(days=2), None),
        SourceState("no longer configured", None, None, "trouble"),
    ]
    rows = describe_sources(["a", "b", "c"], states, now)
    assert [row["state"] for row in rows] == ["read", "stale", "never read"]
