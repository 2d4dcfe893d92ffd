"""Take the names of products and models out of a text, so that likeness is about the failure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Told apart from vectors of texts that were prepared another way.
TEXT_VERSION = "nameless-1"
# What stands in a name's place keeps the sentence readable for the model.
STAND_IN = "it"
_WORD = re.compile(r"[A-Za-z][\w.\-]*|[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]{2,}")
_SHORTEST_NAME = 4


def without_names(text: str, names: Iterable[str | None]) -> str:
    """``text`` with every occurrence of ``names``, and of their telling words, made ``it``.

    ``names`` are what a report says of itself: its model and its environment. A word of theirs
    tells when it is capitalised and longer than three letters, or holds letters and digits
    (``Quillpad 4.2 on Linux``: ``Quillpad``, ``Linux``). Two reports of one failure in two
    products are otherwise kept apart by the products' names.
    """
    found = {name for given in names if given for name in _names_in(given.strip())}
    for name in sorted(found, key=lambda name: (-len(name), name)):
        if name.isascii():
            pattern = rf"(?i)(?<!\w){re.escape(name)}(?!\w)"
            text = re.sub(pattern, STAND_IN, text)
        else:
            text = text.replace(name, "")
    return text


def _names_in(given: str) -> Iterable[str]:
    if given:
        yield given
    for word in _WORD.findall(given):
        is_capitalised = len(word) >= _SHORTEST_NAME and word[0].isupper()
        has_digit = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        if is_capitalised or has_digit or not word.isascii():
            yield word
