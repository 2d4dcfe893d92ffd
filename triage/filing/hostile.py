"""First pass over any text from outside: what remains is visible and sets nothing off.

GitHub reads a rendered page once more for mentions, references and commit hashes, so escaping
Markdown is not enough. ``break_triggers`` puts a zero-width space (U+200B) into each of them:
the eye sees no difference, the pattern no longer matches.
"""

from __future__ import annotations

import re
import unicodedata

ZERO_WIDTH_SPACE = "\u200b"

_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Joiners that emoji, Persian and Indic scripts need; every other format character (bidi
# overrides, tags, soft hyphens, zero-width spaces) hides or reorders text and is dropped.
_KEPT_FORMAT = frozenset("\u200c\u200d")
# Vietnamese, Thai and Hebrew need up to three marks on a letter; longer stacks leave their line.
_MAX_STACKED_MARKS = 4
# A raw-text search for the hidden marker must find nothing that a report brought along.
_MARKER_LIKE = re.compile(r"(?<=<)(?=!)|(?<=feedback)(?=-triage)", re.IGNORECASE)

_TRIGGER = re.compile(
    r"""
      (?<=@)                                        # @user, owner@sha, e-mail addresses
    | (?<=\#)(?=\d)                                 # #12, owner/repo#12
    | (?<=(?<![A-Za-z0-9])GH-)(?=\w)                # GH-12
    | (?<=(?<![A-Za-z0-9])CVE-)(?=\w)               # advisories
    | (?<=(?<![A-Za-z0-9])GHSA-)(?=\w)
    | (?<=:)(?=//)                                  # http://, ftp://
    | (?<=:)(?=[A-Za-z0-9_+\-]{1,60}:)              # :emoji:
    | (?<=www)(?=\.)
    | (?<=github)(?=\.com)                          # github.com/owner/repo/issues/1
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Whatever follows: what comes after the run may be cut off later.
_HASH_LIKE = re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{7,}", re.IGNORECASE)
_HASH_PIECE = 6  # one character less than the shortest commit hash that is linked


def visible_text(text: str) -> str:
    """The text without anything invisible or terminal-active; lines end in ``\\n``.

    Every Unicode line separator becomes a line end, a tab four spaces, a lone surrogate the
    replacement character. No HTML comment opens in the result and our marker's name is split.
    """
    plain = "\n".join(_TERMINAL_COLOUR.sub("", text).splitlines()).replace("\t", "    ")
    kept: list[str] = []
    marks = 0
    for character in plain:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category == "Cs":
            kept.append("\ufffd")
        elif not _is_hidden(character, category) and marks <= _MAX_STACKED_MARKS:
            kept.append(character)
    return _MARKER_LIKE.sub(ZERO_WIDTH_SPACE, "".join(kept))


def visible_line(text: str) -> str:
    """``visible_text`` on one line, runs of white space (also no-break) as one space."""
    return " ".join(visible_text(text).split())


def break_triggers(text: str) -> str:
    """Take the effect out of mentions, references, links, commit hashes and emoji names."""
    pieces = _HASH_LIKE.sub(_in_pieces, text)
    return _TRIGGER.sub(ZERO_WIDTH_SPACE, pieces)


def _is_hidden(character: str, category: str) -> bool:
    if category == "Cf":
        return character not in _KEPT_FORMAT
    return category == "Cc" and character != "\n"


def _in_pieces(match: re.Match[str]) -> str:
    run = match.group()
    return ZERO_WIDTH_SPACE.join(
        run[start : start + _HASH_PIECE] for start in range(0, len(run), _HASH_PIECE)
    )
