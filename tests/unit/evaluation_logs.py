"""Evaluation logs as the harnesses write them, in small."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import zstandard

LONG_AGO = 1_790_000_000  # seconds; a log that was written just now is left alone


def sample(name: str, epoch: int, *, answer: str, scores: dict[str, Any], **more: Any) -> Any:
    """One run of a sample in Inspect's log."""
    return {
        "id": name,
        "epoch": epoch,
        "input": f"How many boats does {name} have?",
        "target": "6",
        "messages": [],
        "output": {
            "model": "mockllm/corvane-4.2",
            "choices": [{"message": {"role": "assistant", "content": answer}}],
            "completion": answer,
        },
        "scores": {
            scorer: {"value": value, "answer": answer, "explanation": answer, "history": []}
            for scorer, value in scores.items()
        },
        "metadata": {},
        "started_at": f"2026-11-03T09:30:0{epoch}+00:00",
        "completed_at": f"2026-11-03T09:31:0{epoch}+00:00",
        **more,
    }


def header(*, status: str = "success", task: str = "harbour") -> dict[str, Any]:
    """Inspect's log without its samples."""
    return {
        "version": 2,
        "status": status,
        "eval": {
            "task": task,
            "model": "mockllm/corvane-4.2",
            "created": "2026-11-03T09:30:00+00:00",
            "dataset": {"name": task, "samples": 2},
            "config": {"epochs": 2},
        },
        "results": {"total_samples": 2},
    }


def write_json_log(path: Path, samples: list[Any], **facts: Any) -> Path:
    """Inspect's JSON format."""
    path.write_text(json.dumps({**header(**facts), "samples": samples}), "utf-8")
    return settled(path)


def write_eval_log(path: Path, samples: list[Any], *, zstd: bool = True, **facts: Any) -> Path:
    """Inspect's zip format: compressed by Zstandard today, by deflate in older logs."""
    members = {
        "_journal/start.json": header(**facts),
        **{f"samples/{one['id']}_epoch_{one['epoch']}.json": one for one in samples},
        "summaries.json": [
            {
                **{key: one[key] for key in ("id", "epoch", "input", "target", "scores")},
                **({"error": one["error"]["message"]} if "error" in one else {}),
            }
            for one in samples
        ],
        "header.json": header(**facts),
    }
    encoded = {name: json.dumps(value).encode() for name, value in members.items()}
    if zstd:
        path.write_bytes(zstandard_zip(encoded))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in encoded.items():
                archive.writestr(name, content)
    return settled(path)


def write_samples(path: Path, lines: list[dict[str, Any] | str]) -> Path:
    """A log of the lm-evaluation-harness."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return settled(path)


def settled(path: Path) -> Path:
    """The file as if it were written long ago."""
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def zstandard_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive of method 93, with two frames where there is enough content."""
    written, directory = b"", b""
    for name, content in members.items():
        half = len(content) // 2
        packer = zstandard.ZstdCompressor()
        packed = packer.compress(content[:half]) + packer.compress(content[half:])
        sizes = struct.pack("<LLL", zlib.crc32(content), len(packed), len(content))
        plain = struct.pack("<HHHHH", 63, 0, 93, 0, 33) + sizes
        lengths = struct.pack("<HH", len(name), 0)
        offset = len(written)
        written += b"PK\x03\x04" + plain + lengths + name.encode() + packed
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 63) + plain + lengths
            + struct.pack("<HHHLL", 0, 0, 0, 0, offset) + name.encode()
        )  # fmt: skip
    count = len(members)
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(written), 0)
    return written + directory + b"PK\x05\x06" + end
