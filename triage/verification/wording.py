"""Verdicts and figures as sentences for people."""

from __future__ import annotations

import math
from datetime import date

from triage.verification.counts import ExposureKind
from triage.verification.judging import Reason, ReleaseVerdict
from triage.verification.outcomes import RatioFigures
from triage.verification.rules import VerificationRules

_SCALES = {
    ExposureKind.REQUESTS: (100_000, "100,000 requests", "requests"),
    ExposureKind.REPORTS: (1_000, "1,000 reports", "reports"),
}


def theme_lines(
    versions: tuple[str, str],
    verdict: ReleaseVerdict,
    figures: RatioFigures | None,
    corroboration: RatioFigures | None,
    q_value: float | None,
    rules: VerificationRules,
) -> tuple[str, ...]:
    """The verdict and every figure it rests on, a line each."""
    lines = [f"{versions[1]} against {versions[0]}: {verdict}."]
    if figures is None:
        return tuple(lines)
    lines += [_rates(versions, figures), _ratio(figures, q_value, rules)]
    lines.append(
        "People by channel, old and new version: "
        + "; ".join(f"{name} {old}, {new}" for name, old, new in figures.channels)
        + "."
    )
    if figures.inflation >= 1.05:
        lines.append(
            f"The counts vary {figures.inflation:.1f} times as much as by chance alone; "
            "the interval allows for it."
        )
    if corroboration is not None:
        lines.append(
            f"Among all reports about the versions the ratio is {_number(corroboration.ratio)} "
            f"({_number(corroboration.low)} to {_number(corroboration.high)})."
        )
    elif figures.kind is ExposureKind.REPORTS:
        lines.append("Requests are unknown: the rate is the share of all reports on the version.")
    return tuple(lines)


def waiting_lines(
    reason: Reason, figures: RatioFigures | None, check: date | None, rules: VerificationRules
) -> tuple[str, ...]:
    """Why there is not enough evidence, what could have been seen, and when to look again."""
    if figures is None or figures.detectable_ratio is None:
        effect = "Not even the theme's disappearance could have been told from chance."
    else:
        effect = (
            "The smallest effect that could have been seen (with "
            f"{100 * rules.power:.0f} % power) is a fall to {figures.detectable_ratio:.2f} "
            "of the old rate."
        )
    when = "Waiting does not help." if check is None else f"Next check on {check:%Y-%m-%d}."
    return (f"Not enough evidence: {reason}.", effect, when)


def release_lines(
    versions: tuple[str, str],
    kind: ExposureKind,
    exposure: tuple[float, float],
    people: tuple[int, int],
    before_launch: int,
) -> tuple[str, ...]:
    """What holds for the whole release: exposure, how all reports moved, and early dates."""
    noun = _SCALES[kind][2]
    lines = [
        f"Exposure: {exposure[0]:,.0f} {noun} on {versions[0]}, "
        f"{exposure[1]:,.0f} on {versions[1]}."
    ]
    if kind is ExposureKind.REQUESTS and min(exposure) > 0 and people[0]:
        overall = (people[1] / exposure[1]) / (people[0] / exposure[0])
        lines.append(f"All reports together are {_number(overall)} times as frequent per request.")
    if before_launch:
        lines.append(
            f"{before_launch} people wrote before the launch of {versions[1]}: not counted."
        )
    return tuple(lines)


def _rates(versions: tuple[str, str], figures: RatioFigures) -> str:
    scale, unit, noun = _SCALES[figures.kind]
    parts = [
        f"{_number(scale * people / exposure) if exposure else 'unknown'} on {version} "
        f"({people} {'person' if people == 1 else 'people'}, {exposure:,.0f} {noun})"
        for version, people, exposure in zip(
            versions, figures.people, figures.exposure, strict=True
        )
    ]
    return f"Rate per {unit}: {parts[0]}, {parts[1]}."


def _ratio(figures: RatioFigures, q_value: float | None, rules: VerificationRules) -> str:
    interval = f"{_number(figures.low)} to {_number(figures.high)}"
    q_text = "" if q_value is None else f"; q = {q_value:.2g}"
    return (
        f"Ratio of the rates, channels held apart: {_number(figures.ratio)}, "
        f"{100 * rules.confidence:.0f} % interval {interval}{q_text}."
    )


def _number(value: float) -> str:
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "unbounded"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"
