"""Write report: the state of all themes as one page, kept below TRIAGE_HOME and linked."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from prefect import flow
from prefect.artifacts import create_link_artifact

from flows.report_facts import load_facts, load_names, load_places, load_standing
from flows.showing import show_counts
from flows.stages import run_stage
from triage.page import make_page, render_page
from triage.store.mapping import load_dots
from triage.store.overview import theme_rows
from triage.workspace import Workspace, open_workspace


def draft_report(workspace: Workspace, *, now: datetime) -> tuple[str, dict[str, int]]:
    """The page as HTML and what is on it; nothing is written."""
    least = workspace.config.privacy.min_reporters
    with workspace.database.session() as session:
        dots = load_dots(session)
        rows = theme_rows(session)
        names = load_names(workspace, dots)
        facts = load_facts(session, workspace, rows, dots, names, now)
        places = load_places(session, workspace, facts, dots, names)
        standing = load_standing(session, workspace, dots, rows, now)
    page = make_page(standing, facts, places, (names[0][0], names[1][0]), now, min_reporters=least)
    counts = {
        "themes": len(page.themes),
        "without words": sum(bool(entry.withheld) for entry in page.themes),
        "reports drawn": page.drawn,
    }
    return render_page(page), counts


def keep_page(workspace: Workspace, now: datetime) -> dict[str, int]:
    """Put the page where it is served from; whoever reads it sees the old one or the new one."""
    html, counts = draft_report(workspace, now=now)
    target = workspace.page_path
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.touch(mode=0o600)  # what reporters wrote is not for other users of this machine
    fresh.write_text(html, encoding="utf-8")
    fresh.replace(target)
    return counts


def keep_first_page() -> None:
    """Write the page where there is none yet: its address shows something from the start."""
    with open_workspace() as workspace:
        if not workspace.page_path.exists():
            keep_page(workspace, datetime.now(UTC))


@flow(name="write_report", flow_run_name="write_report", retries=1, retry_delay_seconds=60)
def write_report() -> dict[str, int]:
    """Write the page anew and link it from this run."""
    with open_workspace() as workspace:
        counts = run_stage(workspace, "report", lambda: keep_page(workspace, datetime.now(UTC)))
        link = workspace.settings.page_url or workspace.page_path.as_uri()
    show_counts("report", counts)
    create_link_artifact(
        link,
        link_text="The report page",
        key="report-page",
        description="Map, themes, release and ledger on one page, as of this run",
    )
    return counts
