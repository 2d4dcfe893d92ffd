"""A digest as Markdown for a page and as plain text for a message; report text sets nothing off."""

from __future__ import annotations

from triage.digests.drafting import Digest, Line
from triage.filing.hostile import break_triggers, visible_line
from triage.filing.links import safe_link
from triage.filing.markdown import safe_prose

MOST_LINES = 15  # of a section; the rest is counted
_TITLE_CHARS = 120
REPEATED = "Sent once more: an earlier sending of this digest was not confirmed."
QUIET = "Nothing new, and nothing awaits you."


def digest_markdown(digest: Digest) -> str:
    """The digest as a Markdown page."""
    parts = [f"## {safe_prose(digest.owner, 100)}: week of {digest.week}"]
    for heading, lines in digest.sections:
        parts += ["", f"### {heading}", ""]
        parts += [_markdown_line(line) for line in lines[:MOST_LINES]]
        parts += [f"- {more}" for more in _more(lines)]
    if not digest.sections:
        parts += ["", QUIET]
    return "\n".join(parts)


def digest_text(digest: Digest, *, is_repeat: bool = False) -> tuple[str, str]:
    """Subject and text of a message. ``is_repeat``: an earlier one may have arrived; it says so."""
    counts = ", ".join(f"{len(lines)} {heading.lower()}" for heading, lines in digest.sections)
    subject = f"Feedback of the week of {digest.week}: {counts or 'nothing new'}"
    parts = [REPEATED, ""] if is_repeat else []
    parts.append(f"For {break_triggers(visible_line(digest.owner))}.")
    for heading, lines in digest.sections:
        parts += ["", heading]
        parts += [_text_line(line) for line in lines[:MOST_LINES]]
        parts += [f"  {more}" for more in _more(lines)]
    if not digest.sections:
        parts += ["", QUIET]
    return subject, "\n".join(parts) + "\n"


def _markdown_line(line: Line) -> str:
    name = safe_link(line.theme, line.url) if line.url else line.theme
    return f"- {name} {safe_prose(line.title, _TITLE_CHARS)}: {safe_prose(line.said, 300)}"


def _text_line(line: Line) -> str:
    title = break_triggers(visible_line(line.title)[:_TITLE_CHARS])
    said = break_triggers(visible_line(line.said))
    return f"- {line.theme} {title}: {said}" + (f"\n  {line.url}" if line.url else "")


def _more(lines: tuple[Line, ...]) -> list[str]:
    left = len(lines) - MOST_LINES
    return [f"and {left} more, see the report page"] if left > 0 else []
