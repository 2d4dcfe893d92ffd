"""Quick fix or fundamental: named evidence, a policy that reads as a table, a priority."""

from triage.decision.evidence import EVIDENCE
from triage.decision.layers import LAYER_PROTOTYPES, TextSignals, read_signals
from triage.decision.policy import POLICY_VERSION, Policy, decide, log_odds
from triage.decision.priority import is_severe

__all__ = [
    "EVIDENCE",
    "LAYER_PROTOTYPES",
    "POLICY_VERSION",
    "Policy",
    "TextSignals",
    "decide",
    "is_severe",
    "log_odds",
    "read_signals",
]
