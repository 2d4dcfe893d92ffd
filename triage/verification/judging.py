"""From figures to verdicts: one table of conditions, the first that holds decides.

A claim is tested by requests and must be supported by the share of all reports about the version.
Requests alone would call launch noise or a new channel worse and a tired audience improved;
shares alone follow whatever else is loud.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from triage.verification.comparison import Evidence
from triage.verification.discovery import q_values
from triage.verification.ratio import Floats
from triage.verification.rules import VerificationRules


class ReleaseVerdict(StrEnum):
    """What a new version did to a theme."""

    FIXED = "fixed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WORSE = "worse"
    REGRESSED = "regressed"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class Reason(StrEnum):
    """Why there is not enough evidence; the first that applies."""

    NOT_RELEASED = "the new version is not released, or its launch day is unknown"
    CLOCKS_DISAGREE = "the clocks disagree: dates contradict the day of the release"
    SOAKING = "the release is too fresh"
    NO_REPORTS = "nobody has reported anything about one of the versions"
    NO_EXPOSURE = "how much the versions were used is unknown"
    LOW_EXPOSURE = "one of the versions was used too little"
    NO_CONTROL = "there are too few other reports to hold the theme against"
    NEW_THEME = "the theme was not reported on the old version"
    ONE_CHANNEL = "only one channel says so, the others say otherwise"
    KINDS_DISAGREE = "the rate by requests and the share of reports disagree"
    TOO_FEW = "the old version has too few, or too unsteady, reports of the theme"
    WIDE = "the interval of the ratio is too wide"


VERDICTS = tuple(ReleaseVerdict)
REASONS = tuple(Reason)
Codes = NDArray[np.int64]
_Table = tuple[tuple[NDArray[np.bool_], ReleaseVerdict | Reason], ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Per theme (..., T): positions in ``VERDICTS`` and ``REASONS`` (-1: none) and q-values."""

    verdict: Codes
    reason: Codes
    fixed_q: Floats
    better_q: Floats
    worse_q: Floats


def judge(main: Evidence, second: Evidence | None, rules: VerificationRules) -> Judgement:
    """Judge each theme by the main kind of exposure, corroborated by the second if there is one.

    *Fixed*, *improved* and *worse* need the claim's q-value, the second kind's word, and that no
    one channel alone makes it: with any channel left out, the rest must still have changed
    (for *fixed*: halved).
    """
    limit, drift = rules.discovery_rate, rules.drift_ratio
    fixed_q, better_q, worse_q = (
        q_values(np.where(main.usable, chances, np.nan), rules.discovery)
        for chances in (main.fixed_chance, main.better_chance, main.worse_chance)
    )
    seen_better, seen_worse = better_q <= limit, worse_q <= limit
    better = seen_better & _agrees(second, "better", rules)
    worse = seen_worse & _agrees(second, "worse", rules)
    held_better = better & (main.rest_high <= drift)
    held_worse = worse & (main.rest_low >= 1 / drift)
    fixed = held_better & (fixed_q <= limit) & (main.high <= rules.fixed_ratio)
    fixed &= (main.rest_high <= rules.halved_ratio) & _agrees(second, "fixed", rules)
    same = (main.low >= rules.halved_ratio) & (main.high <= 1 / rules.halved_ratio)
    same &= ~seen_better & ~seen_worse & _agrees(second, "same", rules)
    table: _Table = (
        (~main.usable, Reason.NO_CONTROL),
        (fixed, ReleaseVerdict.FIXED),
        (held_better, ReleaseVerdict.IMPROVED),
        (held_worse, ReleaseVerdict.WORSE),
        (better | worse, Reason.ONE_CHANNEL),
        (same, ReleaseVerdict.UNCHANGED),
        (seen_better | seen_worse, Reason.KINDS_DISAGREE),
        (main.strata.old.sum(-1) == 0, Reason.NEW_THEME),
        (np.isinf(main.growth), Reason.TOO_FEW),
    )
    verdict, reason = _read(table, otherwise=Reason.WIDE)
    return Judgement(verdict, reason, fixed_q, better_q, worse_q)


def _read(table: _Table, otherwise: Reason) -> tuple[Codes, Codes]:
    """Positions of verdict and reason by the first row that holds; a reason means no verdict."""
    unsure = VERDICTS.index(ReleaseVerdict.NOT_ENOUGH_EVIDENCE)
    conditions = [condition for condition, _ in table]
    verdicts = [VERDICTS.index(it) if isinstance(it, ReleaseVerdict) else unsure for _, it in table]
    reasons = [REASONS.index(it) if isinstance(it, Reason) else -1 for _, it in table]
    return (
        np.select(conditions, verdicts, unsure),
        np.select(conditions, reasons, REASONS.index(otherwise)),
    )


def _agrees(second: Evidence | None, claim: str, rules: VerificationRules) -> NDArray[np.bool_]:
    """Whether the second kind of exposure supports a claim; if it says nothing, it does."""
    if second is None:
        return np.asarray(True)
    supports = {
        "fixed": (second.ratio <= rules.fixed_ratio) & (second.high <= rules.halved_ratio),
        "better": second.better_chance <= rules.corroboration,
        "worse": second.worse_chance <= rules.corroboration,
        "same": (second.ratio >= rules.halved_ratio) & (second.ratio <= 1 / rules.halved_ratio),
    }
    return supports[claim] | ~second.usable
