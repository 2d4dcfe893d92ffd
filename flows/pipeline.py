"""All stages in order: what happens to a report, at a glance."""

from __future__ import annotations

from collections.abc import Callable

from prefect import flow
from rich.console import Console

from flows.advising import ask_llm_about_themes
from flows.collect_reports import collect, collect_reports
from flows.decide_themes import decide_all, decide_themes
from flows.embed_reports import embed, embed_reports
from flows.file_issues import file, file_issues
from flows.route_themes import route_all, route_themes
from flows.showing import ShowProgress, show_summary, silent
from flows.stages import run_stage
from flows.update_themes import update, update_themes
from flows.write_report import write_report
from triage.settings import load_settings
from triage.spending import spending_of
from triage.workspace import Workspace


def run_stages(
    workspace: Workspace,
    *,
    dry_run: bool | None = None,
    progress: ShowProgress = silent,
    screen: Console | None = None,
) -> dict[str, dict[str, int]]:
    """Run every stage here and now, without a Prefect server; returns each stage's counts.

    A stage that somebody stopped does nothing. A dry run prints each draft's payload on
    ``screen`` if there is one.
    """
    dry = workspace.config.policy.dry_run if dry_run is None else dry_run
    work: dict[str, Callable[[], dict[str, int]]] = {
        "collect": lambda: collect(workspace, progress=progress).counts(),
        "embed": lambda: embed(workspace, progress=progress),
        "theme": lambda: (
            update(workspace, progress=progress)
            | ask_llm_about_themes(workspace, progress=progress)
        ),
        "decide": lambda: decide_all(workspace, progress=progress),
        "route": lambda: route_all(workspace, progress=progress),
        "file": lambda: file(workspace, dry_run=dry, progress=progress, screen=screen).counts(),
    }
    return {stage: run_stage(workspace, stage, each) for stage, each in work.items()}


@flow(name="pipeline", flow_run_name="pipeline")
def pipeline(dry_run: bool | None = None) -> dict[str, dict[str, int]]:
    """Collect, embed, theme, decide, route and file, then the page; each is a run of its own.

    Args:
        dry_run: True drafts only; False files; without it ``policy.dry_run`` decides.
    """
    results = {
        "collect": collect_reports(),
        "embed": embed_reports(),
        "theme": update_themes(),
        "decide": decide_themes(),
        "route": route_themes(),
        "file": file_issues(dry_run=dry_run),
    }
    write_report()
    settings = load_settings()
    spent = spending_of(results.values()).line(settings)
    show_summary(results, spent, page_url=settings.page_url)
    return results
