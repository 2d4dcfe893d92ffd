"""What commands share when they show something: tables, JSON, progress bars."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

output = Console(soft_wrap=False)
errors = Console(stderr=True)

STOPPED_HINT = "Nothing was done: somebody stopped this stage, see `triage doctor`."

AsJson = typer.Option(False, "--json", help="Print JSON instead of a table.")


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table or as a JSON array; ``empty`` is said when there are none.

    A column in which no row has anything is left out of the table.
    """
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str))
        return
    if not rows:
        errors.print(empty)
        return
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    names = [name for name in rows[0] if any(row[name] not in ("", None) for row in rows)]
    for name in names:
        numeric = all(isinstance(row[name], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # Text, not markup: a report's "[bold]" must stay what it is.
        table.add_row(*(Text(printable(value)) for value in map(row.get, names)))
    output.print(table)


def show_themes(rows: Sequence[Mapping[str, Any]]) -> None:
    """The themes in the width of a terminal, one line each, then why the others wait."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold", box=None)
    left = output.width
    for name in ("theme", "people", "verdict", "priority", "capability"):
        width = max([len(name), *(len(str(row[name])) for row in rows)])
        justify: Literal["left", "right"] = "right" if name == "people" else "left"
        table.add_column(name, no_wrap=True, min_width=width, justify=justify)
        left -= width + 2
    # Too narrow a terminal would take the room from the first columns instead.
    table.add_column("title", no_wrap=True, overflow="ellipsis", max_width=max(left, 10))
    for row in rows:
        related = row["group"] not in ("", row["theme"])
        cells = {**row, "title": f"↳ {row['title']}"} if related else row
        shown = [Text(printable(cells[str(column.header)])) for column in table.columns]
        table.add_row(*shown)
    output.print(table)
    blockers = Counter(
        row["issue or blocker"].partition(":")[0] for row in rows if row["issue or blocker"]
    )
    for blocker, count in blockers.most_common():
        if not blocker.startswith("http"):
            output.print(Text(f"{count:5} {printable(blocker)}"), soft_wrap=True)


def printable(value: Any) -> str:
    """A value as one safe terminal string: no control character reaches the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show each kind of work as a bar on standard error; gone when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total or None)

        yield show
