"""Did the new version mend it? Verdicts with intervals; silence is not a fix."""

from triage.verification.consequences import Consequences, IssueStanding, consequences
from triage.verification.counting import Sighting, VersionTally, count_version
from triage.verification.counts import (
    ALL_CHANNELS,
    ExposureKind,
    ProbeRuns,
    ThemeCounts,
    VersionCounts,
)
from triage.verification.exposure import Exposure, requests_by_week
from triage.verification.judging import Reason, ReleaseVerdict
from triage.verification.ledger import (
    AnswerCount,
    LedgerCount,
    LedgerRow,
    Standing,
    Use,
    Verification,
    make_ledger,
)
from triage.verification.opposites import find_trades
from triage.verification.outcomes import RatioFigures, ReleaseOutcome, ThemeOutcome, Trade
from triage.verification.probes import (
    Agreement,
    ProbeComparison,
    ProbeRate,
    compare_probes,
    probe_rate,
)
from triage.verification.release import judge_release
from triage.verification.rules import DEFAULT_RULES, Discovery, VerificationRules

__all__ = [
    "ALL_CHANNELS",
    "DEFAULT_RULES",
    "Agreement",
    "AnswerCount",
    "Consequences",
    "Discovery",
    "Exposure",
    "ExposureKind",
    "IssueStanding",
    "LedgerCount",
    "LedgerRow",
    "ProbeComparison",
    "ProbeRate",
    "ProbeRuns",
    "RatioFigures",
    "Reason",
    "ReleaseOutcome",
    "ReleaseVerdict",
    "Sighting",
    "Standing",
    "ThemeCounts",
    "ThemeOutcome",
    "Trade",
    "Use",
    "Verification",
    "VerificationRules",
    "VersionCounts",
    "VersionTally",
    "compare_probes",
    "consequences",
    "count_version",
    "find_trades",
    "judge_release",
    "make_ledger",
    "probe_rate",
    "requests_by_week",
]
