"""The receiver of webhooks: only signed deliveries about our repository wake it, once each."""

from __future__ import annotations

import json
import threading

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from triage.errors import SettingsError
from triage.receiver import PATH, Waker, make_receiver
from triage.settings import Settings
from triage.tracker.webhook import delivery_of, is_signed, sign

SECRET = "a secret for tests"
BODY = json.dumps({"repository": {"full_name": "Fennwick/issues"}}).encode()


def post(client: TestClient, body: bytes = BODY, **headers: str) -> int:
    sent = {
        "x-hub-signature-256": sign(body, SECRET),
        "x-github-event": "issues",
        "x-github-delivery": "one",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return client.post(PATH, content=body, headers=sent).status_code


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def client(woken: list[int]) -> TestClient:
    settings = Settings(github_webhook_secret=SecretStr(SECRET))
    return TestClient(make_receiver(settings, "fennwick/issues", lambda: woken.append(1)))


def test_a_signed_delivery_wakes_once_however_often_it_is_sent(
    client: TestClient, woken: list[int]
) -> None:
    assert [post(client), post(client)] == [202, 204]
    assert post(client, x_github_delivery="two") == 202
    assert woken == [1, 1]


@pytest.mark.parametrize(
    ("signature", "status"),
    [("", 401), ("sha256=00", 401), (sign(BODY, "another"), 401), (sign(b"{}", SECRET), 401)],
)
def test_what_is_not_signed_with_our_secret_is_refused(
    client: TestClient, woken: list[int], signature: str, status: int
) -> None:
    assert post(client, x_hub_signature_256=signature) == status
    assert woken == []


def test_another_repository_or_event_and_nonsense_wake_nobody(
    client: TestClient, woken: list[int]
) -> None:
    other = json.dumps({"repository": {"full_name": "fennwick/other"}}).encode()
    assert post(client, other) == 204
    assert post(client, x_github_event="star") == 204
    assert post(client, b"\xff{") == 204
    assert woken == []


def test_without_a_secret_there_is_no_receiver() -> None:
    with pytest.raises(SettingsError, match="TRIAGE_GITHUB_WEBHOOK_SECRET"):
        make_receiver(Settings(), "fennwick/issues", lambda: None)


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_bytes_break_the_check(body: bytes, signature: str) -> None:
    assert not is_signed(body, signature, SECRET)
    assert not is_signed(body, sign(body, ""), "")
    delivery_of(body, "issues", "id")


def test_many_wakings_during_a_sync_are_one_more_sync() -> None:
    started, go_on, done = threading.Event(), threading.Event(), threading.Event()
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        started.set()
        if len(runs) == 1:
            go_on.wait(10)
        else:
            done.set()

    waker = Waker(work)
    waker.start()
    waker.wake()
    assert started.wait(10)
    for _ in range(5):
        waker.wake()
    go_on.set()
    assert done.wait(10)
    assert len(runs) == 2
