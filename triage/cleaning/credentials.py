"""Credentials in free text: tokens, keys, passwords, and how they are written.

The formats of detect-secrets are the base. Left out are its detectors that report ordinary
words (keyword, entropy, Artifactory), and those whose patterns take quadratic time or worse on a
hostile line (Cloudant, IBM, JWT, npm, OpenAI, SoftLayer, basic auth); what is below covers them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

SECRET = "[secret]"

_DETECTORS: tuple[type[RegexBasedDetector], ...] = (
    AWSKeyDetector,
    AzureStorageKeyDetector,
    DiscordBotTokenDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    MailchimpDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    SquareOAuthDetector,
    StripeDetector,
    TelegramBotTokenDetector,
    TwilioKeyDetector,
)
# ``analyze_string`` yields only a pattern's first group (of a GitHub token, "ghp"), so the
# patterns themselves are used; ``denylist`` is the documented interface of a regex plugin.
_KNOWN_FORMATS: tuple[re.Pattern[str], ...] = tuple(
    pattern for detector in _DETECTORS for pattern in detector().denylist
)

# Own formats: what is looked for first (thirty plain searches cost less than one alternation),
# then the pattern. Longer than published is taken along, so that no tail is left.
_FORMATS = (
    ("gh", r"gh[pousr]_[A-Za-z0-9_]{20,}"),
    ("github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
    ("gl", r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent|oas|imt)-[A-Za-z0-9_.-]{20,}"),
    ("sk-", r"(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{20,}"),
    ("k_", r"(?<![A-Za-z0-9])[srp]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    ("whsec_", r"whsec_[A-Za-z0-9+/=]{20,}"),
    ("hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}"),
    ("gsk_", r"gsk_[A-Za-z0-9]{20,}"),
    ("npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30,}"),
    ("r8_", r"(?<![A-Za-z0-9])r8_[A-Za-z0-9]{30,}"),
    ("xai-", r"(?<![A-Za-z0-9])xai-[A-Za-z0-9]{40,}"),
    ("pplx-", r"pplx-[A-Za-z0-9]{32,}"),
    ("tvly-", r"tvly-[A-Za-z0-9-]{24,}"),
    ("nvapi-", r"nvapi-[A-Za-z0-9_-]{30,}"),
    ("pypi-", r"pypi-[A-Za-z0-9_-]{40,}"),
    ("AIza", r"AIza[A-Za-z0-9_-]{30,}"),
    ("ya29.", r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    # an access key id, with the secret key where it follows
    (
        "A",
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"
        r"(?:[\s:,;|/\"']{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?",
    ),
    ("AKC", r"(?<![A-Za-z0-9])AKC[A-Za-z]{0,99}\d[A-Za-z0-9]{9,}"),
    ("xox", r"xox[abceoprs]-[A-Za-z0-9-]{10,}"),
    ("xapp-", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9_/]{20,}"),
    ("/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{5,25}/[A-Za-z0-9_-]{20,}"),
    ("_v1_", r"do[opr]_v1_[a-f0-9]{40,}"),
    ("shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{24,}"),
    ("_", r"(?:lin_api|dckr_pat|figd|glsa|sntrys)_[A-Za-z0-9_=+/-]{20,}"),
    ("ATATT3", r"ATATT3[A-Za-z0-9_=-]{40,}"),
    ("hvs.", r"hvs\.[A-Za-z0-9_-]{24,}"),
    ("PMAK-", r"PMAK-[a-f0-9-]{40,}"),
    ("AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    (
        "eyJ",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}",
    ),
)
_OWN_FORMATS = tuple((mark, re.compile(pattern, re.ASCII)) for mark, pattern in _FORMATS)

_KEY_BEGIN_OR_END = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# What follows a BEGIN whose END was cut off: base64 lines, also quoted or with written-out \n.
_KEY_BODY = re.compile(
    r"(?:(?:\\[nr]|[\s>|\"'+,])*[A-Za-z0-9+/=]{16,})*(?:[\s>|]*[A-Za-z0-9+/]+=+)?"
)

_USERINFO = re.compile(r"://[^\s/@:\"'<>\[\]`]{0,200}:[^\s/\"'<>\[\]`]{1,300}@")
_DATABASE_USERINFO = re.compile(
    r"(?i)((?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?)(?:\+[a-z0-9]{1,20})?)"
    r"://[^\s/@:\"'<>]{0,200}:[^\s\"'<>]{1,300}@"
)
_BEARER = re.compile(r"(?i)\b(bearer\s{1,3})(?=[A-Za-z._~+/-]{0,60}\d)[A-Za-z0-9._~+/=-]{10,}")
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"'\\]{0,2}\s{0,3}[:=]\s{0,3}[\"'\\]{0,2}"
    r"(?:(?:bearer|basic|token|digest|apikey|negotiate)\s{1,3})?)"
    r"(?!(?:bearer|basic|token|digest|apikey|negotiate)\b)([A-Za-z0-9._~+/=:-]{6,})"
)
_COOKIE = re.compile(
    r"(?im)\b((?:set-)?cookie[\"']?:\s{0,3}[\"']?)([^\s=;:\[\]]{1,80}=[^\s;]{4,}[^\n\"']*)"
)
_CURL_USER = re.compile(
    r"(?m)(\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[\s=][\"']?)[^\s:\"'\[\]]{1,80}:[^\s\"']{1,200}"
)


def redact_credentials(text: str) -> str:
    """Replace every credential of a known format by ``[secret]``."""
    text = _redact_private_keys(text)
    if "://" in text:
        text = _DATABASE_USERINFO.sub(rf"\1://{SECRET}@", text)
        text = _USERINFO.sub(f"://{SECRET}@", text)
    for mark, pattern in _OWN_FORMATS:
        if mark in text:
            text = pattern.sub(SECRET, text)
    for pattern in _KNOWN_FORMATS:
        text = pattern.sub(_replace_known_format, text)
    lowered = text.lower()
    if "bearer" in lowered or "authorization" in lowered:
        text = _HEADER.sub(rf"\1{SECRET}", text)
        text = _BEARER.sub(rf"\1{SECRET}", text)
    if "cookie" in lowered:
        text = _COOKIE.sub(rf"\1{SECRET}", text)
    if "curl" in lowered:
        text = _CURL_USER.sub(rf"\1{SECRET}", text)
    return text


def _replace_known_format(match: re.Match[str]) -> str:
    # A word without any digit ("APACONFERENCE") is none of these.
    if not any(character.isdigit() for character in match[0]):
        return match[0]
    # Where the pattern names the value in one long group, the words around it stay.
    if match.re.groups == 1 and len(match[1] or "") >= 16:
        start, end = match.start(1) - match.start(), match.end(1) - match.start()
        return match[0][:start] + SECRET + match[0][end:]
    return SECRET


def _redact_private_keys(text: str) -> str:
    if "PRIVATE KEY" not in text:
        return text
    return "".join(_without_private_keys(text))


def _without_private_keys(text: str) -> Iterator[str]:
    """The pieces around the keys: from BEGIN to the next END, or as far as base64 goes."""
    position = 0
    begin: re.Match[str] | None = None
    for marker in _KEY_BEGIN_OR_END.finditer(text):
        if marker[1] == "END":
            if begin is not None or marker.start() >= position:
                yield text[position : begin.start() if begin else marker.start()] + SECRET
                position = marker.end()
            begin = None
            continue
        if begin is not None:
            yield text[position : begin.start()] + SECRET
            position = _end_of_key_body(text, begin)
        begin = marker
    if begin is not None:
        yield text[position : begin.start()] + SECRET
        position = _end_of_key_body(text, begin)
    yield text[position:]


def _end_of_key_body(text: str, begin: re.Match[str]) -> int:
    body = _KEY_BODY.match(text, begin.end())
    return body.end() if body else begin.end()
