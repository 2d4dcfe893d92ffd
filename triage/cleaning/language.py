"""The language of a report: as declared, else by its script, else by py3langid."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# A shorter text is guessed from its script only: py3langid takes "ok thx" for any of ten languages.
FEWEST_LETTERS = 20
# Below this the detector's first guess is no better than none.
LEAST_PROBABILITY = 0.6
_ENOUGH_CHARACTERS = 300  # 0.4 ms; the whole of a long text takes ten times that

_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8}){0,5}\Z")
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "na", "nil"})
_KANA = re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7af]")
_NO_WORD = re.compile(r"\[(?:secret|email|ip|mac|phone|card|user)\]|[!-~]{25,}")


def declared_language(declared: str | None) -> str | None:
    """ISO 639 code of a BCP-47 code (``zh-Hans-CN`` gives ``zh``); None for anything else."""
    code = _CODE.match(declared.strip()) if declared else None
    return code[1].lower() if code and code[1].lower() not in _NO_LANGUAGE else None


def find_language(declared: str | None, text: str) -> str | None:
    """ISO 639 code (``en``, ``zh``), or None where nothing can be said; what was declared wins."""
    return declared_language(declared) or detect_language(text)


def detect_language(text: str) -> str | None:
    """Language of a text by script (Chinese, Japanese, Korean) or by py3langid; else None."""
    words = _NO_WORD.sub(" ", text[:_ENOUGH_CHARACTERS])
    letters = sum(map(str.isalpha, words))
    east_asian = None if words.isascii() else _east_asian_language(words, letters)
    if east_asian or letters < FEWEST_LETTERS:
        return east_asian
    language, probability = _identifier().classify(words)
    return str(language) if probability >= LEAST_PROBABILITY else None


def _east_asian_language(text: str, letters: int) -> str | None:
    """By share of letters: such texts quote English names, the reverse is a few characters."""
    kana, han, hangul = (len(script.findall(text)) for script in (_KANA, _HAN, _HANGUL))
    if 5 * (kana + han + hangul) < letters or not letters:
        return None
    if hangul >= kana + han:
        return "ko"
    return "ja" if 10 * kana >= han else "zh"


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
