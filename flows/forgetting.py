"""Forget: a person's reports, or one report, go everywhere; then it is proved that they are gone.

Forgetting outranks who holds a text on GitHub: our part of an issue is written anew without the
words. What left the database before (exports, backups, GitHub's own history of edits) is out of
reach, and is named.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flows.collect_reports import take_in_posted
from flows.correcting import take_effect
from flows.desk import open_checked_desk
from flows.redrafting import title_hash
from flows.remembering import bury
from flows.writing import NO_MARKS, PAUSE_SECONDS, open_pen, write_intended
from triage.cleaning import hash_author
from triage.database import Session
from triage.errors import AmbiguousName, EmbeddingError, SettingsError, TrackerError, UnknownReport
from triage.privacy import needles_of
from triage.store.actions import REWRITE, intend, load_action, settle_quoting
from triage.store.audit import Action, load_audit, record
from triage.store.forgetting import (
    Mention,
    Remains,
    delete_reports,
    find_authored,
    find_quoting_themes,
    is_supporter,
    load_remains,
    scrub,
)
from triage.store.issues import load_issues
from triage.store.life import load_past_issues
from triage.store.reports import find_reports, load_theme_reports
from triage.store.saving import hold_reports
from triage.store.themes import blank_theme, load_themes
from triage.store.traces import Search, Traces, search_traces, shared_pieces
from triage.themes import profile
from triage.types import ThemeStatus
from triage.workspace import Workspace

# Shorter ids of a source ("12", "a-1") stand in other texts by chance.
TELLING_ID_CHARS = 6


@dataclass(frozen=True, slots=True)
class Target:
    """Whom or what to forget: numbers of reports, and the keyed hash of a person if it is one."""

    report_ids: tuple[int, ...]
    author_hash: str | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed (rows by table), what is left, and what only people can reach.

    ``rewritten`` are addresses of issues that were written anew, ``marked`` of those that wait for
    GitHub. ``by_hand`` names what people must delete, ``out_of_reach`` what left the database
    before. ``proof`` is every place that was searched afterwards.
    """

    reports: int
    removed: Mapping[str, int]
    shared_pieces: int
    is_short: bool
    rewritten: tuple[str, ...]
    marked: tuple[str, ...]
    by_hand: tuple[str, ...]
    out_of_reach: tuple[str, ...]
    proof: tuple[Search, ...]

    @property
    def left(self) -> int:
        """How many rows still hold something; 0 is the proof."""
        return sum(search.found for search in self.proof)


def find_target(workspace: Workspace, name: str, kind: str | None = None) -> Target:
    """Who or what a name stands for: a report's id (or ``#`` and our number), or an author.

    The author's plain name is hashed with this installation's key; it is stored nowhere. ``kind``
    is ``report`` or ``author`` where a name could be both, else ``AmbiguousName`` is raised.
    Raises ``UnknownReport`` where it is neither.
    """
    take_in_posted(workspace)  # what was posted and not collected yet could be meant, too
    own = unicodedata.normalize("NFKC", name).strip().lstrip("@").strip()
    author_hash = hash_author(own, workspace.hash_key)
    with workspace.database.session() as session:
        authored = find_authored(session, author_hash)
        is_author = bool(authored) or is_supporter(session, author_hash)
        try:
            reports = [report.report_id for report in find_reports(session, name)]
        except UnknownReport:
            reports = []
    if kind is None and is_author and reports:
        raise AmbiguousName(
            f"Forgetting {name}",
            "a report and an author are called so",
            "Say which with --report or --author.",
        )
    if is_author and kind != "report":
        return Target(tuple(authored), author_hash)
    if reports and kind != "author":
        return Target(tuple(reports), None)
    raise UnknownReport(
        f"Forgetting {name}",
        "no report has this id, and nobody of this name reported anything",
        "Write an author's name as the source did, or take a report's id from `triage theme ID`.",
    )


def forget(
    workspace: Workspace,
    target: Target,
    *,
    who: str,
    now: datetime | None = None,
    pause_seconds: float = PAUSE_SECONDS,
    apply: Callable[[Workspace], None] = take_effect,
) -> Forgotten:
    """Remove everything of a target in one transaction, rewrite issues, and search for the rest.

    ``apply`` lets descriptions, verdicts and routes follow what is left. Interrupted before the
    transaction ends nothing is changed; afterwards, what is to be written on GitHub is kept and
    written by the next `triage sync --file`.
    """
    now = now or datetime.now(UTC)
    locks = workspace.database
    with locks.stage_lock("theme"), locks.session() as session:
        hold_reports(session)
        remains = load_remains(session, target.report_ids, target.author_hash)
        needles = needles_of(remains.texts)
        removed = Counter(delete_reports(session, remains))
        shared = shared_pieces(session, needles.pieces)
        traces = _traces(session, remains, [p for p in needles.pieces if p not in shared])
        mention = Mention(traces.pieces, traces.names)
        themes = remains.theme_ids | find_quoting_themes(session, remains.report_ids, mention)
        told = _intend_rewrites(session, workspace, themes, mention, now)
        by_hand = settle_quoting(session, mention.is_in, now=now)
        _count_anew(session, themes)
        removed.update(scrub(session, traces.pieces, traces.names))
        bury(session, remains, workspace.hash_key)
        subjects = [f"#{number}" for number in remains.report_ids]
        record(session, who, Action.FORGOT, subjects, rows=sum(removed.values()))
    workspace.database.vacuum(removed)
    removed["draft files"] = _delete_drafts(workspace.drafts_folder, themes, mention)
    undecided = _follow(workspace, apply)
    rewritten, marked, unmarked = _rewrite(workspace, told, now, pause_seconds)
    with workspace.database.session() as session:
        proof = search_traces(session, traces)
        exports = [
            f"{entry.subjects[0]} ({entry.details.get('what')}, {entry.at:%Y-%m-%d})"
            for entry in load_audit(session, action=Action.EXPORTED)
        ]
    return Forgotten(
        reports=len(remains.report_ids),
        removed={name: count for name, count in sorted(removed.items()) if count},
        shared_pieces=len(shared),
        is_short=needles.is_short,
        rewritten=rewritten,
        marked=marked,
        by_hand=(*undecided, *unmarked, *by_hand, *_inbox_files(workspace, mention)),
        out_of_reach=(*exports, "backups of the database, and files that were ingested"),
        proof=tuple(proof),
    )


def _follow(workspace: Workspace, apply: Callable[[Workspace], None]) -> tuple[str, ...]:
    """Let verdicts follow; where they cannot now, the proof is due all the same."""
    try:
        apply(workspace)
    except EmbeddingError as error:
        return (f"verdicts and routes follow with the next `triage run`: {error.problem}",)
    return ()


def _traces(session: Session, remains: Remains, pieces: Sequence[str]) -> Traces:
    """What is looked for: words of nobody else, ids that mean nothing else."""
    own = dict.fromkeys(external_id for _, external_id, _, _ in remains.names)
    names = [
        name
        for name in own
        if len(name) >= TELLING_ID_CHARS and not name.isdigit() and not _is_known(session, name)
    ]
    if remains.author_hash is not None:
        names.append(remains.author_hash)
    names += sorted(remains.own_texts)
    return Traces(tuple(pieces), tuple(names), remains.report_ids, remains.vectors)


def _is_known(session: Session, name: str) -> bool:
    """Whether another report, of another origin, has the same id."""
    try:
        return bool(find_reports(session, name))
    except UnknownReport:
        return False


def _count_anew(session: Session, theme_ids: frozenset[int]) -> None:
    """Counts follow at once; words are taken away, and come anew from the reports that are left."""
    left = load_theme_reports(session, theme_ids, with_loose=True)
    for theme in load_themes(session, None):
        if theme.theme_id not in theme_ids:
            continue
        reports = left.get(theme.theme_id, [])
        if reports:
            counted, first = profile(reports), reports[0].report_id
        else:
            counted, first = replace(theme.profile, reports=0, duplicates=0, loose=0,
                distinct_reporters=0, developer_reports=0, versions={}, channels={},
                environments={}, languages={}, weeks={}, error_signatures={}), 0  # fmt: skip
        is_empty = not reports and theme.status is ThemeStatus.OPEN
        blank_theme(session, theme.theme_id, counted, first, is_empty=is_empty)


def _intend_rewrites(
    session: Session,
    workspace: Workspace,
    theme_ids: frozenset[int],
    mention: Mention,
    now: datetime,
) -> dict[tuple[str, int], str]:
    """Commit to writing anew every issue that may quote; returns addresses by place."""
    told: dict[tuple[str, int], str] = {}
    key = f"forget {now.isoformat()}"
    for theme_id, issue in load_issues(session).items():
        quoted = mention.is_in(f"{issue.draft.title}\n{issue.draft.body}")
        if issue.filed is None or not (quoted or theme_id in theme_ids):
            continue
        # also where others said the same: the title is written as the theme is called then
        payload = {"title_hash": title_hash(issue.draft.title, workspace.marker_key)}
        place = issue.filed.repository, issue.filed.number
        intend(session, *place, key, REWRITE, payload, now=now)
        told[place] = issue.filed.url
    for repository in {workspace.repository, workspace.private_repository} - {None}:
        for number, theme_id in load_past_issues(session, str(repository)).items():
            if theme_id in theme_ids:
                intend(session, str(repository), number, key, REWRITE, {}, now=now)
                told[str(repository), number] = f"{repository}#{number}"
    return told


def _rewrite(
    workspace: Workspace, told: Mapping[tuple[str, int], str], now: datetime, pause_seconds: float
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Write what was intended, as far as GitHub answers: done, marked, and for people to see to."""
    if not told:
        return (), (), ()
    for repository in sorted({repository for repository, _ in told}):
        try:
            place = workspace.at(repository)
            with workspace.database.stage_lock("file"):
                desk, blocker = open_checked_desk(place)
                if blocker is None:
                    pen = open_pen(place, desk, now=now, pause_seconds=pause_seconds)
                    write_intended(pen, only=REWRITE)
        except (TrackerError, SettingsError):
            continue  # it stays intended
    done, marked, unmarked = [], [], []
    with workspace.database.session() as session:
        for (repository, number), url in told.items():
            outcome = load_action(session, repository, number, f"forget {now.isoformat()}")
            if outcome is None:
                marked.append(url)
            elif outcome == NO_MARKS:
                unmarked.append(f"{url}: {outcome}")
            else:
                done.append(url)
    return tuple(done), tuple(marked), tuple(unmarked)


def _delete_drafts(folder: Path, theme_ids: frozenset[int], mention: Mention) -> int:
    """Drafts of themes that changed, and any other that repeats the words; drafted anew later."""
    deleted = 0
    for path in sorted(folder.glob("T*.md")) if folder.is_dir() else ():
        is_theirs = path.stem[1:].isdigit() and int(path.stem[1:]) in theme_ids
        if is_theirs or mention.is_in(path.read_text("utf-8")):
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def _inbox_files(workspace: Workspace, mention: Mention) -> list[str]:
    """Files that were dropped in as they came: they hold other people's reports too."""
    files = workspace.config.sources.files
    folder = workspace.settings.home / (files.inbox if files is not None else "inbox")
    found = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and mention.is_in(path.read_bytes().decode("utf-8", "replace")):
            found.append(f"{path}: holds it as it came; delete the file or the line in it")
    return found
