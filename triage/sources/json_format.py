"""Records in JSON: one object a line, or one array in a file of moderate size."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from triage.errors import IntakeError
from triage.sources.lines import BOM, MAX_LINE_BYTES, Line, read_lines
from triage.sources.records import Flaw, Record

MAX_ARRAY_BYTES = 50_000_000
TOO_LONG = f"the line is longer than {MAX_LINE_BYTES // 1_000_000} MB"
_SPACE = re.compile(r"[ \t\r\n]*")
_AUTHOR = re.compile(
    r"""(["']?author["']?\s*[:=]\s*)"""  # also as Python or YAML would write it
    r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}"']+)""",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 400


class JsonObject(dict[str, object]):
    """A JSON object that remembers which keys it gave more than once."""

    repeated: tuple[str, ...] = ()


def read_json_lines(stream: BinaryIO, name: str) -> Iterator[Record | Flaw]:
    """One item for every line that is not blank."""
    for line in read_lines(stream):
        if line.content.strip():
            yield _line_item(line, f"{name} line {line.number}")


def read_json_document(stream: BinaryIO, name: str) -> Iterator[Record | Flaw]:
    """A ``.json`` file: an array of objects, a single object, or objects line by line.

    Raises ``IntakeError`` where an array breaks off; the items before it were given.
    """
    first = next((line for line in read_lines(stream) if line.content.strip()), None)
    stream.seek(0)
    if first is None:
        return
    if first.content.lstrip().startswith(b"["):
        yield from _array_items(_whole(stream, name), name)
    elif first.too_long or _parsed(first.content) is not None:
        yield from read_json_lines(stream, name)
    else:
        yield from _object_or_lines(stream, name)


def _object_or_lines(stream: BinaryIO, name: str) -> Iterator[Record | Flaw]:
    content = stream.read(MAX_LINE_BYTES + 1)
    stream.seek(0)
    whole = _parsed(content.removeprefix(BOM)) if len(content) <= MAX_LINE_BYTES else None
    if whole is None:
        yield from read_json_lines(stream, name)
    else:
        yield _item(whole, f"{name} item 1", content.decode(), hashlib.sha256(content).hexdigest())


def _whole(stream: BinaryIO, name: str) -> str:
    content = stream.read(MAX_ARRAY_BYTES + 1)
    if len(content) > MAX_ARRAY_BYTES:
        limit = f"{MAX_ARRAY_BYTES // 1_000_000} MB"
        raise IntakeError(
            f"Reading {name}",
            f"it is a JSON array of more than {limit}, which would have to be loaded whole",
            f"Write one object a line instead: jq -c '.[]' {name} > reports.jsonl",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise IntakeError(
            f"Reading {name}", f"line {line} is not UTF-8", "Save the file as UTF-8."
        ) from error


def _array_items(text: str, name: str) -> Iterator[Record | Flaw]:
    position = _after_space(text, text.index("[") + 1)
    item, line, counted = 0, 1, 0
    while not text.startswith("]", position):
        item += 1
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise _array_error(name, item, line, _told(error)) from error
        source = text[position:end]
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        yield _item(value, f"{name} item {item} (line {line})", source, digest)
        position = _after_space(text, end)
        if text.startswith(",", position):
            position = _after_space(text, position + 1)
        elif not text.startswith("]", position):
            raise _array_error(name, item, line, "neither ',' nor ']' follows it")
    if _after_space(text, position + 1) != len(text):
        raise _array_error(name, item, line, "something follows the closing ']'")


def _array_error(name: str, item: int, line: int, problem: str) -> IntakeError:
    return IntakeError(
        f"Reading {name}",
        f"item {item} of the array (line {line}): {problem}",
        "The items before it were read; mend this one and ingest the file again.",
    )


def _line_item(line: Line, place: str) -> Record | Flaw:
    digest = line.text_digest()
    text = line.content.decode("utf-8", "replace")
    if line.too_long:
        return _flaw(place, TOO_LONG, "Shorten the report's texts.", text, digest)
    try:
        text = line.content.decode()
        value = decode_json(text)
    except UnicodeDecodeError as error:
        remedy = "Save the file as UTF-8."
        return _flaw(place, f"byte {error.start + 1} is not UTF-8", remedy, text, digest)
    except (ValueError, RecursionError) as error:
        remedy = "Write one JSON object on one line."
        return _flaw(place, f"no valid JSON: {_told(error)}", remedy, text, digest)
    return _item(value, place, text, digest)


def _item(value: object, place: str, text: str, digest: str) -> Record | Flaw:
    if not isinstance(value, JsonObject):
        text = "" if isinstance(value, list) else text  # it may name the author anywhere
        remedy = 'Write an object such as {"body": "…"}.'
        return _flaw(place, "is no JSON object", remedy, text, digest)
    return Record(place, value, digest, value.repeated)


def _flaw(place: str, problem: str, remedy: str, text: str, digest: str) -> Flaw:
    # Authors are stored as a keyed hash only, so a line that is quoted does not show its own.
    return Flaw(place, problem, remedy, _AUTHOR.sub(r'\1"…"', text[:_QUOTED]), digest)


def _parsed(content: bytes) -> object | None:
    try:
        return decode_json(content.decode())
    except (ValueError, RecursionError):
        return None


def decode_json(text: str) -> object:
    """The value of a JSON text; its objects are ``JsonObject``.

    Raises ``ValueError``, or ``RecursionError`` where it is nested too deeply.
    """
    value: object = _DECODER.decode(text)
    return value


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "unreadable"


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    found = JsonObject(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        found.repeated = tuple(key for key in found if keys.count(key) > 1)
    return found


def _integer(digits: str) -> int | str:
    """Very long numbers stay text: Python refuses to convert them."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


# Raw control characters inside strings are let through; cleaning decides about them.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_constant=lambda _: None, strict=False
)
_QUOTED = 16_000
