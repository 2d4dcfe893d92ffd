"""The values that travel between the stages: frozen, typed, free of any outside thing.

Every ``datetime`` is timezone-aware UTC. A ``report_id`` and a ``theme_id`` are database
identities; an ``external_id`` is the report's id as its source wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Who reports: a user of the product, or a developer who evaluates a build."""

    USER = "user"
    DEVELOPER = "developer"


class Verdict(StrEnum):
    """Whether a theme can be mended in days without training, or needs the next model."""

    QUICK_FIX = "quick-fix"
    FUNDAMENTAL = "fundamental"
    UNDECIDED = "undecided"


class Priority(StrEnum):
    """Urgency of an issue; P0 first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class ThemeStatus(StrEnum):
    """A theme is open, forwards to the theme that absorbed it, or a human set it aside."""

    OPEN = "open"
    MERGED = "merged"
    DISMISSED = "dismissed"


class BondKind(StrEnum):
    """Whether a person said that two groups of reports are one failure, or two."""

    TOGETHER = "together"
    APART = "apart"


class ProposalKind(StrEnum):
    """What a full clustering found doubtful: two themes that may be one, or one that may be two."""

    MERGE = "merge"
    SPLIT = "split"


class ProposalState(StrEnum):
    """A proposal waits for a person (``OPEN``), or for nobody any more.

    ``APPLIED`` by the machine itself, ``WITHDRAWN`` when a later clustering did not find it again.
    """

    OPEN = "open"
    APPLIED = "applied"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class IssueState(StrEnum):
    """``INTENDED`` is committed before anything is sent; ``FILED`` after the number is known."""

    INTENDED = "intended"
    FILED = "filed"


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
class ThemeProfile:
    """What can be counted about a theme from its reports (pure function of them).

    Only the core of a theme counts; ``loose`` is how many reports are in it besides.
    ``distinct_reporters`` counts people (authors and supporters), never posts; the mappings
    count reports that are no duplicates, most frequent first. ``coherence`` is the core's share
    of all its reports (0 to 1).
    ``weeks`` maps the Monday of a week to its number of reports, without gaps.
    """

    reports: int
    duplicates: int
    distinct_reporters: int
    developer_reports: int
    coherence: float
    first_seen: datetime
    last_seen: datetime
    versions: Mapping[str, int]
    channels: Mapping[str, int]
    environments: Mapping[str, int]
    languages: Mapping[str, int]
    weeks: Mapping[date, int]
    error_signatures: Mapping[str, int]
    loose: int = 0


@dataclass(frozen=True, slots=True)
class ThemeText:
    """A theme's description: taken from its reports, or put into words by an LLM.

    ``worded_by`` is the LLM that wrote title or summary; None where both are reporters' own.
    """

    title: str
    summary: str
    keywords: tuple[str, ...]
    medoid_id: int
    exemplar_ids: tuple[int, ...]
    worded_by: str | None = None


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence about a theme and the ids of the reports that say so; at least one."""

    text: str
    report_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThemeWording:
    """What could be used of an LLM's words for a theme; the title is None where it could not."""

    title: str | None
    sentences: tuple[CitedSentence, ...]


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """Whether an LLM thinks that one fix would resolve both of two groups, and why."""

    same_fix: bool
    because: str


@dataclass(frozen=True, slots=True)
class Theme:
    """A durable failure theme: the id outlives every run."""

    theme_id: int
    status: ThemeStatus
    text: ThemeText
    profile: ThemeProfile
    forwards_to: int | None = None

    @property
    def name(self) -> str:
        """The id as people write it, ``T12``."""
        return f"T{self.theme_id}"


@dataclass(frozen=True, slots=True)
class Bond:
    """A person's word on two groups of reports; it holds wherever their themes go.

    ``left_theme`` and ``right_theme`` are the themes as they were then, for showing. ``said_by`` is
    None where the command did not say; ``bond_id`` is 0 before it is stored.
    """

    kind: BondKind
    left: frozenset[int]
    right: frozenset[int]
    left_theme: int
    right_theme: int
    said_at: datetime
    said_by: str | None = None
    because: str | None = None
    bond_id: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A merge or a split that a full clustering suggests, with its reason and figures.

    A merge lets ``theme_id`` absorb ``other_id``. A split lets ``report_ids`` leave ``theme_id``
    for the theme ``other_id``, or for a new one where that is None. ``hindrance`` says why the
    machine does not do it by itself; None: it does.
    """

    kind: ProposalKind
    theme_id: int
    other_id: int | None
    report_ids: tuple[int, ...]
    reason: str
    figures: Mapping[str, float]
    hindrance: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stored change, its number and what became of it.

    ``run_id`` is the clustering that found it last, ``advice`` what an LLM thinks of it, if one
    was asked.
    """

    proposal_id: int
    run_id: int
    change: Change
    state: ProposalState
    advice: str | None = None
    decided_by: str | None = None
    because: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClusteringRun:
    """A full clustering: what it was made from, with what, and what came of it.

    ``reports`` were clustered. ``state`` is a digest of all that it depends on, as it left it: as
    long as nothing changed, another run would find the same. ``representation`` names how texts
    became vectors. ``run_id`` is 0 and ``made_at`` None before it is stored.
    """

    space_id: int
    cause: str
    representation: str
    reports: int
    parameters: Mapping[str, Any]
    results: Mapping[str, Any]
    state: str
    run_id: int = 0
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One checkable property of a theme and how far it moved the decision.

    ``weight`` is in log-odds: positive towards fundamental, negative towards quick-fix,
    0.0 where it was looked at and says nothing.
    """

    name: str
    observation: str
    weight: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict on a theme with everything that led to it.

    ``confidence`` is the probability that the verdict is right (0.5 to 1 when decided).
    ``set_by`` is ``policy`` or the person whose correction decided. ``would_change`` are
    sentences on what would turn the verdict.
    """

    verdict: Verdict
    confidence: float
    priority: Priority
    reasons: tuple[str, ...]
    evidence: tuple[EvidenceItem, ...]
    policy_version: str
    set_by: str = "policy"
    would_change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one report by itself, with its neighbours' say, is thought to be; provisional.

    ``verdict`` is a ``Verdict``; ``layer`` the likeliest layer at fault. The confidences are
    probabilities of being right; ``read_by`` names the reader, or how it was read without one.
    """

    verdict: str
    confidence: float
    layer: str
    capability: str | None
    capability_confidence: float | None
    read_by: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who takes a theme: the capability, its owner and why.

    ``capability`` is None when nothing fits; then ``owner`` is the triage owner and
    ``is_fallback`` is True. ``confidence`` is None when a rule or a person decided.
    """

    capability: str | None
    owner: str | None
    reason: str
    is_fallback: bool = False
    confidence: float | None = None
    set_by: str = "policy"
    map_version: str | None = None


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """One GitHub issue as it would be sent; the console shows exactly this.

    ``marker`` is the hidden HTML comment at the end of ``body`` by which the issue is found
    again. ``milestone_due`` is the day (``YYYY-MM-DD``) that a milestone made for it is due.
    ``assignee`` may turn out not to be assignable; ``fallback_assignee`` is then used.
    """

    theme_id: int
    title: str
    body: str
    labels: tuple[str, ...]
    milestone: str | None
    assignee: str | None
    fallback_assignee: str | None
    marker: str
    milestone_due: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of the request that creates the issue; the milestone by its title."""
        return {
            "title": self.title,
            "body": self.body,
            "labels": list(self.labels),
            "assignees": [self.assignee] if self.assignee else [],
            "milestone": self.milestone,
        }


@dataclass(frozen=True, slots=True)
class FiledIssue:
    """An issue that exists in the tracker; ``sent`` is the draft that it was created with.

    It differs from the intended one where the owner could not be assigned; None: not known.
    """

    repository: str
    number: int
    url: str
    sent: IssueDraft | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Correction:
    """A human's word against the machine's, on one theme; the latest of a field wins."""

    theme_id: int
    field: str
    value: str
    author: str
    reason: str
    created_at: datetime


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
