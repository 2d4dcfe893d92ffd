"""Error signatures: the lines by which two reports of one failure can be told to be one."""

from __future__ import annotations

import re

from triage.cleaning.characters import collapse_whitespace, shorten

MOST_SIGNATURES = 5
_LONGEST_SIGNATURE = 160

_EXCEPTION = re.compile(
    r"\b(?:[A-Za-z_]\w{0,60}\.){0,6}"
    r"([A-Z]\w{0,60}(?:Error|Exception|Failure|Fault|Panic|Timeout)|(?:Type|Value|Key)Error)\b"
    r"(:[ \t]+[^\n]{1,300})?",
    re.ASCII,
)
_LEVEL = re.compile(
    r"(?:^|[\s\]|])(?:npm )?"
    r"(?:E[A-Z]{3,20}:|(?i:error|fatal|panic|critical)(?:\[[A-Z]?\d{1,5}\])?:)[ \t]+([^\n]{4,300})"
)
_KNOWN_MESSAGES = (
    r"HTTP(?:/\d\.\d)?[ :]{1,2}(?:error |status )?[45]\d\d(?-i:(?: [A-Z][a-z]+){0,4})",
    r"(?:status(?: code)?|error code)[ :=]{1,3}-?\d{1,5}",
    r"segmentation fault|core dumped|CUDA (?:error|out of memory)|out of memory|OOM[- ]?killed",
    r"command not found|no such file or directory|permission denied",
    r"connection (?:refused|reset(?: by peer)?|timed out)",
    r"exit(?:ed with)?(?: code| status) -?[1-9]\d{0,4}|ECONN[A-Z]{3,10}|ENOENT|EACCES|ETIMEDOUT",
)
_KNOWN_MESSAGE = re.compile(rf"(?i)\b(?:{'|'.join(_KNOWN_MESSAGES)})\b")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,12}://\S+", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'(?!\w)|`[^`\n]{1,200}`")
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@\[\]~+-]{1,80}){2,30}[\\/]?")
_HEX = re.compile(r"\b0x[0-9A-Fa-f]+\b|\b(?=[0-9a-f]{0,40}\d)[0-9a-f]{8,64}\b")
_NUMBER = re.compile(r"(?<![A-Za-z])[-+]?\d[\d.,_]*(?:[eE][-+]?\d+)?")
_STATUS = re.compile(
    r"(?i)(?:HTTP\S{0,4}|status|code|error)[ :=]{1,3}(?:code[ :=]{1,3}|error |status )?\Z"
)


def find_error_signatures(code: str, prose: str) -> tuple[str, ...]:
    """At most five normalised error lines, those of the code first, each once.

    Numbers, addresses, paths and quoted values become ``N``, ``HEX``, ``PATH`` and ``VALUE``;
    HTTP status and exit codes stay, for they tell failures apart.
    """
    found: dict[str, str] = {}
    for text, is_prose in ((code, False), (prose, True)):
        for line in text.split("\n"):
            raw = find_error(line, is_prose=is_prose)
            if raw:
                signature = normalise_error(raw)
                found.setdefault(signature.casefold(), signature)
            if len(found) >= MOST_SIGNATURES:
                return tuple(found.values())
    return tuple(found.values())


def find_error(line: str, *, is_prose: bool = False) -> str | None:
    """The part of a line that names an error, or None; in prose it ends with the sentence."""
    line = line[:600]
    if exception := _EXCEPTION.search(line):
        message = exception[2] or ""
        if is_prose:
            message = re.split(r"[.;!?](?:\s|$)|\s-\s", message, maxsplit=1)[0]
        return exception[1] + message
    if (level := _LEVEL.search(line)) and not is_prose:
        return "error: " + level[1]
    if known := _KNOWN_MESSAGE.search(line):
        is_code = known[0].isupper() or known[0].startswith("HTTP")
        return known[0] if is_code else known[0].lower()
    return None


def normalise_error(error: str) -> str:
    """One error line without what changes from run to run."""
    text = _URL.sub("URL", error)
    text = _QUOTED.sub("VALUE", text)
    text = _PATH.sub("PATH", text)
    text = _HEX.sub("HEX", text)
    text = _NUMBER.sub(_replace_number, text)
    return shorten(collapse_whitespace(text).rstrip(" .,:;"), _LONGEST_SIGNATURE)


def _replace_number(match: re.Match[str]) -> str:
    number = match[0].rstrip(".,_")
    before = match.string[max(0, match.start() - 24) : match.start()]
    return match[0] if _STATUS.search(before) else "N" + match[0][len(number) :]
