"""What a reporter answers who was told that the failure is mended: it works, or it does not."""

from __future__ import annotations

import re

from triage.listening.commands import plain_lines
from triage.types import AnswerSays

MAX_CHARS = 5_000  # what an answer says stands at its beginning

# General words of trouble that goes on; tried before those of success, since "still does not
# work" holds "work".
_BROKEN = re.compile(
    r"\bstill (?:\w+ ){0,3}(?:broken|fail\w*|happen\w*|occur\w*|see\w*|get\w*|hit\w*|exist\w*|"
    r"there|wrong|present|reproduc\w*|the same|not)\b|"
    r"\b(?:not|n't|never|isn't) (?:\w+ ){0,2}(?:fixed|mended|resolved|solved|gone|work\w*|"
    r"better|help\w*)\b|"
    r"\b(?:does|do|did|is|was|has)(?:n't| not) (?:\w+ ){0,2}(?:fixed|mended|resolved|solved|"
    r"gone|work\w*|help\w*|been fixed)\b|"
    r"\b(?:same (?:problem|issue|error|failure|thing)|no (?:change|difference|improvement)|"
    r"persists?|unchanged|happens again|(?:is|came) back|regress\w*)\b|"
    r"还是|依然|仍然|没有?修|没用|"
    r"\b(?:immer noch|weiterhin|tritt .{0,20}auf|funktioniert (?:\w+ ){0,2}nicht|"
    r"toujours (?:pas|l[ea] même|cassé|présent)|ne (?:marche|fonctionne) (?:\w+ )?pas|"
    r"sigue (?:sin|fallando|igual|pasando)|todavía|no funciona|ainda|não funciona|continua)\b|"
    r"まだ|直って(?:い)?ない",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\b(?:works?|working|fixed|mended|resolved|solved|gone|confirmed|better|all good|"
    r"no longer|can't reproduce|cannot reproduce|not reproduc\w+)\b|"
    r"修复了|解决了|正常了|没问题|可以了|"
    r"\b(?:funktioniert|behoben|gelöst|fonctionne|corrigé|résolu|funciona|resuelto|resolvido|"
    r"solucionado)\b|"
    r"直りました|解決",
    re.IGNORECASE,
)


def what_answer_says(body: str) -> AnswerSays:
    """Whether an answer says that it still fails, that it works, or neither; by its own words.

    Quotes and code are not read: in a reply they are somebody else's.
    """
    text = "\n".join(plain_lines(body[:MAX_CHARS])).replace("\u2019", "'")
    if _BROKEN.search(text):
        return AnswerSays.STILL_BROKEN
    return AnswerSays.WORKS if _WORKS.search(text) else AnswerSays.OTHER
