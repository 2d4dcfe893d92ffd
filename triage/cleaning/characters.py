"""Characters: what may be stored and seen, and how long a text may be."""

from __future__ import annotations

import re

ELLIPSIS = "…"

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_ANSI_SEQUENCE = re.compile(r"\x1b\[[0-9;?]{0,30}[ -/]{0,3}[@-~]|\x1b\][^\x07\x1b\n]{0,300}\x07")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls, bidirectional overrides and marks, invisible fillers, tags: all of them can hide text
# from a reader or cut a secret in two. Tab and line feed stay.
_NEVER_SHOWN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
# Joiners carry meaning in Persian, Indic scripts and emoji, never beside ASCII.
_JOINERS = re.compile("[\u200c\u200d]+")
_ASCII_WORD_AT_END = re.compile(r"[!-~]+\Z")
_LONGEST_SECRET = 5_000


def visible_text(text: str) -> str:
    """The text without anything that a reader cannot see or a database cannot store.

    Line breaks become ``\\n``; controls other than ``\\n`` and ``\\t``, escape sequences of
    terminals, bidirectional controls and zero-width characters go; a lone surrogate becomes
    U+FFFD. Doing it twice changes nothing more.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", text)
    text = _ANSI_SEQUENCE.sub("", text)
    text = _SURROGATES.sub("\ufffd", text)
    text = _NEVER_SHOWN.sub("", text)
    return _JOINERS.sub(_keep_meaningful_joiner, text)


def _keep_meaningful_joiner(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    meaningful = bool(before and after) and not before.isascii() and not after.isascii()
    return match[0][0] if meaningful else ""


def collapse_whitespace(text: str) -> str:
    """The text on one line, every run of white space one space."""
    return " ".join(text.split())


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters; a cut is made between words and marked by an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    if space > limit * 3 // 4:
        cut = cut[:space]
    return cut.rstrip() + ELLIPSIS


def bound(text: str, limit: int) -> str:
    """A beginning of at most ``limit`` characters that ends between two words.

    Used before redaction, so that a hostile text costs no more than a long one. The ASCII word
    that stands on the limit is left out whole, or, where it is longer than any secret, its end:
    half a secret might not be recognised as one.
    """
    if len(text) <= limit:
        return text
    cut = text[:limit]
    word = _ASCII_WORD_AT_END.search(cut, max(0, limit - _LONGEST_SECRET))
    return cut[: word.start()].rstrip() if word else cut
