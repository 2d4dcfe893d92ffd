"""The hidden comments by which an issue and the machine's part of it are found again."""

from __future__ import annotations

import hashlib
import hmac
import re

SECTION_BEGIN = "<!-- feedback-triage:begin -->"
SECTION_END = "<!-- feedback-triage:end -->"

_SIGNATURE_CHARS = 32
_MARKER = re.compile(
    r"<!-- feedback-triage theme=T([1-9][0-9]{0,17}) sig=([0-9a-f]{32}) -->", re.ASCII
)


def marker(theme_id: int, key: bytes) -> str:
    """The comment that names a theme, signed (HMAC-SHA256), so that no text can forge it."""
    return f"<!-- feedback-triage theme=T{theme_id} sig={_signature(theme_id, key)} -->"


def marker_in(body: str, key: bytes) -> int | None:
    """The theme that an issue's body belongs to; a marker with a wrong signature is ignored.

    Ours is the last thing in a body, so the last genuine one counts.
    """
    for match in reversed(list(_MARKER.finditer(body))):
        theme_id = int(match.group(1))
        if hmac.compare_digest(match.group(2), _signature(theme_id, key)):
            return theme_id
    return None


def note_marker(note: str, key: bytes) -> str:
    """The comment that names one of our comments on an issue, so that it is written once.

    ``note`` says what the comment is about, where; its hash stands in the marker.
    """
    return f"<!-- feedback-triage note={_note_signature(note, key)} -->"


def has_note_marker(body: str, note: str, key: bytes) -> bool:
    """Whether a comment's body carries the marker of this note."""
    return note_marker(note, key) in body


def _note_signature(note: str, key: bytes) -> str:
    message = f"feedback-triage note {note}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_SIGNATURE_CHARS]


def _signature(theme_id: int, key: bytes) -> str:
    message = f"feedback-triage theme=T{theme_id}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_SIGNATURE_CHARS]
