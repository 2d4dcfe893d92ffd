"""Probes go out as evaluation sets and come back as rates beside the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.flows.seeding import seed_theme
from triage.cli import app
from triage.errors import IntakeError
from triage.probes import read_outcomes
from triage.store.members import add_members
from triage.store.probes import load_probe_runs
from triage.store.reports import load_reports
from triage.store.saving import save_reports
from triage.types import CleanReport, Kind
from triage.verification import Agreement, ProbeRuns, ReleaseVerdict, compare_probes
from triage.workspace import Workspace


def seed_probe(workspace: Workspace, theme_id: int) -> None:
    with workspace.database.session() as session:
        first = load_reports(session)[0]
        report = CleanReport(
            origin="files",
            external_id="P-1",
            channel="user",
            kind=Kind.DEVELOPER,
            created_at=first.created_at,
            title="",
            body="It drops a row.",
            failure_text="It drops a row.",
            fingerprint="p-1",
            model_version="corvane-4.1",
            environment="Oakum 2",
            prompt="Sort these rows.",
            response="One row less.",
        )
        add_members(
            session,
            {theme_id: dict.fromkeys(save_reports(session, [report]).added)},
            joined_by="similarity",
        )


@pytest.mark.parametrize(
    ("layout", "question", "facts"),
    [("inspect", "input", "metadata"), ("lm-eval", "question", None)],
)
def test_a_report_with_a_prompt_becomes_a_sample(
    workspace: Workspace,
    environment: dict[str, str],
    tmp_path: Path,
    layout: str,
    question: str,
    facts: str | None,
) -> None:
    theme_id = seed_theme(workspace.database, "table")
    seed_probe(workspace, theme_id)
    target = tmp_path / "probes.jsonl"
    done = CliRunner().invoke(app, ["export", "probes", "-o", str(target), "--format", layout])
    assert done.exit_code == 0, done.output
    (line,) = [json.loads(text) for text in target.read_text("utf-8").splitlines()]
    assert line[question] == "Sort these rows."
    told = line[facts] if facts else line
    assert told["theme"] == f"T{theme_id}"
    assert told["failing_response"] == "One row less."
    assert told["environment"] == "Oakum 2"


def test_results_of_several_runs_stand_beside_the_field(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path
) -> None:
    theme_id = seed_theme(workspace.database, "table")
    results = tmp_path / "results.jsonl"
    runs = [
        {"id": f"P-{n % 10}", "theme": f"T{theme_id}", "passed": n % 10 == 0} for n in range(50)
    ]
    results.write_text("\n".join(json.dumps(run) for run in runs), "utf-8")
    command = ["probe-results", str(results), "--version", "Corvane 4.2"]
    for _ in range(2):
        assert CliRunner().invoke(app, command).exit_code == 0
    with workspace.database.session() as session:
        stored = load_probe_runs(session)[theme_id, "corvane-4.2"]
    assert stored == ProbeRuns((0,) + (5,) * 9, (5,) * 10)
    beside = compare_probes(ReleaseVerdict.FIXED, None, stored)
    assert beside.agreement is Agreement.PROBES_STILL_FAIL


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", "line"),
        ("[]", "line"),
        ('{"theme": "T1", "passed": true}', "id"),
        ('{"id": "a", "theme": "one", "passed": true}', "theme"),
        ('{"id": "a", "theme": "T1", "passed": "yes"}', "passed"),
        ('{"id": "a", "theme": "T1", "passed": true, "version": "other"}', "version"),
    ],
)
def test_a_wrong_result_names_its_line_and_field(tmp_path: Path, line: str, field: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(f'{{"id": "a", "theme": "T1", "passed": true}}\n{line}\n', "utf-8")
    with pytest.raises(IntakeError, match=f"line 2, {field}"):
        read_outcomes(path, "corvane-4.2", lambda _: None)
