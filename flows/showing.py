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

NO_COUNTS = frozenset({"space"})  # a number by which vectors are found, of interest to no person
TITLE_CHARS = 60
THEME_COLUMNS = (
    "verdict", "priority", "owner", "issue or blocker", "capability", "reports", "group",
)  # fmt: skip


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
    shown = {name: value for name, value in counts.items() if name not in NO_COUNTS}
    get_run_logger().info("%s: %s", stage, ", ".join(f"{n} {v}" for n, v in shown.items()))
    create_table_artifact(
        table=[{"what": name, "count": value} for name, value in shown.items()],
        key=f"stage-{stage}",
        description=f"What the last run of {stage} did",
    )


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Keep a table as an artifact."""
    create_table_artifact(table=[dict(row) for row in rows], key=key, description=description)


def show_themes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the table of themes as the artifact ``themes``; what a person decides by comes first.

    Prefect neither wraps nor narrows a column, so that titles are shortened.
    """
    table = []
    for row in rows:
        title = str(row["title"])
        short = title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1].rstrip() + "…"
        first = {"theme": row["theme"], "people": row["people"], "title": short}
        rest = {name: row[name] for name in THEME_COLUMNS}
        table.append({**first, **rest})
    show_table("themes", table, "Open failure themes, most reporters first, related ones together")


def show_page(key: str, markdown: str, description: str) -> None:
    """Keep a Markdown page as an artifact."""
    create_markdown_artifact(markdown=markdown, key=key, description=description)


def show_summary(
    results: Mapping[str, Mapping[str, int]],
    spent: str | None = None,
    *,
    page_url: str | None = None,
) -> None:
    """Keep what each stage of a run did, what it spent and where the report page is.

    The run's own log says it too: what its stages logged stands with their runs.
    """
    said = {stage: _said(counts) for stage, counts in results.items()}
    for stage, line in said.items():
        get_run_logger().info("%s: %s", stage, line)
    rows = [f"| {stage} | {line} |" for stage, line in said.items()]
    link = [f"[The report page]({page_url})", ""] if page_url else []
    page = "\n".join([*link, "| stage | what it did |", "| --- | --- |", *rows])
    page += f"\n\nLLM: {spent}" if spent else ""
    show_page("run-summary", page, "What each stage of the last pipeline run did")


def _said(counts: Mapping[str, Any]) -> str:
    """Counts in a line, without those of which there are none."""
    kept = [f"{n} {name}" for name, n in counts.items() if n != 0 and name not in NO_COUNTS]
    return ", ".join(kept) or "nothing to do"
