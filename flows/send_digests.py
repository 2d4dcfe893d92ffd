"""Send digests: what each owner should know of the last week, as artifacts and as messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time

from prefect import flow
from pydantic import SecretStr

from flows.discretion import load_private_themes, load_shown_blockers
from flows.ledger import digest_rows
from flows.showing import show_counts, show_page
from flows.stages import run_stage
from triage.digests import (
    Digest,
    WeekFacts,
    digest_markdown,
    digest_text,
    draft_digests,
    last_week,
)
from triage.sending import SendingError, send_message
from triage.store.decisions import load_routes
from triage.store.digests import (
    load_founding_times,
    load_sent_digests,
    load_verdicts_since,
    save_digest_attempt,
    save_digest_outcome,
)
from triage.store.issues import load_issues
from triage.store.mapping import load_arrivals_by_week
from triage.store.themes import load_sensitivity, load_themes
from triage.workspace import Workspace, open_workspace

EVERYBODY_ELSE = "*"
Send = Callable[[SecretStr, str, str], None]


def load_digests(workspace: Workspace, now: datetime) -> list[Digest]:
    """The digest of the last whole week for every owner, by name."""
    week = last_week(now)
    awaits: dict[str, list[str]] = {}
    for row in digest_rows(workspace, now):
        awaits.setdefault(row["theme"], []).append(row["note"])
    with workspace.database.session() as session:
        themes, routes = load_themes(session), load_routes(session)
        issues, blockers = load_issues(session), load_shown_blockers(session, workspace)
        sensitive, private = load_sensitivity(session), load_private_themes(session, workspace)
        made, arrivals = load_founding_times(session), load_arrivals_by_week(session)
        verdicts = load_verdicts_since(session, datetime.combine(week, time(), UTC))
    facts = []
    for theme in themes:
        key = theme.theme_id
        record, route = issues.get(key), routes.get(key)
        filed = record.filed if record else None
        blocked = [f"not filed: {blockers[key]}"] if filed is None and key in blockers else []
        facts.append(
            WeekFacts(
                theme=theme,
                owner=(route.owner if route else None) or workspace.config.triage_owner,
                made_at=made[key],
                arrivals=arrivals.get(key, {}),
                verified=verdicts.get(key, ()),
                awaits=[*awaits.get(theme.name, ()), *blocked],
                url=filed.url if filed and key not in private else None,
                sensitive=sensitive.get(key),
            )
        )
    owners = workspace.config.capabilities_by_owner()
    return draft_digests(facts, owners, week, min_reporters=workspace.config.privacy.min_reporters)


def send_all(
    workspace: Workspace, digests: Sequence[Digest], *, send: Send = send_message
) -> dict[str, int]:
    """Send each digest that has something to say, once an owner and week, where one is configured.

    The attempt is committed before anything is sent, and that it was taken afterwards. A crash in
    between errs towards twice: the next run sends it again, and the message says so.
    """
    targets = workspace.settings.digest_targets
    counts = {"digests": len(digests), "sent": 0, "sent before": 0, "quiet": 0, "no address": 0}
    counts["failed"] = 0
    for digest in digests:
        target = targets.get(digest.owner) or targets.get(EVERYBODY_ELSE)
        if not digest.sections:
            counts["quiet"] += 1
        elif target is None:
            counts["no address"] += 1
        else:
            # one process at a time: a second one waits, and then sees that it was sent
            with workspace.database.stage_lock("digest"):
                counts[_send_once(workspace, digest, target, send)] += 1
    return counts


def _send_once(workspace: Workspace, digest: Digest, target: SecretStr, send: Send) -> str:
    with workspace.database.session() as session:
        known = load_sent_digests(session, digest.week).get(digest.owner)
        if known is not None and known.sent_at is not None:
            return "sent before"
        attempt = save_digest_attempt(session, digest.owner, digest.week)
    problem = None
    try:
        send(target, *digest_text(digest, is_repeat=attempt > 1))
    except SendingError as error:
        problem = error.problem
    with workspace.database.session() as session:
        save_digest_outcome(session, digest.owner, digest.week, problem)
    return "failed" if problem else "sent"


@flow(name="send_digests", flow_run_name="send_digests", retries=1, retry_delay_seconds=600)
def send_digests(dry_run: bool = False) -> dict[str, int]:
    """Show each owner's digest of the last whole week, and send it where that is configured.

    Args:
        dry_run: True shows the digests as artifacts and sends none.
    """
    with open_workspace() as workspace:
        counts = run_stage(workspace, "digest", lambda: _digest(workspace, dry_run))
    show_counts("digest", counts)
    if counts.get("failed"):
        raise SendingError(
            "Sending the digests",
            f"{counts['failed']} of {counts['digests']} were not taken",
            "The next run tries those again; `triage digest --send` does it now.",
        )
    return counts


def _digest(workspace: Workspace, dry_run: bool) -> dict[str, int]:
    digests = load_digests(workspace, datetime.now(UTC))
    for digest in digests:
        show_page(
            artifact_key(digest.owner),
            digest_markdown(digest),
            f"What {digest.owner} should know of the week of {digest.week}",
        )
    return {"digests": len(digests)} if dry_run else send_all(workspace, digests)


def artifact_key(owner: str) -> str:
    """The key of an owner's artifact: small letters, digits and dashes."""
    return "digest-" + (re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-") or "nobody")
