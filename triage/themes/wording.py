"""The words and sentences of a report, for extractive titles, keywords and summaries."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_STOP_LIST = """
    a able about above after again all almost also although always am an and another any anyone
    anything are aren't around as asked at back be became because been before being below best
    better between both but by came can can't cannot case come comes could couldn't day days did
    didn't different do does doesn't doing don't done down during each either else enough even
    ever every everything exactly far few first for from full gave get gets getting give gives
    goes going gone good got had has hasn't have haven't having he her here him his how i i'd i'm
    i've if in instead into is isn't it it's its itself just keep keeps kept kind knew know last
    least less let like little long look looks lot made make makes many may maybe me mean means
    might mine more most much must my need needs never new next no none nor not nothing now of
    off often ok on once one only or other our out over own part perhaps please put quite rather
    really said same saw say says second see seems seen send sent set several she should since
    so some someone something sometimes still such sure take taken takes tell than that that's
    the their them then there there's these they thing things think this those though three
    through time times to today told too took tried try trying turn twice two under until up
    upon us use used using very want wants was wasn't way we week well went were what when where
    whether which while who whole why will with within without won't work works would wouldn't
    yes yesterday yet you your
"""
STOP_WORDS = frozenset(_STOP_LIST.split())
_LATIN = re.compile(r"[a-zà-öø-ÿ][a-zà-öø-ÿ0-9]*(?:[-_'][a-zà-öø-ÿ0-9]+)*")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
# \u3002 \uff01 \uff1f: the full-width stop, exclamation and question marks
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[.!?…][\"')\]])\s+|(?<=[\u3002\uff01\uff1f])|\n+")


@dataclass(frozen=True, slots=True)
class Background:
    """In how many of ``documents`` texts each word occurs."""

    documents: int
    frequencies: Mapping[str, int]


def words_of(text: str) -> set[str]:
    """Content words of a text, lower case.

    Chinese is written without spaces; pairs of neighbouring characters serve as words, which
    is enough to compare word use without a segmenter's dictionary.
    """
    lower = text.lower()
    latin = {word for word in _LATIN.findall(lower) if len(word) > 2 and word not in STOP_WORDS}
    return latin | {run[i : i + 2] for run in _HAN.findall(lower) for i in range(len(run) - 1)}


def count_background(texts: Iterable[str]) -> Background:
    """Word use over all reports, against which a theme's words stand out."""
    frequencies: Counter[str] = Counter()
    documents = 0
    for text in texts:
        documents += 1
        frequencies.update(words_of(text))
    return Background(documents, frequencies)


def contrastive_weights(texts: Iterable[str], background: Background) -> dict[str, float]:
    """Words of a theme's texts by how much more usual they are there than elsewhere.

    Class-based TF-IDF (Grootendorst 2022) over document frequencies, highest first. A word
    of one report only says nothing about the theme, unless the theme has just that one.
    """
    documents = [words_of(text) for text in texts]
    inside = Counter(word for words in documents for word in words)
    needed = min(2, len(documents))
    total = max(background.documents, len(documents))
    weights = {
        word: count
        / len(documents)
        * math.log(1 + total / max(background.frequencies.get(word, 0), count))
        for word, count in inside.items()
        if count >= needed
    }
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def sentences_of(text: str) -> list[str]:
    """Sentences in order, white space collapsed; empty ones left out."""
    parts = (" ".join(part.split()) for part in _SENTENCE_END.split(text))
    return [part for part in parts if part]


def shorten(text: str, limit: int) -> str:
    """``text`` on one line and within ``limit`` characters, cut at a word, with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip(" ,;:-") + "…"


def is_mostly_latin(text: str) -> bool:
    """Whether a reader of English can at least read the letters."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and sum(c.isascii() for c in letters) / len(letters) > 0.9
