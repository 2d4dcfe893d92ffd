"""The collect stage on a repository's issues: page, cursor and reports in one transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from flows.collect_reports import collect
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.config.model import GitHubSource, Sources
from triage.filing import marker
from triage.store.intake import load_source_states
from triage.store.reports import load_reports
from triage.workspace import Workspace

LISTING = r"/issues$"


@pytest.fixture
def reading(
    workspace: Workspace, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> Workspace:
    """An installation whose only remote source is this test's repository."""
    settings = workspace.settings.model_copy(
        update={
            "github_api_url": github_proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
        }
    )
    sources = Sources(github=(GitHubSource(repository=github_repository.name),))
    config = workspace.config.model_copy(update={"sources": sources})
    return replace(workspace, settings=settings, config=config)


def test_issues_become_reports_once_with_their_supporters(
    reading: Workspace, github_repository: EmulatedRepository
) -> None:
    number = github_repository.open_issue("Parser drops calls", "The parser drops every call.")
    github_repository.comment(number, "Same here", by="juno")
    github_repository.open_issue("Ours", f"body {marker(1, reading.marker_key)}", by=FILER)
    assert collect(reading).added == 1
    assert collect(reading).added == 0
    with reading.database.session() as session:
        (report,) = load_reports(session)
    assert report.external_id == f"{github_repository.name}#{number}"
    assert len(report.supporters) == 1
    assert "juno" not in str(report)


def test_an_issue_with_another_persons_marker_is_a_report(
    reading: Workspace, github_repository: EmulatedRepository
) -> None:
    github_repository.open_issue("Forged", f"it loops forever {marker(1, b'another key')}")
    assert collect(reading).added == 1


def test_a_source_that_fails_is_noted_and_read_from_where_it_stood(
    reading: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    github_repository.open_issue("Parser drops calls", "The parser drops every call.")
    github_proxy.fail("GET", LISTING, status=404)
    summary = collect(reading)
    assert summary.added == 0
    assert len(summary.failed_sources) == 1
    with reading.database.session() as session:
        (state,) = load_source_states(session)
    assert state.last_error is not None
    assert github_repository.name in state.last_error
    assert collect(reading).added == 1
    with reading.database.session() as session:
        assert load_source_states(session)[0].last_error is None


def test_a_later_comment_adds_a_person_and_no_report(
    reading: Workspace, github_repository: EmulatedRepository
) -> None:
    number = github_repository.open_issue("Parser drops calls", "The parser drops every call.")
    collect(reading)
    github_repository.comment(number, "Me too", by="okan")
    collect(reading)
    with reading.database.session() as session:
        (report,) = load_reports(session)
    assert len(report.supporters) == 1
