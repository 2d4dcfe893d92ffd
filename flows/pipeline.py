"""All stages in order: what happens to a report, at a glance."""

from __future__ import annotations

from prefect import flow
from rich.console import Console

from flows.collect_reports import collect, collect_reports
from flows.decide_themes import decide_all, decide_themes
from flows.embed_reports import embed, embed_reports
from flows.file_issues import file, file_issues
from flows.route_themes import route_all, route_themes
from flows.showing import ShowProgress, show_summary, silent
from flows.update_themes import update, update_themes
from flows.wording import word_themes
from flows.write_report import write_report
from triage.settings import load_settings
from triage.workspace import Workspace


def run_stages(
    workspace: Workspace,
    *,
    dry_run: bool | None = None,
    progress: ShowProgress = silent,
    screen: Console | None = None,
) -> dict[str, dict[str, int]]:
    """Run every stage here and now, without a Prefect server; returns each stage's counts.

    A dry run prints each draft's payload on ``screen`` if there is one.
    """
    dry = workspace.config.policy.dry_run if dry_run is None else dry_run
    return {
        "collect": collect(workspace, progress=progress).counts(),
        "embed": embed(workspace, progress=progress),
        "theme": update(workspace, progress=progress) | word_themes(workspace, progress=progress),
        "decide": decide_all(workspace, progress=progress),
        "route": route_all(workspace, progress=progress),
        "file": file(workspace, dry_run=dry, progress=progress, screen=screen).counts(),
    }


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
    show_summary(results, load_settings().page_url)
    return results
