"""The doctor's checks of what runs by the clock and of what lies outside: sources, GitHub."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import requests
from cronsim import CronSim

from triage.cli.checks_here import check_clock
from triage.cli.findings import Finding, fail, ok, warn
from triage.cli.prefect_server import is_serving
from triage.errors import TriageError
from triage.store.operation import StageHistory, load_histories, load_stops
from triage.store.posted import load_waiting
from triage.tracker import load_rights
from triage.workspace import Workspace

STALE_POSTED = timedelta(days=1)  # posted reports are collected every hour


def check_sources(workspace: Workspace) -> Iterator[Finding]:
    """Every remote source was read lately without an error, and posted reports are collected."""
    from flows.remote_sources import source_rows

    now = datetime.now(UTC)
    rows = source_rows(workspace, now)
    for row in rows:
        if row["state"] == "stale":
            last = row["last read"] or "never"
            detail = f"{row['source']} is stale, last read {last}"
            if row["trouble"]:
                yield fail("sources", f"{detail}: {row['trouble']}", "The next run tries again.")
            else:
                yield warn(
                    "sources", detail, "Run `triage run`, and see that collect is scheduled."
                )
    with workspace.database.session() as session:
        waiting = load_waiting(session)
    told = f"{waiting.count} posted reports wait"
    if waiting.since is not None and now - waiting.since > STALE_POSTED:
        since = f"{told}, the first since {waiting.since:%Y-%m-%d %H:%M} UTC"
        yield warn("posted", since, "Start the schedules (`triage up`), or run `triage run`.")
    read = sum(row["state"] == "read" for row in rows)
    yield ok("sources", f"{read} of {len(rows)} remote sources read; {told}")


def check_github(workspace: Workspace) -> Iterator[Finding]:
    """The login may write issues and labels, and GitHub's clock agrees."""
    repository = workspace.repository
    if repository is None:
        yield ok("github", "no repository is set: drafts only")
        return
    rights = load_rights(workspace.settings, repository)
    if rights is None:
        remedy = "Set TRIAGE_GITHUB_TOKEN or the GitHub App's three variables."
        yield fail("github", f"no login for {repository} is set", remedy)
        return
    for missing in rights.missing:
        yield fail("github", f"{rights.login} lacks {missing}", "Grant it on GitHub.")
    for doubt in rights.doubts:
        yield warn("github", f"{rights.login}: {doubt}", "Check it on GitHub.")
    if not rights.missing:
        from flows.file_issues import connect

        connect(workspace)
        yield ok("github", f"{repository} can be written, by {rights.login}")
    if rights.clock_ahead_seconds is not None:
        yield check_clock("github clock", "GitHub's", rights.clock_ahead_seconds)


def check_stops(workspace: Workspace) -> Iterator[Finding]:
    """No stage is stopped."""
    with workspace.database.session() as session:
        stops = load_stops(session)
    for stage, stop in stops.items():
        yield warn("stopped", f"{stage} is {stop}", f"Run `triage start {stage}`.")
    if not stops:
        yield ok("stopped", "no stage is")


def check_schedules(workspace: Workspace) -> Iterator[Finding]:
    """The Prefect server answers and holds an active schedule for every stage that has one."""
    wanted = workspace.config.schedules.by_stage()
    if not is_serving(workspace.settings):
        remedy = "Run `triage up`, or set PREFECT_API_URL to the server's address."
        yield warn("schedules", "no Prefect server runs here: nothing happens by the clock", remedy)
        return
    found = _fetch_deployments()
    from flows.deployments import FLOWS

    silent = [stage for stage in wanted if not _is_active(found.get(FLOWS[stage].name))]
    if silent:
        yield fail(
            "schedules",
            f"paused or not there: {', '.join(silent)}",
            "Run `triage up` again, or resume them in the Prefect UI under Deployments.",
        )
    else:
        yield ok("schedules", f"{len(wanted)} active")


def check_staleness(workspace: Workspace) -> Iterator[Finding]:
    """Every scheduled stage succeeded at one of its last two times."""
    schedules = workspace.config.schedules
    with workspace.database.session() as session:
        histories, stops = load_histories(session), load_stops(session)
    now, is_well = datetime.now(ZoneInfo(schedules.timezone)), True
    due = {s: c for s, c in schedules.by_stage().items() if s not in stops and s != "pipeline"}
    if never := [stage for stage in due if stage not in histories]:
        is_well = False
        remedy = "See that `triage up` runs, or run them by hand."
        yield warn("stages", f"never ran yet: {', '.join(never)}", remedy)
    for stage, cron in due.items():
        if stage in never:
            continue
        finding = _staleness(stage, cron, histories[stage], now)
        if finding is not None:
            is_well = False
            yield finding
    if is_well:
        yield ok("stages", "every scheduled stage succeeded when it was due")


def _staleness(stage: str, cron: str, history: StageHistory, now: datetime) -> Finding | None:
    if history.failures_since:
        last = f"{history.succeeded_at:%Y-%m-%d %H:%M} UTC" if history.succeeded_at else "never"
        detail = (
            f"{stage} failed {history.failures_since} times, last success {last}: {history.problem}"
        )
        return fail("stages", detail, f"Mend it and run `triage run`, or `triage stop {stage}`.")
    times = CronSim(cron, now, reverse=True)
    next(times)
    due_before = next(times)
    succeeded_at = history.succeeded_at
    if succeeded_at is not None and succeeded_at >= due_before:
        return None
    since = f"since {succeeded_at:%Y-%m-%d %H:%M} UTC" if succeeded_at else "ever"
    remedy = "See that `triage up` runs, or run the stage by hand."
    return warn("stages", f"{stage} ({cron}) did not succeed {since}", remedy)


def _fetch_deployments() -> dict[str, Mapping[str, object]]:
    url = f"{os.environ['PREFECT_API_URL'].rstrip('/')}/deployments/filter"
    try:
        response = requests.post(url, json={"limit": 200}, timeout=10)
        response.raise_for_status()
        return {each["name"]: each for each in response.json()}
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise TriageError(
            f"Asking the Prefect server at {url}",
            f"it does not answer ({type(error).__name__})",
            "Start it with `triage up`, or set PREFECT_API_URL right.",
        ) from error


def _is_active(deployment: Mapping[str, object] | None) -> bool:
    if deployment is None or deployment.get("paused"):
        return False
    schedules = deployment.get("schedules")
    return isinstance(schedules, list) and any(each.get("active") for each in schedules)
