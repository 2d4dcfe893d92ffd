"""Reports cleaned in processes beside this one: the same reports, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest

from triage import cleaner
from triage.cleaner import Item, clean_batches
from triage.cleaning import clean_report
from triage.errors import IntakeError
from triage.types import CleanReport, RawReport, Rejection

CLEAN = partial(
    clean_report,
    hash_key=b"key",
    received_at=datetime(2026, 10, 1, tzinfo=UTC),
    resolve_version={"corvid-3": "3.0"}.get,
)
SET_ASIDE = Rejection("files", "line 7", "body", "is no JSON", "mend it", "", "digest")
# A parent that dies with its processes at work; it tells who they are first.
PARENT = """
import os, signal, psutil
from tests.integration.test_cleaner import CLEAN, batches
from triage.cleaner import clean_batches
found = clean_batches(batches(40), CLEAN, processes=2)
for _ in range(3):
    next(found)
print(*[child.pid for child in psutil.Process().children()], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def batches(count: int, size: int = 3) -> list[list[Item]]:
    """So many batches of reports, one of them blank and one set aside already."""
    made: list[list[Item]] = [
        [
            RawReport(
                "files", f"{batch}-{row}", f"line {row}", f"Call {batch}.{row} lost its tail."
            )
            for row in range(size)
        ]
        for batch in range(count)
    ]
    made[0].append(RawReport("files", "blank", "line 4", "  "))
    made[-1].append(SET_ASIDE)
    return made


def children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "triage.cleaner" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
    ]


def test_processes_give_the_same_reports_in_the_same_order() -> None:
    here = list(clean_batches(batches(12), CLEAN, processes=1))
    elsewhere = list(clean_batches(batches(12), CLEAN, processes=2))
    assert elsewhere == here
    assert isinstance(here[0][0], CleanReport)
    assert [each.problem for each in here[0] if isinstance(each, Rejection)]
    assert here[-1][-1] == SET_ASIDE
    assert not children()


def test_a_short_file_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaner, "_start", lambda: pytest.fail("a process was started"))
    found = list(clean_batches(batches(cleaner.BATCHES_HERE), CLEAN, processes=2))
    assert len(found) == cleaner.BATCHES_HERE
    assert list(clean_batches([], CLEAN, processes=2)) == []


def test_what_came_before_an_unreadable_part_is_given_first() -> None:
    def broken() -> Iterator[Sequence[Item]]:
        yield from batches(9)
        raise IntakeError("Reading reports.jsonl", "it ends in the middle", "Send it again.")

    found: list[object] = []
    with pytest.raises(IntakeError, match="in the middle"):
        found.extend(clean_batches(broken(), CLEAN, processes=2))
    assert found == list(clean_batches(batches(9), CLEAN, processes=1))
    assert not children()


def test_killed_processes_lose_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found = []
    for batch in clean_batches(batches(30), CLEAN, processes=2):
        found.append(batch)
        if len(found) == 5:
            for child in children():
                child.kill()
    assert found == list(clean_batches(batches(30), CLEAN, processes=1))
    assert "ended early" in caplog.text


def test_where_no_process_can_be_started_all_is_cleaned_here(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    found = list(clean_batches(batches(8), CLEAN, processes=2))
    assert found == list(clean_batches(batches(8), CLEAN, processes=1))
    assert "cannot be started" in caplog.text


def test_modules_in_the_present_folder_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("triage", "pickle"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    found = list(clean_batches(batches(8), CLEAN, processes=2))
    assert found == list(clean_batches(batches(8), CLEAN, processes=1))
    assert not (tmp_path / "was-run").exists()
    assert not caplog.records


def test_who_stops_half_way_leaves_no_process() -> None:
    with closing(clean_batches(batches(40), CLEAN, processes=2)) as found:
        for _ in range(4):
            next(found)
        assert len(children()) == 2
    assert not children()


def test_processes_end_with_a_parent_that_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 30
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_lives(pid) for pid in pids)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (OSError, psutil.NoSuchProcess):
        return False
