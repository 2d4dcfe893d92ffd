"""What must hold after a round: nothing lost, nothing doubled, the themes of an undisturbed run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tests.benchmarks.faults.room import Room

_MARKER = re.compile(r"<!-- feedback-triage theme=T(\d+) sig=[0-9a-f]{32} -->")


# An issue is filed for what passes the gate at that time. Where GitHub failed then, and reports
# came that the theme no longer holds together with, it waits: that is no loss.
WAITING = (
    "SELECT theme_id FROM theme LEFT JOIN issue USING (theme_id) WHERE issue.number IS NULL "
    "AND (blocker LIKE 'not coherent%' OR blocker LIKE 'too few reporters%')"
)


@dataclass(frozen=True)
class State:
    """What an installation ended with, in words that do not depend on numbers it gave out."""

    reports: tuple[str, ...]
    rejected: int
    themes: frozenset[frozenset[str]]
    decisions: frozenset[tuple[frozenset[str], str, str]]
    filed: frozenset[frozenset[str]]
    waiting: frozenset[frozenset[str]]
    unsettled: int
    troubles: tuple[str, ...]


def read_state(room: Room) -> State:
    """Read reports, themes and decisions from the database, issues from GitHub."""
    with room.connect() as connection:
        reports = [
            name for (name,) in connection.execute("SELECT external_id FROM report ORDER BY 1")
        ]
        (rejected,) = connection.execute("SELECT count(*) FROM rejected").fetchone() or (0,)
        members: dict[int, set[str]] = {}
        for theme, name in connection.execute(
            "SELECT theme_id, external_id FROM theme_member JOIN report USING (report_id)"
        ):
            members.setdefault(theme, set()).add(name)
        forwards: dict[int, int] = dict(
            connection.execute(
                "SELECT theme_id, forwards_to FROM theme WHERE forwards_to > 0"
            ).fetchall()
        )
        decided = connection.execute(
            "SELECT DISTINCT ON (theme_id) theme_id, verdict, capability FROM decision "
            "LEFT JOIN route USING (theme_id) ORDER BY theme_id, decision_id DESC, route_id DESC"
        ).fetchall()
        recorded = connection.execute("SELECT theme_id, number, state FROM issue").fetchall()
        blocked = {theme for (theme,) in connection.execute(WAITING)}
    parts = {theme: frozenset(names) for theme, names in members.items()}
    found = Counter(_survivor(theme, forwards) for theme in _themes_of_issues(room))
    return State(
        reports=tuple(reports),
        rejected=rejected,
        themes=frozenset(parts.values()),
        decisions=frozenset(
            (parts[theme], verdict, capability or "")
            for theme, verdict, capability in decided
            if theme in parts
        ),
        filed=frozenset(parts[theme] for theme in found if theme in parts),
        waiting=frozenset(parts[theme] for theme in blocked if theme in parts),
        unsettled=sum(s != "filed" for theme, _, s in recorded if theme not in blocked),
        troubles=tuple(_issue_troubles(found, recorded, forwards)),
    )


def find_troubles(state: State, given: int, reference: State | None) -> list[str]:
    """Everything that is not as it must be after ``given`` records; empty if all is well."""
    counted = Counter(state.reports)
    lost = given - len(counted) - state.rejected
    doubled = [name for name, times in counted.items() if times > 1]
    troubles = list(state.troubles)
    if lost:
        troubles.append(f"{lost} of {given} records are neither stored nor rejected")
    if doubled:
        troubles.append(f"{len(doubled)} reports doubled")
    if state.unsettled:
        troubles.append(f"{state.unsettled} intended issues never settled")
    if reference is not None and set(state.reports) != set(reference.reports):
        strange = set(state.reports) ^ set(reference.reports)
        troubles.append(f"{len(strange)} reports lost or added")
    if reference is not None and state.themes != reference.themes:
        other = len(state.themes - reference.themes)
        troubles.append(f"{other} of {len(state.themes)} themes are not those of the reference")
    elif reference is not None and state.decisions != reference.decisions:
        other = len(state.decisions - reference.decisions)
        troubles.append(f"{other} themes are decided or routed otherwise")
    if reference is not None and (owed := reference.filed - state.filed - state.waiting):
        troubles.append(f"{len(owed)} themes pass the gate and have no issue")
    return troubles


def _themes_of_issues(room: Room) -> list[int]:
    return [
        int(match[1])
        for issue in room.issues()
        if (match := _MARKER.search(str(issue.get("body") or "")))
    ]


def _issue_troubles(
    found: Counter[int], recorded: list[tuple[int, int | None, str]], forwards: dict[int, int]
) -> list[str]:
    troubles = [f"{times} issues for one theme" for times in found.values() if times > 1]
    known = {_survivor(theme, forwards) for theme, _, state in recorded if state == "filed"}
    if missing := known - found.keys():
        troubles.append(f"{len(missing)} recorded issues are not on GitHub")
    if unknown := found.keys() - known:
        troubles.append(f"{len(unknown)} issues on GitHub are not recorded")
    return troubles


def _survivor(theme: int, forwards: dict[int, int]) -> int:
    while theme in forwards:
        theme = forwards[theme]
    return theme
