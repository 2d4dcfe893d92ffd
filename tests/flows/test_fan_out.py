"""Embedding and asking an LLM on a real Dask cluster: the database is all that workers share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import text

from flows import fan_out as fan_out_module
from flows.collect_reports import ingest
from flows.embed_reports import embed_reports
from tests.flows.seeding import unlike
from tests.integration.llm.replay import Script, replay
from triage.workspace import Workspace

REPORTS = 24


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.mark.usefixtures("prefect")
def test_two_worker_processes_embed_and_ask_about_each_report_once(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "reports.jsonl"
    records = [
        {"id": f"r{n}", "body": f"It stops after {unlike(n)} and says nothing more."}
        for n in range(REPORTS)
    ]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    ingest(workspace, path)
    monkeypatch.setattr(fan_out_module, "TEXTS_PER_PART", 4)
    said = json.dumps({"failure": "The answer stops in the middle of a word.", "layer": "model"})
    script = Script(rule=lambda _: said)
    with replay(script) as url:
        monkeypatch.setenv("TRIAGE_LLM_BASE_URL", url)
        monkeypatch.setenv("TRIAGE_LLM_MODEL", "some-model")
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            monkeypatch.setenv("TRIAGE_DASK_ADDRESS", cluster.scheduler_address)
            counts = embed_reports()
    assert counts["embedded"] == REPORTS
    assert counts["distilled"] == REPORTS
    assert counts["LLM requests for phrases"] == len(script.requests) == REPORTS
    assert counts["worker processes"] == 2
    assert fan_out_module.FAILED_PARTS not in counts
    with workspace.database.session() as session:
        stored = text(
            "SELECT count(DISTINCT fingerprint) FROM embedding JOIN report USING (fingerprint)"
        )
        assert session.execute(stored).scalar_one() == REPORTS
