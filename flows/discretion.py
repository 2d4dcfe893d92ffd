"""Which themes are sensitive, and whose words may be shown where; a person's word wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from triage.corrections import latest
from triage.database import Session
from triage.privacy import Signs, sensitivity, withheld_because
from triage.store.decisions import load_corrections, load_routes
from triage.store.issues import load_issues
from triage.store.life import load_lives_by_theme, load_past_urls
from triage.store.renaming import repository_today
from triage.store.themes import (
    load_blockers,
    load_sensitivity,
    load_themes,
    save_sensitivity,
)
from triage.types import Report, Theme
from triage.workspace import Workspace


def judge_sensitivity(
    session: Session, workspace: Workspace, reports: Mapping[int, Sequence[Report]]
) -> dict[int, str]:
    """Look at every open theme anew and store what is found; returns why each is sensitive.

    ``reports`` are those of the themes. A theme without reports keeps what was found last.
    """
    privacy = workspace.config.privacy
    held, routes = load_sensitivity(session), load_routes(session)
    words, lives = load_corrections(session), load_lives_by_theme(session)
    for theme in load_themes(session):
        theme_id = theme.theme_id
        if not reports.get(theme_id):
            continue
        route, word = routes.get(theme_id), latest(words.get(theme_id, [])).get("sensitive")
        found = sensitivity(
            reports[theme_id],
            Signs(
                capability=route.capability if route is not None else None,
                labels=lives[theme_id].facts.label_names if theme_id in lives else (),
                capabilities=privacy.sensitive_capabilities,
                sensitive_labels=privacy.sensitive_labels,
                word=word.value if word is not None else None,
                held=held.get(theme_id),
            ),
        )
        if found != held.get(theme_id):
            save_sensitivity(session, theme_id, found)
    return load_sensitivity(session)


def withheld_themes(
    workspace: Workspace, themes: Sequence[Theme], sensitive: Mapping[int, str]
) -> dict[int, str]:
    """By theme: why its words are not shown in the repository that the workspace points at.

    Where sensitive themes may be read, only too few people are a reason.
    """
    is_private = _is_private(workspace)
    found = {}
    for theme in themes:
        why = withheld_because(
            theme.profile.distinct_reporters,
            workspace.config.privacy.min_reporters,
            None if is_private else sensitive.get(theme.theme_id),
        )
        if why is not None:
            found[theme.theme_id] = why
    return found


def load_withheld(session: Session, workspace: Workspace) -> dict[int, str]:
    """Why a theme's words are not shown to everybody, as was last found, for pages and digests."""
    return withheld_themes(workspace, load_themes(session, None), load_sensitivity(session))


def load_earlier_issues(session: Session, workspace: Workspace) -> dict[int, str]:
    """By theme: the address of its past issue, as it may be told where the workspace points.

    In the private repository any is; elsewhere only one of the same repository.
    """
    if _is_private(workspace):
        return load_past_urls(session)
    return load_past_urls(session, repository_today(session, workspace.repository or ""))


def load_private_themes(session: Session, workspace: Workspace) -> frozenset[int]:
    """Themes whose issue is for few: no page, message or other issue gives its number or address.

    It is in the private repository; or it is not where all issues are, and the theme is sensitive.
    """
    public = repository_today(session, workspace.repository or "")
    private = repository_today(session, workspace.private_repository or "")
    sensitive = load_sensitivity(session)
    return frozenset(
        theme_id
        for theme_id, record in load_issues(session).items()
        if _is_same(record.repository, private)
        or (theme_id in sensitive and not _is_same(record.repository, public))
    )


def load_shown_blockers(session: Session, workspace: Workspace) -> dict[int, str]:
    """Why themes are not filed, for pages and digests: what GitHub said of a private repository
    names it, and is shown without the name.
    """
    blockers = load_blockers(session)
    if workspace.private_repository is None:
        return blockers
    names = {workspace.private_repository, repository_today(session, workspace.private_repository)}
    either = "|".join(map(re.escape, sorted(names)))
    hidden = re.compile(rf"(?i)(?<![\w.-])(?:{either})(?![\w-])")
    return {key: hidden.sub("the private repository", said) for key, said in blockers.items()}


def _is_private(workspace: Workspace) -> bool:
    """Whether the workspace points at the repository of sensitive themes."""
    return _is_same(workspace.repository, workspace.private_repository)


def _is_same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()
