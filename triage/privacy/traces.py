"""What a text may have left behind, and how it is found again however it was laid out.

Quotes are wrapped, escaped, cut and broken by invisible characters, so texts are compared
*squeezed*: lower case, without white space, punctuation and what cannot be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# ASCII punctuation, blanks, controls, zero-width characters, the ellipsis and curly quotes. The
# same class is written for PostgreSQL in ``store.traces``; a test holds the two together.
SQUEEZED_OUT = "\u0001-/:-@\\[-`{-\u00a0\u00ad\u2000-\u206f\u3000\ufeff"
_SQUEEZED_OUT = re.compile(f"[{SQUEEZED_OUT}]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…\u3002\uff01\uff1f])\s*|\n+")
_ASCII_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(65, 91)})

# A sentence is looked for by its beginning: titles and quotes cut at the end.
NEEDLE_CHARS = 40
FEWEST_CHARS = 16  # shorter pieces stand in other people's words too
# Of other scripts a character says as much as a syllable.
FEWEST_WIDE_CHARS = 8
MOST_NEEDLES = 400


@dataclass(frozen=True, slots=True)
class Needles:
    """Pieces of removed texts, squeezed; ``is_short`` says that some text had none to look for."""

    pieces: tuple[str, ...]
    is_short: bool = False


def squeezed(text: str) -> str:
    """The text as it is compared: ASCII lower case, letters, digits and other scripts only."""
    return _SQUEEZED_OUT.sub("", text.translate(_ASCII_LOWER))


def needles_of(texts: Iterable[str]) -> Needles:
    """The beginnings of all sentences and lines of some texts, longest first, each once.

    At most ``MOST_NEEDLES``. A text whose every sentence is too short is named in ``is_short``.
    """
    pieces: dict[str, None] = {}
    is_short = False
    for text in texts:
        own = [squeezed(sentence)[:NEEDLE_CHARS] for sentence in _SENTENCE_END.split(text)]
        whole = squeezed(text)[:NEEDLE_CHARS]
        kept = [piece for piece in (whole, *own) if _is_telling(piece)]
        is_short |= bool(text.strip()) and not kept
        pieces.update(dict.fromkeys(kept))
    longest = sorted(pieces, key=lambda piece: (-len(piece), piece))
    return Needles(tuple(longest[:MOST_NEEDLES]), is_short)


def quotes(text: str, pieces: Iterable[str]) -> bool:
    """Whether a text repeats one of some pieces, in whatever layout."""
    found = squeezed(text)
    return any(piece in found for piece in pieces)


def _is_telling(piece: str) -> bool:
    wide = sum(not character.isascii() for character in piece)
    return len(piece) >= FEWEST_CHARS or wide >= FEWEST_WIDE_CHARS
