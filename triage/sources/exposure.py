"""Request counts per version and day, from a CSV or JSONL file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from triage.errors import IntakeError
from triage.verification import Exposure, exposure_of, sum_exposures

_REMEDY = (
    "Each line has version, day (YYYY-MM-DD), requests (a number) and, where known, channel; "
    "CSV with a heading, or JSONL."
)


def read_exposure(path: Path, resolve_version: Callable[[str], str | None]) -> list[Exposure]:
    """All counts in a file. Without a channel a count is for all channels together.

    Raises ``IntakeError`` with file, line and field for the first line that is wrong: half a file
    of exposure would be worse than none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = _json_rows(stream, path) if path.suffix != ".csv" else _csv_rows(stream)
            # the same name, day and channel again is corrected, several names of a version add up
            read: dict[tuple[str, date, str], Exposure] = {}
            for line, row in rows:
                place = f"{path.name} line {line}"
                one = exposure_of(row, place, resolve_version, _REMEDY)
                read[str(row["version"]), one.day, one.channel] = one
            return sum_exposures(read.values())
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise IntakeError(f"Reading {path}", problem, "Check the path.") from error
    except UnicodeDecodeError as error:
        raise IntakeError(f"Reading {path}", "it is not UTF-8", "Save it as UTF-8.") from error


def _csv_rows(stream: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(stream)
    for row in reader:
        yield reader.line_num, row


def _json_rows(stream: Any, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise _wrong(path, line, "line", "it is no JSON") from error
        if not isinstance(row, dict):
            raise _wrong(path, line, "line", "it is no object")
        yield line, row


def _wrong(path: Path, line: int, field: str, problem: str) -> IntakeError:
    return IntakeError(f"Reading {path.name} line {line}, {field}", problem, _REMEDY)
