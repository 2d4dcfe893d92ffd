"""Keeps what was forgotten from coming back: keyed hashes of what it was called and what it said.

Without the installation's key nobody can tell from a tombstone whose report it stands for.
"""

from __future__ import annotations

import hashlib
import hmac


def tombstone(kind: str, *parts: str, key: bytes) -> str:
    """HMAC-SHA-256 (hex) of some parts; ``kind`` keeps ids, texts and people apart."""
    message = "\x1f".join((f"tombstone {kind}", *parts))
    return hmac.new(key, message.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def tombstones_of(
    origin: str, external_id: str, fingerprint: str, author_hash: str | None, key: bytes
) -> tuple[str, str]:
    """The two by which a report is known again: its id at its source, its text by its author.

    The same words of another person are that person's report, and are taken. Of a forgotten
    report keep also the second without its author: a copy that names nobody is no other person's.
    """
    return (
        tombstone("report", origin, external_id, key=key),
        tombstone("text", fingerprint, author_hash or "", key=key),
    )


def supporter_tombstone(origin: str, external_id: str, person_hash: str, key: bytes) -> str:
    """That one person is not behind one report any more."""
    return tombstone("supporter", origin, external_id, person_hash, key=key)
