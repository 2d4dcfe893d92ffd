"""The machine's comments on an issue: what changed, why, and how to stop it; each marked once."""

from __future__ import annotations

from collections.abc import Sequence

from triage.filing.markdown import code_span, safe_prose
from triage.filing.marker import note_marker
from triage.listening import HELP

_STOP = (
    "<sub>`/triage mute` on a line of its own stops such comments here; `/triage help` lists what "
    "else people who may write here can say.</sub>"
)


def news_note(news: Sequence[str], note: str, key: bytes) -> str:
    """What changed since something was last said; each sentence is Markdown of ours."""
    lines = [f"- {line}" for line in news]
    return _note(["Something changed that matters here:", "\n".join(lines), _STOP], note, key)


def merged_note(target: int, author: str | None, reason: str, note: str, key: bytes) -> str:
    """That the theme of this issue is part of another's now."""
    by = f" {code_span(author, 60)} said so" if author else ""
    why = f": {safe_prose(reason, 300)}" if by and reason else ""
    said = f"This is the same failure as #{target}, which speaks for both from now on.{by}{why}"
    return _note([said.rstrip(".") + ".", _STOP], note, key)


def elsewhere_note(note: str, key: bytes) -> str:
    """That the theme is part of one in another repository, whose address is not for everybody."""
    said = "This failure is followed with others in another repository from now on."
    return _note([said, _STOP], note, key)


def error_note(problems: Sequence[str], note: str, key: bytes) -> str:
    """What was wrong with a command; nothing that it said was done."""
    lines = [f"- {safe_prose(problem, 400)}" for problem in problems]
    return _note(["That could not be done:", "\n".join(lines), HELP], note, key)


def help_note(note: str, key: bytes) -> str:
    """The list of commands."""
    return _note([HELP], note, key)


def verdict_note(
    headline: str, lines: Sequence[str], consequences: Sequence[str], note: str, key: bytes
) -> str:
    """What a release did to the failure: the verdict, every figure, what follows from it."""
    figures = "\n".join(f"- {safe_prose(line, 600)}" for line in lines)
    follows = " ".join(consequences)
    return _note([f"### {headline}", figures, follows, _STOP], note, key)


def told_note(number: int) -> str:
    """What the one comment on a reporter's issue is called, whichever version it names."""
    return f"reporter told on #{number}"


def mended_note(version: str, number: int, key: bytes) -> str:
    """To a reporter, on the reporter's own issue: mended in a version, please try; said once."""
    said = (
        f"What is reported here is mended in {code_span(version, 60)}, as far as the reports about "
        "that version show. Please try it."
    )
    ask = (
        "If it still fails for you there, say so here: answers to this are read. "
        "Nothing more is written here by this program."
    )
    return _note([said, f"<sub>{ask}</sub>"], told_note(number), key)


def _note(paragraphs: Sequence[str], note: str, key: bytes) -> str:
    return "\n\n".join([*(p for p in paragraphs if p), note_marker(note, key)])
