"""What makes two texts the same, and who wrote them without saying who."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

_NOT_WORD = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """The text as it is compared: NFKC, case folded, white space and punctuation one space.

    A text of nothing but punctuation keeps it, so that ``!!!`` and ``???`` stay two texts.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_WORD.sub(" ", folded).strip() or " ".join(folded.split())


def fingerprint(failure_text: str) -> str:
    """SHA-256 (hex) of the normalised text: equal for texts that differ in layout only."""
    return hashlib.sha256(normalise(failure_text).encode("utf-8", "replace")).hexdigest()


def hash_author(handle: str, key: bytes) -> str:
    """HMAC-SHA-256 of a handle, 32 hex digits; ``@Ana`` and ``ana`` are one person.

    Without the key nobody can try handles until one fits.
    """
    name = unicodedata.normalize("NFKC", handle).strip().lstrip("@").casefold()
    return hmac.new(key, name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
