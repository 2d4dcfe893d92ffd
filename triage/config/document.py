"""A YAML 1.2 file as plain values, with the line of every key; nothing in it is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from triage.config.checks import ConfigProblem, Place

# A configuration of fifty capabilities has some 2,000 values; aliases may multiply them.
MAX_VALUES = 100_000
MAX_DEPTH = 30
_TAG = "tag:yaml.org,2002:"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class DocumentError(Exception):
    """The text is no YAML document that can be used; ``line`` counts from 1."""

    def __init__(self, line: int | None, problem: str, remedy: str) -> None:
        self.line = line
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


@dataclass(slots=True)
class Document:
    """The content (lists as tuples) and, by place, the line where each value stands."""

    content: object = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    values: int = 0

    def line_of(self, place: Place) -> int | None:
        """Line of a place, or of the nearest part around it that is in the file."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place)

    def strings(self) -> Iterator[tuple[Place, str]]:
        """Every text value with its place."""
        yield from _strings((), self.content)


def parse_document(text: str) -> Document:
    """Parse one YAML document; raises ``DocumentError`` where there is none.

    Duplicate keys and unknown tags are collected in ``problems``: they do not hide each other.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError, ValueError) as error:
        raise _translated(error, text) from error
    if root is None:
        raise DocumentError(
            None, "is empty", "Write the annotated default with `triage init`, and edit that."
        )
    document = Document()
    document.content = _plain(root, (), document)
    return document


def _plain(node: Node, place: Place, document: Document) -> object:
    document.lines.setdefault(place, node.start_mark.line + 1)
    document.values += 1
    if len(place) > MAX_DEPTH:
        raise DocumentError(document.lines[place], "is nested too deeply", "Flatten it.")
    if document.values > MAX_VALUES:
        raise DocumentError(
            document.lines[place],
            f"holds more than {MAX_VALUES} values, or its aliases (`*name`) unfold into as many",
            "Shorten it; write values out instead of using anchors.",
        )
    if isinstance(node, MappingNode):
        return _mapping(node, place, document)
    if isinstance(node, ScalarNode):
        return _scalar(node, place, document)
    _check_tag(node, ("seq",), place, document)
    return tuple(_plain(item, (*place, at), document) for at, item in enumerate(node.value))


def _mapping(node: MappingNode, place: Place, document: Document) -> dict[str, object]:
    _check_tag(node, ("map",), place, document)
    content: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        here = (*place, key)
        if key in content:
            first = document.lines[here]
            document.lines[(*here, "again")] = key_node.start_mark.line + 1
            document.problems.append(
                ConfigProblem(
                    (*here, "again"),
                    f"the key '{key}' stands already in line {first}",
                    "Keep one of the two.",
                )
            )
            continue
        document.lines[here] = key_node.start_mark.line + 1
        content[key] = _plain(value_node, here, document)
    return content


def _scalar(node: ScalarNode, place: Place, document: Document) -> object:
    kind = str(node.tag).removeprefix(_TAG)
    written = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return written.casefold() == "true"
    try:
        if kind == "int":
            return int(written.replace("_", ""), 0)
        if kind == "float":
            return float(written.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        if kind == "timestamp" and _DATE.fullmatch(written):
            return date.fromisoformat(written)
    except ValueError:
        return written  # 08 or 2026-02-30: the field's own check says what it wants
    _check_tag(node, ("str", "int", "float", "timestamp"), place, document)
    return written


def _check_tag(node: Node, known: tuple[str, ...], place: Place, document: Document) -> None:
    if str(node.tag).removeprefix(_TAG) not in known:
        document.problems.append(
            ConfigProblem(place, f"the tag '{node.tag}' is not allowed", "Write a plain value.")
        )


def _translated(error: Exception, text: str) -> DocumentError:
    """The parser's complaint in one sentence, without the line's text (it may hold a secret)."""
    if isinstance(error, RecursionError):
        return DocumentError(None, "is nested too deeply", "Flatten it.")
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, int(error.position)) + 1
        return DocumentError(line, "has a character that YAML forbids", "Delete the character.")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line_number: int | None = mark.line + 1 if mark else None
    problem = str(error.problem) if isinstance(error, MarkedYAMLError) else "is no valid YAML"
    return DocumentError(line_number, f"YAML: {problem}", _remedy(error, problem, text, mark))


def _remedy(error: Exception, problem: str, text: str, mark: Any) -> str:
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return "Indent with spaces: YAML allows no tabs."
    if isinstance(error, ComposerError) and "single document" in str(error):
        return "Delete the second `---` and what follows it."
    return (
        "Check this line and the one above it: indentation, a missing ':', quotes around text "
        "that holds ': ', ' #' or starts with '*', '&', '@', '%' or '`'."
    )


def _strings(place: Place, value: object) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings((*place, key), item)
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from _strings((*place, at), item)
