"""Slash commands in comments: hostile text in, a few well-formed wishes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.types import Priority, Verdict

MAX_COMMANDS = 5
MAX_REASON_CHARS = 500
_MAX_BODY_CHARS = 65_536
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINE = re.compile(r"/triage(?:\s+(?P<rest>.*))?$", re.IGNORECASE)
_THEME_OR_ISSUE = re.compile(r"(?:#[1-9][0-9]{0,9}|T[1-9][0-9]{0,17})", re.IGNORECASE)
_WORD = re.compile(r"[\w.:#/-]{1,200}")

# name: (how many arguments at least, at most); all but help may end in `because …`.
_SHAPES = {
    "verdict": (1, 1),
    "capability": (1, 1),
    "owner": (1, 1),
    "priority": (1, 1),
    "merge": (1, 1),
    "split": (1, 50),
    "not-planned": (0, 0),
    "claim": (1, 1),
    "unclaim": (0, 0),
    "reopen": (0, 0),
    "refresh": (0, 0),
    "mute": (0, 0),
    "unmute": (0, 0),
    "help": (0, 0),
}

_VALUES = {
    "verdict": {verdict.value: verdict.value for verdict in Verdict},
    "priority": {priority.value.casefold(): priority.value for priority in Priority},
}

HELP = """Write one command a line, each may end in `because …`:

| command | what it does |
| --- | --- |
| `/triage verdict quick-fix` or `fundamental` or `undecided` | your verdict holds |
| `/triage capability ID` | another part of the model; its owner takes over |
| `/triage owner LOGIN` | somebody else takes it |
| `/triage priority P0` … `P3` | your priority holds |
| `/triage merge #N` | it is the same failure as that issue |
| `/triage split REPORT …` | these reports are another failure |
| `/triage claim VERSION`, `/triage unclaim` | it is to be mended in that version |
| `/triage not-planned` | set it aside |
| `/triage reopen` | take it up again |
| `/triage refresh` | rewrite the machine's part of the text, though somebody edited it |
| `/triage mute`, `/triage unmute` | no comments from the machine here, or comments again |

Only people who may write to this repository are heard."""


@dataclass(frozen=True, slots=True)
class Command:
    """One wish; ``problem`` says what is wrong with it, None where it can be carried out."""

    name: str
    arguments: tuple[str, ...]
    reason: str
    problem: str | None = None


def parse_commands(body: str) -> tuple[Command, ...]:
    """The commands of a comment, in order, at most five.

    A command is a whole line that begins with ``/triage``, outside of code fences, indented code
    and quotes: what somebody quotes from a mail or a report commands nothing.
    """
    found = []
    for line in plain_lines(body[:_MAX_BODY_CHARS]):
        match = _LINE.fullmatch(line.strip()) if line.lstrip().startswith("/") else None
        if match is not None:
            found.append(_command(match["rest"] or ""))
        if len(found) == MAX_COMMANDS:
            break
    return tuple(found)


def plain_lines(body: str) -> Iterator[str]:
    """The lines of a comment outside of code fences, indented code and quotes."""
    fence = ""
    for line in body.splitlines():
        opened = _FENCE.match(line)
        if fence:
            mark = line.strip()
            if mark.startswith(fence) and not mark.strip(fence[0]):
                fence = ""
            continue
        if opened is not None:
            fence = opened[1]
        elif not line.startswith(("    ", "\t")) and not line.lstrip().startswith(">"):
            yield line


def _command(rest: str) -> Command:
    said, _, reason = _split_reason(rest)
    words = said.split()
    name = words[0].casefold() if words else "help"
    arguments = tuple(word.removeprefix("@") for word in words[1:])
    reason = " ".join(reason.split())[:MAX_REASON_CHARS]
    if name not in _SHAPES:
        return Command("help", (), "", "there is no such command")
    least, most = _SHAPES[name]
    if not least <= len(arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        return Command(name, (), reason, f"`{name}` takes {wanted} words after it")
    if not all(_WORD.fullmatch(argument) for argument in arguments):
        return Command(name, (), reason, f"what follows `{name}` cannot be read")
    allowed = _VALUES.get(name)
    if allowed is not None:
        arguments = tuple(allowed.get(argument.casefold(), "") for argument in arguments)
        if not all(arguments):
            return Command(name, (), reason, f"`{name}` takes {' or '.join(allowed.values())}")
    if name == "merge" and not _THEME_OR_ISSUE.fullmatch(arguments[0]):
        return Command(name, (), reason, "`merge` takes `#` and an issue's number, or a theme")
    return Command(name, arguments, reason)


def _split_reason(rest: str) -> tuple[str, str, str]:
    found = re.search(r"(?:^|\s)because\b[:\s]*", rest, re.IGNORECASE)
    if found is None:
        return rest, "", ""
    return rest[: found.start()], found.group(), rest[found.end() :]
