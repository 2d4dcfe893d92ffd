"""Durable themes, their members and blockers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.errors import UnknownTheme
from triage.store.among import among
from triage.store.anchors import move_anchors, save_anchors
from triage.store.bonds import load_side, save_bond
from triage.store.proposals import withdraw_proposals
from triage.store.tables import CorrectionRow, IssueRow, ReportRow, ThemeMemberRow, ThemeRow
from triage.types import BondKind, Theme, ThemeDraft, ThemeProfile, ThemeStatus, ThemeText

Vector = NDArray[np.float32]

STATES = text(
    """
    SELECT theme_id, counted_state, :basis || md5(string_agg(
        concat(report_id, ' ', content_digest, ' ', model_version, ' ', duplicate_of, ' ',
               is_core),
        ',' ORDER BY report_id))
    FROM theme JOIN theme_member USING (theme_id) JOIN report USING (report_id)
    WHERE theme.status = :open
    GROUP BY theme_id
    """
)

ADD_MEMBERS = text(
    """
    INSERT INTO theme_member (report_id, theme_id, joined_by, cosine_similarity, is_core)
    SELECT report_id, theme_id, :joined_by, similarity, is_core
    FROM unnest(
        CAST(:themes AS bigint[]), CAST(:ids AS bigint[]), CAST(:similarities AS float8[]),
        CAST(:core AS boolean[])
    ) AS member (theme_id, report_id, similarity, is_core)
    ON CONFLICT DO NOTHING
    """
)


def create_themes(session: Session, drafts: Sequence[ThemeDraft]) -> list[int]:
    """Make themes, without members yet; returns their ids, ascending in the order of the drafts."""
    if not drafts:
        return []
    made = insert(ThemeRow).returning(col(ThemeRow.theme_id), sort_by_parameter_order=True)
    rows = [
        {
            "status": ThemeStatus.OPEN,
            "described_members": draft.profile.reports,
            "profile": _profile_json(draft.profile),
            **_text_columns(draft.text),
        }
        for draft in drafts
    ]
    ids = list(session.execute(made, rows).scalars())
    save_anchors(session, {i: draft.anchors for i, draft in zip(ids, drafts, strict=True)})
    return ids


def add_members(
    session: Session,
    members: Mapping[int, Mapping[int, float | None]],
    *,
    joined_by: str,
    loose: Collection[int] = (),
) -> None:
    """Put reports into themes: by theme, their ids to cosine similarities.

    A member elsewhere stays there. Those of ``loose`` are no part of a core.
    """
    loose = frozenset(loose)
    rows = [
        (theme_id, report_id, similarity, report_id not in loose)
        for theme_id, similarities in members.items()
        for report_id, similarity in sorted(similarities.items())
    ]
    if rows:
        themes, ids, similarities, core = map(list, zip(*rows, strict=True))
        columns = {"themes": themes, "ids": ids, "similarities": similarities, "core": core}
        session.execute(ADD_MEMBERS, {"joined_by": joined_by, **columns})


def move_members(
    session: Session, report_ids: Sequence[int], theme_id: int, *, joined_by: str = "person"
) -> None:
    """Put reports into a theme, wherever they were; a person's word unless told otherwise."""
    for report_id in sorted(report_ids):
        values = {
            "theme_id": theme_id,
            "joined_by": joined_by,
            "cosine_similarity": None,
            "is_core": True,
        }
        statement = insert(ThemeMemberRow).values(report_id=report_id, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["report_id"], set_=values))


def remove_members(session: Session, report_ids: Collection[int]) -> None:
    """Let reports be in no theme, and those that repeat them; whom a person put there stays."""
    copies = select(col(ReportRow.report_id)).where(among(col(ReportRow.duplicate_of), report_ids))
    report_id, joined_by = col(ThemeMemberRow.report_id), col(ThemeMemberRow.joined_by)
    session.execute(
        delete(ThemeMemberRow).where(
            (among(report_id, report_ids) & (joined_by != "person"))
            | (report_id.in_(copies) & (joined_by == "duplicate"))
        )
    )


def save_core(session: Session, is_core: Mapping[int, bool]) -> None:
    """Note which of some members (by report id) are core; whom a person put there always is."""
    for held in (True, False):
        ids = [report_id for report_id, core in is_core.items() if core is held]
        session.execute(
            update(ThemeMemberRow)
            .where(
                among(col(ThemeMemberRow.report_id), ids),
                col(ThemeMemberRow.is_core) != held,
                col(ThemeMemberRow.joined_by) != "person",
            )
            .values(is_core=held)
        )


def follow_duplicates(session: Session) -> int:
    """Put every duplicate into the theme of the report that it repeats; returns how many moved."""
    moved = session.execute(
        text(
            """
            INSERT INTO theme_member (report_id, theme_id, joined_by, is_core)
            SELECT report.report_id, root.theme_id, 'duplicate', root.is_core
            FROM report JOIN theme_member root ON root.report_id = report.duplicate_of
            ON CONFLICT (report_id)
            DO UPDATE SET theme_id = excluded.theme_id, is_core = excluded.is_core
            WHERE theme_member.joined_by = 'duplicate'
              AND (theme_member.theme_id, theme_member.is_core)
                  <> (excluded.theme_id, excluded.is_core)
            RETURNING report_id
            """
        )
    )
    return len(moved.all())


def load_themes(session: Session, status: ThemeStatus | None = ThemeStatus.OPEN) -> list[Theme]:
    """Themes by id; only open ones unless told otherwise (None: all)."""
    statement = select(ThemeRow).order_by(col(ThemeRow.theme_id))
    if status is not None:
        statement = statement.where(col(ThemeRow.status) == status)
    return [_theme(row) for row in session.execute(statement).scalars()]


def load_theme(session: Session, name: str, *, follow: bool = True) -> Theme:
    """One theme by id (``T12`` or ``12``); an absorbed one leads to its survivor.

    Raises ``UnknownTheme``.
    """
    digits = name.strip().removeprefix("T").removeprefix("t")
    row = session.get(ThemeRow, int(digits)) if digits.isdigit() and len(digits) < 18 else None
    while follow and row is not None and row.forwards_to is not None:
        row = session.get(ThemeRow, row.forwards_to)
    if row is None:
        raise UnknownTheme(
            f"Looking for theme {name}", "no theme has this id", "`triage themes` lists them."
        )
    return _theme(row)


def described_members(session: Session) -> dict[int, int]:
    """How many reports each open theme had when it was last described."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.described_members))
    return {theme_id: members for theme_id, members in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Counted:
    """A theme's counts, the state of its reports that they are of, and its mean vector (d,).

    None leaves the vector as it is.
    """

    theme_id: int
    profile: ThemeProfile
    state: str
    centre: Vector | None


def save_profiles(session: Session, themes: Iterable[Counted]) -> None:
    """Store what was counted of some themes."""
    rows = [
        {
            "theme_id": theme.theme_id,
            "profile": _profile_json(theme.profile),
            "counted_state": theme.state,
            **({} if theme.centre is None else {"centre": theme.centre}),
        }
        for theme in themes
    ]
    if rows:
        session.execute(update(ThemeRow), rows)


def load_uncounted(session: Session, basis: str) -> dict[int, str]:
    """The open themes whose reports changed since they were counted, with their state now.

    ``basis`` names what else the counts depend on. One scan of the members in the database, which
    holds for whatever changed them: arrivals, revisions, corrections, aliases of model names.
    """
    found = session.execute(STATES, {"basis": basis, "open": ThemeStatus.OPEN})
    return {theme_id: state for theme_id, counted, state in found if counted != state}


def load_theme_centres(session: Session) -> dict[int, Vector]:
    """The mean vector (float32) of every open theme that was counted."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.centre)).where(
        col(ThemeRow.centre).is_not(None), col(ThemeRow.status) == ThemeStatus.OPEN
    )
    return {
        theme_id: np.asarray(centre, dtype=np.float32)
        for theme_id, centre in session.execute(statement)
    }


def save_description(
    session: Session, theme_id: int, description: ThemeText, *, members: int
) -> None:
    """Store a theme's title, summary and exemplars; ``members`` is its present size."""
    _update(session, theme_id, described_members=members, **_text_columns(description))


def blank_theme(
    session: Session, theme_id: int, profile: ThemeProfile, medoid_id: int, *, is_empty: bool
) -> None:
    """Take away a theme's words and its mean vector; the next refreshing describes it anew.

    One that ``is_empty``, since its last report is gone, is set aside.
    """
    values: dict[str, Any] = {
        "title": f"T{theme_id}",
        "summary": "",
        "keywords": [],
        "medoid_id": medoid_id,
        "exemplar_ids": [],
        "worded_by": None,
        "profile": _profile_json(profile),
        "described_members": 0,
        "counted_state": None,
        "centre": None,
    }
    if is_empty:
        values["status"] = ThemeStatus.DISMISSED
    _update(session, theme_id, **values)


def save_blocker(session: Session, theme_id: int, blocker: str | None) -> None:
    """Store why a theme is not filed now (None: nothing blocks it)."""
    _update(session, theme_id, blocker=blocker, blocker_at=func.now())


def load_blockers(session: Session) -> dict[int, str]:
    """The stored blocker of every theme that has one."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.blocker)).where(
        col(ThemeRow.blocker).is_not(None)
    )
    return {theme_id: blocker for theme_id, blocker in session.execute(statement)}


def save_sensitivity(session: Session, theme_id: int, why: str | None) -> None:
    """Store why a theme is sensitive (None: it is not)."""
    _update(session, theme_id, sensitivity=why)


def load_sensitivity(session: Session) -> dict[int, str]:
    """Why a theme was sensitive when that was last looked at, for every one that was."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.sensitivity)).where(
        col(ThemeRow.sensitivity).is_not(None)
    )
    return {theme_id: why for theme_id, why in session.execute(statement)}


def merge_theme(
    session: Session,
    absorbed_id: int,
    survivor_id: int,
    *,
    said_by: str | None = None,
    because: str | None = None,
) -> None:
    """Merge two themes because a person said so: it holds for ever, no clustering parts them."""
    save_bond(
        session,
        BondKind.TOGETHER,
        (absorbed_id, load_side(session, absorbed_id)),
        (survivor_id, load_side(session, survivor_id)),
        said_by=said_by,
        because=because,
    )
    absorb_theme(session, absorbed_id, survivor_id)


def absorb_theme(session: Session, absorbed_id: int, survivor_id: int) -> None:
    """Let a theme be absorbed: reports, anchors and issue move, its id forwards for ever.

    Where both have an issue each keeps its own; the survivor's speaks for both. The absorbed
    theme's corrections hold for the survivor where it has none of that field.
    """
    members = update(ThemeMemberRow).where(col(ThemeMemberRow.theme_id) == absorbed_id)
    session.execute(members.values(theme_id=survivor_id))
    move_anchors(session, absorbed_id, survivor_id)
    if session.get(IssueRow, survivor_id) is None:
        issue = update(IssueRow).where(col(IssueRow.theme_id) == absorbed_id)
        session.execute(issue.values(theme_id=survivor_id))
    said = select(col(CorrectionRow.field)).where(col(CorrectionRow.theme_id) == survivor_id)
    words = update(CorrectionRow).where(
        col(CorrectionRow.theme_id) == absorbed_id, col(CorrectionRow.field).not_in(said)
    )
    session.execute(words.values(theme_id=survivor_id))
    withdraw_proposals(session, absorbed_id)
    _update(session, absorbed_id, status=ThemeStatus.MERGED, forwards_to=survivor_id)


def load_forwards(session: Session) -> dict[int, int]:
    """The present survivor of every absorbed theme, chains followed to their end."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.forwards_to)).where(
        col(ThemeRow.forwards_to).is_not(None)
    )
    step = {theme_id: target for theme_id, target in session.execute(statement)}
    ends = {}
    for theme_id in step:
        end = theme_id
        while end in step:
            end = step[end]
        ends[theme_id] = end
    return ends


def set_theme_status(session: Session, theme_id: int, status: ThemeStatus) -> None:
    """Open a theme or set it aside."""
    _update(session, theme_id, status=status)


def load_members(session: Session, report_ids: Collection[int] | None = None) -> dict[int, int]:
    """The theme of every report that is in one, or of some."""
    members = select(col(ThemeMemberRow.report_id), col(ThemeMemberRow.theme_id))
    if report_ids is not None:
        members = members.where(among(col(ThemeMemberRow.report_id), report_ids))
    return {report_id: theme_id for report_id, theme_id in session.execute(members)}


def load_pinned(session: Session) -> set[int]:
    """Ids of the reports that a person put where they are."""
    statement = select(col(ThemeMemberRow.report_id)).where(
        col(ThemeMemberRow.joined_by) == "person"
    )
    return set(session.execute(statement).scalars())


def load_join(session: Session, report_id: int) -> tuple[str, float | None, datetime] | None:
    """How a report came into its theme: by what, at which similarity, when."""
    row = session.get(ThemeMemberRow, report_id)
    return (row.joined_by, row.cosine_similarity, row.joined_at) if row else None


def _update(session: Session, theme_id: int, **values: Any) -> None:
    session.execute(update(ThemeRow).where(col(ThemeRow.theme_id) == theme_id).values(**values))


def _text_columns(description: ThemeText) -> dict[str, Any]:
    return {
        **asdict(description),
        "keywords": list(description.keywords),
        "exemplar_ids": list(description.exemplar_ids),
    }


def _profile_json(profile: ThemeProfile) -> dict[str, Any]:
    values = asdict(profile)
    values["first_seen"] = profile.first_seen.isoformat()
    values["last_seen"] = profile.last_seen.isoformat()
    # JSONB sorts keys, so an ordered mapping is stored as pairs.
    for name in ("versions", "channels", "environments", "languages", "error_signatures"):
        values[name] = list(values[name].items())
    values["weeks"] = [[monday.isoformat(), count] for monday, count in profile.weeks.items()]
    return values


def _profile(values: Mapping[str, Any]) -> ThemeProfile:
    read = dict(values)
    read["first_seen"] = datetime.fromisoformat(read["first_seen"])
    read["last_seen"] = datetime.fromisoformat(read["last_seen"])
    for name in ("versions", "channels", "environments", "languages", "error_signatures"):
        read[name] = dict(read[name])
    read["weeks"] = {date.fromisoformat(monday): count for monday, count in read["weeks"]}
    return ThemeProfile(**read)


def _theme(row: ThemeRow) -> Theme:
    return Theme(
        theme_id=row.theme_id,
        status=ThemeStatus(row.status),
        forwards_to=row.forwards_to,
        text=ThemeText(
            title=row.title,
            summary=row.summary,
            keywords=tuple(row.keywords),
            medoid_id=row.medoid_id,
            exemplar_ids=tuple(row.exemplar_ids),
            worded_by=row.worded_by,
        ),
        profile=_profile(row.profile),
    )
