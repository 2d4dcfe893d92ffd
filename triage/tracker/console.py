"""The tracker of a dry run: shows what would be sent, and sends nothing."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from triage.errors import TrackerError
from triage.types import IssueDraft

_DRAFT_FILE = re.compile(r"T[0-9]+\.md", re.ASCII)


class ConsoleTracker:
    """Console twin of the GitHub tracker: rendered drafts in a folder, payloads on a screen."""

    def __init__(self, folder: Path, render: Callable[[IssueDraft], str]) -> None:
        self._folder = folder
        self._render = render

    def write(self, drafts: Sequence[IssueDraft]) -> list[Path]:
        """Make the folder hold exactly these drafts, one ``T12.md`` per theme.

        Each file appears whole or not at all. Drafts of earlier runs go; files that are not
        drafts stay. Raises ``TrackerError`` when the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            written = [self._write(draft) for draft in drafts]
            for path in self._folder.iterdir():
                if _DRAFT_FILE.fullmatch(path.name) and path not in written:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise TrackerError(
                f"Writing drafts into {self._folder}",
                error.strerror or type(error).__name__,
                "Make the folder writable, or set TRIAGE_HOME to one that is.",
            ) from error
        return written

    def show(self, draft: IssueDraft, console: Console) -> None:
        """Print the payload that would be sent to GitHub, as JSON and to the letter."""
        payload = json.dumps(draft.payload, ensure_ascii=False, indent=2)
        # plain text: a report's [bold] is no markup, and nothing is cut or folded
        console.print(Text(payload), soft_wrap=True)

    def _write(self, draft: IssueDraft) -> Path:
        path = self._folder / f"T{draft.theme_id}.md"
        handle, unfinished = tempfile.mkstemp(dir=self._folder, prefix=".draft-", text=False)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(self._render(draft))
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return path
