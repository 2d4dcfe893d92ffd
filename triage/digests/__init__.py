"""Digests: what each owner should know of a week. No I/O; nothing is sent here."""

from triage.digests.drafting import Digest, Line, WeekFacts, draft_digests, last_week
from triage.digests.wording import digest_markdown, digest_text

__all__ = [
    "Digest",
    "Line",
    "WeekFacts",
    "digest_markdown",
    "digest_text",
    "draft_digests",
    "last_week",
]
