"""Reports: as a source gives them, cleaned, and stored; and what reporters answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Who reports: a user of the product, or a developer who evaluates a build."""

    USER = "user"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class RawReport:
    """One report as its source gave it, before cleaning; never stored.

    ``origin`` names the configured source (``files``, ``github:owner/name``) and, with
    ``external_id``, identifies the report. ``place`` says where it was read
    (``reports.jsonl line 17``) and is used in messages only. ``channel`` is the field
    ``source`` of an ingested file. ``supporters`` are the handles of other people who
    confirmed the failure (commenters, thumbs up).
    """

    origin: str
    external_id: str
    place: str
    body: str
    title: str = ""
    channel: str = "user"
    kind: Kind = Kind.USER
    created_at: datetime | None = None
    model: str | None = None
    environment: str | None = None
    language: str | None = None
    url: str | None = None
    author: str | None = None
    rating: float | None = None
    prompt: str | None = None
    response: str | None = None
    supporters: tuple[str, ...] = ()


class AnswerSays(StrEnum):
    """What somebody answered who was told that their failure is mended."""

    STILL_BROKEN = "still broken"
    WORKS = "works"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A comment behind ours on a reporter's issue; no report, and its text is never stored."""

    comment_id: int
    author: str | None
    body: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ReporterAnswer:
    """An answer fit for storage: what it says, and who said it as a keyed hash."""

    comment_id: int
    person_hash: str | None
    says: AnswerSays
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that was set aside at intake: where it stood, what is wrong, what to do.

    ``excerpt`` is a redacted beginning of the offending text (at most 200 characters) and
    ``digest`` the SHA-256 of the whole raw text, so that the same line is listed once.
    """

    origin: str
    place: str
    field: str
    problem: str
    remedy: str
    excerpt: str
    digest: str


@dataclass(frozen=True, slots=True)
class CleanReport:
    """One report fit for storage: redacted, its parts kept apart, its author hashed.

    ``failure_text`` is the reporter's own account (title and prose, no code, quotes or
    template headings) and is what gets embedded; ``fingerprint`` is the SHA-256 hex of its
    normalised form. ``code`` holds the shortened code and log blocks. ``error_signatures``
    are normalised error lines (``TypeError: expected array``). ``shingle_bands`` are the
    MinHash band keys used to find near-duplicates; two reports that share one are candidates.
    ``model_version`` is the exact version when an alias resolved, else None, and
    ``model_written`` stays as it was written.
    """

    origin: str
    external_id: str
    channel: str
    kind: Kind
    created_at: datetime
    title: str
    body: str
    failure_text: str
    fingerprint: str
    code: str = ""
    error_signatures: tuple[str, ...] = ()
    shingle_bands: tuple[int, ...] = ()
    model_written: str | None = None
    model_version: str | None = None
    environment: str | None = None
    language: str | None = None
    url: str | None = None
    author_hash: str | None = None
    rating: float | None = None
    prompt: str | None = None
    response: str | None = None
    supporter_hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateCandidate:
    """A stored report that repeats no other, to be compared with the newly arrived ones."""

    report_id: int
    fingerprint: str
    failure_text: str
    shingle_bands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A stored report as the later stages see it.

    ``reporter`` is the key by which people are counted: the author's hash, or for an
    anonymous report its own id, or the id of the report it repeats. ``supporters`` are the
    hashes of further people behind it. ``duplicate_of`` is the id of the first report with
    the same or nearly the same text. ``is_core`` is False for a member of a theme that meaning
    alone holds there and no likeness of wording: it is shown with the theme and does not count.
    """

    report_id: int
    external_id: str
    origin: str
    channel: str
    kind: Kind
    created_at: datetime
    title: str
    body: str
    failure_text: str
    fingerprint: str
    reporter: str
    code: str = ""
    error_signatures: tuple[str, ...] = ()
    model_written: str | None = None
    model_version: str | None = None
    environment: str | None = None
    language: str | None = None
    url: str | None = None
    rating: float | None = None
    supporters: tuple[str, ...] = ()
    duplicate_of: int | None = None
    theme_id: int | None = None
    is_core: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """A report in a theme as far as it is counted: without its texts, which can be long.

    Its fields are those of a ``Report``; ``has_text`` is False where the text expired.
    """

    report_id: int
    theme_id: int
    is_core: bool
    fingerprint: str
    has_text: bool
    created_at: datetime
    kind: Kind
    channel: str
    reporter: str
    supporters: tuple[str, ...]
    error_signatures: tuple[str, ...]
    model_written: str | None
    model_version: str | None
    environment: str | None
    language: str | None
    duplicate_of: int | None


@dataclass(frozen=True, slots=True)
class CollectSummary:
    """What one intake did: every record ends in exactly one of the first four counts.

    Or in ``forgotten``: it was to be forgotten, and is not taken in again. ``duplicates`` of the
    added repeat an earlier text; ``failed_sources`` are the messages of
    sources that could not be read.
    """

    added: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: int = 0
    duplicates: int = 0
    failed_sources: tuple[str, ...] = ()
    forgotten: int = 0

    def __add__(self, other: CollectSummary) -> CollectSummary:
        return CollectSummary(
            self.added + other.added,
            self.revised + other.revised,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
            self.duplicates + other.duplicates,
            self.failed_sources + other.failed_sources,
            self.forgotten + other.forgotten,
        )

    def counts(self) -> dict[str, int]:
        """The counts by name, for showing."""
        return {
            "added": self.added,
            "revised": self.revised,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "failed sources": len(self.failed_sources),
        } | ({"forgotten": self.forgotten} if self.forgotten else {})
