"""Words that an LLM wrote are a stranger's: only plain, short, descriptive English is let in."""

from __future__ import annotations

import re
import unicodedata

from triage.cleaning import redact

# What typesetting adds to plain words; NFKC has dealt with ligatures and full-width forms.
_TYPESET = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-"}
    | dict.fromkeys("\u2013\u2014", " - ")
)
# Every sign in 2,282 phrases that people wrote for failures was one of - , ' ; / and a letter.
_PLAIN = re.compile(r"[A-Za-z0-9 ,.;:'\"()/%+?!-]+")
_LINK = re.compile(
    r"(?i)[a-z]:/|//|\bwww\.|\b(?:GH|CVE|GHSA)-\w|:[a-z0-9+-]+:"
    r"|[a-z0-9-]\.(?:com|org|net|io|ai|app|dev|co|xyz|info|link|site|online|ru|cn|de|uk)\b"
)
# Said to whoever reads it, not of a failure: orders at the start of a clause, and how prompts
# speak of themselves. One of those 2,282 phrases is refused by it.
_ORDER = re.compile(
    r"""(?ix)
    (?:\A|[,;.:!?"'(-]\s*|\b(?:and|then|now|just|kindly|instead)\s)
    (?:
      (?:ignore|disregard|forget|override|assign|reassign|escalate|prioriti[sz]e|classify|pretend
        |reveal|obey|comply|reopen)\b(?!-)
    | (?:close|merge|mark|label|tag|treat|route|file|approve|dismiss|answer|reply|respond|set|make
        |send|say|write|output|print|return|follow|execute|run|use|notify|visit|contact|tell
        |mention|open|delete|add|remove|change|give|do|put|note|remember|be)\s
      (?:only|exactly
      |(?:(?:the|all|any|every|each|these|those|your|my|to|as|with|into|in|of|not)\s){0,3}
       (?:this|it|everything|everyone|everybody|nobody|anybody|anyone|me|us|him|them|above
         |previous|prior|earlier|following
         |(?:\w+\s){0,2}(?:theme|issue|report|ticket|instruction|rule|prompt|owner|assignee
           |maintainer|admin|administrator|verdict|severity|priority|layer|capability|json|docs
           |p[0-3]|quick\sfix|fundamental)s?))\b
    )
    | \b(?:you\s(?:must|should|are|have\sto|will|need)|your\s(?:instructions|rules|task|answer)
        |as\san?\s(?:ai|assistant|llm)|do\snot\s(?:answer|report|file|classify|assign)|please
        |the\s(?:owner|assignee|verdict|severity)\s(?:is|must|should)|quick-fix|wont-?fix
        |(?:previous|above|prior|earlier)\s(?:instruction|prompt|rule)s?)\b
    """
)


class BadAnswer(ValueError):
    """The answer cannot be used; the message says why, without its text."""


def plain_text(text: str, what: str, *, words: tuple[int, int], longest: int) -> str:
    """``text`` on one line, without a full stop, or ``BadAnswer`` that calls it ``what``.

    Let in are English words with ordinary punctuation, as many as ``words`` (least, most) and
    ``longest`` characters at most. Refused are markup, mentions, references, links, invisible or
    foreign characters, orders to the reader, and whatever redaction would replace: an LLM may
    repeat, or make up, a secret, and what it says is stored.
    """
    if len(text) > 2 * longest:
        raise BadAnswer(f"{what} is too long")
    line = " ".join(unicodedata.normalize("NFKC", text).translate(_TYPESET).split()).rstrip(" .")
    folded = _folded(line)
    if len(line) > longest:
        raise BadAnswer(f"{what} is too long")
    if not _PLAIN.fullmatch(folded):
        raise BadAnswer(f"{what} holds markup, a mention or letters that English does not have")
    if _LINK.search(folded):
        raise BadAnswer(f"{what} holds a link or a reference")
    if not words[0] <= len(re.findall(r"[A-Za-z0-9]\S*", folded)) <= words[1]:
        raise BadAnswer(f"{what} has too few or too many words")
    if _ORDER.search(folded):
        raise BadAnswer(f"{what} reads like an instruction")
    if redact(line) != line:
        raise BadAnswer(f"{what} holds a secret or personal data")
    return line


def _folded(text: str) -> str:
    """Letters without their accents, so that `cliché` is plain and nothing else hides in one.

    A mark that stands on no letter, or a second on the same one, stays and is refused.
    """
    decomposed = unicodedata.normalize("NFD", text)
    return re.sub("([A-Za-z])[\u0300-\u036f](?![\u0300-\u036f])", r"\1", decomposed)
