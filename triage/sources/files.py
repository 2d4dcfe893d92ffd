"""Reports from files: JSONL, JSON, CSV and Parquet, streamed; a bad record is set aside."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from triage.errors import IntakeError
from triage.sources.csv_format import read_csv
from triage.sources.json_format import read_json_document, read_json_lines
from triage.sources.parquet_format import read_parquet
from triage.sources.records import Flaw, Record, RecordIntake
from triage.types import RawReport, Rejection

TEXT_FORMATS = {
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_document,
    ".csv": read_csv,
}
PARQUET = ".parquet"
ENDINGS = (*TEXT_FORMATS, PARQUET, *(f"{ending}.gz" for ending in TEXT_FORMATS))


def is_supported(path: Path) -> bool:
    """Whether the name ends like a file that ``read_file`` reads."""
    return path.name.lower().endswith(ENDINGS)


def read_file(
    path: Path,
    *,
    received_at: datetime,
    redact: Callable[[str], str],
    origin: str = "files",
) -> Iterator[RawReport | Rejection]:
    """Every record of a file: as a report, or as a rejection with its line and remedy.

    ``received_at`` is the time of intake (a record dated more than a day later is set aside);
    ``redact`` cleans the excerpts that rejections quote. Memory is bounded by one record of
    8 MB (a JSON array: 50 MB). Raises ``IntakeError``, while iterating, where the file as a whole
    cannot be read; what was given before stays valid, and ids are the same when read again.
    """
    intake = RecordIntake(origin, received_at, redact)
    for found in _records(path):
        yield intake.take(found)


def _records(path: Path) -> Iterator[Record | Flaw]:
    name = os.fsencode(path.name).decode("utf-8", "replace")
    attempted = f"Reading {name}"
    try:
        _check(path, attempted)
        if path.name.lower().endswith(PARQUET):
            yield from read_parquet(path, name)
            return
        with _opened(path) as stream:
            _check_encoding(stream.read(4), attempted)
            stream.seek(0)
            yield from _text_format(path)(stream, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IntakeError(
            attempted,
            "its gzip data is damaged or cut off",
            "Compress or copy it again; what was read before the damage was taken.",
        ) from error
    except OSError as error:
        problem = error.strerror or str(error).split("\n")[0]
        raise IntakeError(attempted, problem, "Check the path and the permissions.") from error


def _check(path: Path, attempted: str) -> None:
    if path.is_dir():
        remedy = "Name a file in it, or make it the drop folder (sources.files.inbox)."
        raise IntakeError(attempted, "it is a folder", remedy)
    if not is_supported(path):
        remedy = f"Known endings: {', '.join(ENDINGS)}."
        raise IntakeError(attempted, "its ending says no known format", remedy)
    size = path.stat().st_size
    if not path.is_file():
        raise IntakeError(attempted, "it is no regular file", "Save its content to a file.")
    if size == 0:
        raise IntakeError(attempted, "it is empty", "Export it again.")


def _check_encoding(head: bytes, attempted: str) -> None:
    """Refuse UTF-16 and UTF-32, with and without a byte order mark."""
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    if wide or (len(head) == 4 and (head[1:4:2] == b"\0\0") != (head[0:4:2] == b"\0\0")):
        raise IntakeError(
            attempted,
            "it is UTF-16 or UTF-32 text",
            "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW",
        )


def _opened(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _text_format(path: Path) -> Callable[[BinaryIO, str], Iterator[Record | Flaw]]:
    name = path.name.lower().removesuffix(".gz")
    return TEXT_FORMATS[os.path.splitext(name)[1]]
