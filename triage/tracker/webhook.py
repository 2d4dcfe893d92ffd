"""GitHub's webhooks: only what is signed with our secret wakes the listener."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass

MAX_BODY_BYTES = 25_000_000  # the most that GitHub sends
HEARD = frozenset({"issues", "issue_comment", "label", "milestone", "repository", "ping"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery: its id, the kind of event, and the repository that it is about."""

    delivery_id: str
    event: str
    repository: str


def sign(body: bytes, secret: str) -> str:
    """The value of ``X-Hub-Signature-256`` for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether a body was signed with our secret; compared in constant time."""
    if not secret or signature is None:
        return False
    return hmac.compare_digest(sign(body, secret).encode(), signature.encode())


def delivery_of(body: bytes, event: str, delivery_id: str) -> Delivery | None:
    """What a signed delivery is about; None for what cannot be read or says nothing to us.

    Nothing else of it is used: what changed is read from GitHub, so that a delivery that is
    repeated, late or out of order changes nothing.
    """
    if event not in HEARD or not delivery_id:
        return None
    try:
        repository = json.loads(body)["repository"]["full_name"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Delivery(delivery_id, event, repository) if isinstance(repository, str) else None
