"""The values that travel between the stages: frozen, typed, free of any outside thing.

Every ``datetime`` is timezone-aware UTC. A ``report_id`` and a ``theme_id`` are database
identities; an ``external_id`` is the report's id as its source wrote it.
"""

from triage.types.clusterings import (
    Bond,
    BondKind,
    Change,
    ClusteringRun,
    Proposal,
    ProposalKind,
    ProposalState,
)
from triage.types.decisions import (
    Correction,
    Decision,
    EvidenceItem,
    Opinion,
    Priority,
    Route,
    Verdict,
)
from triage.types.issues import FiledIssue, IssueDraft, IssueState
from triage.types.reports import (
    AnswerSays,
    CleanReport,
    CollectSummary,
    DuplicateCandidate,
    Kind,
    Member,
    RawAnswer,
    RawReport,
    Rejection,
    Report,
    ReporterAnswer,
)
from triage.types.themes import (
    CitedSentence,
    PairAnswer,
    Theme,
    ThemeDraft,
    ThemeProfile,
    ThemeStatus,
    ThemeText,
    ThemeWording,
)

__all__ = [
    "AnswerSays",
    "Bond",
    "BondKind",
    "Change",
    "CitedSentence",
    "CleanReport",
    "ClusteringRun",
    "CollectSummary",
    "Correction",
    "Decision",
    "DuplicateCandidate",
    "EvidenceItem",
    "FiledIssue",
    "IssueDraft",
    "IssueState",
    "Kind",
    "Member",
    "Opinion",
    "PairAnswer",
    "Priority",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "RawAnswer",
    "RawReport",
    "Rejection",
    "Report",
    "ReporterAnswer",
    "Route",
    "Theme",
    "ThemeDraft",
    "ThemeProfile",
    "ThemeStatus",
    "ThemeText",
    "ThemeWording",
    "Verdict",
]
