"""The sections of an issue's body, each as Markdown; every word from a report is neutralised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.filing.context import DraftContext
from triage.filing.links import safe_link
from triage.filing.markdown import code_span, quote_block, safe_prose
from triage.privacy import NOT_QUOTED, QUOTES_HEADING
from triage.types import Decision, EvidenceItem, Kind, Report, Route, Theme, Verdict

OWNER_HEADING = "### Owner"

_TOP = 5
_MAX_REASONS = 12
_MAX_EVIDENCE = 20
_MAX_QUOTE_CHARS = 10_000
_BREAKDOWNS = ("Model version", "Environment", "Channel", "Language")
_NEUTRAL = 0.005  # smaller weights would be shown as 0.00

_MEANING = {
    Verdict.QUICK_FIX: "**Quick fix**: can be mended in days, without training a model.",
    Verdict.FUNDAMENTAL: "**Fundamental**: needs the next model itself to change.",
    Verdict.UNDECIDED: "**Undecided**: the evidence points both ways or is too thin. "
    "A person's verdict is needed.",
}


def what_fails(theme: Theme, context: DraftContext) -> str:
    """What fails, for whom, and since which version."""
    profile = theme.profile
    summary = safe_prose(theme.text.summary or theme.text.title, 1500)
    first, last = profile.first_seen.date(), profile.last_seen.date()
    span = f"on {first}" if first == last else f"between {first} and {last}"
    family = safe_prose(context.family_title, 100)
    people = _counted(profile.distinct_reporters, "person", "people")
    verb = "reports" if profile.distinct_reporters == 1 else "report"
    reports = _counted(profile.reports, "report", "reports")
    repeats = f" (and {profile.duplicates} that repeat another)" if profile.duplicates else ""
    developers = ""
    if profile.developer_reports:
        number = _counted(profile.developer_reports, "report comes", "reports come")
        developers = f" {number} from developers who evaluate the model."
    return (
        f"### What fails\n\n{summary}\n\n"
        f"**{people}** {verb} this about {family}, in {reports}{repeats} {span}.{developers} "
        f"{_since(theme, context)}"
    )


def earlier_issue(theme: Theme, context: DraftContext) -> list[str]:
    """Where the failure was followed before it came back; nothing where it did not."""
    url = context.earlier_issues.get(theme.theme_id)
    if url is None:
        return []
    return [f"It was mended once and came back: {safe_link('the former issue', url)} tells more."]


def since_release(theme: Theme, context: DraftContext) -> list[str]:
    """What the latest judged version did to it, or what is missing to say so; maybe nothing."""
    note = context.release_notes.get(theme.theme_id)
    if note is None:
        return []
    said = f"**{note.verdict.capitalize()}**, as of {note.judged_on}."
    lines = [f"- {safe_prose(line, 600)}" for line in note.lines[:_MAX_REASONS]]
    if note.answers:
        lines.append(f"- Answers of reporters who were told: {safe_prose(note.answers, 200)}.")
    heading = f"### On {code_span(note.version, 60)}"
    return ["\n\n".join([heading, said, *(["\n".join(lines)] if lines else [])])]


def verdict(decision: Decision, context: DraftContext) -> str:
    """The verdict, its confidence and the reasons for it."""
    by_person = decision.set_by != "policy"
    source = (
        f"Set by {code_span(decision.set_by, 60)}; the machine will not change it."
        if by_person
        else f"Confidence {_percent(decision.confidence)} (policy "
        f"{code_span(decision.policy_version, 60)})."
    )
    target = f" Planned for {code_span(context.next_version, 60)}." if context.next_version else ""
    reasons = [f"- {safe_prose(reason, 400)}" for reason in decision.reasons[:_MAX_REASONS]]
    head = (
        f"### Verdict\n\n{_MEANING[decision.verdict]} {source} "
        f"Priority **{decision.priority}**.{target}"
    )
    turning = [f"- {safe_prose(each, 400)}" for each in decision.would_change[:_TOP]]
    parts = [head, "\n".join(reasons)] if reasons else [head]
    if turning:
        parts.append("What would change it:\n\n" + "\n".join(turning))
    return "\n\n".join(parts)


def evidence(decision: Decision) -> str:
    """Everything that was looked at, what moved the verdict most first."""
    ranked = sorted(decision.evidence, key=lambda item: -abs(item.weight))
    rows = [_evidence_row(item) for item in ranked[:_MAX_EVIDENCE]]
    if not rows:
        return "### Evidence\n\nNo evidence was recorded."
    left_out = len(ranked) - len(rows)
    note = f"\n\n{left_out} weaker items are left out." if left_out else ""
    head = "| Evidence | Observed | Moves the verdict towards (log-odds) |\n| --- | --- | --- |"
    return "\n".join(["### Evidence", "", head, *rows]) + note


def who_reports(theme: Theme, *, is_withheld: bool = False) -> str:
    """Reports by version, environment, channel and language; withheld, by what is ours to name."""
    profile = theme.profile
    shown = ("Model version", "Language") if is_withheld else _BREAKDOWNS
    rows = [
        f"| {name} | {_breakdown(counts, profile.reports)} |"
        for name, counts in (
            ("Model version", profile.versions),
            ("Environment", profile.environments),
            ("Channel", profile.channels),
            ("Language", profile.languages),
        )
        if name in shown
    ]
    return "\n".join(["### Who reports it", "", "| By | Reports |", "| --- | --- |", *rows])


def quotes(theme: Theme, blocks: Sequence[str], withheld: str | None = None) -> str:
    """Exemplary reports in their own words, as far as there is room; or why there are none."""
    heading = QUOTES_HEADING
    if withheld is not None:
        inside = f"`triage theme {theme.name}` shows the reports to those who may see them."
        return f"{heading}\n\n{NOT_QUOTED}{withheld}. {inside}"
    return "\n\n".join([heading, *(blocks or [f"`triage theme {theme.name}` shows the reports."])])


def quote_blocks(theme: Theme, reports: Sequence[Report], context: DraftContext) -> list[str]:
    """Who said it, then the redacted and shortened report; the exemplars in their order."""
    by_id = {report.report_id: report for report in reports}
    wanted = dict.fromkeys([*theme.text.exemplar_ids, theme.text.medoid_id])
    chosen = [by_id[report_id] for report_id in wanted if report_id in by_id]
    chars = min(context.quote_chars, _MAX_QUOTE_CHARS)
    return [f"{_attribution(r)}\n\n{_quote(r, chars)}" for r in chosen[: context.max_quotes]]


def error_signatures(theme: Theme) -> str:
    """The error lines that the reports share, most frequent first."""
    counts = list(theme.profile.error_signatures.items())[:_TOP]
    lines = [f"- {code_span(text, 200)} ({_counted(n, 'report', 'reports')})" for text, n in counts]
    return "\n".join(["### Error signatures", "", *(lines or ["None in these reports."])])


def owner(route: Route, context: DraftContext) -> str:
    """Who takes it, for which capability, and why."""
    if route.capability is None:
        capability = "No capability fits"
    else:
        title = context.capability_titles.get(route.capability, route.capability)
        capability = f"{safe_prose(title, 80)} ({code_span(route.capability, 60)})"
    taker = code_span(route.owner, 60) if route.owner else "nobody yet"
    role = "the triage owner " if route.is_fallback else ""
    sure = "" if route.confidence is None else f" Confidence {_percent(route.confidence)}."
    reason = f" {safe_prose(route.reason, 400)}" if route.reason else ""
    return f"{OWNER_HEADING}\n\n{capability}, owned by {role}{taker}.{reason}{sure}"


def corrections(theme: Theme, decision: Decision) -> str:
    """The commands by which a person outranks the machine."""
    other = Verdict.QUICK_FIX if decision.verdict is Verdict.FUNDAMENTAL else Verdict.FUNDAMENTAL
    command = f'triage correct {theme.name} --because "…"'
    options = (
        f"--verdict {other}",
        "--capability ID",
        "--owner LOGIN",
        "--not-owner LOGIN",
        "--merge-into THEME",
        "--split REPORT",
        "--not-a-problem",
        "--sensitive",
    )
    commands = "\n".join(f"{command} {option}" for option in options)
    return (
        "### If the machine is wrong\n\n"
        "Your word outranks it, and no later run overwrites it.\n\n"
        f"```sh\n{commands}\n```\n\n"
        f"`triage theme {theme.name}` lists every report behind this issue."
    )


def _since(theme: Theme, context: DraftContext) -> str:
    affected = [r for r in context.releases if theme.profile.versions.get(r.version, 0) > 0]
    if not affected:
        return "No report names a version that is known to be released."
    first = affected[0]
    day = f" (released {first.released_on})" if first.released_on else ""
    return f"The earliest version in the reports is {code_span(first.version, 60)}{day}."


def _breakdown(counts: Mapping[str, int], reports: int) -> str:
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{code_span(name, 60)} {number}" for name, number in ranked[:_TOP]]
    rest = ranked[_TOP:]
    if rest:
        shown.append(f"{len(rest)} more with {sum(number for _, number in rest)}")
    silent = reports - sum(counts.values())
    if silent > 0:
        shown.append(f"not stated {silent}")
    return " · ".join(shown)


def _attribution(report: Report) -> str:
    who = "Developer's evaluation" if report.kind is Kind.DEVELOPER else "User"
    version = report.model_version or report.model_written
    facts = [
        f"**{who}**",
        code_span(report.external_id, 60),
        code_span(version, 60) if version else "version not stated",
        *([code_span(report.environment, 80)] if report.environment else []),
        str(report.created_at.date()),
        *([safe_link("source", report.url)] if report.url else []),
    ]
    return " · ".join(facts)


def _quote(report: Report, chars: int) -> str:
    title, body = report.title.strip(), report.body.strip()
    whole = body if not title or body.startswith(title) else f"{title}\n\n{body}"
    return quote_block(whole or report.failure_text, chars)


def _evidence_row(item: EvidenceItem) -> str:
    name, observation = safe_prose(item.name, 80), safe_prose(item.observation, 300)
    return f"| {name} | {observation} | {_direction(item)} |"


def _direction(item: EvidenceItem) -> str:
    if abs(item.weight) < _NEUTRAL:
        return "neither"
    side = Verdict.FUNDAMENTAL if item.weight > 0 else Verdict.QUICK_FIX
    return f"{side} ({abs(item.weight):.2f})"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _percent(share: float) -> str:
    return f"{round(share * 100)} %"
