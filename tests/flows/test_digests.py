"""Digests over a real database: sent once an owner and week, and after a crash never silently."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from flows.send_digests import artifact_key, load_digests, send_all
from tests.flows.seeding import seed_theme
from triage.digests.wording import REPEATED
from triage.errors import SettingsError
from triage.sending import SendingError
from triage.settings import load_settings
from triage.store.digests import load_sent_digests
from triage.store.themes import save_blocker
from triage.workspace import Workspace

# The themes are made now, so they are new in the week that ends with the coming Sunday.
NEXT_WEEK = datetime.now(UTC) + timedelta(days=7)
Sent = list[tuple[str, str, str]]


@pytest.fixture
def owned(workspace: Workspace) -> Workspace:
    """An installation with a theme each of mira and noor, and addresses for mira and the rest."""
    ids = [
        seed_theme(workspace.database, name, owner=owner)
        for name, owner in (("parcels", "mira"), ("letters", "noor"))
    ]
    with workspace.database.session() as session:
        save_blocker(session, ids[0], "not coherent: 0.10, needs 0.50")
    targets = {"mira": SecretStr("https://hooks.example/m"), "*": SecretStr("mailto://rest")}
    settings = workspace.settings.model_copy(update={"digest_targets": targets})
    return replace(workspace, settings=settings)


def sends(kept: Sent, *, fails: bool = False, crashes: bool = False):  # type: ignore[no-untyped-def]
    """A way of sending that keeps what was sent, and then perhaps fails or crashes."""

    def send(target: SecretStr, subject: str, said: str) -> None:
        kept.append((target.get_secret_value(), subject, said))
        if crashes:
            raise KeyboardInterrupt
        if fails:
            raise SendingError("Sending a digest", "the webhook answered 500", "Try again.")

    return send


def test_an_owner_hears_of_a_week_once_at_their_own_address(owned: Workspace) -> None:
    digests = load_digests(owned, NEXT_WEEK)
    kept: Sent = []
    counts = send_all(owned, digests, send=sends(kept))
    assert counts["sent"] == 2
    assert counts["quiet"] == len(digests) - 2
    assert [target for target, _, _ in kept] == ["https://hooks.example/m", "mailto://rest"]
    assert "parcels fails: 4 people" in kept[0][2]
    assert "not filed: not coherent" in kept[0][2]
    assert "letters" not in kept[0][2]
    again = send_all(owned, load_digests(owned, NEXT_WEEK), send=sends(kept))
    assert again["sent before"] == 2
    assert len(kept) == 2
    send_all(owned, load_digests(owned, NEXT_WEEK + timedelta(days=7)), send=sends(kept))
    assert len(kept) == 3  # what awaits mira is told again the week after


def test_what_was_not_taken_is_tried_again_and_says_so(owned: Workspace) -> None:
    digests = load_digests(owned, NEXT_WEEK)
    kept: Sent = []
    assert send_all(owned, digests, send=sends(kept, fails=True))["failed"] == 2
    with owned.database.session() as session:
        known = load_sent_digests(session, digests[0].week)["mira"]
    assert known.attempts == 1
    assert known.sent_at is None
    assert known.last_error == "the webhook answered 500"
    assert send_all(owned, digests, send=sends(kept))["sent"] == 2
    assert [REPEATED in said for _, _, said in kept] == [False, False, True, True]


def test_a_crash_between_sending_and_recording_never_doubles_silently(owned: Workspace) -> None:
    digests = load_digests(owned, NEXT_WEEK)
    kept: Sent = []
    with pytest.raises(KeyboardInterrupt):
        send_all(owned, digests, send=sends(kept, crashes=True))
    send_all(owned, digests, send=sends(kept))
    mine = [said for target, _, said in kept if target.endswith("/m")]
    assert [REPEATED in said for said in mine] == [False, True]


def test_without_an_address_nothing_is_sent_or_recorded(workspace: Workspace) -> None:
    seed_theme(workspace.database, "parcels")
    digests = load_digests(workspace, NEXT_WEEK)
    counts = send_all(workspace, digests, send=sends([]))
    assert counts["no address"] == 1
    assert counts["sent"] == 0
    with workspace.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM digest")).scalar_one() == 0


def test_addresses_come_from_the_environment_and_never_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIAGE_DIGEST_TARGETS", '{"mira": "https://hooks.example/secret"}')
    found = load_settings()
    assert found.digest_targets["mira"].get_secret_value() == "https://hooks.example/secret"
    assert "hooks.example" not in repr(found)
    monkeypatch.setenv("TRIAGE_DIGEST_TARGETS", "https://hooks.example/secret")
    with pytest.raises(SettingsError, match="TRIAGE_DIGEST_TARGETS") as caught:
        load_settings()
    assert "secret" not in str(caught.value)


def test_an_owners_artifact_has_a_key_that_prefect_takes() -> None:
    assert artifact_key("Fennwick_Tools-Lead") == "digest-fennwick-tools-lead"
    assert artifact_key("[bot]") == "digest-bot"
    assert artifact_key("_") == "digest-nobody"
