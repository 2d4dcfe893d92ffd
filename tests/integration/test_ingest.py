"""Intake as a person runs it: files through the command line into real tables."""

from __future__ import annotations

import gzip
import json
import os
import random
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from flows import collect_reports
from flows.collect_reports import collect, ingest
from tests.unit.test_redaction_planted import KINDS
from triage.errors import IntakeError
from triage.store.reports import load_reports
from triage.themes.profiling import people_behind
from triage.workspace import Workspace

# kind, the text as it would be pasted, and the part of it that must not be stored
PLANTED = [(kind, *build(random.Random(7))) for kind, build in KINDS.items()]
TRIAGE = "from triage.cli import main; main()"


def triage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TRIAGE, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def lines(*records: dict[str, Any] | str) -> str:
    return "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records) + "\n"


def whole_database(workspace: Workspace) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with workspace.database.session() as session:
        names = inspect(workspace.database.engine).get_table_names()
        return {
            name: sorted(session.execute(text(f'SELECT "{name}"::text FROM "{name}"')).scalars())
            for name in names
        }


def test_the_same_file_twice_and_in_two_processes_at_once_changes_nothing(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "reports.jsonl"
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    path.write_text(
        lines(*({"id": f"r{n}", "body": f"the {w} parser drops call {n}", "author": w}
                for n in range(120) for w in [words[n % 10]])),
        "utf-8",
    )  # fmt: skip
    command = [sys.executable, "-c", TRIAGE, "ingest", str(path)]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    first = whole_database(workspace)
    assert len(first["report"]) == 120
    again = triage(environment, "ingest", str(path))
    assert again.returncode == 0
    assert "0 added, 0 revised, 120 unchanged" in again.stdout
    assert whole_database(workspace) == first


def test_bad_records_are_named_with_line_and_remedy_and_the_rest_is_taken(
    workspace: Workspace, environment: dict[str, str], tmp_path: Path
) -> None:
    good = [{"id": f"g{n}", "body": f"failure number {n} of the tool"} for n in range(16)]
    path = tmp_path / "mixed.jsonl"
    path.write_text(
        lines(
            *good,
            '{"id": "broken", "body": "cut of',
            {"id": "no-body", "title": "only a title"},
            {"id": "huge", "body": "word " * 1_000_000},
            {"id": "nul", "body": "a\0b is broken"},
            {"id": "when", "body": "fails", "created_at": "the day after"},
            {"id": "g0", "body": "an id used twice for another failure"},
            {"id": "last", "body": "the last one is taken"},
        ),
        "utf-8",
    )
    table = tmp_path / "table.csv"
    table.write_bytes("\ufeffid,body\nc1,from a spreadsheet with a BOM\n".encode())
    for _ in range(2):
        assert triage(environment, "ingest", str(path), str(table)).returncode == 0
    listed = json.loads(triage(environment, "rejected", "--json").stdout)
    assert [(row["place"], row["field"]) for row in listed] == [
        ("mixed.jsonl line 17", "line"),
        ("mixed.jsonl line 18", "body"),
        ("mixed.jsonl line 19", "body"),
        ("mixed.jsonl line 20", "body"),
        ("mixed.jsonl line 21", "created_at"),
        ("mixed.jsonl line 22", "id"),
    ]
    assert all(row["remedy"] for row in listed)
    with workspace.database.session() as session:
        taken = {report.external_id for report in load_reports(session)}
    assert taken == {*(r["id"] for r in good), "last", "c1"}


def test_no_planted_secret_and_no_author_reaches_any_table(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "secrets.jsonl"
    path.write_text(
        lines(
            *(
                {
                    "id": f"s{n}",
                    "author": "octo-lena",
                    "title": f"leaks {secret}",
                    "body": f"number {n}: it printed {secret} and stopped",
                    "prompt": secret,
                    "response": f"here: {secret}",
                    "environment": f"Loomcode {secret}",
                    "url": f"https://feedback.example/?q={n}",
                }
                for n, (_, secret, _) in enumerate(PLANTED)
            ),
            {"author": "octo-lena", "body": "a report without an id"},
        ),
        "utf-8",
    )
    summary = ingest(workspace, path)
    assert summary.added + summary.rejected == len(PLANTED) + 1
    stored = json.dumps(whole_database(workspace), ensure_ascii=False)
    assert len(PLANTED) >= 20
    assert [kind for kind, _, needle in PLANTED if needle in stored] == []
    assert "octo-lena" not in stored


def test_one_persons_flood_counts_as_one_reporter(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "flood.jsonl"
    account = "the agent deletes my whole working folder without asking and then denies it all"
    path.write_text(
        lines(*({"id": f"f{n}", "author": "loud", "body": f"{account} {n}"} for n in range(300))),
        "utf-8",
    )
    assert ingest(workspace, path).duplicates == 299
    with workspace.database.session() as session:
        assert len(people_behind(load_reports(session))) == 1


def test_dropped_files_are_read_and_moved_and_a_corrupt_one_stops_no_other(
    workspace: Workspace,
) -> None:
    inbox = workspace.settings.home / "inbox"
    inbox.mkdir()
    (inbox / "a.parquet").write_bytes(b"no parquet at all")
    (inbox / "b.jsonl").write_text(lines({"id": "b", "body": "it stops half way"}), "utf-8")
    long_ago = 1_700_000_000
    for path in inbox.iterdir():
        os.utime(path, (long_ago, long_ago))
    (inbox / "young.jsonl").write_text('{"id": "y", "bo', "utf-8")
    summary = collect(workspace)
    assert (summary.added, len(summary.failed_sources)) == (1, 1)
    assert (inbox / "done" / "b.jsonl").exists()
    assert (inbox / "failed" / "a.parquet").exists()
    assert "a.parquet" in (inbox / "failed" / "a.parquet.reason.txt").read_text("utf-8")
    assert (inbox / "young.jsonl").exists()


def test_an_unreadable_file_stops_no_other_and_shows_in_the_exit_code(
    environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines({"id": "a", "body": "it loops"}), "utf-8")
    done = triage(environment, "ingest", str(tmp_path / "none.jsonl"), str(path))
    assert done.returncode == 3
    assert "1 added" in done.stdout
    alone = triage(environment, "ingest", str(tmp_path / "none.jsonl"))
    assert alone.returncode == 1
    assert "none.jsonl" in alone.stderr


def test_another_hash_key_on_the_same_database_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert triage(environment, "themes", "--json").stdout.strip() == "[]"
    refused = triage({**environment, "TRIAGE_HASH_KEY": "another"}, "themes")
    assert refused.returncode == 1
    assert "TRIAGE_HASH_KEY" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["theme", "T99"], "triage themes"),
        (["trace", "nobody"], "triage rejected"),
        (["correct", "T1", "--because", "x"], "--verdict"),
        (["correct", "T1", "--because", "x", "--owner", "@not a login"], "39 at most"),
    ],
)
def test_what_does_not_exist_is_told_with_a_remedy(
    environment: dict[str, str], arguments: list[str], told: str
) -> None:
    done = triage(environment, *arguments)
    assert done.returncode == 1
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_what_stands_before_the_end_of_a_cut_file_is_taken(
    workspace: Workspace, tmp_path: Path
) -> None:
    whole = gzip.compress(
        lines(
            *({"id": f"r{n}", "body": f"{n} {secrets.token_hex(500)}"} for n in range(90))
        ).encode()
    )
    path = tmp_path / "reports.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntakeError):
        ingest(workspace, path)
    assert len(whole_database(workspace)["report"]) > 30


def test_a_batch_holds_fewer_long_reports(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_reports, "BATCH_CHARACTERS", 1000)
    path = tmp_path / "reports.jsonl"
    path.write_text(
        lines(*({"id": f"r{n}", "body": f"call {n} " * 10, "prompt": "p" * 300} for n in range(10)))
    )
    read: list[int] = []
    ingest(workspace, path, progress=lambda _, done, __: read.append(done))
    assert read == [3, 6, 9, 10]
    assert len(whole_database(workspace)["report"]) == 10
