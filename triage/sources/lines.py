"""Physical lines of a byte stream, each bounded in memory however long it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE_BYTES = 8_000_000
_CHUNK_BYTES = 1_000_000
_HEAD_BYTES = 8_000
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number (from 1), its end kept; ``too_long`` where only the head is kept."""

    number: int
    content: bytes
    digest: str = ""
    too_long: bool = False

    def text_digest(self) -> str:
        """SHA-256 of the line without its end."""
        return self.digest or hashlib.sha256(self.content.rstrip(b"\r\n")).hexdigest()


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Every line of the stream; a UTF-8 byte order mark at its start is left out."""
    number = 0
    while content := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(content) > MAX_LINE_BYTES and not content.endswith(b"\n"):
            yield _too_long(stream, number, content)
            continue
        yield Line(number, content.removeprefix(BOM) if number == 1 else content)


def _too_long(stream: BinaryIO, number: int, start: bytes) -> Line:
    digest = hashlib.sha256(start)
    while chunk := stream.readline(_CHUNK_BYTES):
        digest.update(chunk.rstrip(b"\r\n") if chunk.endswith(b"\n") else chunk)
        if chunk.endswith(b"\n"):
            break
    return Line(number, start[:_HEAD_BYTES], digest.hexdigest(), too_long=True)
