"""The flows under Prefect: names, schedules, artifacts, retries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

import flows
from flows import pipeline as pipeline_module
from flows import update_themes as update_themes_module
from flows.collect_reports import ingest
from flows.deployments import FLOWS, make_deployments
from flows.learn_from_corrections import learn_from_corrections
from flows.pipeline import pipeline
from flows.sync_issues import sync_issues
from flows.update_themes import update_themes
from triage.config.loader import load_config
from triage.errors import DatabaseError
from triage.store.operation import load_histories
from triage.workspace import Workspace, open_workspace

SAMPLE = Path(pipeline_module.__file__).parents[1] / "triage" / "sample" / "reports.jsonl"


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def ingested(workspace: Workspace, environment: dict[str, str], tmp_path: Path) -> Workspace:
    """An installation that has read the first hundred lines of the sample."""
    part = tmp_path / "part.jsonl"
    part.write_text("\n".join(SAMPLE.read_text("utf-8").splitlines()[:100]), "utf-8")
    ingest(workspace, part)
    return workspace


def artifact(key: str) -> str:
    """What the latest artifact of this key holds, as text."""
    response = requests.get(f"{PREFECT_API_URL.value()}/artifacts/{key}/latest", timeout=30)
    assert response.ok, f"{key}: {response.text}"
    return str(response.json()["data"])


@pytest.mark.usefixtures("prefect")
def test_the_pipeline_runs_every_stage_and_leaves_its_artifacts(ingested: Workspace) -> None:
    pipeline(dry_run=True)
    summary = artifact("run-summary")
    for stage in ("collect", "embed", "theme", "decide", "route", "file"):
        assert f"| {stage} |" in summary
        assert artifact(f"stage-{stage}")
    assert "space" not in summary + artifact("stage-embed")
    themes = json.loads(artifact("themes"))
    assert list(themes[0])[:3] == ["theme", "people", "title"]
    # written once more when all is known, not only when the themes were made
    assert all(row["verdict"] and row["owner"] and row["issue or blocker"] for row in themes)
    drafts = list(ingested.drafts_folder.glob("T*.md"))
    assert drafts
    for draft in drafts:
        assert "### What fails" in artifact(f"draft-{draft.stem.lower()}")
    assert "open themes" in artifact("owners")
    assert "report/index.html" in artifact("report-page")
    assert ingested.page_path.read_text("utf-8").endswith("</html>")
    learn_from_corrections()
    assert "nothing new to learn from" in artifact("stage-learn")
    assert "changed by people" in artifact("agreement")
    latest = requests.post(
        f"{PREFECT_API_URL.value()}/artifacts/latest/filter", json={}, timeout=30
    ).json()
    assert [each["key"] for each in latest if not each["description"]] == []


@pytest.mark.usefixtures("prefect", "ingested")
def test_a_scheduled_sync_without_a_repository_is_no_failure() -> None:
    assert sync_issues() == {}
    with open_workspace() as workspace, workspace.database.session() as session:
        assert load_histories(session)["sync"].failures_since == 0  # so the doctor misses nothing


def test_a_deployment_says_what_it_does_and_leaves_parameters_to_their_own_descriptions() -> None:
    for deployment in make_deployments(load_config(None)):
        assert deployment.description
        assert "Args" not in deployment.description


@pytest.mark.usefixtures("prefect", "ingested")
def test_a_stage_that_loses_its_database_once_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[int] = []

    def lose_once(*_: object, **__: object) -> dict[str, int]:
        tries.append(len(tries))
        if len(tries) == 1:
            raise DatabaseError("Updating the themes", "the connection is gone", "Try again.")
        return {"joined": 0}

    monkeypatch.setattr(update_themes_module, "update", lose_once)
    update_themes.with_options(retry_delay_seconds=0)()
    assert tries == [0, 1]


def test_file_flow_and_deployment_share_one_name() -> None:
    files = {path.stem for path in Path(flows.__file__).parent.glob("*.py")}
    assert {flow.name for flow in FLOWS.values()} <= files
    for deployment in make_deployments(load_config(None)):
        assert deployment.name == deployment.flow_name


def test_schedules_come_from_the_configuration_and_null_means_none() -> None:
    config = load_config(None)
    crons: dict[str, list[str]] = {}
    for deployment in make_deployments(config):
        schedules = [each.schedule for each in deployment.schedules or []]
        crons[str(deployment.name)] = [s.cron for s in schedules if isinstance(s, CronSchedule)]
        assert len(crons[str(deployment.name)]) == len(schedules)
    assert crons["collect_reports"] == ["0 * * * *"]
    assert crons["file_issues"] == ["40 * * * *"]
    assert crons["pipeline"] == []


def test_a_flow_never_runs_twice_at_once() -> None:
    for deployment in make_deployments(load_config(None)):
        assert deployment.concurrency_limit == 1
        options = deployment.concurrency_options
        assert options is not None
        assert options.collision_strategy is ConcurrencyLimitStrategy.CANCEL_NEW
