"""Commands that look: themes, theme, trace, owners, rejected."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from triage.cli.auditing import note, whoami
from triage.cli.terminal import AsJson, output, printable, show_rows, show_themes
from triage.corrections import conflicts
from triage.store.audit import Action, record
from triage.store.clusterings import load_departure
from triage.store.decisions import load_corrections, load_decision_history, load_routes
from triage.store.distillations import load_distillations_of
from triage.store.intake import load_rejections
from triage.store.issues import load_issues
from triage.store.loads import load_rows
from triage.store.members import load_join
from triage.store.overview import theme_rows
from triage.store.readings import load_opinions
from triage.store.reports import find_reports, load_reports, load_reports_of
from triage.store.themes import load_blockers, load_theme
from triage.types import Report
from triage.workspace import Workspace, open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (themes, theme, trace, owners, rejected):
        app.command()(command)


def themes(as_json: bool = AsJson) -> None:
    """List the open failure themes, most reporters first."""
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            rows = theme_rows(session)
        note(workspace, Action.SAW_THEMES, count=len(rows))
    if rows and not as_json:
        show_themes(rows)
        return
    show_rows(rows, as_json=as_json, empty="No theme yet. `triage ingest PATH`, then `triage run`.")


def theme(
    theme_id: Annotated[str, typer.Argument(metavar="ID", help="For example T12.")],
    as_json: bool = AsJson,
) -> None:
    """Show one theme whole: what fails, for whom, the verdict with its evidence, the blocker."""
    with open_workspace() as workspace:
        facts = _theme_facts(workspace, theme_id)
        note(workspace, Action.SAW_THEME, [facts["theme"]])
    _show(facts, as_json=as_json)


def trace(
    report: Annotated[str, typer.Argument(help="The report's id, or # and our number.")],
    as_json: bool = AsJson,
) -> None:
    """Follow one report from intake to issue, with every reason."""
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            found = find_reports(session, report)
        steps = [_trace(workspace, one) for one in found]
        note(workspace, Action.SAW_REPORT, [f"#{one.report_id}" for one in found])
    if as_json:
        typer.echo(json.dumps(steps, ensure_ascii=False, indent=2, default=str))
        return
    for step in steps:
        _show(step, as_json=False)


def owners(as_json: bool = AsJson) -> None:
    """List who carries how much: open themes and filed issues by owner, the busiest first."""
    with open_workspace() as workspace, workspace.database.session() as session:
        config, today = workspace.config, datetime.now(UTC).date()
        rows = load_rows(session, config.capabilities_by_owner(), config.away_until(today))
    show_rows(rows, as_json=as_json, empty="Nobody owns anything.")


def rejected(as_json: bool = AsJson) -> None:
    """List the records that were set aside at intake, with place, problem and remedy."""
    with open_workspace() as workspace, workspace.database.session() as session:
        rows = [
            {
                "origin": rejection.origin,
                "place": rejection.place,
                "field": rejection.field,
                "problem": rejection.problem,
                "remedy": rejection.remedy,
                "excerpt": rejection.excerpt,
                "since": f"{since:%Y-%m-%d %H:%M}",
            }
            for rejection, since in load_rejections(session)
        ]
        record(session, whoami(), Action.SAW_REJECTED, count=len(rows))
    if as_json or not rows:
        show_rows(rows, as_json=as_json, empty="Nothing was set aside.")
        return
    for row in rows:
        output.print(Text(printable(f"{row['place']}  {row['problem']}")), soft_wrap=True)
        output.print(Text(printable(f"    {row['remedy']}")), soft_wrap=True)
        if row["excerpt"]:
            output.print(Text(printable(f"    in: {row['excerpt']}".replace("\n", " "))))


def _theme_facts(workspace: Workspace, theme_id: str) -> dict[str, Any]:
    with workspace.database.session() as session:
        found = load_theme(session, theme_id)
        key = found.theme_id
        reports = {report.report_id: report for report in load_reports_of(session, key)}
        history = load_decision_history(session, key)
        route = load_routes(session).get(key)
        record = load_issues(session).get(key)
        corrections = load_corrections(session).get(key, [])
        blocker = load_blockers(session).get(key)
    decision = history[-1][1] if history else None
    profile = asdict(found.profile)
    profile["weeks"] = {str(week): count for week, count in found.profile.weeks.items()}
    return {
        "theme": found.name,
        "status": found.status.value,
        "title": found.text.title,
        "summary": found.text.summary,
        "worded by": found.text.worded_by or "its reporters",
        "keywords": list(found.text.keywords),
        **profile,
        "decision": asdict(decision) if decision else None,
        "earlier decisions": [f"{at:%Y-%m-%d} {d.verdict} by {d.set_by}" for at, d in history[:-1]],
        "route": asdict(route) if route else None,
        "issue": record.filed.url if record and record.filed else None,
        "blocker": blocker,
        "corrections": [
            f"{c.created_at:%Y-%m-%d} {c.author}: {c.field} = {c.value} ({c.reason})"
            for c in corrections
        ],
        "contradictions": [str(one) for one in conflicts(corrections)],
        "exemplars": [
            f"{reports[i].external_id}: {reports[i].title or reports[i].failure_text[:100]}"
            for i in found.text.exemplar_ids
            if i in reports
        ],
        "reports": [report.external_id for report in reports.values()],
    }


def _trace(workspace: Workspace, report: Report) -> dict[str, Any]:
    with workspace.database.session() as session:
        join = load_join(session, report.report_id)
        departure = load_departure(session, report.report_id)
        phrases = load_distillations_of(session, report.fingerprint)
        opinion = load_opinions(session, [report.report_id]).get(report.report_id)
        root = (
            load_reports(session, [report.duplicate_of])[0].external_id
            if report.duplicate_of
            else None
        )
    steps: dict[str, Any] = {
        "report": report.external_id,
        "origin": report.origin,
        "reported": f"{report.created_at:%Y-%m-%d %H:%M}",
        "by": report.kind.value,
        "title": report.title,
        "model": f"{report.model_written or 'not named'} -> {report.model_version or 'unknown'}",
        "language": report.language,
        "embedded text": report.failure_text,
        "in an LLM's words": [f"{p.failure} ({p.layer}; {model})" for model, p in phrases],
        "error signatures": list(report.error_signatures),
        "further people behind it": len(report.supporters),
        "repeats": root,
        "by itself (provisional)": asdict(opinion) if opinion else None,
    }
    if join is None:
        steps["theme"] = "none: no theme is near enough, and too few reports are like it"
        if departure is not None:
            theme_id, at = departure
            steps["left"] = f"T{theme_id} on {at:%Y-%m-%d %H:%M}: a full clustering sees it nowhere"
        return steps
    joined_by, similarity, at = join
    near = f" at cosine similarity {similarity:.2f}" if similarity is not None else ""
    steps["joined"] = f"by {joined_by}{near} on {at:%Y-%m-%d %H:%M}"
    facts = _theme_facts(workspace, f"T{report.theme_id}")
    chosen = ("theme", "status", "decision", "route", "issue", "blocker", "corrections")
    return steps | {"theme title": facts["title"]} | {name: facts[name] for name in chosen}


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2, default=str))
        return
    for name, value in facts.items():
        for line in _lines(name.replace("_", " "), value):
            output.print(Text(printable(line)), soft_wrap=True)
    output.print()


def _lines(name: str, value: Any, indent: int = 0) -> list[str]:
    label = " " * indent + f"{name}:"
    if value is None or value == [] or value == {}:
        return [f"{label} -"]
    if isinstance(value, dict):
        return [label] + [line for k, v in value.items() for line in _lines(str(k), v, indent + 2)]
    if isinstance(value, list | tuple):
        if all(isinstance(item, dict) for item in value):
            items = ["  ".join(str(part) for part in item.values()) for item in value]
        else:
            items = [str(item) for item in value]
        return [label, *(" " * (indent + 2) + f"- {item}" for item in items)]
    if isinstance(value, float):
        return [f"{label} {value:.2f}"]
    return [f"{label} {value}"]
