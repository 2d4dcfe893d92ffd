"""A person's words take effect: what a correction changes, wherever it was said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from triage.config.fields import LOGIN
from triage.corrections import REMOVED_OWNER, conflicts
from triage.database import Session
from triage.errors import UnknownReport, WrongCorrection
from triage.store.audit import Action, record
from triage.store.decisions import load_corrections, save_correction
from triage.store.reports import find_reports, load_reports_of
from triage.store.themes import load_theme, merge_theme, set_theme_status
from triage.types import Correction, Theme, ThemeStatus
from triage.workspace import Workspace


def apply_corrections(
    workspace: Workspace,
    theme_id: str,
    words: Mapping[str, str],
    *,
    author: str,
    because: str,
    at: datetime | None = None,
) -> list[str]:
    """Carry out and keep a person's words on one theme; returns what was done, a line each.

    ``words`` maps fields (``verdict``, ``capability``, ``owner``, ``merge-into``, ``split`` with a
    JSON list of reports, ``not-a-problem`` …) to values. All of them hold or none. ``at`` is when
    it was said (now, unless told). Call ``take_effect`` afterwards, once for many corrections.
    Raises ``WrongCorrection``, ``UnknownTheme`` or ``UnknownReport``.
    """
    _check(theme_id, words)
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        return apply_in(workspace, session, theme_id, words, author=author, because=because, at=at)


def apply_in(
    workspace: Workspace,
    session: Session,
    theme_id: str,
    words: Mapping[str, str],
    *,
    author: str,
    because: str,
    at: datetime | None = None,
) -> list[str]:
    """The same within the caller's transaction, under the caller's lock ``theme``."""
    _check(theme_id, words)
    theme = load_theme(session, theme_id)
    said = _apply(workspace, session, theme, words)
    now = at or datetime.now(UTC)
    for field, value in words.items():
        save_correction(session, Correction(theme.theme_id, field, value, author, because, now))
    record(session, author, Action.CORRECTED, [theme.name], fields=sorted(words))
    return said + _contradictions(session, theme, words)


def take_effect(workspace: Workspace) -> None:
    """Let counts, verdicts and routes follow what was corrected."""
    from flows.decide_themes import decide_all
    from flows.route_themes import route_all
    from flows.update_themes import refresh

    with workspace.database.stage_lock("theme"):
        refresh(workspace)
    decide_all(workspace)
    route_all(workspace)


def _check(theme_id: str, words: Mapping[str, str]) -> None:
    if "merge-into" in words and len(words) > 1:
        raise WrongCorrection(
            f"Correcting {theme_id}",
            "a merge goes alone",
            "Merge first, then correct the theme that it went into.",
        )
    for login in (words.get("owner"), words.get(REMOVED_OWNER)):
        if login and not LOGIN.fullmatch(login):
            raise WrongCorrection(
                f"Correcting {theme_id}",
                f"{login!r} is no GitHub login",
                "Write it without '@': letters, digits and single hyphens, 39 at most.",
            )


def _contradictions(session: Session, theme: Theme, words: Mapping[str, str]) -> list[str]:
    """Whom the new words overrule, so that the two can talk."""
    session.flush()
    own = load_corrections(session).get(theme.theme_id, [])
    return [f"Contradiction: {one}" for one in conflicts(own) if one.field in words]


def _apply(
    workspace: Workspace, session: Session, theme: Theme, words: Mapping[str, str]
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
        elif field == REMOVED_OWNER:
            said.append(f"{theme.name}: {value} is not asked about it any more")
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
