"""The machine's part of a body: found, compared and replaced; everything around it stays."""

from __future__ import annotations

import hashlib

from triage.filing.marker import SECTION_BEGIN, SECTION_END

MAX_ISSUE_CHARS = 65_536  # GitHub's limit


def section_in(body: str) -> str | None:
    """The part between our marks with the marks; None unless both are there exactly once."""
    text = _plain(body)
    if text.count(SECTION_BEGIN) != 1 or text.count(SECTION_END) != 1:
        return None
    start, end = text.index(SECTION_BEGIN), text.index(SECTION_END)
    return text[start : end + len(SECTION_END)] if start < end else None


def section_digest(body: str) -> str | None:
    """A hash of the machine's part, the same whichever line ends a browser sent; None: no part."""
    section = section_in(body)
    if section is None:
        return None
    lines = "\n".join(line.rstrip() for line in section.split("\n"))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def with_section(body: str, fresh: str) -> str | None:
    """The body with its marked part replaced by the one in ``fresh``; all else to the letter.

    None where either has no part of ours, or where the result would be too long for GitHub.
    """
    old, new = section_in(body), section_in(fresh)
    if old is None or new is None:
        return None
    before, _, rest = body.partition(SECTION_BEGIN)
    _, _, after = rest.partition(SECTION_END)
    whole = before + new + after
    return whole if len(whole) <= MAX_ISSUE_CHARS else None


def emptied_section() -> str:
    """Our marked part without anything in it but why; for an issue that speaks for no theme now."""
    said = "What stood here was removed, since somebody's words were to be forgotten."
    return f"{SECTION_BEGIN}\n\n{said}\n\n{SECTION_END}"


def _plain(body: str) -> str:
    """GitHub's editor sends carriage returns."""
    return body.replace("\r\n", "\n")
