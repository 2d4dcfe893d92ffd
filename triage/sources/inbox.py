"""The drop folder: files put there are taken once and moved to ``done`` or ``failed``."""

from __future__ import annotations

import os
from datetime import datetime
from itertools import count
from pathlib import Path

from triage.sources.files import is_supported

DONE = "done"
FAILED = "failed"


def pending_files(inbox: Path, *, now: datetime, settle_seconds: float = 5) -> list[Path]:
    """Files that wait in the folder, by name.

    Left out: links (they may lead to what the sender must not read), hidden files, unknown
    endings (so also ``.part`` and ``.tmp``), and what was written to less than
    ``settle_seconds`` ago, since somebody may still be writing. A folder that does not exist
    holds nothing.
    """
    try:
        entries = sorted(inbox.iterdir())
    except FileNotFoundError:
        return []
    return [path for path in entries if _is_ready(path, now, settle_seconds)]


def _is_ready(path: Path, now: datetime, settle_seconds: float) -> bool:
    if path.name.startswith(".") or path.is_symlink() or not is_supported(path):
        return False
    try:
        age_seconds = now.timestamp() - path.stat().st_mtime
        # A copied file may carry a time far ahead of ours: it is settled all the same.
        return path.is_file() and abs(age_seconds) >= settle_seconds
    except OSError:  # moved away in the meantime
        return False


def mark_done(path: Path) -> Path | None:
    """Move a file that was read to ``done`` beside it; None where another process was first."""
    return _move(path, path.parent / DONE)


def mark_failed(path: Path, reason: str) -> Path | None:
    """Move a file that cannot be read to ``failed``, with the reason in a text file beside it."""
    target = _move(path, path.parent / FAILED)
    if target is not None:
        target.with_name(f"{target.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
    return target


def _move(path: Path, folder: Path) -> Path | None:
    folder.mkdir(parents=True, exist_ok=True)
    target = _reserve(folder, path.name)
    try:
        return path.replace(target)
    except FileNotFoundError:
        target.unlink()
        return None


def _reserve(folder: Path, name: str) -> Path:
    """Create an empty file under the first free name (``a.jsonl``, ``a.2.jsonl``, …)."""
    stem, dot, ending = name.partition(".")
    for number in count(1):
        target = folder / (name if number == 1 else f"{stem}.{number}{dot}{ending}")
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return target
    raise AssertionError("unreachable: count() does not end")
