"""Splitting: the reporter's own words apart from code, logs, quotes and forms."""

# ruff: noqa: RUF001  full-width and prompt characters are meant

from __future__ import annotations

import re
from dataclasses import dataclass, field

from triage.cleaning.characters import ELLIPSIS, collapse_whitespace, shorten
from triage.cleaning.signatures import find_error
from triage.cleaning.templates import is_boilerplate, read_heading

_LONGEST_LINE = 300
_MOST_ERROR_CHARACTERS = 700

_COMMENT_END = re.compile(r"--!?>")
_FENCE = re.compile(r"[ \t>]{0,12}(`{3,}|~{3,})[^`\n]*\Z")
_BLOB = re.compile(r"(?:data:[\w/+.-]{1,60};base64,)?[A-Za-z0-9+/_-]{120,}={0,2}")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\S")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s")
_LOG_LINES = (
    r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|goroutine \d+ \[",
    r"at .{1,200}[(:]\S*:\d+(?::\d+)?\)?\s*\Z|thread '[^']+' panicked|#\d+ 0x[0-9a-f]+",
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?\d\d:\d\d:\d\d[\].,]?\d*\]?\s",
    r"\[?(?:INFO|WARN(?:ING)?|ERROR|DEBUG|TRACE|FATAL|CRITICAL)\]?[:\s]|(?:npm )?(?:ERR!|WARN)\s",
    r"\((?:\w+ pid=\d+|[\w.]+Worker\S*)[^)]{0,80}\)",
    r"[$❯]\s+\S|>>> \S|\.\.\. \S|PS [A-Z]:\\|diff --git|@@ -\d|index [0-9a-f]{7,}\.\.",
    r"[\[{\]}(),;]+\s*\Z|\"[^\"]{1,80}\":\s|</?[a-zA-Z][\w-]{0,30}(?:\s[^>]{0,200})?/?>\s*\Z",
    r"import [\w.]+\s*\Z|from [\w.]+ import [\w*, ]+\s*\Z|#include <",
    r"(?:def|class|async def|function|const|let|var)\s\w+.{0,120}[:{;]\s*\Z|[~^]+\s*\Z",
)
_LOG_LINE = re.compile(rf"\s*(?:{'|'.join(_LOG_LINES)})")
_EXCEPTION_LINE = re.compile(r"\s*\w[\w.]{0,60}(?:Error|Exception)(?:: |\s*\Z)")
_INLINE_CODE = re.compile(r"(`[^`\n]{1,2000}`)")
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\(\S[^)\n]{0,500}\)")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\((?:https?:|/|#|mailto:)[^()\s]{1,500}\)")
_LONG_ADDRESS = re.compile(r"<?\bhttps?://[^\s<>\"'`]{30,2000}>?", re.IGNORECASE)
# Only tags that lay out; reports about models speak of others (<think>, </td>).
_LAYOUT_TAG = re.compile(
    r"(?i)</?(?:details|summary|br|img|picture|source|video|sub|sup|kbd|center|font|hr)"
    r"(?:\s[^<>\n]{0,500})?/?>"
)
_LINE_DRESS = re.compile(r"^\s{0,12}(?:[-*+]\s+|#{1,6}\s+)")


@dataclass(slots=True)
class Parts:
    """A body taken apart: lines of own words, of code and logs, and of quotes."""

    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)


def split_body(body: str) -> Parts:
    """Take a (redacted) body apart; every line goes to one part or was written by a form."""
    parts = Parts()
    lines = _without_comments(body).split("\n")
    in_machine_section = False
    unclosed: set[str] = set()
    position = 0
    while position < len(lines):
        line = lines[position]
        fence = _FENCE.match(line)
        end = None
        if fence and fence[1] not in unclosed:
            end = _end_of_fence(lines, position, fence[1])
        if end is not None:
            parts.code += [*lines[position + 1 : end], ""]
            position = end + 1
            continue
        position += 1
        if fence:
            unclosed.add(fence[1])
            continue
        heading = read_heading(line)
        if heading:
            words, is_form, in_machine_section = heading
            if not is_form:
                parts.prose.append(words)
        else:
            _place_line(parts, lines, position - 1, in_machine_section)
    return parts


def _place_line(parts: Parts, lines: list[str], position: int, in_machine_section: bool) -> None:
    line = lines[position]
    if not line.strip() or is_boilerplate(line):
        return
    if line.lstrip().startswith((">", "＞")) and not line.startswith(">>> "):
        parts.quoted.append(line.lstrip(" >＞"))
    elif in_machine_section or _is_machine_line(lines, position):
        parts.code.append(line)
    else:
        prose = _plain(_BLOB.sub(lambda blob: _keep_blob(parts, blob[0]), line))
        if prose:
            parts.prose.append(prose)


def _keep_blob(parts: Parts, blob: str) -> str:
    parts.code.append(f"{blob[:40]}{ELLIPSIS} ({len(blob)} characters)")
    return " "


def _is_machine_line(lines: list[str], position: int) -> bool:
    """Whether a program wrote the line, by its shape and by its neighbours."""
    line = lines[position][:2_000]
    before = lines[position - 1][:2_000] if position else ""
    if _EXCEPTION_LINE.match(line):
        # Alone it is the reporter's cue; below a trace it is the end of it.
        return bool(_LOG_LINE.match(before) or _INDENTED.match(before))
    if _LOG_LINE.match(line):
        return True
    if not _INDENTED.match(line):
        return False
    earlier = next((x for x in reversed(lines[max(0, position - 20) : position]) if x.strip()), "")
    in_list = bool(_LIST_ITEM.match(earlier) or _LIST_ITEM.match(line))
    return not in_list and (
        not before.strip() or bool(_INDENTED.match(before) or _LOG_LINE.match(before))
    )


def _end_of_fence(lines: list[str], start: int, fence: str) -> int | None:
    """The line that closes the fence; one that is never closed is no fence, prose may follow."""
    for position in range(start + 1, len(lines)):
        line = lines[position].strip(" \t>")
        if line.startswith(fence) and not line.strip(fence[0]):
            return position
    return None


def _without_comments(body: str) -> str:
    """The body without HTML comments; one that is never closed ends with its line."""
    if "<!--" not in body:
        return body
    first, *others = body.split("<!--")
    kept = [first]
    for other in others:
        end = _COMMENT_END.search(other)
        kept.append(other[end.end() :] if end else "".join(other.partition("\n")[1:]))
    return "".join(kept)


def _plain(line: str) -> str:
    """A line of prose without markup; inline code and link texts stay as they are."""
    pieces = _INLINE_CODE.split(_LINE_DRESS.sub("", line))
    pieces[::2] = [_without_markup(piece) for piece in pieces[::2]]
    return collapse_whitespace("".join(pieces))


def _without_markup(text: str) -> str:
    if "](" in text:
        text = _LINK.sub(r"\1", _IMAGE.sub(" ", text))
    if "://" in text:
        text = _LONG_ADDRESS.sub(" ", text)
    return _LAYOUT_TAG.sub(" ", text) if "<" in text else text


def shorten_code(lines: list[str], limit: int) -> str:
    """Code and logs in at most ``limit`` characters: error lines, then the head and the tail."""
    kept = [line[:_LONGEST_LINE].rstrip() for line in lines]
    whole = "\n".join(kept).strip("\n")
    if len(whole) <= limit:
        return whole
    errors: list[str] = []
    for line in kept:
        if line not in errors and find_error(line):
            if sum(map(len, errors)) + len(line) > _MOST_ERROR_CHARACTERS:
                break
            errors.append(line)
    room = limit - sum(len(line) + 1 for line in errors) - 2 * len(ELLIPSIS) - 4
    head = shorten(whole, room // 2)
    tail = whole[len(whole) - room // 2 :].partition("\n")[2] or whole[len(whole) - room // 2 :]
    return "\n".join(
        [*errors, *([ELLIPSIS] if errors else []), head.rstrip(ELLIPSIS), ELLIPSIS, tail]
    )
