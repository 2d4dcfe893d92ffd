"""What reading files promises: every record is a report or a rejection, and nothing stops it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import re
import tempfile
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.errors import IntakeError
from triage.sources.csv_format import MAX_REREAD_BYTES
from triage.sources.files import read_file
from triage.sources.inbox import mark_done, mark_failed, pending_files
from triage.sources.lines import MAX_LINE_BYTES
from triage.types import Kind, RawReport, Rejection

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
TOKEN = "ghp_" + "Ab3dE6" * 6
Item = RawReport | Rejection


def redact(text: str) -> str:
    return re.sub(r"gh[a-z]_\w+", "[token]", text)


def read(path: Path) -> list[Item]:
    return list(read_file(path, received_at=NOW, redact=redact))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def only(items: Sequence[Item]) -> Item:
    assert len(items) == 1
    return items[0]


def report_of(folder: Path, **fields: object) -> RawReport:
    item = only(read(write(folder, "r.jsonl", lines({"body": "It fails.", **fields}))))
    assert isinstance(item, RawReport), item
    return item


def rejection_of(folder: Path, content: str | bytes, name: str = "r.jsonl") -> Rejection:
    item = only(read(write(folder, name, content)))
    assert isinstance(item, Rejection), item
    return item


def is_valid_unicode(item: Item) -> bool:
    texts = [getattr(item, name) for name in type(item).__slots__]
    return all(text.encode() is not None for text in texts if isinstance(text, str))


FULL = {
    "id": "a-1", "source": "api", "created_at": "2026-10-20T10:00:00+02:00", "title": "T",
    "body": "B", "model": "corvane-4.2", "environment": "Tarn CLI", "language": "de",
    "url": "https://x.example/1", "author": "ann", "rating": 2, "kind": "developer",
    "prompt": "P", "response": "R", "colour": "ignored",
}  # fmt: skip
FULL_REPORT = RawReport(
    origin="files", external_id="a-1", place="", body="B", title="T", channel="api",
    kind=Kind.DEVELOPER, created_at=datetime(2026, 10, 20, 8, tzinfo=UTC), model="corvane-4.2",
    environment="Tarn CLI", language="de", url="https://x.example/1", author="ann", rating=2.0,
    prompt="P", response="R",
)  # fmt: skip


def placeless(item: Item) -> dict[str, Any]:
    assert isinstance(item, RawReport), item
    return {name: getattr(item, name) for name in RawReport.__slots__ if name != "place"}


# ------------------------------------------------------------------ every format, the same report


def write_csv(path: Path, rows: Sequence[dict[str, object]], delimiter: str = ",") -> Path:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return write(path.parent, path.name, b"\xef\xbb\xbf" + buffer.getvalue().encode())


@pytest.mark.parametrize(
    "name",
    ["a.jsonl", "a.NDJSON", "a.json", "array.json", "a.csv", "a.jsonl.gz", "a.csv.gz",
     "array.json.gz", "a.parquet"],
)  # fmt: skip
def test_every_format_gives_the_same_reports(tmp_path: Path, name: str) -> None:
    records: list[dict[str, object]] = [
        FULL,
        {**FULL, "id": "a-2", "body": 'two\nlines, a "quote"; and 图'},
    ]
    path = tmp_path / name
    if name.startswith("array"):
        write(tmp_path, name, json.dumps(records, indent=2))
    elif ".csv" in name:
        write_csv(path, records)
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        write(tmp_path, name, lines(*records))
    first, second = read(path)
    assert placeless(first) == placeless(FULL_REPORT)
    assert second.__class__ is RawReport
    assert second.body == records[1]["body"]
    expected = {"parquet": "row 2", "array": "item 2 (line 19)", "csv": "line 3"}
    place = next((p for key, p in expected.items() if key in name), "line 2")
    assert second.place == f"{name} {place}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_takes_comma_semicolon_and_tab_and_names_rows_by_line(
    tmp_path: Path, delimiter: str
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "1", "Title ": "a", "BODY": "x,y;z\nmore"},
        {"id": "2", "Title ": "", "BODY": "w"},
    ]
    first, second = read(write_csv(tmp_path / "a.csv", rows, delimiter))
    assert isinstance(first, RawReport)
    assert (first.title, first.body, first.place) == ("a", "x,y;z\nmore", "a.csv line 2")
    assert second.place == "a.csv line 4"


def test_a_json_file_with_one_object_over_many_lines_is_one_report(tmp_path: Path) -> None:
    assert placeless(only(read(write(tmp_path, "a.json", json.dumps(FULL, indent=1))))) == (
        placeless(FULL_REPORT)
    )


def test_crlf_byte_order_mark_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    content = "\ufeff" + '\n{"body": "a"}\r\n  \r\n{"body": "b"}'
    first, second = read(write(tmp_path, "a.jsonl", content))
    assert (first.place, second.place) == ("a.jsonl line 2", "a.jsonl line 4")


# ------------------------------------------------------------------ fields


def test_only_the_body_is_mandatory(tmp_path: Path) -> None:
    found = report_of(tmp_path)
    assert (found.channel, found.kind, found.created_at) == ("user", Kind.USER, None)
    assert found.external_id.startswith("content-")


def test_a_missing_id_follows_from_the_content_in_any_file_and_at_any_line(tmp_path: Path) -> None:
    record = {"body": "It fails.", "created_at": "2026-10-20"}
    alone = report_of(tmp_path, created_at="2026-10-20T00:00:00Z")
    later = read(write(tmp_path, "b.jsonl", lines({"body": "x"}, record)))[1]
    in_csv = only(read(write(tmp_path, "c.csv", "created_at;body\n2026-10-20;It fails.\n")))
    assert isinstance(later, RawReport)
    assert isinstance(in_csv, RawReport)
    assert alone.external_id == later.external_id == in_csv.external_id
    assert alone.external_id != report_of(tmp_path, created_at="2026-10-21").external_id
    assert alone.external_id != report_of(tmp_path, created_at="2026-10-20", author="b").external_id


@pytest.mark.parametrize(
    ("written", "stored"), [(17, "17"), (17.0, "17"), ("17", "17"), (" 17 ", "17"), (0, "0")]
)
def test_an_id_may_be_a_number(tmp_path: Path, written: object, stored: str) -> None:
    assert report_of(tmp_path, id=written).external_id == stored


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, Kind.USER),
        ({"source": "api"}, Kind.USER),
        ({"source": "developer"}, Kind.DEVELOPER),
        ({"source": "internal-eval", "kind": None}, Kind.DEVELOPER),
        ({"source": "developer", "kind": "user"}, Kind.USER),
        ({"kind": " Developer "}, Kind.DEVELOPER),
    ],
)
def test_the_kind_is_as_written_else_as_the_source_says(
    tmp_path: Path, fields: dict[str, object], kind: Kind
) -> None:
    assert report_of(tmp_path, **fields).kind is kind


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-10-20", datetime(2026, 10, 20, tzinfo=UTC)),
        ("20261020", datetime(2026, 10, 20, tzinfo=UTC)),
        ("2026-10-20 07:30", datetime(2026, 10, 20, 7, 30, tzinfo=UTC)),
        ("2026-10-20T07:30:00Z", datetime(2026, 10, 20, 7, 30, tzinfo=UTC)),
        ("2026-10-20 07:30:00 UTC", datetime(2026, 10, 20, 7, 30, tzinfo=UTC)),
        ("2026-10-20T07:30:00.250-05:00", datetime(2026, 10, 20, 12, 30, 0, 250_000, UTC)),
        (1_792_474_200, datetime(2026, 10, 20, 5, 30, tzinfo=UTC)),
        ("1792474200", datetime(2026, 10, 20, 5, 30, tzinfo=UTC)),
        (1_792_474_200_250, datetime(2026, 10, 20, 5, 30, 0, 250_000, UTC)),
        ("2026-11-04", datetime(2026, 11, 4, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_dates_are_read_as_utc(tmp_path: Path, written: object, moment: datetime | None) -> None:
    assert report_of(tmp_path, created_at=written).created_at == moment


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("body", None, "missing or empty"),
        ("body", " \n\t", "missing or empty"),
        ("body", 12, "no text"),
        ("body", ["a"], "no text"),
        ("title", {"a": 1}, "no text"),
        ("kind", "tester", "neither user nor developer"),
        ("rating", "good", "no number"),
        ("rating", True, "no number"),
        ("rating", "1e999", "no number"),
        ("rating", [], "no number"),
        ("created_at", "yesterday", "no date: 'yesterday'"),
        ("created_at", "2026-13-01", "no date"),
        ("created_at", "03/11/2026", "no date"),
        ("created_at", True, "no date"),
        ("created_at", {"a": 1}, "no date"),
        ("created_at", "2026-11-05", "in the future: 2026-11-05"),
        ("created_at", "2014-12-31", "before 2015"),
        ("created_at", "0001-01-01T00:00:00+14:00", "no date"),
        ("created_at", 10**300, "no date"),
        ("created_at", 0, "before 2015"),
        ("id", "x" * 201, "201 characters, at most 200"),
        ("url", "h" * 3000, "3000 characters"),
    ],
)
def test_a_wrong_field_is_named_with_line_and_remedy_and_the_rest_is_taken(
    tmp_path: Path, field: str, value: object, problem: str
) -> None:
    good = {"body": "fine"}
    path = write(tmp_path, "r.jsonl", lines(good, {"body": "Bad one.", field: value}, good))
    before, wrong, after = read(path)
    assert isinstance(before, RawReport)
    assert isinstance(after, RawReport)
    assert isinstance(wrong, Rejection)
    assert (wrong.place, wrong.field) == ("r.jsonl line 2", field)
    assert problem in wrong.problem
    assert wrong.remedy.endswith(".")
    assert re.fullmatch(r"[0-9a-f]{64}", wrong.digest)


def test_nulls_and_nan_count_as_absent(tmp_path: Path) -> None:
    content = '{"body": "a", "rating": NaN, "model": null, "created_at": NaN, "x": Infinity}'
    found = only(read(write(tmp_path, "r.jsonl", content)))
    assert isinstance(found, RawReport)
    assert (found.rating, found.model, found.created_at) == (None, None, None)


def test_a_missing_body_tells_which_fields_were_found(tmp_path: Path) -> None:
    wrong = rejection_of(tmp_path, lines({"text": "It fails.", "Body": "x"}))
    assert "fields found: Body, text" in wrong.remedy


def test_half_an_emoji_becomes_text_that_a_database_stores(tmp_path: Path) -> None:
    found = only(
        read(write(tmp_path, "r.jsonl", '{"body": "cut \\ud83d", "title": "\\ud83d\\ude00"}'))
    )
    assert isinstance(found, RawReport)
    assert (found.body, found.title) == ("cut \ufffd", "\U0001f600")


# ------------------------------------------------------------------ rejections are private


def test_excerpts_are_redacted_short_on_one_line_and_never_show_the_author(tmp_path: Path) -> None:
    body = f"My token is {TOKEN} and\x00 it\nleaks. " + "x" * 400
    record = {"author": "ann_marlow", "body": body, "created_at": f"on {TOKEN}"}
    broken = json.dumps({**record, "created_at": None})[:-30]
    python_like = repr({"author": "ann_marlow", "body": body})
    assert "'author': 'ann_marlow'" in python_like
    for content in (lines(record), broken, python_like):
        wrong = rejection_of(tmp_path, content)
        told = " ".join((wrong.excerpt, wrong.problem, wrong.remedy))
        assert TOKEN[:12] not in told
        assert "[token]" in wrong.excerpt
        assert "ann_marlow" not in told
        assert len(wrong.excerpt) <= 200
        assert wrong.excerpt.isprintable()


def test_a_row_written_as_a_json_list_is_not_quoted(tmp_path: Path) -> None:
    assert rejection_of(tmp_path, '["7", "ann_marlow", "It fails."]').excerpt == ""


def test_a_broken_csv_row_shows_no_author(tmp_path: Path) -> None:
    wrong = rejection_of(tmp_path, "author,body\nann_marlow,a,b\n", "r.csv")
    assert "ann_marlow" not in "".join((wrong.excerpt, wrong.problem, wrong.remedy))


@pytest.mark.parametrize("padding", [3_960, 3_990, 4_000, 7_990])
def test_a_secret_at_the_edge_of_the_excerpts_window_is_not_cut_into_view(
    tmp_path: Path, padding: int
) -> None:
    def shrinking(text: str) -> str:
        return re.sub(r"gh[a-z]_\w{36}", "[token]", text).replace("x", "")

    path = write(tmp_path, "r.jsonl", "x" * padding + TOKEN + " and more " * 2000)
    wrong = only(list(read_file(path, received_at=NOW, redact=shrinking)))
    assert isinstance(wrong, Rejection)
    assert "ghp_" not in wrong.excerpt


# ------------------------------------------------------------------ hostile lines


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"body": "cut off', "no valid JSON: Unterminated string"),
        (b"[1, 2]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"null", "no JSON object"),
        (b'{"body": "a"} {"body": "b"}', "no valid JSON: Extra data"),
        (b'{"body": "\xff\xfe"}', "byte 11 is not UTF-8"),
        (b'{"body": "a", "body": "b"}', "'body' is given twice"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"id": ' + b"9" * 5_000 + b', "body": "a"}', "5000 characters"),
    ],
)
def test_a_hostile_line_is_set_aside_alone(tmp_path: Path, line: bytes, problem: str) -> None:
    content = b'{"body": "a"}\n' + line + b'\n{"body": "b"}\n'
    first, wrong, last = read(write(tmp_path, "r.jsonl", content))
    assert isinstance(first, RawReport)
    assert isinstance(last, RawReport)
    assert isinstance(wrong, Rejection)
    assert problem in wrong.problem
    assert wrong.place == "r.jsonl line 2"


def test_an_ignored_field_may_hold_what_it_likes(tmp_path: Path) -> None:
    line = '{"body": "a", "x": 1' + "0" * 5000 + ', "y": 1, "y": 2, "z": {"body": 1, "body": 2}}'
    assert isinstance(only(read(write(tmp_path, "r.jsonl", line))), RawReport)


def test_nul_bytes_reach_cleaning_and_stop_no_reader(tmp_path: Path) -> None:
    for name, content in (
        ("r.jsonl", b'{"body": "a\x00b"}\n{"body": "c"}\n'),
        ("r.csv", b"body\na\x00b\nc\n"),
    ):
        first, second = read(write(tmp_path, name, content))
        assert isinstance(first, RawReport)
        assert isinstance(second, RawReport)
        assert first.body == "a\x00b"


def test_a_line_of_40_mb_is_set_aside_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with path.open("wb") as handle:
        handle.write(b'{"body": "')
        for _ in range(40):
            handle.write(b"x" * 1_000_000)
        handle.write(b'"}\n{"body": "after"}\n')
    tracemalloc.start()
    wrong, after = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(wrong, Rejection)
    assert "longer than 8 MB" in wrong.problem
    assert isinstance(after, RawReport)
    assert (wrong.place, after.place) == ("r.jsonl line 1", "r.jsonl line 2")
    assert peak < 24_000_000


def test_two_overlong_lines_that_differ_at_their_end_differ_in_digest(tmp_path: Path) -> None:
    start = b'{"body": "' + b"x" * MAX_LINE_BYTES
    first, second = read(write(tmp_path, "r.jsonl", start + b"1\n" + start + b"2\n"))
    assert isinstance(first, Rejection)
    assert isinstance(second, Rejection)
    assert first.digest != second.digest


# ------------------------------------------------------------------ hostile CSV


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"1,a,b", "3 values where the header has 2"),
        (b"1", "1 values where the header has 2"),
        (b'1,"he said "no" twice"', "no valid CSV"),
        (b"1,caf\xe9", "not UTF-8"),
        (b"1,a\rb", "no valid CSV"),
        (b"1,", "'body' is missing"),
    ],
)
def test_a_broken_row_is_set_aside_alone(tmp_path: Path, row: bytes, problem: str) -> None:
    content = b"id,body\n0,zero\n" + row + b"\n2,two\n"
    first, wrong, last = read(write(tmp_path, "r.csv", content))
    assert isinstance(first, RawReport)
    assert isinstance(last, RawReport)
    assert isinstance(wrong, Rejection)
    assert problem in wrong.problem
    assert wrong.place == "r.csv line 3"
    assert last.external_id == "2"


def test_a_quote_that_never_closes_swallows_no_later_rows(tmp_path: Path) -> None:
    rows = "".join(f"{number},text {number}\n" for number in range(2, 40))
    items = read(write(tmp_path, "r.csv", f'id,body\n0,zero\n1,"open\n{rows}'))
    wrong = [item for item in items if isinstance(item, Rejection)]
    assert [item.place for item in wrong] == ["r.csv line 3"]
    assert len(items) == 40


def test_a_quote_that_swallows_more_than_8_mb_is_found_and_the_rest_is_read(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{number},{'y' * 1000}\n" for number in range(2, 10_000))
    items = read(write(tmp_path, "r.csv", f'id,body\n1,"open\n{rows}'))
    assert len(items) == 9_999
    assert [item.place for item in items if isinstance(item, Rejection)] == ["r.csv line 2"]


def test_a_file_of_nothing_but_open_quotes_ends_with_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", b"id,body\n" + b'a","' + b"z" * 2_000_000 + b"\n")
    content = path.read_bytes() + (b'a","' + b"z" * 996 + b"\n") * 9_000
    path.write_bytes(content)
    assert len(content) < MAX_REREAD_BYTES
    with pytest.raises(IntakeError, match="quotes do not close"):
        read(path)


def test_empty_csv_rows_are_skipped(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, "r.csv", "id,body\n,\n\n , \n1,a\n"))) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"id,text\n1,a\n", "no column 'body'"),
        (b"id,body,Body\n1,a,b\n", "repeats: body"),
        (b"id,body,caf\xe9\n1,a,b\n", "header is not UTF-8"),
        (b"id,body\r1,a\r", "carriage returns only"),
        (b'id,"body\n1,a\n', "no column 'body'"),
        (b"id," + b"x" * 9_000_000, "no column 'body'"),
    ],
)
def test_a_csv_header_that_cannot_be_used_is_an_error(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(IntakeError, match=r"Reading r\.csv: .*" + re.escape(problem)):
        read(write(tmp_path, "r.csv", content))


# ------------------------------------------------------------------ Parquet


def test_parquet_values_of_every_kind_are_read(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=2))
    moment = datetime(2026, 10, 20, 10, tzinfo=zone)
    table = pa.table(
        {
            "id": pa.array([1.0, None, 3.0]),
            "body": pa.array([b"a", b"\xff", b"c"], pa.binary()),
            "created_at": pa.array([moment, None, None], pa.timestamp("ns", "Europe/Paris")),
            "rating": pa.array([Decimal("4.5"), None, None]),
            "source": pa.array(["api", "api", None]).dictionary_encode(),
            "language": pa.array(["en", None, "zh"], pa.large_string()),
            "extra": pa.array([{"a": 1}, None, None]),
        }
    )
    pq.write_table(table, tmp_path / "r.parquet")
    first, wrong, last = read(tmp_path / "r.parquet")
    assert isinstance(first, RawReport)
    assert (first.external_id, first.rating, first.channel) == ("1", 4.5, "api")
    assert first.created_at == moment
    assert isinstance(wrong, Rejection)
    assert (wrong.place, wrong.field) == ("r.parquet row 2", "body")
    assert isinstance(last, RawReport)
    assert (last.language, last.channel) == ("zh", "user")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2026, 10, 20), date(9000, 1, 1)]),
        pa.array([date(2026, 10, 20), date(9000, 1, 1)]).cast(pa.date64()),
        pa.array([1_792_454_400_000, 2**62], pa.timestamp("ms")),
        pa.array([1_792_454_400_000_000_000, 0], pa.timestamp("ns")),
        pa.array(["2026-10-20", "soon"]),
        pa.array([1_792_454_400, -1]),
    ],
)
def test_parquet_dates_are_read_and_an_impossible_one_spoils_its_row_only(
    tmp_path: Path, column: pa.Array
) -> None:
    pq.write_table(pa.table({"body": ["a", "b"], "created_at": column}), tmp_path / "r.parquet")
    first, wrong = read(tmp_path / "r.parquet")
    assert isinstance(first, RawReport)
    assert first.created_at == datetime(2026, 10, 20, tzinfo=UTC)
    assert isinstance(wrong, Rejection)
    assert wrong.field == "created_at"


def test_a_parquet_file_without_body_or_cut_short_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pq.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(IntakeError, match="no column 'body'"):
        read(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntakeError, match=r"Reading r\.parquet: it is no whole Parquet file"):
        read(path)


def test_damaged_parquet_raises_nothing_but_an_intake_error(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    rows = {"body": [f"text {number}" for number in range(300)], "id": list(range(300))}
    pq.write_table(pa.table(rows), path, compression="gzip", row_group_size=100)
    whole = path.read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read(path)
        except IntakeError:
            refused += 1
    assert refused > 50


# ------------------------------------------------------------------ whole files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("r.txt", b"a", "no known format"),
        ("r.parquet.gz", b"a", "no known format"),
        ("r.jsonl", b"", "is empty"),
        ("r.csv", b"", "is empty"),
        ("r.jsonl", '{"body": "a"}'.encode("utf-16"), "UTF-16"),
        ("r.jsonl", '{"body": "a"}'.encode("utf-16-le"), "UTF-16"),
        ("r.csv", "body\na".encode("utf-16-be"), "UTF-16"),
        ("r.csv", "body\na".encode("utf-32"), "UTF-16"),
        ("r.json", b'[{"body": "a"}, {"body"', "item 2 of the array (line 1)"),
        ("r.json", b'[{"body": "a"}] x', "follows the closing"),
        ("r.json", b"[\n" + b"[" * 100_000, "nested too deeply"),
        ("r.json", b'[\n"\xff"]', "line 2 is not UTF-8"),
        ("r.json", b"[" + b" " * 50_000_000, "more than 50 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_a_remedy(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntakeError) as caught:
        read(tmp_path / name)
    assert caught.value.attempted == f"Reading {name}"
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_a_missing_file_a_folder_and_a_pipe_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name, problem in (
        ("absent.jsonl", "No such file"),
        ("folder.jsonl", "it is a folder"),
        ("pipe.jsonl", "no regular file"),
    ):
        with pytest.raises(IntakeError, match=problem):
            read(tmp_path / name)


def test_what_stands_before_the_damage_is_given(tmp_path: Path) -> None:
    chance = random.Random(1)
    many = lines(*({"body": chance.randbytes(60).hex()} for _ in range(20_000)))
    cut = gzip.compress(many.encode())
    cut = cut[: len(cut) // 2]
    array = b'[{"body": "a"}, {"body": "b"}, {'
    for name, content, least in (("r.jsonl.gz", cut, 5_000), ("r.json", array, 2)):
        (tmp_path / name).write_bytes(content)
        found = read_file(tmp_path / name, received_at=NOW, redact=redact)
        assert all(isinstance(next(found), RawReport) for _ in range(least))
        with pytest.raises(IntakeError, match=r"damaged or cut off|item 3"):
            list(found)


# ------------------------------------------------------------------ any bytes at all

HOSTILE = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [b"\n", b"\r\n", b"\r", b'"', b",", b";", b"\x00", b"\xff", b"[", b"]", b"{", b"}",
             b'{"body": "a"}', b'{"body": "a", "created_at": ', b"NaN", b"1e999", b"-1",
             b'"\\ud800"', b"body", b"id,body\n", b"\xef\xbb\xbf", b" ", b"\\"]
        ),
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    content=HOSTILE, name=st.sampled_from(["r.jsonl", "r.json", "r.csv", "r.csv.gz", "r.parquet"])
)
def test_no_bytes_make_the_reader_raise_anything_but_an_intake_error(
    content: bytes, name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), name, content)
        raw = Path(folder) / "raw.jsonl.gz"
        raw.write_bytes(content)
        for one in (path, raw):
            try:
                items = read(one)
            except IntakeError as error:
                assert error.remedy  # noqa: PT017 (most, not all, are refused)
            else:
                assert all(is_valid_unicode(item) for item in items)


@settings(max_examples=200, deadline=None)
@given(content=HOSTILE)
def test_every_line_that_is_not_blank_yields_exactly_one_item(content: bytes) -> None:
    content = b'{"body": "first"}\n' + content
    expected = sum(bool(line.strip()) for line in content.split(b"\n"))
    with tempfile.TemporaryDirectory() as folder:
        items = read(write(Path(folder), "r.jsonl", content))
    assert len(items) == expected
    places = [item.place for item in items]
    assert len(set(places)) == len(places)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
            st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    rows: list[tuple[str, str]], delimiter: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table: list[dict[str, object]] = [{"title": title, "body": body} for title, body in rows]
        items = read(write_csv(Path(folder) / "r.csv", table, delimiter))
    assert [(i.title, i.body) for i in items if isinstance(i, RawReport)] == rows


# ------------------------------------------------------------------ the drop folder


def test_the_inbox_gives_settled_files_of_known_endings_by_name(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv.gz", "c.parquet", ".hidden.jsonl", "d.jsonl.part", "e.tmp",
                 "f.txt", "fresh.jsonl", "ahead.jsonl"):  # fmt: skip
        path = write(tmp_path, name, "{}")
        age = {"fresh.jsonl": 2, "ahead.jsonl": -90_000}.get(name, 60)
        os.utime(path, times=(NOW.timestamp() - age,) * 2)
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "absent")
    os.utime(tmp_path / "folder.jsonl", times=(0, 0))
    names = [path.name for path in pending_files(tmp_path, now=NOW)]
    assert names == ["a.csv.gz", "ahead.jsonl", "b.jsonl", "c.parquet"]
    assert "fresh.jsonl" in [p.name for p in pending_files(tmp_path, now=NOW, settle_seconds=1)]


def test_a_missing_inbox_holds_nothing(tmp_path: Path) -> None:
    assert pending_files(tmp_path / "absent", now=NOW) == []


def test_done_files_never_overwrite_each_other(tmp_path: Path) -> None:
    targets = [mark_done(write(tmp_path, "a.b.jsonl.gz", f"{n}")) for n in range(3)]
    names = [target.name for target in targets if target]
    assert names == ["a.b.jsonl.gz", "a.2.b.jsonl.gz", "a.3.b.jsonl.gz"]
    contents = [gzip.decompress(target.read_bytes()) for target in targets if target]
    assert contents == [b"0", b"1", b"2"]
    assert pending_files(tmp_path, now=NOW + timedelta(days=9999)) == []


def test_a_failed_file_has_its_reason_beside_it(tmp_path: Path) -> None:
    target = mark_failed(write(tmp_path, "a.csv", "x"), "Reading a.csv: no column 'body'")
    assert target == tmp_path / "failed" / "a.csv"
    assert (tmp_path / "failed" / "a.csv.reason.txt").read_text() == (
        "Reading a.csv: no column 'body'\n"
    )


def test_a_file_that_another_process_moved_first_leaves_nothing_behind(tmp_path: Path) -> None:
    assert mark_done(tmp_path / "gone.jsonl") is None
    assert mark_failed(tmp_path / "gone.jsonl", "x") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
