"""Which themes are sensitive: security holes, self-harm, other people's data, or by a human's word.

Words are general, in the languages that reports come in most; what makes a failure merely severe
(deleted files, overridden consent) is no secret and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from triage.decision.cues import HARM, SECURITY
from triage.types import Kind, Report

_PERSONAL_DATA = (
    r"\b(?:personal|private|customer|patient|medical|health|employee) (?:data|details|records?|"
    r"information)\b|\b(?:home|street|e-?mail|ip) address(?:es)? of\b|"
    r"\b(?:phone|passport|card|social security) numbers? of\b|\bdoxx?\w*|\bGDPR\b|"
    # whose it is must be said: "another user message" is a turn of one's own chat
    r"\b(?:(?:another|a different) (?:user|customer|account|person)['\u2019]s|"
    r"(?:other|different) (?:users|customers|accounts|people)(?:['\u2019]s?)?|"
    r"(?:someone|somebody) else['\u2019]s) (?:\w+ )?"
    r"(?:chats?|conversations?|messages?|files?|data|history|sessions?|prompts?|e-?mails?|"
    r"address\w*)\b|"
    r"个人信息|隐私|他人的(?:对话|数据|信息)|personenbezogen\w*|données personnelles|"
    r"datos personales|dados pessoais|個人情報"
)
# Kind: its words, and from which share of a theme's reports on it makes the theme sensitive.
SENSITIVE = {
    "security": (SECURITY, 1 / 3),
    "self-harm": (HARM, 1 / 10),
    "personal data": (re.compile(_PERSONAL_DATA, re.IGNORECASE), 1 / 3),
}
_FEWEST = 2  # reports of users: one alone is often a figure of speech
_DEVELOPERS_SHARE = 1 / 10
_STAYS = 0.5  # of the share that made it so: a theme must not flip with every report


@dataclass(frozen=True, slots=True)
class Signs:
    """What else speaks for a theme being sensitive.

    ``capability`` is the theme's, ``labels`` are those on its issue; ``capabilities`` and
    ``sensitive_labels`` are configured as sensitive. ``word`` is a person's: ``yes``, ``no`` or
    None. ``held`` is the reason for which it was sensitive until now.
    """

    capability: str | None = None
    labels: Collection[str] = ()
    capabilities: Collection[str] = ()
    sensitive_labels: Collection[str] = ()
    word: str | None = None
    held: str | None = None


def sensitivity(reports: Sequence[Report], signs: Signs) -> str | None:
    """Why a theme is sensitive, or None.

    The first of these decides: a person's word; its capability or a label on its issue is
    configured as sensitive; a kind of ``SENSITIVE`` occurs in enough of its ``reports``: in its
    share of them and in two at least, or in a tenth where a developer is among those who say so.
    Once it is sensitive it stays so until less than half of that share is left.
    """
    if signs.word == "no":
        return None
    if signs.word == "yes":
        return "a person said so"
    if signs.capability in signs.capabilities:
        return f"capability {signs.capability}"
    known = {label.casefold() for label in signs.sensitive_labels}
    named = sorted(label for label in signs.labels if label.casefold() in known)
    if named:
        return f"label {named[0]}"
    return next((kind for kind in SENSITIVE if _is_about(kind, reports, signs.held)), None)


def _is_about(kind: str, reports: Sequence[Report], held: str | None) -> bool:
    pattern, share = SENSITIVE[kind]
    found = [report for report in reports if pattern.search(report.failure_text)]
    if any(report.kind is Kind.DEVELOPER for report in found):
        share = min(share, _DEVELOPERS_SHARE)
        return len(found) >= share * len(reports)
    if held == kind:
        return bool(found) and len(found) >= _STAYS * share * len(reports)
    return len(found) >= min(_FEWEST, len(reports)) and len(found) >= share * len(reports)
