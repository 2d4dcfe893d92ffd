"""Secrets that only their name gives away: ``password=…``, ``"api_key": "…"``, ``--token …``."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import re
from itertools import pairwise

from triage.cleaning.credentials import SECRET

# A strong name makes nearly every value a secret; a weak one (models speak of tokens all day)
# only a value that looks random.
_STRONG = (
    r"pass(?:word|wd|phrase)|pwd|(?:client[_-]?)?secret(?:[_-]?(?:access)?[_-]?(?:key|value))?"
    r"|(?:api|access|account|private|auth|encryption|signing|service)[_ -]?key|credentials?"
    r"|密码|密碼|口令|密钥|パスワード|비밀번호|contraseña|passwort|mot de passe|senha|пароль"
)
_WEAK = r"token|session[_-]?id|signature|\bsig|(?-i:_KEY|_PASS|_PAT|_AUTH)"
_SEPARATOR = r"[\"'`\\\]]{0,3}[ \t]{0,20}(?::=|=>|={1,2}|:|：|＝|->|\bis\b:?|[是为][:：]?)\s{0,20}"
_QUOTED = r"(?<=[\"'`])[^\"'`\n\\]{4,300}(?=[\"'`\\])"
_BARE = r"[^\s\"'`\\，。；）]{4,500}"
_VALUE = rf"(?P<quote>[\"'`\\]{{0,3}})(?P<value>{_QUOTED}|{_BARE})"

_STRONG_ASSIGNMENT = re.compile(rf"(?i)(?P<lead>(?:{_STRONG})(?P<separator>{_SEPARATOR})){_VALUE}")
_WEAK_ASSIGNMENT = re.compile(rf"(?i)(?P<lead>(?:{_WEAK})(?P<separator>{_SEPARATOR})){_VALUE}")
_COMMAND_OPTION = re.compile(
    r"(?i)(?P<lead>--(?:[a-z]{1,20}-)?(?:pass(?:word|wd|phrase)?|token|secret|api-?key)[ =])"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"'`<>\[\]${}-][^\s\"'`<>\[\]]{5,300})"
)
# Plain searches in the lower-cased text come first: nine texts in ten name no secret, and the
# patterns above take half a millisecond a kilobyte.
_STRONG_MARKS = (
    "passw", "passp", "pwd", "secret", "key", "credential",
    "密", "口令", "パスワード", "비밀번호", "contraseña", "mot de passe", "senha", "пароль",
)  # fmt: skip
_WEAK_MARKS = ("token", "session", "sig", "_key", "_pass", "_pat", "_auth")

# Words that stand where a secret would: on their own, or with more words but no digit behind.
_NO_SECRET = re.compile(
    r"(?i)\W*(?:your|my|the|x{3,}|\*{3,}|\.{3,}|…|-{3,}|none|null|nil|true|false|undefined|required"
    r"|optional|string|str|int|bytes|test|dummy|fake|example|change[_-]?me|empty|placeholder"
    r"|not[_-]?(?:needed|set|used|required)|no[_-]?key|sk-no-key|redacted|hidden|secrets?|missing"
    r"|invalid|wrong|incorrect|correct|expired|process\.env|os\.environ|env|getenv)"
    r"(?:[\W_]\D*)?\Z",
    re.DOTALL,
)
# $NAME, ${NAME}, %NAME%, {name}, <name>, a dotted name, a call or a subscript, an address, and
# what was already replaced.
_REFERENCE = re.compile(
    r"\$\{?[A-Za-z_]\w*\}?\Z|%\w+%\Z|\$?\{.*\}\Z|<.*>\Z|\[.*\]\Z|[A-Za-z_]+(?:[._][A-Za-z_]+)+\Z"
    r"|[A-Za-z_][\w.]*[(\[](?:.*[)\]])?\Z|(?i:https?)://|\[(?:secret|email|ip|mac|phone|card|user)\]",
    re.DOTALL,
)
_WORKING_DIRECTORY = re.compile(r"(?i)pwd\W*[/~.]")
_IDENTIFIER = re.compile(r"[A-Za-z]+\Z")


def redact_assignments(text: str) -> str:
    """Replace the values of what is named as a secret by ``[secret]``; names stay readable."""
    lowered = text.lower()
    if any(mark in lowered for mark in _STRONG_MARKS):
        text = _STRONG_ASSIGNMENT.sub(_redact_strong, text)
    if any(mark in lowered for mark in _WEAK_MARKS):
        text = _WEAK_ASSIGNMENT.sub(_redact_weak, text)
    if "--" in text:
        text = _COMMAND_OPTION.sub(_redact_option, text)
    return text


def _redact_strong(match: re.Match[str]) -> str:
    value, rest = _without_end_marks(match)
    return match["lead"] + match["quote"] + SECRET + rest if _is_secret(value, match) else match[0]


def _redact_weak(match: re.Match[str]) -> str:
    value, rest = _without_end_marks(match)
    is_secret = looks_random(value) and not _REFERENCE.match(value)
    return match["lead"] + match["quote"] + SECRET + rest if is_secret else match[0]


def _without_end_marks(match: re.Match[str]) -> tuple[str, str]:
    """The value and the punctuation of the sentence or call behind it."""
    value = match["value"]
    if match["quote"] or _REFERENCE.match(value):
        return value, ""
    stripped = value.rstrip(".。!?:：,;)]}>")
    return stripped, value[len(stripped) :]


def _redact_option(match: re.Match[str]) -> str:
    value = match["value"]
    if _NO_SECRET.match(value) or _IDENTIFIER.match(value) or _REFERENCE.match(value):
        return match[0]
    return match["lead"] + match["quote"] + SECRET


def _is_secret(value: str, match: re.Match[str]) -> bool:
    """Whether the value of a strong name is a literal secret, not a word, type or reference."""
    if len(value) < 4 or _NO_SECRET.match(value) or _REFERENCE.match(value):
        return False
    if _WORKING_DIRECTORY.match(match[0]):
        return False
    if any(character.isdigit() for character in value):
        return True
    if match["quote"]:
        return len(value) >= 6 and not value.isspace()
    if "=" in match["separator"] and not match["separator"][-1].isspace():
        return len(value) >= 6
    return len(value) >= 8 and _ends_line(match)


def _ends_line(match: re.Match[str]) -> bool:
    following = match.string[match.end() : match.end() + 1]
    return ":" in match["separator"] and following in ("", "\n")


def looks_random(value: str) -> bool:
    """Whether letters and digits alternate as in a generated key (16 characters or more).

    ``reserved_special_token_250`` changes once between letters and digits, a random key of
    that length five times and more.
    """
    if len(value) < 16:
        return False
    kinds = [character.isdigit() for character in value if character.isalnum()]
    return sum(a != b for a, b in pairwise(kinds)) >= 3
