"""From evidence to a verdict: a person, then rules, then the sum with a band and hysteresis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from triage.decision.evidence import EVIDENCE, REACH, Case, ClaimedFix
from triage.decision.layers import TextSignals
from triage.decision.priority import prioritise
from triage.decision.rules import PolicyRule, ruling
from triage.types import Decision, EvidenceItem, Report, Theme, Verdict

POLICY_VERSION = "2026-11.4"


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds in log-odds; on and off are apart, so that a verdict does not flicker.

    ``decide_beyond`` ends the undecided band for a theme without a verdict, ``flip_beyond``
    is what evidence for the other side must reach to overturn one. Fewer people than
    ``least_reporters`` are thin evidence, unless a developer is among them.
    """

    decide_beyond: float = 0.7
    flip_beyond: float = 1.4
    least_reporters: int = 3
    highest_confidence: float = 0.95
    version: str = POLICY_VERSION


DEFAULT_POLICY = Policy()


def log_odds(probability: float) -> float:
    """The log-odds of a probability (0 to 1, both excluded): how evidence is added up."""
    return math.log(probability / (1 - probability))


def decide(
    theme: Theme,
    reports: Sequence[Report],
    signals: TextSignals,
    *,
    now: datetime,
    previous: Decision | None = None,
    claimed_fixes: Sequence[ClaimedFix] = (),
    policy: Policy = DEFAULT_POLICY,
) -> Decision:
    """Decide whether a theme is a quick fix or fundamental, and how urgent.

    The first of these decides: a person's verdict stays; thin evidence is undecided, whatever it
    says; a rule (``RULES``) outranks the words; else the evidence is added up, undecided within
    the band, and the machine's own verdict stays until evidence for the other side passes
    ``policy.flip_beyond``. The items hold everything that was looked at, also what said nothing.
    ``now`` dates the growth. Raises ``ValueError`` without reports.
    """
    if not reports:
        raise ValueError(f"theme {theme.name} has no reports to decide on")
    originals = [report for report in reports if report.duplicate_of is None] or list(reports)
    case = Case(theme, originals, signals, now, claimed_fixes)
    evidence = tuple(row(case) for row in EVIDENCE)
    if previous is not None and _lasting(evidence) == _lasting(previous.evidence):
        evidence = previous.evidence
    priority, why_urgent = prioritise(theme.profile, originals, now)
    if previous is not None and previous.set_by != "policy":
        return replace(previous, evidence=evidence, priority=priority, would_change=())
    log_odds = sum(item.weight for item in evidence)
    thin, rule = _thin_evidence(theme, policy), ruling(case)
    verdict, note = _verdict(log_odds, thin, rule, previous, policy)
    decision = Decision(
        verdict=verdict,
        confidence=_confidence(verdict, log_odds, rule if thin is None else None, policy),
        priority=priority,
        reasons=(note, *_moving_reasons(evidence), why_urgent),
        evidence=evidence,
        policy_version=policy.version,
        would_change=_would_change(verdict, log_odds, thin, rule, evidence, policy),
    )
    # The same again is the same decision, with the words in which it was first explained.
    if previous is not None and replace(decision, reasons=previous.reasons) == previous:
        return previous
    return decision


def _lasting(evidence: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    """The items that change with the reports; growth changes with every day that passes."""
    return [item for item in evidence if item.name != "growth"]


def _thin_evidence(theme: Theme, policy: Policy) -> str | None:
    people = theme.profile.distinct_reporters
    if people >= policy.least_reporters or theme.profile.developer_reports:
        return None
    return f"Only {people} of at least {policy.least_reporters} people have reported it"


def _verdict(
    log_odds: float,
    thin_evidence: str | None,
    rule: tuple[PolicyRule, str] | None,
    previous: Decision | None,
    policy: Policy,
) -> tuple[Verdict, str]:
    if thin_evidence is not None:
        return Verdict.UNDECIDED, f"{thin_evidence}, which is too thin to decide on."
    if rule is not None:
        found, why = rule
        was = previous.verdict if previous is not None else Verdict.UNDECIDED
        turned = "" if was in (Verdict.UNDECIDED, found.verdict) else f"Changed from {was}: "
        return found.verdict, f"{turned}The rule “{found.name}” says {found.verdict}: {why}."
    leaning = Verdict.FUNDAMENTAL if log_odds > 0 else Verdict.QUICK_FIX
    strength = abs(log_odds)
    before = previous.verdict if previous is not None else Verdict.UNDECIDED
    if before is Verdict.UNDECIDED:
        if strength >= policy.decide_beyond:
            return leaning, f"The evidence adds up to {leaning} ({log_odds:+.1f} log-odds)."
        return Verdict.UNDECIDED, (
            f"The evidence leans to {leaning} ({log_odds:+.1f} log-odds), short of the "
            f"{policy.decide_beyond:.1f} that a verdict needs."
        )
    if leaning is before:
        return before, f"The evidence still adds up to {before} ({log_odds:+.1f} log-odds)."
    if strength >= policy.flip_beyond:
        return leaning, (
            f"Changed from {before} to {leaning}: the evidence now adds up to "
            f"{log_odds:+.1f} log-odds."
        )
    return before, (
        f"Stays {before}: newer evidence leans to {leaning} ({log_odds:+.1f} log-odds), short "
        f"of the {policy.flip_beyond:.1f} that a change needs."
    )


def _confidence(
    verdict: Verdict, log_odds: float, rule: tuple[PolicyRule, str] | None, policy: Policy
) -> float:
    """Probability of the verdict by its log-odds; of the leaning while undecided."""
    if rule is not None:
        return rule[0].confidence
    towards = -log_odds if verdict is Verdict.QUICK_FIX else log_odds
    if verdict is Verdict.UNDECIDED:
        towards = abs(log_odds)
    probability = 1 / (1 + math.exp(-towards))
    return round(min(policy.highest_confidence, max(0.5, probability)), 3)


def _would_change(
    verdict: Verdict,
    log_odds: float,
    thin: str | None,
    rule: tuple[PolicyRule, str] | None,
    evidence: Sequence[EvidenceItem],
    policy: Policy,
) -> tuple[str, ...]:
    """What a person could find out that would turn the verdict, or bring one."""
    if thin is not None:
        return (f"Reports from {policy.least_reporters} people, or one from a developer.",)
    if rule is not None:
        return (f"The rule “{rule[0].name}” no longer applying, or a person's word.",)
    held = {item.name: item.weight for item in evidence}
    sides = [Verdict.QUICK_FIX, Verdict.FUNDAMENTAL]
    sentences = []
    for side in sides:
        if side is verdict:
            continue
        sign = 1 if side is Verdict.FUNDAMENTAL else -1
        needed = policy.decide_beyond if verdict is Verdict.UNDECIDED else policy.flip_beyond
        missing = needed - sign * log_odds
        means = [
            f"{words} ({most:+.1f})"
            for name, (most, words) in REACH.items()
            if most * sign > 0 and (most - held.get(name, 0.0)) * sign > 0.1
        ]
        sentences.append(
            f"To {side} it lacks {missing:.1f} log-odds; towards it would speak "
            f"{', or '.join(means) or 'nothing that the policy looks at'}."
        )
    return tuple(sentences)


def _moving_reasons(evidence: Sequence[EvidenceItem]) -> list[str]:
    """What moved the decision, strongest first, as sentences; not what would read as 0.0."""
    moved = sorted(
        (item for item in evidence if round(item.weight, 1)), key=lambda item: -abs(item.weight)
    )
    return [
        f"{item.name.capitalize()}: {item.observation}; speaks for "
        f"{Verdict.FUNDAMENTAL if item.weight > 0 else Verdict.QUICK_FIX} ({item.weight:+.1f})."
        for item in moved
    ]
