"""Records in Parquet, a small batch of rows at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triage.errors import IntakeError
from triage.sources.records import FIELDS, Flaw, Record

ROWS_PER_BATCH = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def read_parquet(path: Path, name: str) -> Iterator[Record | Flaw]:
    """One item for every row; columns that are not ours are not even read.

    Raises ``IntakeError`` where the file or its table is not usable; rows before a damaged
    part were given.
    """
    attempted = f"Reading {name}"
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            columns = _columns(file.schema_arrow, attempted)
            row = 0
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=columns, use_threads=False):
                for fields in _rows(batch):
                    row += 1
                    yield _item(fields, f"{name} row {row}")
    except (pa.ArrowException, ValueError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's complaint, not the format's
        problem = str(error).split("\n")[0][:200] or type(error).__name__
        raise IntakeError(
            attempted, f"it is no whole Parquet file ({problem})", "Export it again."
        ) from error


def _columns(schema: pa.Schema, attempted: str) -> list[str]:
    names = list(schema.names)
    if "body" not in names:
        raise IntakeError(
            attempted,
            "it has no column 'body'",
            f"Rename the column; known are: {', '.join(sorted(FIELDS))}.",
        )
    known = [name for name in names if name in FIELDS]
    if len(set(known)) < len(known):
        raise IntakeError(attempted, "a column is there twice", "Rename one of the two.")
    return known


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, object]]:
    values = {
        field.name: _values(column)
        for field, column in zip(batch.schema, batch.columns, strict=True)
        if field.name in FIELDS
    }
    for index in range(batch.num_rows):
        yield {name: column[index] for name, column in values.items()}


def _values(column: pa.Array) -> list[object]:
    """Plain Python values; a value that has none becomes something its field will refuse."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind):
        units = _UNITS_PER_SECOND[kind.unit]
        return [_moment(value, units) for value in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(kind):
        days = column.cast(pa.int32()).to_pylist()
        return [_moment(value * 86_400 if value is not None else None, 1) for value in days]
    if pa.types.is_date64(kind):
        return [_moment(value, 1_000) for value in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_string(kind):
        column = column.cast(pa.binary())  # so that one wrong byte spoils one row only
    elif pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        column = column.cast(pa.large_binary())
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> object:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value  # bytes are refused as "no text"
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == int(value) else float(value)
    return value


def _moment(value: int | None, units_per_second: int) -> object:
    if value is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=value * 1_000_000 // units_per_second)
    except OverflowError:
        return f"out of range: {value}"


def _item(fields: dict[str, object], place: str) -> Record:
    canonical = json.dumps(fields, sort_keys=True, default=repr)
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
    return Record(place, fields, digest)
