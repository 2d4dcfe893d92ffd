"""The command by which a person outranks the machine: correct."""

from __future__ import annotations

import getpass
import json
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import output
from triage.database import Session
from triage.errors import UnknownReport, WrongCorrection
from triage.settings import load_settings
from triage.store.decisions import save_correction
from triage.store.reports import find_reports, load_reports_of
from triage.store.themes import load_theme, merge_theme, set_theme_status
from triage.types import Correction, Theme, ThemeStatus, Verdict
from triage.workspace import Workspace, open_workspace

LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(correct)


def correct(
    theme_id: Annotated[str, typer.Argument(metavar="THEME", help="For example T12.")],
    because: Annotated[str, typer.Option(help="Why; kept and shown.")],
    verdict: Annotated[Verdict | None, typer.Option(help="The right verdict.")] = None,
    capability: Annotated[str | None, typer.Option(help="The right capability's id.")] = None,
    owner: Annotated[str | None, typer.Option(help="A GitHub login.")] = None,
    merge_into: Annotated[str | None, typer.Option(help="The theme it is the same as.")] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="A report that is another failure; repeatable.")
    ] = None,
    not_a_problem: Annotated[bool, typer.Option(help="Set the theme aside.")] = False,
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
) -> None:
    """Correct the machine. Your word holds: no later run overwrites it."""
    prefect_environment(load_settings())
    words: dict[str, str] = {
        field: value
        for field, value in (
            ("verdict", verdict),
            ("capability", capability),
            ("owner", owner),
            ("merge-into", merge_into),
            ("split", json.dumps(split) if split else ""),
            ("not-a-problem", "yes" if not_a_problem else ""),
        )
        if value
    }
    if not words:
        raise WrongCorrection(
            f"Correcting {theme_id}",
            "nothing to correct was named",
            "Give --verdict, --capability, --owner, --merge-into, --split or --not-a-problem.",
        )
    if "merge-into" in words and len(words) > 1:
        raise WrongCorrection(
            f"Correcting {theme_id}",
            "a merge goes alone",
            "Merge first, then correct the theme that it went into.",
        )
    if owner and not LOGIN.fullmatch(owner):
        raise WrongCorrection(
            f"Correcting {theme_id}",
            f"{owner!r} is no GitHub login",
            "Write it without '@': letters, digits and single hyphens, 39 at most.",
        )
    with open_workspace() as workspace:
        with (
            workspace.database.stage_lock("theme"),
            workspace.database.session() as session,
        ):
            theme = load_theme(session, theme_id)
            said = _apply(workspace, session, theme, words)
            for field, value in words.items():
                who = author or getpass.getuser()
                now = datetime.now(UTC)
                save_correction(
                    session, Correction(theme.theme_id, field, value, who, because, now)
                )
        _take_effect(workspace)
    for line in said:
        output.print(line, soft_wrap=True)


def _apply(
    workspace: Workspace, session: Session, theme: Theme, words: dict[str, str]
) -> list[str]:
    said = []
    for field, value in words.items():
        if field == "capability":
            _require_capability(workspace, value)
        if field == "merge-into":
            survivor = load_theme(session, value)
            if survivor.theme_id == theme.theme_id:
                raise WrongCorrection(
                    f"Merging {theme.name} into {value}",
                    "they are the same theme already",
                    "`triage themes` lists the open ones.",
                )
            merge_theme(session, theme.theme_id, survivor.theme_id)
            said.append(f"{theme.name} is part of {survivor.name} now")
        elif field == "split":
            said.append(_split(workspace, session, theme, json.loads(value)))
        elif field == "not-a-problem":
            set_theme_status(session, theme.theme_id, ThemeStatus.DISMISSED)
            said.append(f"{theme.name} is set aside")
        else:
            said.append(f"{theme.name}: {field} is {value} now")
    return said


def _require_capability(workspace: Workspace, capability: str) -> None:
    known = [each.id for each in workspace.config.capabilities]
    if capability not in known:
        raise WrongCorrection(
            "Correcting the capability",
            f"{capability} is not in the capability map",
            f"Choose one of {', '.join(known)}, or add it to triage.yaml.",
        )


def _split(workspace: Workspace, session: Session, theme: Theme, names: list[str]) -> str:
    from flows.update_themes import split_theme

    found = {name: find_reports(session, name) for name in names}
    own = {n: [r for r in each if r.theme_id == theme.theme_id] for n, each in found.items()}
    strangers = [name for name, reports in own.items() if not reports]
    reports = [report for each in own.values() for report in each]
    if len(reports) == len(load_reports_of(session, theme.theme_id)):
        raise WrongCorrection(
            f"Splitting {theme.name}",
            "nothing would be left in it",
            "Leave at least one report, or use --not-a-problem or --merge-into.",
        )
    if strangers:
        raise UnknownReport(
            f"Splitting {theme.name}",
            f"{', '.join(strangers)} is not in it",
            f"`triage theme {theme.name}` lists its reports.",
        )
    return f"{theme.name}: split off T{split_theme(workspace, session, reports)}"


def _take_effect(workspace: Workspace) -> None:
    from flows.decide_themes import decide_all
    from flows.route_themes import route_all
    from flows.update_themes import refresh

    with workspace.database.stage_lock("theme"):
        refresh(workspace)
    decide_all(workspace)
    route_all(workspace)
