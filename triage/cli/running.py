"""Commands that do the work: init, ingest, run, demo, up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from triage.cli.auditing import note
from triage.cli.prefect_server import is_serving, prefect_environment, serve_all
from triage.cli.terminal import errors, output, progress_bars, show_rows, show_themes
from triage.config.loader import write_default_config
from triage.errors import IntakeError
from triage.settings import load_settings
from triage.spending import spending_of
from triage.store.audit import Action
from triage.store.overview import theme_rows
from triage.types import CollectSummary
from triage.workspace import Workspace, open_workspace

SOURCE_FAILED = 3  # exit code


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (init, ingest, run, demo, up):
        app.command()(command)


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("triage.yaml"),
) -> None:
    """Write an annotated triage.yaml to start from."""
    write_default_config(path)
    output.print(f"Wrote {path}. Edit it, then: export TRIAGE_CONFIG={path.resolve()}")


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="JSONL, CSV or Parquet files.")],
    origin: Annotated[
        str, typer.Option(help="Name of where they come from; ids are told apart within it.")
    ] = "files",
) -> None:
    """Read reports from files. The same file again changes nothing.

    A report is known by origin and id: the same id with another content revises the report. Files
    that number their records on their own need an --origin each.
    """
    prefect_environment(load_settings())
    from flows.collect_reports import ingest as ingest_file

    with open_workspace() as workspace, progress_bars() as progress:
        summary = CollectSummary()
        for path in paths:
            try:
                summary += ingest_file(workspace, path, progress=progress, origin=origin)
            except IntakeError as error:
                if len(paths) == 1:
                    raise
                summary += CollectSummary(failed_sources=(str(error),))
    _show_counts("ingest", summary.counts())
    if summary.rejected:
        errors.print("`triage rejected` lists what was set aside, with line and remedy.")
    for failure in summary.failed_sources:
        errors.print(failure, markup=False, soft_wrap=True)
    if summary.failed_sources:
        raise typer.Exit(SOURCE_FAILED)


def run(
    file: Annotated[
        bool | None,
        typer.Option("--file/--dry", help="Write issues to GitHub, or only draft them."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print each draft as sent.")] = False,
) -> None:
    """Run all stages in order: collect, embed, theme, decide, route, file.

    Dry unless --file is given or `policy.dry_run` is false in triage.yaml. While `triage up`
    runs, the run appears in its Prefect UI.
    """
    settings = load_settings()
    prefect_environment(settings)
    dry_run = None if file is None else not file
    _run(dry_run, in_prefect=is_serving(settings), show=show)


def _run(dry_run: bool | None, *, in_prefect: bool, show: bool) -> None:
    from flows.pipeline import pipeline, run_stages

    with open_workspace() as workspace:
        if in_prefect:
            results = pipeline(dry_run=dry_run)
        else:
            with progress_bars() as progress:
                screen = output if show else None
                results = run_stages(workspace, dry_run=dry_run, progress=progress, screen=screen)
        with workspace.database.session() as session:
            rows = theme_rows(session)
        drafts = workspace.drafts_folder
        if show:
            note(workspace, Action.SAW_DRAFTS, count=results["file"]["drafted"])
    show_themes(rows)
    for stage, counts in results.items():
        _show_counts(stage, counts)
    if spent := spending_of(results.values()).line(load_settings()):
        output.print(f"LLM      {spent}", soft_wrap=True, highlight=False)
    if results["file"].get("drafted") and not results["file"]["filed"]:
        output.print(f"Drafts: {drafts}", soft_wrap=True)
    if results["collect"].get("failed sources"):
        raise typer.Exit(SOURCE_FAILED)


def demo(
    release: Annotated[
        bool, typer.Option("--release", help="Then release an invented version and judge it.")
    ] = False,
) -> None:
    """The whole job on the sample that ships with the product: dry, embedded, no network."""
    settings = load_settings()
    prefect_environment(settings)
    # The sample never meets a team's own database, configuration, repository or LLM.
    for name in ("DATABASE_URL", "CONFIG", "GITHUB_REPOSITORY", "LLM_BASE_URL", "LLM_MODEL"):
        os.environ.pop(f"TRIAGE_{name}", None)
    # Invented reports on a release stay apart from the plain demo's.
    os.environ["TRIAGE_HOME"] = str(settings.home / ("demo-release" if release else "demo"))
    from flows.collect_reports import ingest as ingest_file

    sample = files("triage") / "sample" / "reports.jsonl"
    with as_file(sample) as path, open_workspace() as workspace, progress_bars() as progress:
        summary = ingest_file(workspace, path, progress=progress)
    _show_counts("ingest", summary.counts())
    _run(dry_run=True, in_prefect=False, show=False)
    if release:
        _demo_release()
    output.print(
        f'Look closer: TRIAGE_HOME="{os.environ["TRIAGE_HOME"]}" triage theme ID', soft_wrap=True
    )


def _demo_release() -> None:
    """Stage a release in a database that the demo owns, and say what it did to the themes."""
    from flows.ledger import ledger_table, load_ledger
    from flows.release_demo import judge_demo, stage_release

    with open_workspace() as workspace:
        staged = stage_release(workspace)
        summary = judge_demo(staged)
        with staged.workspace.database.session() as session:
            ledger = load_ledger(session, staged.workspace)
    output.print(f"\nAn invented release of {staged.new}, judged on {staged.today}:")
    rows = [
        {
            "theme": f"T{one.theme_id}",
            "true ratio": f"{staged.truths[one.theme_id]:.2f}",
            "verdict": one.verdict.value,
            "figures": "\n".join(summary.lines[one.theme_id][1:3]),
        }
        for one in (summary.outcome.themes if summary.outcome else ())
        if one.theme_id in staged.truths
    ]
    show_rows(rows, as_json=False, empty="No theme to judge.")
    kept = [row for row in ledger if row.theme_id in list(staged.truths)[:3]]
    output.print("\nThe ledger of the three most reported themes:")
    show_rows(ledger_table(kept), as_json=False, empty="")


def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Prefect UI.")] = 4200,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    page_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the report page; else the next one."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of Prometheus' metrics, if any.")
    ] = None,
) -> None:
    """Start the Prefect server with its UI, the report page and the schedules, on this machine."""
    settings = load_settings()
    prefect_environment(settings)
    from triage.page import content_policy
    from triage.pageserver import ServedPage, make_page_server

    # a wrong configuration or database shows now, not at the first scheduled run
    with open_workspace() as workspace, _metrics(workspace, host, metrics_port):
        server = make_page_server(workspace.page_path, content_policy(), host)
        open_page = partial(ServedPage, server, host, page_port or port + 1)
        serve_all(settings, open_page, host=host, port=port)


def _metrics(workspace: Workspace, host: str, port: int | None) -> AbstractContextManager[object]:
    if port is None:
        return nullcontext()
    from triage.metrics import serving_metrics

    return serving_metrics(workspace, host, port)


def _show_counts(stage: str, counts: Mapping[str, int]) -> None:
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    output.print(f"{stage:8} {said}", soft_wrap=True, highlight=False)
