"""Reads the README: its tables, code blocks and what stands in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")


def code_blocks(language: str, text: str = TEXT) -> list[str]:
    """The text of every fenced block in this language, in order."""
    return [found[2] for found in _BLOCK.finditer(text) if found[1] == language]


def section(heading: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"the README has no section {heading!r}"
    return found[1]


def prose() -> str:
    """Everything but the fenced blocks."""
    return _BLOCK.sub("", TEXT)


def spans(text: str) -> list[str]:
    """What stands in backticks, in order; a line break counts as a space."""
    return [" ".join(span.split()) for span in _SPAN.findall(text)]


def table(first_heading: str) -> list[list[str]]:
    """The rows, as cells, of the first table whose first column is called so."""
    lines = iter(prose().splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            next(lines)
            return list(_rows(lines))
    raise AssertionError(f"the README has no table {first_heading!r}")


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def anchors() -> set[str]:
    """The anchor of every heading, as GitHub makes it."""
    titles = re.findall(r"^#+ (.+)$", prose(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links() -> list[str]:
    """The target of every link."""
    return re.findall(r"\]\(([^)\s]+)\)", prose())


def variants(synopsis: str) -> list[list[str]]:
    """The argument lists that ``triage proposal N --accept\\|--decline [--by X]`` stands for.

    What is in brackets is given, each alternative once; a word in capitals becomes ``1``, and an
    ellipsis goes.
    """
    parts = re.findall(r"\[[^\]]*\]|\S+", synopsis.replace("\\|", "|").replace("…", ""))
    choices = [_choices(part.strip("[]")) for part in parts]
    return [
        ["1" if word.isupper() else word for word in chain(*chosen)] for chosen in product(*choices)
    ]


def _choices(part: str) -> list[list[str]]:
    alternatives = part.split("|")
    if all(each.startswith("-") for each in alternatives):
        return [each.split() for each in alternatives]
    return [list(words) for words in product(*(word.split("|") for word in part.split()))]
