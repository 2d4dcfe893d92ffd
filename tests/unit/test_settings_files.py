"""Secrets come from the environment or from files that it names, never from both."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.errors import SettingsError
from triage.settings import load_settings


@pytest.fixture(autouse=True)
def _no_other_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRIAGE_GITHUB_TOKEN", "TRIAGE_GITHUB_TOKEN_FILE", "TRIAGE_LLM_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def test_a_secret_is_read_from_the_file_that_its_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text("  a-planted-token\n")
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN_FILE", str(path))
    token = load_settings().github_token
    assert token is not None
    assert token.get_secret_value() == "a-planted-token"
    assert "a-planted-token" not in repr(load_settings())


def test_values_of_other_kinds_are_checked_as_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "concurrency"
    path.write_text("3\n")
    monkeypatch.setenv("TRIAGE_LLM_CONCURRENCY_FILE", str(path))
    assert load_settings().llm_concurrency == 3
    path.write_text("many\n")
    with pytest.raises(SettingsError, match="TRIAGE_LLM_CONCURRENCY"):
        load_settings()


def test_an_empty_file_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("\n")
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN_FILE", str(path))
    assert load_settings().github_token is None


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=r"TRIAGE_GITHUB_TOKEN_FILE.*missing: No such file"):
        load_settings()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN_FILE", str(tmp_path / "binary"))
    with pytest.raises(SettingsError, match="it is no text"):
        load_settings()


def test_a_value_and_a_file_for_it_contradict_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("one")
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN", "a-planted-token")
    monkeypatch.setenv("TRIAGE_GITHUB_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(SettingsError, match="TRIAGE_GITHUB_TOKEN is set as well") as caught:
        load_settings()
    assert "a-planted-token" not in str(caught.value)
