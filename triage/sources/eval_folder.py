"""A folder of evaluation logs, read incrementally: what changed, with the runs before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from triage.errors import IntakeError, SourceError
from triage.sources.pages import PAGE, ReportPage
from triage.sources.records import Flaw, RecordIntake
from triage.sources.sample_runs import SampleRun, Tallies
from triage.types import Rejection

SETTLE_SECONDS = 5.0  # a log that was written to just now may still be growing


class UnfinishedLog(Exception):
    """The evaluation that writes this log still runs; it is read when it is done."""


class LogFormat(Protocol):
    """How one harness writes its logs."""

    @property
    def channel(self) -> str: ...
    @property
    def harness(self) -> str: ...

    def is_log(self, path: Path) -> bool:
        """Whether a file is called like a log."""

    def group_of(self, path: Path) -> str:
        """Task and model of a log: repeated runs have the same.

        Raises ``IntakeError``, or ``UnfinishedLog``.
        """

    def read_runs(self, path: Path, name: str) -> Iterator[SampleRun | Flaw]:
        """Every run of every sample. Raises ``IntakeError`` where the log cannot be read on."""


@dataclass(slots=True)
class _Read:
    """What the cursor holds: size, time of change and group of each log that was read."""

    logs: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> _Read:
        try:
            stored = json.loads(cursor or "{}")
            logs = {
                str(name): (int(size), int(changed), str(group))
                for name, (size, changed, group) in stored.get("logs", {}).items()
            }
        except (AttributeError, TypeError, ValueError):
            return cls()
        return cls(logs)

    def to_cursor(self) -> str:
        return json.dumps({"logs": self.logs}, ensure_ascii=False, sort_keys=True)


def fetch_failures(
    folder: Path,
    log_format: LogFormat,
    cursor: str | None,
    *,
    origin: str,
    now: datetime,
    redact: Callable[[str], str],
) -> Iterator[ReportPage]:
    """Reports of the samples that failed in logs that are new or changed.

    All logs of the same task and model are counted together, so that a repeated run revises the
    report of a sample and adds none; the counts are of the logs that are still there. A log that
    cannot be read is set aside once, with the reason. Raises ``SourceError`` without the folder.
    """
    read = _Read.from_cursor(cursor)
    intake = RecordIntake(origin, now, redact)
    found = _settled_logs(folder, log_format, now)
    read.logs = {name: known for name, known in read.logs.items() if name in found}
    fresh = {name: state for name, state in found.items() if read.logs.get(name, ())[:2] != state}
    groups: dict[str, list[str]] = {}
    for name in sorted(fresh):
        try:
            groups.setdefault(log_format.group_of(folder / name), []).append(name)
        except UnfinishedLog:
            continue
        except IntakeError as error:
            read.logs[name] = (*fresh[name], "")
            rejections = _aside(intake, [_broken(name, error)])
            yield ReportPage((), rejections, read.to_cursor())
    for group, names in groups.items():
        earlier = [name for name, known in read.logs.items() if known[2] == group]
        tallies, flaws = _counted(folder, log_format, {*earlier, *names}, fresh)
        before = read.to_cursor()
        read.logs.update({name: (*fresh[name], group) for name in names})
        rejections = _aside(intake, flaws)
        yield from _pages(tallies, rejections, log_format, origin, before, read.to_cursor())


def _counted(
    folder: Path, log_format: LogFormat, names: Collection[str], fresh: Collection[str]
) -> tuple[Tallies, list[Flaw]]:
    """All runs in some logs, and what is wrong in those that are fresh."""
    tallies, flaws = Tallies(), []
    for name in sorted(names):
        for item in _runs(folder, name, log_format):
            if isinstance(item, SampleRun):
                tallies.add(item)
            elif name in fresh:
                flaws.append(item)
    return tallies, flaws


def _aside(intake: RecordIntake, flaws: Iterable[Flaw]) -> tuple[Rejection, ...]:
    found = map(intake.take, flaws)
    return tuple(one for one in found if isinstance(one, Rejection))


def _pages(
    tallies: Tallies,
    rejections: tuple[Rejection, ...],
    log_format: LogFormat,
    origin: str,
    before: str,
    after: str,
) -> Iterator[ReportPage]:
    """Only the last page moves the cursor: who is stopped before it reads the group again."""
    reports = list(tallies.reports(origin, log_format.channel, log_format.harness))
    pages = [tuple(reports[at : at + PAGE]) for at in range(0, len(reports), PAGE)] or [()]
    for page in pages[:-1]:
        yield ReportPage(page, (), before)
    yield ReportPage(pages[-1], rejections, after)


def _settled_logs(
    folder: Path, log_format: LogFormat, now: datetime
) -> Mapping[str, tuple[int, int]]:
    """Size and time of change of every log, by its name below the folder."""
    try:
        if not folder.is_dir():
            remedy = "Correct `folder` in triage.yaml, or make the folder."
            raise SourceError(f"Reading {folder}", "there is no such folder", remedy)
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and log_format.is_log(path):
                state = path.stat()
                if abs(now.timestamp() - state.st_mtime) >= SETTLE_SECONDS:
                    found[str(path.relative_to(folder))] = (state.st_size, state.st_mtime_ns)
        return found
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise SourceError(f"Reading {folder}", problem, "Check its permissions.") from error


def _runs(folder: Path, name: str, log_format: LogFormat) -> Iterator[SampleRun | Flaw]:
    try:
        yield from log_format.read_runs(folder / name, name)
    except IntakeError as error:
        yield _broken(name, error)


def _broken(name: str, error: IntakeError) -> Flaw:
    digest = hashlib.sha256(f"{name} {error.problem}".encode()).hexdigest()
    return Flaw(name, error.problem, error.remedy, "", digest, field="log")


def number_of(value: Any) -> float | None:
    """A score as a number: numbers, truth values, and the mean of several; None for none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        parts = [part for part in map(number_of, value) if part is not None]
        return sum(parts) / len(parts) if parts else None
    return None
