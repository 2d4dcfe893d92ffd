"""The evidence table: each row looks at one checkable property of a theme.

Weights are in log-odds, positive towards fundamental. Those on text come from the reader, which
was trained; those on cues are small, since the reader knows the same words: over invented failure
modes they told much (kappa 0.31 alone), on reports in other people's words little (0.09). Those on
counts, which no training material teaches, are small by judgement.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from triage.decision.cues import (
    AFTER_A_FIX,
    GIVES_FIGURES,
    HINTS_AT_A_FIX,
    NAMES_SOFTWARE,
    WORKS_ELSEWHERE,
    severities,
)
from triage.decision.growth import expected_reports
from triage.decision.layers import TextSignals
from triage.types import EvidenceItem, Kind, Report, Theme

WORDS_LIMIT = 3.0

_AFTER_PRODUCT = re.compile(r"[,;:(/]|\s+(?:on|in|at|with|via|under|through)\s|\s+v?\d")


@dataclass(frozen=True, slots=True)
class ClaimedFix:
    """A released version that somebody said would mend a theme.

    A report that names one of ``versions`` came after it, on whatever day it was written.
    """

    version: str
    released_on: date
    versions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """What the rows look at; ``reports`` without duplicates, ``claimed_fixes`` in any order."""

    theme: Theme
    reports: Sequence[Report]
    signals: TextSignals
    now: datetime
    claimed_fixes: Sequence[ClaimedFix] = ()

    def after_the_last_fix(self) -> list[Report]:
        """The reports on the version that was last claimed to mend it, or on a later one."""
        if not self.claimed_fixes:
            return []
        last = max(self.claimed_fixes, key=lambda fix: (fix.released_on, fix.version))
        return [report for report in self.reports if report.model_version in last.versions]

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

    def products(self) -> Counter[str]:
        """Reports by the product of their environment, where one is known."""
        return Counter(product_of(each.environment) for each in self.reports if each.environment)


def layer_by_words(case: Case) -> EvidenceItem:
    """Do the reports read like failures of the model, or of the software around it?"""
    layers = case.signals.layers
    if not layers:
        return EvidenceItem("layer by the words", "nothing could read it", 0.0)
    ranked = sorted(layers.items(), key=lambda item: -item[1])[:2]
    said = ", then ".join(f"{layer} ({chance:.1f})" for layer, chance in ranked)
    if case.signals.usual is not None:
        share = f"{case.signals.usual:.1f}"
        said += f"; the model was at fault in {share} of known failures of such capabilities"
    weight = max(-WORDS_LIMIT, min(WORDS_LIMIT, case.signals.words))
    # In tenths: every new report moves its neighbours a little, and that is no news of a theme.
    return EvidenceItem("layer by the words", f"most like failures of {said}", round(weight, 1))


def layer_by_answers(case: Case) -> EvidenceItem:
    """What an LLM, asked about each report alone, named as the layer at fault."""
    answered = case.signals.answered
    if not answered:
        return EvidenceItem("layer by an LLM", "none was asked", 0.0)
    ranked = sorted(answered.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(f"{layer} {count}" for layer, count in ranked)
    return EvidenceItem("layer by an LLM", f"it named {said}", round(case.signals.answers, 2))


def named_software(case: Case) -> EvidenceItem:
    """A reporter who names a parser, template or setting has often found the place."""
    count = case.matching(NAMES_SOFTWARE)
    observation = f"{_of(count, case)} name a part of the software (parser, template, setting)"
    return EvidenceItem("software named", observation, round(-0.4 * case.share(count), 2))


def works_elsewhere(case: Case) -> EvidenceItem:
    """The same thing working in another setting clears the model."""
    count = case.matching(WORKS_ELSEWHERE)
    observation = f"{_of(count, case)} say that it works in another setting"
    return EvidenceItem("works elsewhere", observation, round(-0.8 * case.share(count), 2))


def known_fix(case: Case) -> EvidenceItem:
    """Who made it work by a change of template, version or setting has shown where it breaks."""
    count = case.matching(HINTS_AT_A_FIX)
    observation = f"{_of(count, case)} tell what made it work, or a workaround"
    return EvidenceItem("known fix", observation, round(-0.8 * case.share(count), 2))


def developers_word(case: Case) -> EvidenceItem:
    """Developers who name the software weigh double; their rates over runs show behaviour."""
    developers = sum(report.kind is Kind.DEVELOPER for report in case.reports)
    if not developers:
        return EvidenceItem("developers' word", "no developer has reported it", 0.0)
    named = case.matching(NAMES_SOFTWARE, Kind.DEVELOPER)
    measured = case.matching(GIVES_FIGURES, Kind.DEVELOPER)
    weight = 0.5 * case.share(measured) - 0.5 * case.share(named)
    observation = (
        f"of {developers} developers' reports {named} name a part of the software, "
        f"{measured} give rates over runs"
    )
    return EvidenceItem("developers' word", observation, round(weight, 2))


def repeated_evaluations(case: Case) -> EvidenceItem:
    """Rates that internal evaluations measured again, later or on another version, show a trait."""
    measured = [
        report
        for report in case.reports
        if report.kind is Kind.DEVELOPER and GIVES_FIGURES.search(report.failure_text)
    ]
    days = {report.created_at.date() for report in measured}
    versions = {report.model_version for report in measured if report.model_version}
    if len(measured) < 2 or len(days) < 2:
        said = f"{len(measured)} evaluation(s) with rates, none repeated"
        return EvidenceItem("repeated evaluations", said, 0.0)
    on = f" on {', '.join(sorted(versions))}" if versions else ""
    observation = f"{len(measured)} with rates on {len(days)} days{on}: it fails each time"
    return EvidenceItem("repeated evaluations", observation, 0.4 if len(versions) > 1 else 0.2)


def error_signature(case: Case) -> EvidenceItem:
    """One and the same error line comes from code, not from a model."""
    name, count = most_frequent(case.theme.profile.error_signatures)
    if count < 2 or count * 2 < len(case.reports):
        return EvidenceItem("error signature", "no error line is shared by half of them", 0.0)
    return EvidenceItem("error signature", f"{_of(count, case)} show the error “{name}”", -0.8)


def environment_spread(case: Case) -> EvidenceItem:
    """One environment points at an integration; many cannot all have the same bug."""
    products = case.products()
    known = products.total()
    if known < 3:
        return EvidenceItem("environments", f"known of only {known} reports", 0.0)
    name, count = most_frequent(products)
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
        later = case.after_the_last_fix()
        named = ", ".join(sorted(fix.version for fix in case.claimed_fixes))
        people = len({report.reporter for report in later})
        observation = f"{_of(len(later), case)} came after a fix that was claimed ({named})"
        # One person alone may have named the wrong version.
        return EvidenceItem("recurrence after a fix", observation, (0.0, 0.4, 0.8)[min(people, 2)])
    count = case.matching(AFTER_A_FIX)
    observation = f"{_of(count, case)} say that it is back after a fix"
    return EvidenceItem("recurrence after a fix", observation, round(0.8 * case.share(count), 2))


def severity(case: Case) -> EvidenceItem:
    """What was lost, opened or harmed; it makes a theme urgent, neither deep nor shallow."""
    kinds = Counter(kind for each in case.reports for kind in severities(each.failure_text))
    if not kinds:
        return EvidenceItem("severity", "no report speaks of severe harm", 0.0)
    name, count = most_frequent(kinds)
    return EvidenceItem("severity", f"{_of(count, case)} speak of {name}", 0.0)


def growth(case: Case) -> EvidenceItem:
    """This fortnight against what its own past lets expect."""
    recent, expected = expected_reports([each.created_at for each in case.reports], case.now)
    observation = f"{recent} reports in the last 14 days where {expected:.1f} were to be expected"
    return EvidenceItem("growth", observation, 0.0)


def reporters(case: Case) -> EvidenceItem:
    """People, not posts."""
    people, posts = case.theme.profile.distinct_reporters, case.theme.profile.reports
    return EvidenceItem("distinct reporters", f"{people} people behind {posts} reports", 0.0)


EVIDENCE: tuple[Callable[[Case], EvidenceItem], ...] = (
    layer_by_words,
    layer_by_answers,
    named_software,
    works_elsewhere,
    known_fix,
    developers_word,
    repeated_evaluations,
    error_signature,
    environment_spread,
    version_spread,
    recurrence,
    severity,
    growth,
    reporters,
)

# How far an item can go towards each side at most, and what it would take: for "what would change
# this". Only what a person could go and find out.
REACH: Mapping[str, tuple[float, str]] = {
    "works elsewhere": (-0.8, "more reports that it works in another setting"),
    "known fix": (-0.8, "a change of template, version or setting that makes it work"),
    "environments": (-0.8, "all reports coming from one environment"),
    "error signature": (-0.8, "one error line shared by half of the reports"),
    "recurrence after a fix": (0.8, "reports that come after a claimed fix"),
    "repeated evaluations": (0.4, "evaluations that find it again on another version"),
    "model versions": (0.3, "reports about another model version"),
}


def product_of(environment: str) -> str:
    """The product of a free description: ``Loomcode 1.4 on Windows`` is ``loomcode``."""
    return _AFTER_PRODUCT.split(environment.casefold(), maxsplit=1)[0].strip() or environment


def most_frequent(counts: Mapping[str, int]) -> tuple[str, int]:
    """The commonest and its count; empty and 0 where there is none."""
    return max(counts.items(), key=lambda item: item[1], default=("", 0))


def _of(count: int, case: Case) -> str:
    return f"{count} of {len(case.reports)} reports"
