"""What issue forms and mail programs write, as opposed to the reporter."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import re

_HEADINGS = (
    r"describe (?:the|your) (?:bug|issue|problem|feature)",
    r"(?:bug|issue|problem)? ?description",
    r"(?:a )?(?:clear )?summary",
    r"what (?:happened|is the (?:issue|problem|bug))(?: instead)?",
    r"what (?:did|do) you (?:do|expect|see)(?: to (?:happen|see))?|what went wrong",
    r"(?:steps )?(?:how )?to reproduce(?: the (?:bug|behaviou?r|issue|problem))?",
    r"(?:minimal )?repro(?:duction|ducible example)?(?: (?:steps|code))?",
    r"(?:expected|actual|current|observed)(?: (?:behaviou?r|results?|output|outcome))?",
    r"expected vs\.? actual|additional (?:context|info(?:rmation)?|notes)|other info(?:rmation)?",
    r"errors?(?: messages?)?",
    r"anything else|context|motivation|possible (?:solution|fix)|screenshots?|details|notes?",
    r"(?:is there an )?existing issue(?: for this)?|checklist|checks|before submitting.*",
    r"pre-?flight.*|preliminary checks|code of conduct|(?:your )?contribution|bug(?: report)?",
    r"(?:问题|bug ?)?描述|(?:复现|重现)(?:步骤|方式)?|(?:期望|预期|实际)(?:行为|结果)?",
    r"补充(?:信息|说明)|其他信息|再現手順|期待(?:する|される)動作|実際の動作",
)
_MACHINE_HEADINGS = (
    r"(?:your )?(?:current )?environment(?: (?:info(?:rmation)?|details))?",
    r"system (?:info(?:rmation)?|details)|hardware|gpu|session id",
    r"(?:relevant )?(?:log|console|terminal)s? ?(?:output|outputs|messages?)?",
    r"stack ?trace|traceback|diagnostics|debug (?:info(?:rmation)?|logs?)",
    r"(?:software )?versions?(?: info(?:rmation)?)?",
    r"(?:which |what )?(?:operating system|os|platform)",
    r"(?:package|library|python|node|cuda|driver) versions?",
    r"环境(?:信息)?|运行环境|系统信息|版本(?:信息)?|日志|環境|ログ",
)
_HEADING = re.compile(rf"(?i)(?:{'|'.join(_HEADINGS)})\Z")
_MACHINE_HEADING = re.compile(rf"(?i)(?:{'|'.join(_MACHINE_HEADINGS)})\Z")
_HEADING_DRESS = re.compile(r"[^\w(]+|\([^)]{0,80}\)")
_HEADING_LINE = re.compile(r"#{1,6}(?P<marked>.+)\Z|\*\*(?P<bold>[^*]+)\*\*[:：]?\Z")
_LABEL_LINE = re.compile(r"(?P<label>[^:：]{2,60})[:：]\Z")
_LONGEST_HEADING = 150

_INSTRUCTIONS = (
    r"a (?:clear and )?concise description of\b",
    r"(?:please )?(?:add|include|provide|put|paste|describe|enter|give|fill|write|attach)\b.{0,60}"
    r"\b(?:here|below|above|other context|the problem|if applicable|relevant log output)\b.{0,80}",
    r"if applicable,? (?:please )?add|steps to reproduce the behaviou?r:?\s*\Z",
    r"this will be automatically formatted into code|no need for backticks",
    r"thanks? (?:you )?for (?:taking the time|filling|reporting|opening)",
    r"(?:please )?(?:search|check|make sure|ensure|confirm|read)\b.{0,80}\b(?:existing|duplicate"
    r"|already|documentation|readme|faq|latest version|contributing)\b.{0,60}\Z",
    r"(?:\d\. ?)?(?:go to|click on|scroll down to|see error)[ '.]*\Z",
)
_INSTRUCTION = re.compile(rf"(?i)\s*(?:[-*]\s)?(?:{'|'.join(_INSTRUCTIONS)})")
_NO_ANSWER = re.compile(
    r"(?i)[_*]{0,3}(?:no response|n/?a|none|not applicable|null|nil|无|なし|\.+)[_*]{0,3}[.。]?\Z"
)
_CHECKBOX = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s{1,4}\[[ xX✓✔]?\]\s?")
_REPLY_INTRODUCTIONS = (
    r"on .{4,120}\bwrote:|am .{4,120}\bschrieb\b.{0,80}:|le .{4,120}\ba écrit ?:",
    r"el .{4,120}\bescribió:|在?.{2,100}写道[:：]|.{2,100}さんは書きました[:：]",
    r"-{2,9}\s?(?:original|forwarded) message\s?-{2,9}",
    r"(?:from|sent|to|cc|von|gesendet|发件人|发送时间|收件人)[:：].{0,120}\[email\].{0,80}",
    r"sent from my \w.{0,40}|get outlook for .{0,40}",
)
_REPLY_INTRODUCTION = re.compile(rf"(?i)(?:{'|'.join(_REPLY_INTRODUCTIONS)})\Z")
_RULE_CHARACTERS = frozenset("-*_=|:+~ \t")


def is_boilerplate(line: str) -> bool:
    """Whether a (redacted) line was written by a form or a mail program and says nothing."""
    stripped = line.strip()
    return bool(
        (len(stripped) > 1 and _RULE_CHARACTERS.issuperset(stripped))
        or _INSTRUCTION.match(stripped)
        or _NO_ANSWER.match(stripped)
        or _CHECKBOX.match(stripped)
        or _REPLY_INTRODUCTION.match(stripped)
    )


def read_heading(line: str) -> tuple[str, bool, bool] | None:
    """What a heading says, whether a form wrote it, and whether machine output follows it.

    ``### Describe the bug`` and ``**Environment**`` are a form's; ``## Crashes on long input``
    is the reporter's own. None for a line that is no heading; ``Steps to reproduce:`` counts as
    one, though it has no mark, but does not announce machine output.
    """
    stripped = line.strip()
    if not stripped or len(stripped) > _LONGEST_HEADING:
        return None
    marked = _HEADING_LINE.match(stripped)
    if marked is None:
        label = _LABEL_LINE.match(stripped)
        is_form = bool(label and _HEADING.match(_undressed(label["label"])))
        return (label["label"], True, False) if label and is_form else None
    words = (marked["marked"] or marked["bold"]).strip("#* \t")
    plain = _undressed(words)
    is_machine = bool(_MACHINE_HEADING.match(plain))
    return words, is_machine or bool(_HEADING.match(plain)), is_machine


def _undressed(words: str) -> str:
    """A heading's words without emoji, marks, brackets and end punctuation."""
    return " ".join(_HEADING_DRESS.sub(" ", words).split())
