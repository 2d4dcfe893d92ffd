"""How a run is shown: progress while it works, a Prefect artifact when it is done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact

ShowProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are in all."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


class Logged:
    """Write progress to the log of the Prefect run: counts only, at most every few seconds."""

    def __init__(self, every_seconds: float = 10.0) -> None:
        self._every_seconds = every_seconds
        self._said_at = -math.inf

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say how far it is, unless something was said just now."""
        now = time.monotonic()
        if now - self._said_at >= self._every_seconds or done == total:
            self._said_at = now
            get_run_logger().info("%s: %d of %s", what, done, total or "unknown")


def show_counts(stage: str, counts: Mapping[str, Any]) -> None:
    """Keep a stage's counts as the artifact ``stage-<name>`` of this run."""
    get_run_logger().info("%s: %s", stage, ", ".join(f"{n} {v}" for n, v in counts.items()))
    create_table_artifact(
        table=[{"what": name, "count": value} for name, value in counts.items()],
        key=f"stage-{stage}",
        description=f"What the last run of {stage} did",
    )


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Keep a table as an artifact."""
    create_table_artifact(table=[dict(row) for row in rows], key=key, description=description)


def show_page(key: str, markdown: str, description: str) -> None:
    """Keep a Markdown page as an artifact."""
    create_markdown_artifact(markdown=markdown, key=key, description=description)


def show_summary(
    results: Mapping[str, Mapping[str, int]],
    spent: str | None = None,
    *,
    page_url: str | None = None,
) -> None:
    """Keep what each stage of a run did, what it spent and where the report page is."""
    rows = [
        f"| {stage} | {', '.join(f'{count} {name}' for name, count in counts.items())} |"
        for stage, counts in results.items()
    ]
    link = [f"[The report page]({page_url})", ""] if page_url else []
    page = "\n".join([*link, "| stage | what it did |", "| --- | --- |", *rows])
    page += f"\n\nLLM: {spent}" if spent else ""
    show_page("run-summary", page, "What each stage of the last pipeline run did")
