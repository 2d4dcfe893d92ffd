"""Records in CSV: comma, semicolon or tab; quoted line breaks; a broken row loses only itself."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from triage.errors import IntakeError
from triage.sources.lines import MAX_LINE_BYTES, Line, read_lines
from triage.sources.records import FIELDS, Flaw, Record

DELIMITERS = (",", ";", "\t")
# A quote that never closes is noticed after at most MAX_LINE_BYTES, and reading goes on at the
# next line. A file of nothing but such quotes would be read again and again: this is the limit.
MAX_REREAD_BYTES = 64_000_000
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class RowTooLong(Exception):
    """A row runs on beyond the limit."""


class LineFeed:
    """Hands lines to the csv reader and can take back those of a row that failed."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._waiting: deque[Line] = deque()
        self.taken: list[Line] = []
        self._taken_bytes = 0
        self.reread_bytes = 0

    def __iter__(self) -> LineFeed:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.taken.append(line)
        self._taken_bytes += len(line.content)
        if line.too_long or self._taken_bytes > MAX_LINE_BYTES:
            raise RowTooLong
        return line.content.decode("utf-8", "surrogateescape")

    def start_row(self) -> None:
        """Forget the lines of the last row."""
        self.taken = []
        self._taken_bytes = 0

    def keep_first_line(self) -> None:
        """Give every line but the row's first one back, to be read again."""
        again = self.taken[1:]
        self._waiting.extendleft(reversed(again))
        self.taken = self.taken[:1]
        self.reread_bytes += sum(len(line.content) for line in again)


def read_csv(stream: BinaryIO, name: str) -> Iterator[Record | Flaw]:
    """One item for every row that is not empty; rows are named by their first line.

    Raises ``IntakeError`` where the header names no ``body``, or quotes are beyond repair.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    feed = LineFeed(read_lines(stream))
    header = _read_header(feed, name)
    if header is None:
        return
    delimiter, columns = header
    while True:
        feed.start_row()
        try:
            row = next(csv.reader(feed, delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except RowTooLong:
            problem = f"the row is longer than {MAX_LINE_BYTES // 1_000_000} MB"
            yield _broken(feed, name, columns, problem, "Look for a quote that never closes.")
        except csv.Error as error:
            remedy = 'Put the value in quotes and double the quotes inside it ("").'
            yield _broken(feed, name, columns, f"no valid CSV: {error}", remedy)
        else:
            if any(cell.strip() for cell in row):
                yield _row_item(feed, name, columns, row)


def _read_header(feed: LineFeed, name: str) -> tuple[str, list[str]] | None:
    """Delimiter and column names; None for a file of blank lines."""
    attempted = f"Reading {name}"
    try:
        text = next((text for text in feed if text.strip()), None)
    except RowTooLong:
        text = ""
    if text is None:
        return None
    if _ESCAPED_BYTE.search(text):
        raise IntakeError(attempted, "its header is not UTF-8", "Save it as 'CSV UTF-8'.")
    if "\r" in text.rstrip("\r\n"):
        raise IntakeError(
            attempted, "its lines end in carriage returns only", "Save it as 'CSV UTF-8'."
        )
    candidates = [(delimiter, _columns(text, delimiter)) for delimiter in DELIMITERS]
    delimiter, columns = max(candidates, key=lambda one: len(FIELDS.intersection(one[1])))
    if "body" not in columns:
        raise IntakeError(
            attempted,
            "its first line names no column 'body'",
            f"Start with a header; known columns: {', '.join(sorted(FIELDS))}.",
        )
    repeated = {column for column in columns if column in FIELDS and columns.count(column) > 1}
    if repeated:
        told = ", ".join(sorted(repeated))
        raise IntakeError(attempted, f"its header repeats: {told}", "Rename one of the columns.")
    return delimiter, columns


def _columns(text: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
    return [column.strip().casefold() for column in row]


def _row_item(feed: LineFeed, name: str, columns: list[str], row: list[str]) -> Record | Flaw:
    if any(_ESCAPED_BYTE.search(cell) for cell in row):
        return _flaw(feed, name, columns, "is not UTF-8", "Save the file as 'CSV UTF-8'.")
    if len(row) != len(columns):
        problem = f"has {len(row)} values where the header has {len(columns)} columns"
        remedy = "Put values that hold the delimiter or a line break in quotes."
        return _flaw(feed, name, columns, problem, remedy)
    fields = {
        column: cell for column, cell in zip(columns, row, strict=True) if column in FIELDS and cell
    }
    return Record(_place(feed, name), fields, _digest(feed))


def _broken(feed: LineFeed, name: str, columns: list[str], problem: str, remedy: str) -> Flaw:
    feed.keep_first_line()
    if feed.reread_bytes > MAX_REREAD_BYTES:
        raise IntakeError(
            f"Reading {name}",
            f"its quotes do not close, from line {feed.taken[0].number} on",
            "The rows before it were read; mend the quotes and ingest the file again.",
        )
    return _flaw(feed, name, columns, problem, remedy)


def _flaw(feed: LineFeed, name: str, columns: list[str], problem: str, remedy: str) -> Flaw:
    # In a broken row nobody knows which value is the author, and authors are never shown.
    text = b"".join(line.content for line in feed.taken)[:16_000].decode("utf-8", "replace")
    quoted = "" if "author" in columns else text
    return Flaw(_place(feed, name), problem, remedy, quoted, _digest(feed))


def _place(feed: LineFeed, name: str) -> str:
    return f"{name} line {feed.taken[0].number}"


def _digest(feed: LineFeed) -> str:
    if len(feed.taken) == 1:
        return feed.taken[0].text_digest()
    content = b"".join(line.content for line in feed.taken)
    return hashlib.sha256(content.rstrip(b"\r\n")).hexdigest()
