"""A stopped stage does nothing and says so; what runs did is kept for doctor and metrics."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from typer.testing import CliRunner

from flows.collect_reports import ingest
from flows.pipeline import run_stages
from flows.stages import STOPPED, run_stage
from triage.cli import app
from triage.errors import EmbeddingError
from triage.metrics import render_metrics, serving_metrics, write_metrics
from triage.store.audit import load_audit
from triage.store.operation import KEPT_DAYS, begin_run, load_histories, load_stops, save_stop
from triage.workspace import Workspace

PLANTED = "quinkledorf"  # a word of a report that must be nowhere else


def say(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_stopped_stage_does_nothing_until_it_is_started(
    workspace: Workspace, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    say("stop", "file", "--because", "the repository moves", "--by", "mira")
    worked: list[int] = []
    with caplog.at_level(logging.WARNING):
        assert run_stage(workspace, "file", lambda: {"filed": len(worked)}) == {STOPPED: 1}
    assert "file does nothing: stopped by mira" in caplog.text
    assert "because the repository moves" in caplog.text
    assert run_stage(workspace, "route", lambda: {"routed": 3}) == {"routed": 3}
    assert "runs again" in say("start", "file")
    assert "was not stopped" in say("start", "file")
    assert run_stage(workspace, "file", lambda: {"filed": 2}) == {"filed": 2}
    with workspace.database.session() as session:
        noted = [(entry.action, entry.subjects) for entry in load_audit(session)]
    assert sorted(noted)[-2:] == [("started stage", ("file",)), ("stopped stage", ("file",))]


def test_the_latest_word_on_a_stage_holds(workspace: Workspace) -> None:
    with workspace.database.session() as session:
        save_stop(session, "embed", by="mira", because=None)
        save_stop(session, "embed", by="okan", because="the model is changed")
        stop = load_stops(session)["embed"]
    assert (stop.stopped_by, stop.because) == ("okan", "the model is changed")


@pytest.mark.usefixtures("environment")
def test_a_stage_that_does_not_exist_is_refused() -> None:
    done = CliRunner().invoke(app, ["stop", "filing"])
    assert done.exit_code != 0
    assert "Use one of: collect" in str(done.exception)


def test_a_run_keeps_how_it_went(workspace: Workspace) -> None:
    run_stage(workspace, "embed", lambda: {"embedded": 5})

    def break_down() -> dict[str, int]:
        raise EmbeddingError("Embedding 3 texts", "the model is gone", "Set another.")

    def break_oddly() -> dict[str, int]:
        raise ValueError(PLANTED)

    for work in (break_oddly, break_down):
        with pytest.raises((EmbeddingError, ValueError)):
            run_stage(workspace, "embed", work)
    with workspace.database.session() as session:
        history = load_histories(session)["embed"]
        kept = session.execute(text("SELECT string_agg(problem, ' ') FROM stage_run")).scalar_one()
    assert history.counts == {"embedded": 5}
    assert history.failures_since == 2
    assert history.problem == "Embedding 3 texts: the model is gone"
    assert PLANTED not in kept
    run_stage(workspace, "embed", lambda: {"embedded": 0})
    with workspace.database.session() as session:
        assert load_histories(session)["embed"].failures_since == 0


def test_history_is_forgotten_in_time_but_not_the_last_success(workspace: Workspace) -> None:
    run_stage(workspace, "embed", lambda: {"embedded": 1})
    with workspace.database.session() as session:
        begin_run(session, "embed")
        old = datetime.now(UTC) - timedelta(days=KEPT_DAYS + 1)
        session.execute(text("UPDATE stage_run SET began_at = :old"), {"old": old})
        begin_run(session, "embed")
        left = session.execute(text("SELECT state FROM stage_run ORDER BY stage_run_id")).scalars()
        assert list(left) == ["done", "running"]


def test_a_whole_run_leaves_no_word_of_a_report_in_log_or_metrics(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "reports.jsonl"
    records = [
        {"id": f"r{n}", "title": f"{PLANTED} {n}", "body": f"It {PLANTED} at step {n}. {'x ' * n}"}
        for n in range(6)
    ]
    path.write_text("\n".join(map(json.dumps, records)) + f'\n{{"id": "{PLANTED}"\n', "utf-8")
    with caplog.at_level(logging.DEBUG):
        ingest(workspace, path)
        with workspace.database.session() as session:
            save_stop(session, "route", by="mira", because=None)
        results = run_stages(workspace, dry_run=True)
        metrics = render_metrics(workspace)
    said = capfd.readouterr()
    assert results["route"] == {STOPPED: 1}
    assert results["embed"]["embedded"] > 0
    for place in (caplog.text, said.out, said.err, metrics, str(results)):
        assert PLANTED not in place
    assert 'triage_reports{channel="user"} 6.0' in metrics
    assert "triage_rejected_records 1.0" in metrics
    assert 'triage_stage_stopped{stage="route"} 1.0' in metrics
    assert 'triage_stage_last_success_seconds{stage="embed"}' in metrics
    assert "triage_database_up 1.0" in metrics


def test_metrics_are_served_and_written(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.database.session() as session:
        for n in range(40):
            session.execute(
                text("INSERT INTO theme (status, title, summary, keywords, medoid_id, exemplar_ids,"
                     " profile, described_members, blocker) VALUES ('open', '', '', '[]', 1, '[]',"
                     " '{}', 0, :blocker)"),
                {"blocker": f"reason {n}: particulars"},
            )  # fmt: skip
    with serving_metrics(workspace, "127.0.0.1", 0) as address:
        served = requests.get(address, timeout=10).text
    assert 'triage_themes{status="open"} 40.0' in served
    assert served.count("triage_blocked_themes{") == 21
    assert 'triage_blocked_themes{blocker="other"} 20.0' in served
    assert "particulars" not in served
    write_metrics(workspace, tmp_path / "triage.prom")
    assert "triage_themes" in (tmp_path / "triage.prom").read_text()
    assert [path.name for path in tmp_path.glob(".*")] == []
