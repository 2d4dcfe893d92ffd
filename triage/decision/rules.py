"""Rules that outrank the model: what settles the verdict whatever the words sound like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triage.decision.cues import HINTS_AT_A_FIX, WORKS_ELSEWHERE
from triage.decision.evidence import Case, most_frequent
from triage.types import Verdict

LEAST_REPORTS = 3


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """When ``applies`` returns a sentence, the verdict is ``verdict``, with this confidence.

    The confidences are judgements, not measurements: no labelled material has such themes in
    numbers. They stay below a person's 1.0.
    """

    name: str
    verdict: Verdict
    confidence: float
    applies: Callable[[Case], str | None]


def _one_error_everywhere(case: Case) -> str | None:
    name, count = most_frequent(case.theme.profile.error_signatures)
    if count < LEAST_REPORTS or count * 5 < len(case.reports) * 4:
        return None
    return f"{count} of {len(case.reports)} reports show one and the same error “{name}”"


def _one_harness_only(case: Case) -> str | None:
    products = case.products()
    name, count = most_frequent(products)
    cleared = case.matching(WORKS_ELSEWHERE)
    if count < LEAST_REPORTS or len(products) > 1 or cleared * 2 < len(case.reports):
        return None
    return (
        f"all {count} known environments are {name}, and {cleared} reports say it works elsewhere"
    )


def _fix_is_known(case: Case) -> str | None:
    count = case.matching(HINTS_AT_A_FIX)
    if count < LEAST_REPORTS or count * 2 < len(case.reports):
        return None
    return f"{count} of {len(case.reports)} reports tell what made it work"


def _outlives_fixes(case: Case) -> str | None:
    if len(case.claimed_fixes) < 2:
        return None
    later = len(case.after_the_last_fix())
    versions = {report.model_version for report in case.reports if report.model_version}
    if later < LEAST_REPORTS or len(versions) < 2 or len(case.products()) == 1:
        return None
    return (
        f"{later} reports came after {len(case.claimed_fixes)} claimed fixes, on several versions"
    )


# The first that applies decides.
RULES: tuple[PolicyRule, ...] = (
    PolicyRule("one error everywhere", Verdict.QUICK_FIX, 0.9, _one_error_everywhere),
    PolicyRule("one harness only", Verdict.QUICK_FIX, 0.9, _one_harness_only),
    PolicyRule("fix is known", Verdict.QUICK_FIX, 0.85, _fix_is_known),
    PolicyRule("outlives its fixes", Verdict.FUNDAMENTAL, 0.85, _outlives_fixes),
)


def ruling(case: Case) -> tuple[PolicyRule, str] | None:
    """The rule that decides a case, and why, or None."""
    for rule in RULES:
        why = rule.applies(case)
        if why is not None:
            return rule, why
    return None
