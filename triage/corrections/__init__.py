"""People's words: what holds, what they contradict, what they teach, how often they were needed."""

from triage.corrections.agreement import Agreement, Judged, agreement
from triage.corrections.comparing import Comparison, compare
from triage.corrections.learning import Example, Learnt, learn
from triage.corrections.words import (
    REMOVED_OWNER,
    Conflict,
    conflicts,
    holding,
    latest,
    removed_owners,
    with_persons_words,
)

__all__ = [
    "REMOVED_OWNER",
    "Agreement",
    "Comparison",
    "Conflict",
    "Example",
    "Judged",
    "Learnt",
    "agreement",
    "compare",
    "conflicts",
    "holding",
    "latest",
    "learn",
    "removed_owners",
    "with_persons_words",
]
