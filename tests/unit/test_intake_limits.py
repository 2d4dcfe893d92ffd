"""What the intake lets in: tokens by hash, reports a second, bytes at a time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from triage.errors import SettingsError
from triage.intake.limits import Room, TokenBuckets
from triage.intake.tokens import Tokens, add_token, load_tokens, token_file
from triage.settings import Settings

TOKEN = "a-token-that-is-long-enough"


def settings(home: Path, tokens: str | None = None) -> Settings:
    return Settings(home=home, intake_tokens=SecretStr(tokens) if tokens else None)


# --- tokens -------------------------------------------------------------------------------------


def test_a_token_names_its_source_and_stands_nowhere_in_the_file(tmp_path: Path) -> None:
    here = settings(tmp_path, f"web={TOKEN}")
    path = token_file(here)
    made = add_token(path, "app-feedback")
    assert made not in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tokens = load_tokens(here)
    assert tokens.source_of(f"Bearer {made}") == "app-feedback"
    assert tokens.source_of(f"bearer {TOKEN}") == "web"


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", "Bearer x"]
)
def test_any_other_header_names_nobody(tmp_path: Path, sent: str | None) -> None:
    assert load_tokens(settings(tmp_path, f"web={TOKEN}")).source_of(sent) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_check_or_passes_it(sent: str) -> None:
    assert Tokens({"web": bytes(32)}).source_of(f"Bearer {sent}") is None


@pytest.mark.parametrize(
    ("tokens", "lines", "problem"),
    [
        (None, "", "there is no token"),
        ("web=short", "", "fewer than 20"),
        (TOKEN, "", "no id"),
        (f"Web={TOKEN}", "", "no id"),
        (f"web={TOKEN}", f"web sha256:{'0' * 64}", "two tokens"),
        (None, "web 0123", "no token"),
        (None, f"# a comment\n\nWeb sha256:{'0' * 64}", "no id"),
    ],
)
def test_tokens_that_cannot_be_used_are_named(
    tmp_path: Path, tokens: str | None, lines: str, problem: str
) -> None:
    (tmp_path / "intake.tokens").write_text(lines, "utf-8")
    with pytest.raises(SettingsError, match=problem) as caught:
        load_tokens(settings(tmp_path, tokens))
    assert TOKEN not in str(caught.value)


def test_a_name_has_one_token_until_its_line_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "intake.tokens"
    add_token(path, "web")
    with pytest.raises(SettingsError, match="delete its line"):
        add_token(path, "web")
    with pytest.raises(SettingsError, match="no id"):
        add_token(path, "two words")


# --- rate ---------------------------------------------------------------------------------------


def test_a_source_waits_for_what_it_overdrew_and_no_other_does() -> None:
    buckets = TokenBuckets(rate=10, burst=20)
    assert buckets.wait_seconds("web", 0.0) == 0
    buckets.spend("web", 50, 0.0)
    assert buckets.wait_seconds("web", 0.0) == pytest.approx(3.1)
    assert buckets.wait_seconds("web", 3.2) == 0
    assert buckets.wait_seconds("app", 0.0) == 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 30)), max_size=40))
def test_on_average_nobody_gets_more_than_the_rate(sent: list[tuple[float, int]]) -> None:
    buckets, now, taken, largest = TokenBuckets(rate=10, burst=20), 0.0, 0, 0
    for pause, reports in sent:
        now += pause
        if buckets.wait_seconds("web", now) == 0:
            buckets.spend("web", reports, now)
            taken, largest = taken + reports, max(largest, reports)
    assert taken <= 20 + 10 * now + largest


def test_room_is_taken_only_where_there_is_some() -> None:
    room = Room(10)
    assert room.take(7)
    assert not room.take(4)
    assert room.take(3)
    room.give_back(7)
    assert room.take(7)
