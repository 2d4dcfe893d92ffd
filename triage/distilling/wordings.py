"""A theme's title and summary as an LLM words them, cut down to what can be checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from triage.distilling.answers import read_object
from triage.distilling.plain import BadAnswer, plain_text
from triage.types import CitedSentence, ThemeWording

TITLE_WORDS = (4, 14)
LONGEST_TITLE = 120
SENTENCE_WORDS = (4, 45)
LONGEST_SENTENCE = 300
MOST_SENTENCES = 3
LONGEST_TEXT = 800  # of each report; five of them are some 1,500 tokens

WORDING_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "4 to 14 plain words, no product names"},
        "sentences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "report_ids": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["text", "report_ids"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["title", "sentences"],
    "additionalProperties": False,
}
# Part of an environment's name, yet what a failure may well be about.
_PLATFORMS = {
    "linux", "windows", "macos", "darwin", "ubuntu", "debian", "android", "ios", "docker",
    "kubernetes", "python", "java", "javascript", "typescript", "rust", "bash", "powershell",
    "terminal", "browser", "chrome", "firefox", "safari", "desktop", "mobile", "server",
    "cuda", "nvidia", "intel", "apple", "english", "chinese",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_][\w.-]*\w")
_UNLIKE_A_WORD = re.compile(r"\d|[^\W_][-_. ]+[^\W_]|[a-z][A-Z]")
_SHORTEST_NAME = 4


@dataclass(frozen=True, slots=True)
class ThemeMaterial:
    """What a theme is worded from: texts of its reports by id, and the names to leave out.

    ``failures`` are the phrases of those reports that have one. ``names`` are models and
    environments as the reports write them.
    """

    texts: Mapping[str, str]
    failures: Mapping[str, str] = field(default_factory=dict)
    names: Collection[str] = ()

    @property
    def hash(self) -> str:
        """SHA-256 hex of all that is asked about."""
        return hashlib.sha256(theme_message(self).encode("utf-8", "surrogatepass")).hexdigest()


def theme_message(material: ThemeMaterial) -> str:
    """The theme's reports as JSON: quoted, so that no text can pose as another one's id."""
    reports = [
        {"id": report_id, "text": text[:LONGEST_TEXT]}
        | ({"failure": material.failures[report_id]} if report_id in material.failures else {})
        for report_id, text in material.texts.items()
    ]
    return json.dumps({"reports": reports}, ensure_ascii=False)


def read_wording(content: str, material: ThemeMaterial) -> ThemeWording:
    """What can be used of an answer: the title, or None, and the sentences that cite.

    A title that is not plain, or names a product, goes; so does a sentence that is not plain, or
    cites no report, or one that is not in the theme. Raises ``BadAnswer`` when nothing is left.
    """
    answer = read_object(content, {"title": str, "sentences": list})
    title, why = _title(answer["title"], material.names)
    sentences = [_sentence(item, material) for item in answer["sentences"][: 2 * MOST_SENTENCES]]
    usable = tuple(sentence for sentence in sentences if sentence is not None)[:MOST_SENTENCES]
    if title is None and not usable:
        raise BadAnswer(f"no sentence cites a report of the theme, and {why}")
    return ThemeWording(title, usable)


def _title(written: str, names: Collection[str]) -> tuple[str | None, str]:
    """The title, or None and why not."""
    try:
        title = plain_text(written, "the title", words=TITLE_WORDS, longest=LONGEST_TITLE)
    except BadAnswer as error:
        return None, str(error)
    if names_something(title, names):
        return None, "the title names a product"
    return title[0].upper() + title[1:], ""


def _sentence(item: object, material: ThemeMaterial) -> CitedSentence | None:
    if not isinstance(item, dict):
        return None
    text, cited = item.get("text"), item.get("report_ids")
    if not isinstance(text, str) or not isinstance(cited, list) or not cited:
        return None
    if not all(isinstance(report_id, str) and report_id in material.texts for report_id in cited):
        return None
    try:
        plain = plain_text(text, "a sentence", words=SENTENCE_WORDS, longest=LONGEST_SENTENCE)
    except BadAnswer:
        return None
    return CitedSentence(plain, tuple(dict.fromkeys(cited)))


def names_something(title: str, names: Collection[str]) -> bool:
    """Whether a title holds one of the names, or a telling word of one.

    A single word counts as it is written, since `Quill` is a product and `quill` is not; a whole
    name, and a word with a digit, a hyphen or a capital inside, count in any case. Platforms are
    no products.
    """
    words = {word for name in names for word in (name.strip(), *_WORD.findall(name))}
    for word in words:
        is_sure = _UNLIKE_A_WORD.search(word) is not None
        is_capitalised = len(word) >= _SHORTEST_NAME and word[0].isupper()
        if word.lower() in _PLATFORMS or not (is_sure or is_capitalised):
            continue
        pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
        if re.search(pattern, title, re.IGNORECASE if is_sure else 0):
            return True
    return False
