"""The tables. Rows never leave ``triage.store``; the stages see the dataclasses of ``types``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

NOW = text("now()")


def _identity() -> Any:
    return Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )


def _time(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(
            DateTime(timezone=True),
            nullable=nullable,
            server_default=NOW if default_now else None,
        ),
    )


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=nullable))


def _json() -> Any:
    return Field(default=None, sa_column=Column(JSONB, nullable=False))


def _reference(target: str, *, primary_key: bool = False, nullable: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(
            BigInteger,
            ForeignKey(target, ondelete="CASCADE"),
            primary_key=primary_key,
            nullable=nullable and not primary_key,
            index=not primary_key,
            autoincrement=False,
        ),
    )


class InstallationRow(SQLModel, table=True):
    """One row: which hash key the authors in this database were hashed with (a check of it)."""

    __tablename__: ClassVar[Any] = "installation"
    installation_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    hash_key_check: str = _text()
    created_at: datetime = _time(default_now=True)


class ReportRow(SQLModel, table=True):
    """One person's account of one failure, cleaned and redacted."""

    __tablename__: ClassVar[Any] = "report"
    __table_args__ = (
        UniqueConstraint("origin", "external_id", name="report_origin_external_id_key"),
        Index("report_fingerprint_idx", "fingerprint"),
        Index("report_external_id_idx", "external_id"),
    )
    report_id: int = _identity()
    origin: str = _text()
    external_id: str = _text()
    channel: str = _text()
    kind: str = _text()
    created_at: datetime = _time()
    received_at: datetime = _time(default_now=True)
    clustered_at: datetime | None = _time(nullable=True)
    title: str = _text()
    body: str = _text()
    failure_text: str = _text()
    fingerprint: str = _text()
    content_digest: str = _text()
    code: str = _text()
    error_signatures: list[str] = _json()
    shingle_bands: list[int] = Field(
        default=None, sa_column=Column(ARRAY(BigInteger), nullable=False)
    )
    model_written: str | None = _text(nullable=True)
    model_version: str | None = _text(nullable=True)
    environment: str | None = _text(nullable=True)
    language: str | None = _text(nullable=True)
    url: str | None = _text(nullable=True)
    author_hash: str | None = _text(nullable=True)
    rating: float | None = Field(default=None, sa_column=Column(Float))
    prompt: str | None = _text(nullable=True)
    response: str | None = _text(nullable=True)
    duplicate_of: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, ForeignKey("report.report_id"), nullable=True, index=True),
    )


class ReportSupporterRow(SQLModel, table=True):
    """A further person behind a report: a commenter or a thumbs up, as a keyed hash."""

    __tablename__: ClassVar[Any] = "report_supporter"
    report_id: int = _reference("report.report_id", primary_key=True)
    person_hash: str = Field(sa_column=Column(Text, primary_key=True))


class RejectedRow(SQLModel, table=True):
    """A record that was set aside at intake, with its place and the remedy."""

    __tablename__: ClassVar[Any] = "rejected"
    __table_args__ = (
        UniqueConstraint("origin", "place", "digest", name="rejected_origin_place_digest_key"),
    )
    rejected_id: int = _identity()
    origin: str = _text()
    place: str = _text()
    field: str = _text()
    problem: str = _text()
    remedy: str = _text()
    excerpt: str = _text()
    digest: str = _text()
    rejected_at: datetime = _time(default_now=True)


class SourceCursorRow(SQLModel, table=True):
    """How far an incremental source has been read, and its last trouble."""

    __tablename__: ClassVar[Any] = "source_cursor"
    origin: str = Field(sa_column=Column(Text, primary_key=True))
    cursor: str | None = _text(nullable=True)
    read_at: datetime | None = _time(nullable=True)
    last_error: str | None = _text(nullable=True)


class EmbeddingSpaceRow(SQLModel, table=True):
    """One embedding model at one revision; vectors of two spaces are never compared."""

    __tablename__: ClassVar[Any] = "embedding_space"
    __table_args__ = (UniqueConstraint("model", "revision", name="embedding_space_model_key"),)
    space_id: int = _identity()
    model: str = _text()
    revision: str = _text()
    dimensions: int = Field(sa_column=Column(Integer, nullable=False))
    created_at: datetime = _time(default_now=True)


class EmbeddingRow(SQLModel, table=True):
    """The vector of one normalised text in one space."""

    __tablename__: ClassVar[Any] = "embedding"
    space_id: int = _reference("embedding_space.space_id", primary_key=True)
    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))
    vector: Any = Field(sa_column=Column(Vector(), nullable=False))


class DistillationRow(SQLModel, table=True):
    """What one LLM answered about one text under one prompt; asked once, kept for ever."""

    __tablename__: ClassVar[Any] = "distillation"
    prompt_version: str = Field(sa_column=Column(Text, primary_key=True))
    llm_model: str = Field(sa_column=Column(Text, primary_key=True))
    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))
    failure: str = _text()
    layer: str = _text()
    answered_at: datetime = _time(default_now=True)


class ReadingRow(SQLModel, table=True):
    """What one reader read in one text: logarithms of chances, in the reader's order."""

    __tablename__: ClassVar[Any] = "reading"
    reader: str = Field(sa_column=Column(Text, primary_key=True))
    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))
    layers: list[float] = Field(default=None, sa_column=Column(ARRAY(Float), nullable=False))
    capabilities: list[float] = Field(default=None, sa_column=Column(ARRAY(Float), nullable=False))


class OpinionRow(SQLModel, table=True):
    """The provisional verdict and capability of one report by itself, as of the last decision."""

    __tablename__: ClassVar[Any] = "opinion"
    report_id: int = _reference("report.report_id", primary_key=True)
    verdict: str = _text()
    confidence: float = Field(sa_column=Column(Float, nullable=False))
    layer: str = _text()
    capability: str | None = _text(nullable=True)
    capability_confidence: float | None = Field(default=None, sa_column=Column(Float))
    read_by: str = _text()


class WordingRow(SQLModel, table=True):
    """How one LLM worded one theme; ``material_hash`` is of all that it was shown."""

    __tablename__: ClassVar[Any] = "wording"
    prompt_version: str = Field(sa_column=Column(Text, primary_key=True))
    llm_model: str = Field(sa_column=Column(Text, primary_key=True))
    material_hash: str = Field(sa_column=Column(Text, primary_key=True))
    title: str | None = _text(nullable=True)
    sentences: list[dict[str, Any]] = _json()
    answered_at: datetime = _time(default_now=True)


class PairAnswerRow(SQLModel, table=True):
    """Whether one fix would resolve two groups of texts; the lower hash stands first."""

    __tablename__: ClassVar[Any] = "pair_answer"
    prompt_version: str = Field(sa_column=Column(Text, primary_key=True))
    llm_model: str = Field(sa_column=Column(Text, primary_key=True))
    first_hash: str = Field(sa_column=Column(Text, primary_key=True))
    second_hash: str = Field(sa_column=Column(Text, primary_key=True))
    same_fix: bool = Field(default=None, sa_column=Column(Boolean, nullable=False))
    because: str = _text()
    answered_at: datetime = _time(default_now=True)


class UnansweredRow(SQLModel, table=True):
    """A question that an LLM answered with nothing usable, in how many runs, and why."""

    __tablename__: ClassVar[Any] = "unanswered"
    prompt_version: str = Field(sa_column=Column(Text, primary_key=True))
    llm_model: str = Field(sa_column=Column(Text, primary_key=True))
    question_hash: str = Field(sa_column=Column(Text, primary_key=True))
    reason: str = _text()
    runs: int = Field(sa_column=Column(Integer, nullable=False))
    asked_at: datetime = _time(default_now=True)


class ThemeRow(SQLModel, table=True):
    """A durable failure theme with its description, its counts and what keeps it unfiled."""

    __tablename__: ClassVar[Any] = "theme"
    theme_id: int = _identity()
    status: str = _text()
    forwards_to: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, ForeignKey("theme.theme_id"), nullable=True, index=True),
    )
    title: str = _text()
    summary: str = _text()
    keywords: list[str] = _json()
    medoid_id: int = Field(default=None, sa_column=Column(BigInteger, nullable=False))
    exemplar_ids: list[int] = _json()
    worded_by: str | None = _text(nullable=True)
    profile: dict[str, Any] = _json()
    described_members: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    counted_state: str | None = _text(nullable=True)
    centre: Any = Field(default=None, sa_column=Column(Vector(), nullable=True))
    sensitivity: str | None = _text(nullable=True)
    blocker: str | None = _text(nullable=True)
    blocker_at: datetime | None = _time(nullable=True)
    created_at: datetime = _time(default_now=True)


class ThemeAnchorRow(SQLModel, table=True):
    """A text that stood for the theme when it was made; new reports are compared with these."""

    __tablename__: ClassVar[Any] = "theme_anchor"
    __table_args__ = (Index("theme_anchor_fingerprint_idx", "fingerprint"),)
    theme_id: int = _reference("theme.theme_id", primary_key=True)
    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))


class ThemeMemberRow(SQLModel, table=True):
    """A report is in at most one theme; ``joined_by`` says how it came there.

    ``is_core`` is false for one that meaning alone holds there: it is shown, but does not count.
    """

    __tablename__: ClassVar[Any] = "theme_member"
    report_id: int = _reference("report.report_id", primary_key=True)
    theme_id: int = _reference("theme.theme_id")
    joined_by: str = _text()
    cosine_similarity: float | None = Field(default=None, sa_column=Column(Float))
    joined_at: datetime = _time(default_now=True)
    is_core: bool = Field(
        default=None, sa_column=Column(Boolean, nullable=False, server_default=text("true"))
    )


class ClusteringRunRow(SQLModel, table=True):
    """A full clustering: when, from what, with which parameters, and what came of it."""

    __tablename__: ClassVar[Any] = "clustering_run"
    run_id: int = _identity()
    space_id: int = _reference("embedding_space.space_id")
    cause: str = _text()
    representation: str = _text()
    reports: int = Field(sa_column=Column(Integer, nullable=False))
    parameters: dict[str, Any] = _json()
    results: dict[str, Any] = _json()
    state: str = _text()
    made_at: datetime = _time(default_now=True)


class ClusteringCentreRow(SQLModel, table=True):
    """What a run took away from every vector of a kind and a language; holds until the next."""

    __tablename__: ClassVar[Any] = "clustering_centre"
    run_id: int = _reference("clustering_run.run_id", primary_key=True)
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    language: str = Field(sa_column=Column(Text, primary_key=True))
    vector: Any = Field(sa_column=Column(Vector(), nullable=False))


class LandmarkRow(SQLModel, table=True):
    """The centred vector of a text that new reports are compared with: an anchor, or of no theme.

    A space with many of them gets an HNSW index of its own (see ``store.landmarks``).
    """

    __tablename__: ClassVar[Any] = "landmark"
    space_id: int = _reference("embedding_space.space_id", primary_key=True)
    fingerprint: str = Field(sa_column=Column(Text, primary_key=True))
    vector: Any = Field(sa_column=Column(Vector(), nullable=False))


class ProposalRow(SQLModel, table=True):
    """A merge or a split that a full clustering suggested, and what became of it."""

    __tablename__: ClassVar[Any] = "proposal"
    proposal_id: int = _identity()
    run_id: int = _reference("clustering_run.run_id")
    kind: str = _text()
    theme_id: int = _reference("theme.theme_id")
    other_id: int | None = _reference("theme.theme_id", nullable=True)
    report_ids: list[int] = Field(default=None, sa_column=Column(ARRAY(BigInteger), nullable=False))
    reason: str = _text()
    figures: dict[str, float] = _json()
    hindrance: str | None = _text(nullable=True)
    advice: str | None = _text(nullable=True)
    state: str = _text()
    decided_by: str | None = _text(nullable=True)
    because: str | None = _text(nullable=True)
    decided_at: datetime | None = _time(nullable=True)


class BondRow(SQLModel, table=True):
    """A person's word that two groups of reports are one failure, or two; it holds for ever."""

    __tablename__: ClassVar[Any] = "bond"
    bond_id: int = _identity()
    kind: str = _text()
    left_reports: list[int] = Field(
        default=None, sa_column=Column(ARRAY(BigInteger), nullable=False)
    )
    right_reports: list[int] = Field(
        default=None, sa_column=Column(ARRAY(BigInteger), nullable=False)
    )
    left_theme: int = Field(sa_column=Column(BigInteger, nullable=False))
    right_theme: int = Field(sa_column=Column(BigInteger, nullable=False))
    said_by: str | None = _text(nullable=True)
    because: str | None = _text(nullable=True)
    said_at: datetime = _time(default_now=True)


class DecisionRow(SQLModel, table=True):
    """The history of verdicts; a row is added when something changed, the last one holds."""

    __tablename__: ClassVar[Any] = "decision"
    decision_id: int = _identity()
    theme_id: int = _reference("theme.theme_id")
    verdict: str = _text()
    confidence: float = Field(sa_column=Column(Float, nullable=False))
    priority: str = _text()
    reasons: list[str] = _json()
    evidence: list[dict[str, Any]] = _json()
    would_change: list[str] = Field(
        default=None, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    policy_version: str = _text()
    set_by: str = _text()
    decided_at: datetime = _time(default_now=True)


class RouteRow(SQLModel, table=True):
    """The history of assignments; a row is added when something changed, the last one holds."""

    __tablename__: ClassVar[Any] = "route"
    route_id: int = _identity()
    theme_id: int = _reference("theme.theme_id")
    capability: str | None = _text(nullable=True)
    owner: str | None = _text(nullable=True)
    reason: str = _text()
    is_fallback: bool = Field(default=False)
    confidence: float | None = Field(default=None, sa_column=Column(Float))
    set_by: str = _text()
    map_version: str | None = _text(nullable=True)
    routed_at: datetime = _time(default_now=True)


class IssueRow(SQLModel, table=True):
    """A theme's issue: the committed intent first, then the number that GitHub gave."""

    __tablename__: ClassVar[Any] = "issue"
    theme_id: int = _reference("theme.theme_id", primary_key=True)
    repository: str = _text()
    state: str = _text()
    draft: dict[str, Any] = _json()
    number: int | None = Field(default=None, sa_column=Column(Integer))
    url: str | None = _text(nullable=True)
    intended_at: datetime = _time(default_now=True)
    attempted_at: datetime | None = _time(nullable=True)
    filed_at: datetime | None = _time(nullable=True)
    last_error: str | None = _text(nullable=True)


class CorrectionRow(SQLModel, table=True):
    """A person's word against the machine's; the latest of a field holds."""

    __tablename__: ClassVar[Any] = "correction"
    correction_id: int = _identity()
    theme_id: int = _reference("theme.theme_id")
    field: str = _text()
    value: str = _text()
    author: str = _text()
    reason: str = _text()
    created_at: datetime = _time(default_now=True)


class LearntRow(SQLModel, table=True):
    """What was learnt from corrections on one night; the newest that is used counts."""

    __tablename__: ClassVar[Any] = "learnt"
    learnt_id: int = _identity()
    content: str = _text()
    checksum: str = _text()
    is_used: bool = Field(sa_column=Column(Boolean, nullable=False))
    figures: dict[str, Any] = _json()
    learnt_at: datetime = _time(default_now=True)
