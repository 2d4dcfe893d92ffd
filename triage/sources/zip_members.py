"""Members of a zip archive, bounded in memory, also those that are compressed by Zstandard."""

from __future__ import annotations

import io
import zipfile
import zlib
from types import TracebackType
from typing import BinaryIO

import zstandard

from triage.errors import IntakeError

ZSTANDARD = 93  # this method's number in the format; zipfile knows it from Python 3.14 on
_LOCAL_HEADER = 30  # bytes, before the name and the extra field


class Archive:
    """A zip archive. Every method raises ``IntakeError`` where it is damaged."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise self._damaged("is no zip archive, or is cut off") from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        """All members, in the order in which they were written."""
        return self._zip.namelist()

    def read(self, member: str, limit: int) -> bytes:
        """The content of a member; more than ``limit`` bytes are an error, read or not."""
        try:
            info = self._zip.getinfo(member)
            if info.compress_type == ZSTANDARD:
                content = self._unpacked(info, limit)
            else:
                with self._zip.open(info) as opened:
                    content = opened.read(limit + 1)
        except KeyError as error:
            raise self._damaged(f"has no member {member}") from error
        except (
            zipfile.BadZipFile, zlib.error, zstandard.ZstdError, NotImplementedError, RuntimeError,
            EOFError, OSError,
        ) as error:  # fmt: skip
            raise self._damaged(f"has a damaged member {member}") from error
        if len(content) > limit:
            problem = f"has a member of more than {limit // 1_000_000} MB"
            raise IntakeError(f"Reading {self._name}", problem, "Log less of each sample.")
        return content

    def _unpacked(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        self._stream.seek(info.header_offset)
        header = self._stream.read(_LOCAL_HEADER)
        skipped = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        self._stream.seek(skipped, io.SEEK_CUR)
        packed = io.BytesIO(self._stream.read(info.compress_size))
        unpacker = zstandard.ZstdDecompressor(max_window_size=2**27)
        with unpacker.stream_reader(packed, read_across_frames=True) as reader:
            return reader.read(limit + 1)

    def _damaged(self, problem: str) -> IntakeError:
        return IntakeError(f"Reading {self._name}", problem, "Copy the log again, or delete it.")
