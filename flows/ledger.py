"""The version ledger and the digest: what is known about themes, versions and claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flows.discretion import load_private_themes, load_withheld
from flows.first_life import releases
from triage.database import Session
from triage.decision import ClaimedFix
from triage.filing import ReleaseNote
from triage.privacy import without_words
from triage.store.answers import load_answer_counts
from triage.store.decisions import load_corrections, load_decisions, load_routes
from triage.store.exposure import total_requests
from triage.store.issues import load_issues
from triage.store.ledger import count_reports_by_version, load_ledger_counts, load_verifications
from triage.store.life import load_lives_by_theme
from triage.store.themes import load_themes
from triage.types import Correction
from triage.verification import (
    AnswerCount,
    LedgerRow,
    ReleaseVerdict,
    Use,
    Verification,
    make_ledger,
)
from triage.workspace import Workspace

PRIVATELY = "in the private repository"


def load_ledger(session: Session, workspace: Workspace) -> list[LedgerRow]:
    """The ledger of all open themes."""
    corrections = load_corrections(session)
    return make_ledger(
        [theme.theme_id for theme in load_themes(session)],
        releases(workspace),
        load_ledger_counts(session),
        Use(total_requests(session), count_reports_by_version(session)),
        {
            (theme_id, version): word.author
            for theme_id, said in corrections.items()
            for version, word in claims_of(said).items()
        },
        load_verifications(session),
        load_answer_counts(session),
    )


def load_release_notes(session: Session, workspace: Workspace) -> dict[int, ReleaseNote]:
    """By theme: what the latest version with a verdict did to it, or why that is not known."""
    place = {version.name: at for at, version in enumerate(workspace.config.versions)}
    answers = load_answer_counts(session)
    latest: dict[int, Verification] = {}
    for held in load_verifications(session).values():
        known = latest.get(held.theme_id)
        if known is None or place.get(held.new_version, -1) > place.get(known.new_version, -1):
            latest[held.theme_id] = held
    return {
        theme_id: ReleaseNote(
            held.new_version,
            held.verdict.value,
            held.lines[1:],  # the first repeats version and verdict
            held.judged_on,
            answers.get((theme_id, held.new_version), AnswerCount()).sentence,
        )
        for theme_id, held in latest.items()
    }


def mended_in(history: Sequence[Verification], workspace: Workspace) -> str | None:
    """The version that mended a theme, unless it came back since."""
    place = {version.name: at for at, version in enumerate(workspace.config.versions)}
    held = {one.new_version: one for one in history}
    fixed = None
    for one in sorted(held.values(), key=lambda one: place.get(one.new_version, -1)):
        if one.verdict is ReleaseVerdict.FIXED:
            fixed = one.new_version
        elif one.verdict is ReleaseVerdict.REGRESSED:
            fixed = None
    return fixed


def ledger_table(rows: Sequence[LedgerRow]) -> list[dict[str, Any]]:
    """The ledger as rows for people; empty where there is nothing."""
    return [
        {
            "theme": f"T{row.theme_id}",
            "version": row.version or "not stated",
            "first seen": row.first_seen or "",
            "last seen": row.last_seen or "",
            "reports": row.reports,
            "people": row.reporters,
            "exposure": f"{row.exposure:,.0f}",
            "counted in": "requests" if row.in_requests else "reports",
            "claimed by": row.claimed_by or "",
            "standing": row.standing.value,
            "verdict": row.verdict.value if row.verdict else "",
            "next check": row.next_check or "",
            "answers": row.answers.sentence,
        }
        for row in rows
    ]


def claims_of(words: Sequence[Correction]) -> Mapping[str, Correction]:
    """By version: the word that claimed it for a theme, unless the claim was taken back."""
    claims: dict[str, Correction] = {}
    for word in sorted(words, key=lambda word: word.created_at):
        if word.field != "claim":
            continue
        if word.value:
            claims[word.value] = word
        elif claims:
            claims.popitem()
    return claims


def claimed_fixes(
    workspace: Workspace,
    words: Sequence[Correction],
    held: Sequence[Verification],
    *,
    except_for: Collection[str],
    today: date,
) -> list[ClaimedFix]:
    """The released versions that were claimed for a theme, with the versions that come after.

    ``held`` are the verdicts on the theme: where the figures say *fixed*, what is left of it on
    that very version is no recurrence, only what is reported on later ones. ``except_for`` are
    versions whose failed quick fix is evidence of its own.
    """
    released = [v for v in workspace.config.versions if v.released and v.released <= today]
    names = [version.name for version in released]
    mended = {one.new_version for one in held if one.verdict is ReleaseVerdict.FIXED}
    claims = claims_of(words)
    return [
        ClaimedFix(name, day, frozenset(names[at + (name in mended) :]))
        for at, (name, day) in enumerate((v.name, v.released) for v in released)
        if name in claims and name not in except_for and day is not None
    ]


def digest_rows(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    """What an owner should know and no issue says: by owner, the most reported first.

    Themes that nobody claimed for the next version within ``releases.unclaimed_days``, and issues
    that the machine leaves alone because people or programs hold something there.
    """
    limit = workspace.config.releases.unclaimed_days
    upcoming = workspace.config.next_version.name
    with workspace.database.session() as session:
        issues, routes = load_issues(session), load_routes(session)
        corrections, decisions = load_corrections(session), load_decisions(session)
        lives, themes, answers = (
            load_lives_by_theme(session),
            load_themes(session),
            load_answer_counts(session),
        )
        withheld = load_withheld(session, workspace)
        private = load_private_themes(session, workspace)
    rows = []
    for theme in sorted(themes, key=lambda t: (-t.profile.distinct_reporters, t.theme_id)):
        record, route = issues.get(theme.theme_id), routes.get(theme.theme_id)
        filed = record.filed if record is not None else None
        if record is None or filed is None:
            continue
        life = lives.get(theme.theme_id)
        notes = []
        age_days = (now - record.intended_at).days
        claimed = upcoming in claims_of(corrections.get(theme.theme_id, []))
        is_open = life is None or (life.facts.is_open and life.gone is None)
        if is_open and not claimed and age_days >= limit:
            notes.append(f"nobody claimed it for {upcoming} in {age_days} days")
        notes += [
            f"{count.still_broken} of its reporters say that it still fails on {version}"
            for (theme_id, version), count in sorted(answers.items())
            if theme_id == theme.theme_id and count.still_broken
        ]
        if life is not None and life.gone is not None:
            notes.append("its issue is gone" if theme.theme_id in private else life.gone)
        elif life is not None:
            notes += [f"{name} is held by {who}" for name, who in sorted(life.held.items())]
        if notes:
            decision = decisions.get(theme.theme_id)
            rows.append(
                {
                    "owner": (route.owner or "") if route else "",
                    "theme": theme.name,
                    "people": theme.profile.distinct_reporters,
                    "verdict": decision.verdict.value if decision else "",
                    "title": without_words(theme, withheld[theme.theme_id]).text.title
                    if theme.theme_id in withheld
                    else theme.text.title,
                    "issue": PRIVATELY if theme.theme_id in private else filed.url,
                    "note": "; ".join(notes),
                }
            )
    return sorted(rows, key=lambda row: str(row["owner"]))
