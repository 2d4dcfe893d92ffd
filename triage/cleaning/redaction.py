"""Redaction: no credential and no personal datum of a report reaches storage."""

from __future__ import annotations

import re
from functools import lru_cache

from triage.cleaning.assignments import looks_random, redact_assignments
from triage.cleaning.characters import visible_text
from triage.cleaning.credentials import SECRET, redact_credentials
from triage.cleaning.personal import redact_personal_data

# One pass leaves nearly every text finished. A replacement can uncover another match, so passes
# are repeated until nothing changes, which also makes redaction idempotent.
_MOST_PASSES = 12
_LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{16,}")


# A channel or a model is named by every report, and a short report is looked at twice.
@lru_cache(maxsize=32)
def redact(text: str) -> str:
    """The text with credentials and personal data replaced by placeholders, safe to store.

    Placeholders are ``[secret]``, ``[email]``, ``[ip]``, ``[mac]``, ``[phone]``, ``[card]`` and
    ``[user]``. Invisible and control characters are removed first, so that they can hide nothing
    (see ``visible_text``). Never raises; redacting twice is the same as once.
    """
    for _ in range(_MOST_PASSES if text else 0):
        before = text
        text = visible_text(text)
        text = redact_credentials(text)
        text = redact_assignments(text)
        text = redact_personal_data(text)
        if text == before:
            break
    return text


def redact_excerpt(text: str) -> str:
    """The same for what only shows which line is broken: no long run that looks random stays.

    A line that ends too early may have lost the name by which its secret is known; an excerpt
    can do without every identifier, a report cannot.
    """
    return _LONG_RUN.sub(lambda found: SECRET if looks_random(found[0]) else found[0], redact(text))
