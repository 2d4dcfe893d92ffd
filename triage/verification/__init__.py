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
from triage.verification.exposure_rows import COLUMNS, exposure_of, sum_exposures
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
from triage.verification.opposites import ProposedPair, ThemeTopic, find_trades, propose_pairs
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
    "COLUMNS",
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
    "ProposedPair",
    "RatioFigures",
    "Reason",
    "ReleaseOutcome",
    "ReleaseVerdict",
    "Sighting",
    "Standing",
    "ThemeCounts",
    "ThemeOutcome",
    "ThemeTopic",
    "Trade",
    "Use",
    "Verification",
    "VerificationRules",
    "VersionCounts",
    "VersionTally",
    "compare_probes",
    "consequences",
    "count_version",
    "exposure_of",
    "find_trades",
    "judge_release",
    "make_ledger",
    "probe_rate",
    "propose_pairs",
    "requests_by_week",
    "sum_exposures",
]
