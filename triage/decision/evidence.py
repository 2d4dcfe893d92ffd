"""The evidence table: each row looks at one checkable property of a theme.

Weights are in log-odds, positive towards fundamental. Those on text were fitted as one
logistic regression over invented failure modes that share nothing with any real theme
(accuracy 0.77 by cross-validation over modes), then rounded towards zero; those on counts,
which that material cannot teach, are small by judgement.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.decision.cues import AFTER_A_FIX, GIVES_FIGURES, NAMES_SOFTWARE, WORKS_ELSEWHERE
from triage.decision.layers import TextSignals
from triage.types import EvidenceItem, Kind, Report, Theme

LEAD_WEIGHT = 18.0
LEAD_BASE = 0.4
LEAD_LIMIT = 2.0

_AFTER_PRODUCT = re.compile(r"[,;:(/]|\s+(?:on|in|at|with|via|under|through)\s|\s+v?\d")


@dataclass(frozen=True, slots=True)
class Case:
    """What the rows look at; ``reports`` without duplicates, ``claimed_fixes`` in any order."""

    theme: Theme
    reports: Sequence[Report]
    signals: TextSignals
    claimed_fixes: Sequence[datetime] = ()

    def share(self, count: int) -> float:
        """``count`` of the reports as a share that one report alone cannot make whole."""
        return count / (len(self.reports) + 1)

    def matching(self, pattern: re.Pattern[str], kind: Kind | None = None) -> int:
        """How many reports (of one kind) a pattern occurs in."""
        return sum(
            bool(pattern.search(report.failure_text))
            for report in self.reports
            if kind is None or report.kind is kind
        )


def layer_language(case: Case) -> EvidenceItem:
    """Do the reports read like failures of the model, or of the software around it?"""
    similarity = case.signals.layer_similarity
    if not similarity:
        return EvidenceItem("language of the reports", "not compared with any layer", 0.0)
    layer, lead = case.signals.software_layer, case.signals.model_lead
    weight = max(-LEAD_LIMIT, min(LEAD_LIMIT, LEAD_WEIGHT * lead + LEAD_BASE))
    return EvidenceItem(
        "language of the reports",
        f"likeness to failures of the model {similarity['model']:.2f}, "
        f"of the {layer} {similarity[layer]:.2f}",
        round(weight, 2),
    )


def named_software(case: Case) -> EvidenceItem:
    """A reporter who names a parser, template or setting has often found the place."""
    count = case.matching(NAMES_SOFTWARE)
    observation = f"{_of(count, case)} name a part of the software (parser, template, setting)"
    return EvidenceItem("software named", observation, round(-1.5 * case.share(count), 2))


def works_elsewhere(case: Case) -> EvidenceItem:
    """The same thing working in another setting clears the model."""
    count = case.matching(WORKS_ELSEWHERE)
    observation = f"{_of(count, case)} say that it works in another setting"
    return EvidenceItem("works elsewhere", observation, round(-2.0 * case.share(count), 2))


def developers_word(case: Case) -> EvidenceItem:
    """Developers who name the software weigh double; their rates over runs show behaviour."""
    developers = sum(report.kind is Kind.DEVELOPER for report in case.reports)
    if not developers:
        return EvidenceItem("developers' word", "no developer has reported it", 0.0)
    named = case.matching(NAMES_SOFTWARE, Kind.DEVELOPER)
    measured = case.matching(GIVES_FIGURES, Kind.DEVELOPER)
    weight = 1.5 * case.share(measured) - 1.5 * case.share(named)
    observation = (
        f"of {developers} developers' reports {named} name a part of the software, "
        f"{measured} give rates over runs"
    )
    return EvidenceItem("developers' word", observation, round(weight, 2))


def error_signature(case: Case) -> EvidenceItem:
    """One and the same error line comes from code, not from a model."""
    name, count = _most_frequent(case.theme.profile.error_signatures)
    if count < 2 or count * 2 < len(case.reports):
        return EvidenceItem("error signature", "no error line is shared by half of them", 0.0)
    return EvidenceItem("error signature", f"{_of(count, case)} show the error “{name}”", -0.8)


def environment_spread(case: Case) -> EvidenceItem:
    """One environment points at an integration; many cannot all have the same bug."""
    products = Counter(
        _product(report.environment) for report in case.reports if report.environment
    )
    known = products.total()
    if known < 3:
        return EvidenceItem("environments", f"known of only {known} reports", 0.0)
    name, count = _most_frequent(products)
    if count == known:
        return EvidenceItem("environments", f"all {known} known are {name}", -0.8)
    observation = f"{len(products)} environments over {known} reports"
    spread = len(products) >= 3 and count * 2 <= known
    return EvidenceItem("environments", observation, 0.3 if spread else 0.0)


def version_spread(case: Case) -> EvidenceItem:
    """What outlives a model version is more likely a trait than a slip of one release."""
    versions = {report.model_version for report in case.reports if report.model_version}
    if len(versions) < 2:
        return EvidenceItem("model versions", f"seen on {len(versions)} known version(s)", 0.0)
    return EvidenceItem("model versions", f"seen on {', '.join(sorted(versions))}", 0.3)


def recurrence(case: Case) -> EvidenceItem:
    """What comes back after a fix was not fixed where it comes from."""
    if case.claimed_fixes:
        last = max(case.claimed_fixes)
        later = sum(report.created_at > last for report in case.reports)
        observation = f"{_of(later, case)} came after the fix claimed on {last:%Y-%m-%d}"
        return EvidenceItem("recurrence after a fix", observation, 0.8 if later else 0.0)
    count = case.matching(AFTER_A_FIX)
    observation = f"{_of(count, case)} say that it is back after a fix"
    return EvidenceItem("recurrence after a fix", observation, round(0.8 * case.share(count), 2))


EVIDENCE: tuple[Callable[[Case], EvidenceItem], ...] = (
    layer_language,
    named_software,
    works_elsewhere,
    developers_word,
    error_signature,
    environment_spread,
    version_spread,
    recurrence,
)


def _product(environment: str) -> str:
    """The product of a free description: ``Loomcode 1.4 on Windows`` is ``loomcode``."""
    return _AFTER_PRODUCT.split(environment.casefold(), maxsplit=1)[0].strip() or environment


def _of(count: int, case: Case) -> str:
    return f"{count} of {len(case.reports)} reports"


def _most_frequent(counts: Mapping[str, int]) -> tuple[str, int]:
    return max(counts.items(), key=lambda item: item[1], default=("", 0))
