"""A quick fix that did not help speaks for a fundamental failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triage.types import Decision, EvidenceItem, Verdict

WEIGHT = 1.0  # log-odds towards fundamental, for each version that was to bring the quick fix
ENOUGH = 2  # so many quick fixes that did not help, and it is no quick fix


def after_failed_fixes(decision: Decision, versions: Sequence[str]) -> Decision:
    """The policy's decision in the light of releases that were to mend it quickly and did not.

    After one the verdict is open again, after two it is fundamental. A verdict of fundamental only
    gains the evidence; without a failed fix nothing changes.
    """
    if not versions:
        return decision
    named = ", ".join(versions)
    reason = f"The quick fix in {named} did not mend it, as the figures of the release say."
    evidence = EvidenceItem("quick fix that did not help", named, WEIGHT * len(versions))
    verdict, confidence = decision.verdict, decision.confidence
    if verdict is not Verdict.FUNDAMENTAL:
        enough = len(versions) >= ENOUGH
        verdict = Verdict.FUNDAMENTAL if enough else Verdict.UNDECIDED
        confidence = 0.5 if not enough else max(confidence, 0.5)
    return replace(
        decision,
        verdict=verdict,
        confidence=confidence,
        reasons=(reason, *decision.reasons),
        evidence=(*decision.evidence, evidence),
    )
