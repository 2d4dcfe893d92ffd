"""Cleaning: from a report as it came to one that may be stored, embedded and compared (pure)."""

from triage.cleaning.duplicates import is_near_duplicate, link_duplicates, shingle_bands
from triage.cleaning.identity import fingerprint, hash_author
from triage.cleaning.names import TEXT_VERSION, without_names
from triage.cleaning.redaction import redact, redact_excerpt
from triage.cleaning.report import clean_report, redact_report, with_features

__all__ = [
    "TEXT_VERSION",
    "clean_report",
    "fingerprint",
    "hash_author",
    "is_near_duplicate",
    "link_duplicates",
    "redact",
    "redact_excerpt",
    "redact_report",
    "shingle_bands",
    "with_features",
    "without_names",
]
