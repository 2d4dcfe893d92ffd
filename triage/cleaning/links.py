"""Addresses of reports: only what a browser may follow and what gives nothing away."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from triage.cleaning.assignments import looks_random
from triage.cleaning.redaction import redact

_LONGEST_URL = 2_000
_REDACTED = "redacted"
_SECRET_PARAMETER = re.compile(
    r"(?i)(?:token|secret|password|passwd|pwd|key|auth|signature|\Asig\Z|session|credential|\Acode\Z"
    r"|\Astate\Z|\Asid\Z|jwt|otp)"
)


def clean_url(url: str | None) -> str | None:
    """The address if it is http or https, without user info and secrets; else None.

    Parameters and path segments that hold a secret or personal data read ``redacted``; an address
    whose host is personal (an IP of a private net) is dropped whole.
    """
    if not url or len(url.strip()) > _LONGEST_URL:
        return None
    url = url.strip()
    if not url.isprintable() or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or redact(host) != host:
        return None
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = "/".join(_clean_part(part) for part in parts.path.split("/"))
    query = urlencode([(_clean_part(k), _clean_value(k, v)) for k, v in _pairs(parts.query)])
    cleaned = urlunsplit((parts.scheme.lower(), netloc, path, query, _clean_part(parts.fragment)))
    return cleaned if redact(cleaned) == cleaned else f"{parts.scheme.lower()}://{netloc}/"


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True)
    except ValueError:
        return []


def _clean_value(name: str, value: str) -> str:
    if value and (_SECRET_PARAMETER.search(name) or looks_random(value)):
        return _REDACTED
    return _clean_part(value)


def _clean_part(part: str) -> str:
    plain = unquote(part)
    if redact(plain) == plain and redact(part) == part:
        return quote(part, safe="%/:@!$&'*+,;=~-._#?") if not part.isascii() else part
    return _REDACTED
