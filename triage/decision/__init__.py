"""Quick fix or fundamental: named evidence, a policy that reads as a table, a priority."""

from triage.decision.evidence import EVIDENCE, ClaimedFix
from triage.decision.layers import LAYER_PROTOTYPES, TextSignals, compare_with_layers
from triage.decision.policy import POLICY_VERSION, Policy, decide, log_odds
from triage.decision.priority import is_severe
from triage.decision.rules import RULES

__all__ = [
    "EVIDENCE",
    "LAYER_PROTOTYPES",
    "POLICY_VERSION",
    "RULES",
    "ClaimedFix",
    "Policy",
    "TextSignals",
    "compare_with_layers",
    "decide",
    "is_severe",
    "log_odds",
]
