"""Keeping an issue true: what the machine would change on it now, and what it leaves alone.

Only our marked part of the body is rewritten, and only while nobody edited it. A label, the owner
or the state that a person set is left for ever. A comment is written only where something changed
that matters, and says how to stop it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from triage.filing.markdown import code_span, safe_prose
from triage.listening import IssueFacts
from triage.types import Decision, IssueDraft, Priority, Theme, Verdict

CALM_DAYS = 14  # how long a priority must be lower before the label follows
_URGENCY = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class Told:
    """What the issue said when somebody was last told: the base for what has changed since.

    ``merged`` are themes that were absorbed, ``calmer_since`` is the day since which the numbers
    ask for a lower priority than the label. ``withheld`` is the reason for which it quotes nobody,
    empty where it may.
    """

    reporters: int
    versions: tuple[str, ...] = ()
    verdict: str = ""
    merged: tuple[int, ...] = ()
    calmer_since: date | None = None
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the issue beside the theme.

    ``role_of`` names a label's role, ``present_name`` maps a configured label to what people
    renamed it to, ``held`` are fields that people hold. ``absorbed`` are themes merged into this
    one. ``awaited`` is the version that is waited for: until its verdict the machine is quiet.
    ``withheld`` is the reason for which the issue must not quote anybody now. ``title`` is the one
    that was sent.
    """

    facts: IssueFacts
    told: Told
    held: Mapping[str, str]
    role_of: Callable[[str], str | None]
    priority_of: Callable[[str], Priority | None]
    present_name: Mapping[str, str] = field(default_factory=dict)
    absorbed: Collection[int] = ()
    awaited: str | None = None
    withheld: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What to change; None leaves a field alone. ``news`` are the sentences of a comment."""

    labels: tuple[str, ...] | None
    assignees: tuple[str, ...] | None
    rewrites_section: bool
    news: tuple[str, ...]
    told: Told
    retitles: bool = False

    @property
    def is_edit(self) -> bool:
        """Whether the issue itself is to be changed."""
        named = self.labels is not None or self.assignees is not None
        return named or self.rewrites_section or self.retitles


def plan_upkeep(
    theme: Theme,
    decision: Decision,
    draft: IssueDraft,
    section: str | None,
    releases: Sequence[str],
    situation: Situation,
    today: date,
) -> Upkeep:
    """What the issue of a theme lacks, given the ``draft`` that would be filed for it today.

    ``section`` is the digest of the draft's marked part, ``releases`` are the released versions.
    """
    facts, held = situation.facts, situation.held
    told = _calmer(decision, situation, today)
    labels = _labels(draft, decision, situation, told, today)
    news: tuple[str, ...] = ()
    if _may_speak(situation):
        news = _news(theme, decision, releases, situation)
        if news:
            told = _now_told(theme, decision, releases, situation, told)
    if "comments" not in held and not facts.locked:
        news += _privacy_news(situation)
    taken_off = situation.withheld is not None and not situation.told.withheld
    told = replace(told, withheld=situation.withheld or "")
    # Nobody's hold keeps words in public that must not be there; from then on it counts again.
    is_ours = "section" not in held or taken_off
    rewrites = is_ours and facts.section is not None and facts.section != section
    retitles = _retitles(draft, situation)
    return Upkeep(labels, _assignees(draft, situation), rewrites, news, told, retitles)


def first_told(theme: Theme, verdict: Verdict, releases: Sequence[str], withheld: str = "") -> Told:
    """What a freshly filed issue has said."""
    versions = tuple(v for v in releases if theme.profile.versions.get(v, 0) > 0)
    told = Told(theme.profile.distinct_reporters, versions, verdict.value)
    return replace(told, withheld=withheld)


def _privacy_news(situation: Situation) -> tuple[str, ...]:
    """That words were taken off or put back; never done without saying so."""
    before, now = situation.told.withheld, situation.withheld
    if now is not None and not before:
        return (
            f"What people wrote was taken off this issue: {safe_prose(now, 300)}. Counts stay. "
            "GitHub keeps earlier versions of a text under *edited*, where who may write here can "
            "delete them.",
        )
    if now is None and before:
        return (f"People are quoted again: the reason ({safe_prose(before, 300)}) is gone.",)
    return ()


def _retitles(draft: IssueDraft, situation: Situation) -> bool:
    """Whether the title that was sent must go since it quotes, or may be a telling one again."""
    if situation.title is None or situation.title == draft.title:
        return False
    return situation.withheld is not None or bool(situation.told.withheld)


def _labels(
    draft: IssueDraft, decision: Decision, situation: Situation, told: Told, today: date
) -> tuple[str, ...] | None:
    """The issue's labels with ours brought up to date, None where they are."""
    present = list(situation.facts.labels)
    names = [label.name for label in present]
    for wanted in draft.labels:
        role = situation.role_of(wanted)
        if role is None or role in situation.held:
            continue
        if role == "priority" and not _priority_follows(decision, situation, told, today):
            continue
        name = situation.present_name.get(wanted, wanted)
        if name in names:
            continue
        names = [each for each in names if situation.role_of(each) != role] + [name]
    return None if set(names) == situation.facts.label_names else tuple(names)


def _label_priority(situation: Situation) -> Priority | None:
    found = [situation.priority_of(label.name) for label in situation.facts.labels]
    return next((priority for priority in found if priority is not None), None)


def _calmer(decision: Decision, situation: Situation, today: date) -> Told:
    shown = _label_priority(situation)
    is_lower = shown is not None and _URGENCY[decision.priority] > _URGENCY[shown]
    since = (situation.told.calmer_since or today) if is_lower else None
    return replace(situation.told, calmer_since=since)


def _priority_follows(decision: Decision, situation: Situation, told: Told, today: date) -> bool:
    """Up at once, down only after ``CALM_DAYS`` of calm; not at all while a release is awaited."""
    shown = _label_priority(situation)
    if shown is None or _URGENCY[decision.priority] < _URGENCY[shown]:
        return True
    if told.calmer_since is None or situation.awaited is not None:
        return False
    return today - told.calmer_since >= timedelta(days=CALM_DAYS)


def _assignees(draft: IssueDraft, situation: Situation) -> tuple[str, ...] | None:
    if "owner" in situation.held or draft.assignee is None or not situation.facts.is_open:
        return None
    known = {who.casefold() for who in situation.facts.assignees}
    likely = {draft.assignee.casefold(), (draft.fallback_assignee or "").casefold()}
    return None if known & likely or not known else (draft.assignee,)


def _may_speak(situation: Situation) -> bool:
    facts = situation.facts
    return (
        facts.is_open
        and not facts.locked
        and "comments" not in situation.held
        and situation.awaited is None
    )


def _news(
    theme: Theme, decision: Decision, releases: Sequence[str], situation: Situation
) -> tuple[str, ...]:
    told, profile = situation.told, theme.profile
    news = []
    if profile.distinct_reporters >= 2 * max(told.reporters, 1):
        news.append(
            f"**{profile.distinct_reporters} people** report it now; it was {told.reporters} when "
            "this was last said here."
        )
    fresh = _new_versions(theme, releases, told)
    if fresh:
        names = ", ".join(code_span(version, 60) for version in fresh)
        counts = ", ".join(str(profile.versions[version]) for version in fresh)
        news.append(f"It is reported on {names} too ({counts} reports).")
    if told.verdict and decision.verdict.value != told.verdict and decision.set_by == "policy":
        may_say = bool(decision.reasons) and situation.withheld is None
        reason = f" {safe_prose(decision.reasons[0], 300)}" if may_say else ""
        news.append(f"The verdict is **{decision.verdict}** now, not {told.verdict}.{reason}")
    absorbed = sorted(set(situation.absorbed) - set(told.merged))
    if absorbed:
        names = ", ".join(f"T{theme_id}" for theme_id in absorbed)
        news.append(f"The reports of {names} were merged into this theme.")
    return tuple(news)


def _now_told(
    theme: Theme, decision: Decision, releases: Sequence[str], situation: Situation, told: Told
) -> Told:
    return replace(
        told,
        reporters=theme.profile.distinct_reporters,
        versions=(*told.versions, *_new_versions(theme, releases, situation.told)),
        verdict=decision.verdict.value,
        merged=tuple(sorted({*told.merged, *situation.absorbed})),
    )


def _new_versions(theme: Theme, releases: Sequence[str], told: Told) -> list[str]:
    seen = [v for v in releases if theme.profile.versions.get(v, 0) > 0]
    return [version for version in seen if version not in told.versions]
