"""Which themes may become issues now; every other one is told why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage.types import Decision, Priority, Route, Theme, ThemeStatus

_URGENCY = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class FilingPolicy:
    """The thresholds of the gate and the budget of one run.

    ``min_coherence`` is compared with ``ThemeProfile.coherence``, the share of a theme's reports
    that wording holds in it as well as meaning.
    """

    min_reporters: int = 3
    min_coherence: float = 0.5
    max_new_issues_per_run: int = 10


def filing_blocker(
    theme: Theme,
    decision: Decision | None,
    route: Route | None,
    policy: FilingPolicy,
    *,
    has_issue: bool,
    developer_severe: bool,
) -> str | None:
    """Why a theme gets no new issue now, or None when it may have one.

    A theme is filed once, when it is open, has no issue yet, was decided and routed, is
    coherent, and enough different people report it; one developer's report of high severity
    (``developer_severe``) stands in for the number of people, for nothing else. The first
    condition that fails, in this order, is the blocker:

    1. a person set it aside as no problem;
    2. it was merged into another theme, which speaks for it;
    3. it has an issue already;
    4. no verdict was reached or tried: it was never decided;
    5. nobody was found to take it: it was never routed;
    6. its reports do not agree enough (also when their agreement is unknown);
    7. too few different people report it.

    A verdict of *undecided* does not block: it is filed with the label ``needs-verdict``.
    """
    profile = theme.profile
    if theme.status is ThemeStatus.DISMISSED:
        return "set aside by a person"
    if theme.status is ThemeStatus.MERGED:
        survivor = "another theme" if theme.forwards_to is None else f"T{theme.forwards_to}"
        return f"merged into {survivor}"
    if has_issue:
        return "already filed"
    if decision is None:
        return "not decided yet"
    if route is None:
        return "not routed yet"
    # Written so that a coherence that is not a number blocks as well.
    if not profile.coherence >= policy.min_coherence:
        return f"not coherent: {profile.coherence:.2f}, needs {policy.min_coherence:.2f}"
    if profile.distinct_reporters < policy.min_reporters and not developer_severe:
        return (
            f"too few reporters: {profile.distinct_reporters}, needs {policy.min_reporters} "
            "or one developer's report of high severity"
        )
    return None


def within_budget(
    candidates: Sequence[tuple[Theme, Decision]], policy: FilingPolicy
) -> tuple[tuple[Theme, ...], dict[int, str]]:
    """Split what passed the gate into what this run files and what waits for the next.

    The most urgent go first, then those with the most reporters, then the oldest id. Returns
    the themes to file in that order and, by theme id, the blocker of each of the others.
    """
    ranked = sorted(candidates, key=_rank)
    limit = max(0, policy.max_new_issues_per_run)
    places = enumerate(ranked[limit:], start=limit + 1)
    waiting = {
        theme.theme_id: f"over this run's budget of {limit} new issues: place {place} in line"
        for place, (theme, _) in places
    }
    return tuple(theme for theme, _ in ranked[:limit]), waiting


def _rank(candidate: tuple[Theme, Decision]) -> tuple[int, int, int]:
    theme, decision = candidate
    return _URGENCY[decision.priority], -theme.profile.distinct_reporters, theme.theme_id
