"""Any text as harmless GitHub-flavoured Markdown: a quote, a code span, prose, or a title.

Each function promises that its result renders as the given words and as nothing else, wherever
in a line, list item or table cell it is put (``quote_block``: on lines of its own).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from triage.filing.hostile import ZERO_WIDTH_SPACE, break_triggers, visible_line, visible_text

MAX_TITLE_CHARS = 120  # GitHub takes 256; its lists show about this much
_ELLIPSIS = "…"

_ESCAPED = {
    **{character: f"\\{character}" for character in "\\*_[]~|#"},
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "`": "&#96;",  # as an entity it cannot end a code span that stands before it
    "$": "<span>$</span>",  # GitHub's documented way to say that no formula begins here
}
_BLOCK_START = re.compile(r"[-+=:]|\d{1,9}[.)](?=\s|$)")
_NEEDS_ENTITIES = re.compile(r"[`|\\]")
_FENCE_RUN = re.compile(r"`+|~+")
_URL = re.compile(r"(?:https?|ftp)://[^\s<>]*", re.IGNORECASE)


def safe_prose(text: str, max_chars: int = 2000) -> str:
    """One line of running text; at most ``max_chars`` characters of Markdown, then "…"."""
    line = break_triggers(visible_line(text[: max_chars * 4]))
    escaped = [_ESCAPED.get(character, character) for character in line]
    if start := _BLOCK_START.match(line):
        escaped[start.end() - 1] = f"\\{line[start.end() - 1]}"
    return _joined(escaped, max_chars)


def code_span(text: str, max_chars: int = 200) -> str:
    """One line of code; a ``<code>`` element where back-ticks would not hold in a table cell."""
    line = visible_line(text[: max_chars * 4])
    if not line:
        return "`-`"
    if _NEEDS_ENTITIES.search(line):
        return f"<code>{safe_prose(line, max_chars - len('<code></code>'))}</code>"
    return f"`{_joined(list(line), max_chars - 2)}`"


def plain_title(text: str, max_chars: int = MAX_TITLE_CHARS) -> str:
    """An issue's title: addresses shortened to their host, nothing that links or notifies."""
    line = visible_line(_URL.sub(_host, text[: max_chars * 10]))
    return _joined(list(break_triggers(line)), max_chars) or "Untitled failure"


def quote_block(text: str, max_chars: int = 1200, *, columns: int = 90, max_lines: int = 60) -> str:
    """A blockquote around a fenced code block that nothing inside can end.

    Lines are broken at ``columns`` display columns (East Asian wide characters count two), at
    a space where there is one. What is longer than ``max_chars`` or ``max_lines`` is cut and
    says so.
    """
    clean = visible_text(text[: max_chars * 2]).strip()
    shown = re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", clean[:max_chars])
    lines = [row for line in shown.split("\n") for row in wrap_columns(line, columns)]
    if len(text) > max_chars * 2 or len(clean) > max_chars or len(lines) > max_lines:
        lines = [*lines[:max_lines], f"[… shortened; the whole text has {len(text)} characters]"]
    longest = max((len(run) for line in lines for run in _FENCE_RUN.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join(f"> {line}".rstrip() for line in (f"{fence}text", *lines, fence))


def wrap_columns(line: str, columns: int) -> list[str]:
    """Break one line so that no row is wider than ``columns`` (at least 2) on screen."""
    rows: list[str] = []
    start, width, space = 0, 0, -1
    for position, character in enumerate(line):
        wide = _display_width(character)
        if width + wide > columns:
            cut = space + 1 if space >= start else position
            rows.append(line[start:cut].rstrip())
            start, width = cut, sum(_display_width(c) for c in line[cut:position])
        if character == " ":
            space = position
        width += wide
    return [*rows, line[start:].rstrip()]


def _display_width(character: str) -> int:
    if character == ZERO_WIDTH_SPACE or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _joined(units: list[str], max_chars: int) -> str:
    """As many whole units as fit; an escape is never cut in two."""
    whole = "".join(units)
    if len(whole) <= max_chars:
        return whole
    room = max_chars - len(_ELLIPSIS)
    taken: list[str] = []
    for unit in units:
        room -= len(unit)
        if room < 0:
            break
        taken.append(unit)
    return "".join(taken).rstrip() + _ELLIPSIS


def _host(match: re.Match[str]) -> str:
    try:
        host = urlsplit(match.group()).hostname
    except ValueError:
        host = None
    return (host or "address").removeprefix("www.")
