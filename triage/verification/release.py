"""One release judged: counts in, verdicts with figures out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from triage.verification.comparison import Evidence, Panel, compare
from triage.verification.counts import ExposureKind, ThemeCounts, VersionCounts, check_counts
from triage.verification.judging import (
    REASONS,
    VERDICTS,
    Judgement,
    Reason,
    ReleaseVerdict,
    judge,
)
from triage.verification.opposites import find_trades
from triage.verification.outcomes import RatioFigures, ReleaseOutcome, ThemeOutcome
from triage.verification.panel import channels_of, exposure_totals, kind_of, make_panel
from triage.verification.rules import DEFAULT_RULES, VerificationRules
from triage.verification.waiting import next_check, release_blocker
from triage.verification.wording import release_lines, theme_lines, waiting_lines


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything about a release that a theme's outcome is made from."""

    old: VersionCounts
    new: VersionCounts
    panel: Panel
    kind: ExposureKind
    exposure: tuple[float, float]
    blocker: Reason | None
    main: Evidence
    second: Evidence | None
    judgement: Judgement
    today: date
    rules: VerificationRules


def judge_release(
    old: VersionCounts,
    new: VersionCounts,
    themes: Sequence[ThemeCounts],
    today: date,
    rules: VerificationRules = DEFAULT_RULES,
    opposites: Iterable[tuple[int, int]] = (),
) -> ReleaseOutcome:
    """Say of each theme what the new version did to it, with the figures that say so.

    All themes of the release belong into one call: they share false discovery, over-dispersion
    and the reports they are held against. Without known requests the share of all reports about
    a version stands in, never zero. ``opposites`` are pairs of theme ids to watch for trades.

    Raises:
        TriageError: figures that cannot be (see ``check_counts``).
    """
    themes = tuple(themes)
    check_counts(old, new, themes)
    panel = make_panel(old, new, themes or (ThemeCounts(0, {}, {}),), rules)
    kind = kind_of(panel)
    exposure = exposure_totals(panel, kind)
    main = compare(panel, kind, rules)
    second = None if kind is ExposureKind.REPORTS else compare(panel, ExposureKind.REPORTS, rules)
    blocker = release_blocker(old, new, kind, exposure, today, rules)
    judgement = judge(main, second, rules)
    case = _Case(old, new, panel, kind, exposure, blocker, main, second, judgement, today, rules)
    outcomes = tuple(_outcome(case, theme, index) for index, theme in enumerate(themes))
    versions = (old.version, new.version)
    people = (int(panel.old_reporters.sum()), int(panel.new_reporters.sum()))
    return ReleaseOutcome(
        *versions,
        kind,
        outcomes,
        find_trades(outcomes, opposites),
        release_lines(versions, kind, exposure, people, new.before_launch),
    )


def _outcome(case: _Case, theme: ThemeCounts, index: int) -> ThemeOutcome:
    verdict, reason = _verdict(case, theme, index)
    versions = (case.old.version, case.new.version)
    figures = _figures(case, case.main, case.kind, index)
    corroboration = None
    if case.second is not None and case.second.usable[index]:
        corroboration = _figures(case, case.second, ExposureKind.REPORTS, index)
    q_value = _q_value(case.judgement, verdict, index) if case.blocker is None else None
    lines = theme_lines(versions, verdict, figures, corroboration, q_value, case.rules)
    check = None
    if reason is not None:
        growth = float(case.main.growth[index])
        check = next_check(
            reason, case.new, growth, case.exposure, case.kind, case.today, case.rules
        )
        lines += waiting_lines(reason, figures, check, case.rules)
    return ThemeOutcome(
        theme.theme_id, verdict, reason, figures, corroboration, q_value, check, lines
    )


def _verdict(case: _Case, theme: ThemeCounts, index: int) -> tuple[ReleaseVerdict, Reason | None]:
    """The table's verdict, seen in the light of an earlier *fixed*.

    Fixed in this very version, a theme stays so until the whole interval lies above
    ``fixed_ratio`` (on and off are apart); fixed in an earlier one, *worse* is *regressed*.
    """
    if case.blocker is not None:
        return ReleaseVerdict.NOT_ENOUGH_EVIDENCE, case.blocker
    verdict = VERDICTS[case.judgement.verdict[index]]
    code = int(case.judgement.reason[index])
    if theme.fixed_in == case.new.version and case.main.usable[index]:
        back = case.main.low[index] > case.rules.fixed_ratio
        return (ReleaseVerdict.REGRESSED if back else ReleaseVerdict.FIXED), None
    if theme.fixed_in is not None and verdict is ReleaseVerdict.WORSE:
        return ReleaseVerdict.REGRESSED, None
    return verdict, REASONS[code] if code >= 0 else None


def _figures(
    case: _Case, evidence: Evidence, kind: ExposureKind, index: int
) -> RatioFigures | None:
    if not evidence.usable[index]:
        return None
    old, new = evidence.strata.old[index], evidence.strata.new[index]
    names = channels_of(case.old, case.new)
    detectable = float(evidence.detectable[index])
    return RatioFigures(
        kind,
        (int(old.sum()), int(new.sum())),
        exposure_totals(case.panel, kind),
        float(evidence.ratio[index]),
        float(evidence.low[index]),
        float(evidence.high[index]),
        float(evidence.strata.inflation[index]),
        tuple(
            (name, int(before), int(after))
            for name, before, after in zip(names, old, new, strict=True)
            if before or after
        ),
        None if math.isnan(detectable) else detectable,
    )


def _q_value(judgement: Judgement, verdict: ReleaseVerdict, index: int) -> float | None:
    better, worse = float(judgement.better_q[index]), float(judgement.worse_q[index])
    q_value = {
        ReleaseVerdict.FIXED: float(judgement.fixed_q[index]),
        ReleaseVerdict.IMPROVED: better,
        ReleaseVerdict.WORSE: worse,
        ReleaseVerdict.REGRESSED: worse,
    }.get(verdict, min(better, worse))
    return None if math.isnan(q_value) else q_value
