"""The README's own commands, run in order in a new home, as a person would type them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.test_ingest import TRIAGE
from tests.ports import free_port
from tests.readme import ROOT, code_blocks, section, spans

TRY, TEST, OWN, POST = code_blocks("sh")
SAMPLE = ROOT / "triage" / "sample" / "reports.jsonl"
FEW = 80  # of the sample's lines: they hold three themes and one broken line


@dataclass(frozen=True)
class Shell:
    """A folder to type commands in, with a home of its own and ``triage`` on the path."""

    folder: Path
    environment: dict[str, str]

    def type(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run lines of a block; the first that fails ends them."""
        return subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """This installation stands for the one that `pip install` would make in ``.venv``."""
    folder = tmp_path_factory.mktemp("readme")
    program = folder / ".venv" / "bin" / "triage"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{TRIAGE}" "$@"\n', "utf-8")
    program.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRIAGE_", "PREFECT_", "PG"))
    }
    places = {
        "TRIAGE_HOME": str(folder / "home"),
        "PATH": f"{program.parent}:{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }
    return Shell(folder, {**kept, **places})


@pytest.fixture(scope="module")
def own(shell: Shell) -> tuple[Shell, str]:
    """The shell after the block on one's own reports, and what that printed."""
    lines = SAMPLE.read_text("utf-8").splitlines(keepends=True)
    (shell.folder / "reports.jsonl").write_text("".join(lines[:FEW]), "utf-8")
    done = shell.type(OWN)
    assert done.returncode == 0, done.stderr
    configured = {"TRIAGE_CONFIG": str(shell.folder / "triage.yaml")}
    return Shell(shell.folder, {**shell.environment, **configured}), done.stdout


def test_the_first_command_ends_with_themes_and_the_folder_of_the_drafts(shell: Shell) -> None:
    made, installed, demo = TRY.strip().split(" && ")
    assert made.startswith("python3 -m venv .venv")
    assert (ROOT / installed.split()[installed.split().index("-c") + 1]).exists()
    done = shell.type(demo)
    assert done.returncode == 0, done.stderr
    (count,) = re.findall(r"the whole job on (\d+) sample reports", section("Try it"))
    assert re.search(rf"^ingest +{count} added", done.stdout, re.MULTILINE)
    assert re.search(r"^T1 .*(quick-fix|fundamental)", done.stdout, re.MULTILINE)
    (folder,) = re.findall(r"^Drafts: (.+)$", done.stdout, re.MULTILINE)
    (drafted,) = re.findall(r"^file +(\d+) drafted, 0 filed", done.stdout, re.MULTILINE)
    assert len(list(Path(folder).iterdir())) == int(drafted) > 0


def test_the_command_that_runs_every_check_is_there() -> None:
    assert os.access(ROOT / TEST.strip(), os.X_OK)


def test_ones_own_reports_become_themes_and_nothing_is_filed(own: tuple[Shell, str]) -> None:
    shell, printed = own
    assert (shell.folder / "triage.yaml").read_text("utf-8").startswith("# triage.yaml")
    ingested, ran = printed.index("ingest "), printed.index("file ")
    assert f"{FEW - 1} added" in printed[ingested:ran]
    assert re.search(r"^file +[1-9]\d* drafted, 0 filed", printed, re.MULTILINE)
    # by the run and again by `triage themes`
    assert len(re.findall(r"^T1 ", printed, re.MULTILINE)) == 2
    again = shell.type("triage ingest reports.jsonl && triage rejected --json")
    assert "0 added, 0 revised" in again.stdout
    rejected = json.loads(again.stdout[again.stdout.index("[") :])
    assert len(rejected) == 1


def test_the_request_of_the_readme_is_stored_and_collected(own: tuple[Shell, str]) -> None:
    shell, _ = own
    make_token, serve, *request = POST.splitlines()
    assert shutil.which("curl"), "curl is not installed"
    token = shell.type(make_token).stdout.strip()
    hashes = (Path(shell.environment["TRIAGE_HOME"]) / "intake.tokens").read_text("utf-8")
    assert len(token) > 20
    assert token not in hashes
    with intake(shell, serve) as port:
        post = "\n".join(request).replace(":4290/", f":{port}/").replace("curl ", "curl -si ")
        refused = shell.type(post, TOKEN=f"{token}x")
        taken = shell.type(post, TOKEN=token)
        described = httpx.get(f"http://127.0.0.1:{port}/openapi.json", timeout=30).json()
    assert " 401 " in refused.stdout.splitlines()[0]
    assert " 202 " in taken.stdout.splitlines()[0], taken.stdout
    assert "/v1/reports" in described["paths"]
    done = shell.type("triage run")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^collect +1 added", done.stdout, re.MULTILINE)


@contextmanager
def intake(shell: Shell, line: str) -> Iterator[int]:
    """The port on which the README's `triage intake` listens: a free one, else all is as there."""
    port = free_port()
    command = line.partition("#")[0].split()
    assert command == ["triage", "intake"]
    log = (shell.folder / "intake.log").open("w")
    process = subprocess.Popen(
        [*command, "--port", str(port)], cwd=shell.folder, env=shell.environment, stderr=log
    )
    try:
        for _ in range(600):
            assert process.poll() is None, (shell.folder / "intake.log").read_text("utf-8")
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def test_what_keeps_it_running_does_what_it_says(own: tuple[Shell, str]) -> None:
    shell, _ = own
    told = spans(section("Keep it running").partition("**Containers.**")[0])
    assert told[:3] == ["triage doctor", "triage stop file", "triage backup FILE"]
    assert shell.type("triage doctor").returncode == 0
    troubled = shell.type("triage doctor --json", TRIAGE_CONFIG="no-such.yaml")
    assert troubled.returncode == 1
    found = json.loads(troubled.stdout)
    assert any(each["state"] == "fail" for each in found)
    assert all(each["remedy"] for each in found if each["state"] != "ok")

    assert shell.type("triage stop file").returncode == 0
    stopped = shell.type("triage run")
    assert stopped.returncode == 0
    assert re.search(r"^file +.*stopped", stopped.stdout, re.MULTILINE)
    assert re.search(r"^route ", stopped.stdout, re.MULTILINE)
    assert shell.type("triage start file").returncode == 0

    themes = shell.type("triage themes --json").stdout
    assert json.loads(themes)
    assert shell.type("triage backup kept.backup").returncode == 0
    elsewhere = {"TRIAGE_HOME": str(shell.folder / "second")}
    Path(elsewhere["TRIAGE_HOME"]).mkdir()
    key = Path(shell.environment["TRIAGE_HOME"]) / "hash.key"
    shutil.copy(key, Path(elsewhere["TRIAGE_HOME"]) / "hash.key")
    restored = shell.type("triage restore kept.backup", **elsewhere)
    assert restored.returncode == 0, restored.stderr
    assert json.loads(shell.type("triage themes --json", **elsewhere).stdout) == json.loads(themes)
