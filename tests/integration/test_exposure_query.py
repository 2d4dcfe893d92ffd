"""Request counts from a query: read-only, bounded in time, and of the right shape or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from pydantic import SecretStr
from sqlalchemy import URL
from typer.testing import CliRunner

from flows.verify_release import verify
from tests.databases import as_text, run_sql
from triage.cli import app
from triage.errors import DatabaseError, IntakeError, SettingsError, TriageError
from triage.settings import Settings
from triage.store import exposure_query
from triage.store.exposure import load_exposure
from triage.store.exposure_query import fetch_exposure
from triage.verification import ALL_CHANNELS, Exposure
from triage.workspace import Workspace

VERSIONS = {"corvane": "corvane-4.2", "Corvane Pro": "corvane-4.2"}
DAY = date(2026, 10, 13)
USAGE = "SELECT model AS version, day, n AS requests, channel FROM usage"


@pytest.fixture
def serving(empty_database: URL) -> Settings:
    """A database of the serving side with some days of use."""
    run_sql(empty_database, "CREATE TABLE usage (model text, day date, channel text, n numeric)")
    run_sql(
        empty_database,
        "INSERT INTO usage VALUES ('corvane', '2026-10-13', 'api', 70), "
        "('Corvane Pro', '2026-10-13', 'api', 30), ('corvane', '2026-10-14', NULL, 5.5), "
        "('pylon', '2026-10-13', 'api', 9)",
    )
    return Settings(exposure_database_url=SecretStr(as_text(empty_database)))


def test_a_query_gives_counts_and_names_what_it_leaves_out(serving: Settings) -> None:
    found = fetch_exposure(serving, USAGE, VERSIONS.get)
    assert set(found.rows) == {
        Exposure("corvane-4.2", DAY, "api", 100),  # two names of one version add up
        Exposure("corvane-4.2", date(2026, 10, 14), ALL_CHANNELS, 5.5),
    }
    assert found.unknown == {"pylon": 1}


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        ("SELECT 1 AS n", IntakeError, r"lacks version, day, requests \(its columns: n\)"),
        ("SELECT 'corvane' AS version, 'soon' AS day, 1 AS requests", IntakeError, "row 1.*day"),
        (
            "SELECT 'corvane' AS version, current_date AS day, -1 AS requests",
            IntakeError,
            "row 1.*requests",
        ),
        (
            "SELECT 'corvane' AS version, current_date AS day, NULL::int AS requests",
            IntakeError,
            "row 1.*requests",
        ),
        ("SELECT NULL AS version, current_date AS day, 1 AS requests", IntakeError, "version"),
        (f"{USAGE} WHERE model = 'pylon'", IntakeError, r"only about others \(pylon\)"),
        (f"{USAGE} WHERE false", IntakeError, "no row at all"),
        ("SELEKT", DatabaseError, "syntax error"),
        ("DELETE FROM usage RETURNING model AS version, day, n AS requests", DatabaseError, "read"),
        (f"{USAGE}; DELETE FROM usage", DatabaseError, "multiple commands"),
        (f"{USAGE}; COMMIT; DELETE FROM usage", DatabaseError, "multiple commands"),
        ("SELECT pg_sleep(5)", DatabaseError, "statement timeout"),
    ],
)
def test_what_is_wrong_with_a_query_is_said_and_nothing_is_changed(
    serving: Settings,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    error: type[TriageError],
    said: str,
) -> None:
    monkeypatch.setattr(exposure_query, "TIMEOUT_SECONDS", 1)
    with pytest.raises(error, match=said):
        fetch_exposure(serving, query, VERSIONS.get)
    assert len(fetch_exposure(serving, USAGE, VERSIONS.get).rows) == 2


@pytest.mark.parametrize("url", [None, "no url", "mysql://host/db"])
def test_an_address_that_is_none_is_named_by_its_variable_without_the_secret(
    url: str | None,
) -> None:
    settings = Settings(exposure_database_url=SecretStr(url) if url else None)
    with pytest.raises(SettingsError) as raised:
        fetch_exposure(settings, USAGE, VERSIONS.get)
    assert url is None or url not in str(raised.value)


def test_the_command_asks_the_database_and_a_release_is_judged_by_its_counts(
    serving: Settings,
    workspace: Workspace,
    environment: dict[str, str],
) -> None:
    said = CliRunner().invoke(app, ["exposure"])
    assert isinstance(said.exception, SettingsError)
    assert "releases.exposure_query" in str(said.exception)
    secret = serving.exposure_database_url
    assert secret is not None
    releases = workspace.config.releases.model_copy(
        update={"exposure_query": USAGE.replace("model AS", "'corvane-4.2' AS")}
    )
    asking = replace(
        workspace,
        settings=workspace.settings.model_copy(update={"exposure_database_url": secret}),
        config=workspace.config.model_copy(update={"releases": releases}),
    )
    verify(asking, dry_run=True)
    with workspace.database.session() as session:
        counts = load_exposure(session, "corvane-4.2")
    assert [(one.day, one.requests) for one in counts if one.channel == "api"] == [(DAY, 109)]
