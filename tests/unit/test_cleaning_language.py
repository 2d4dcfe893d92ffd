"""The language of a report."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning.language import find_language


@pytest.mark.parametrize(
    ("declared", "language"),
    [("en", "en"), ("zh-Hans-CN", "zh"), ("PT_br", "pt"), (" de ", "de"), ("yue", "yue")],
)
def test_a_declared_code_wins(declared: str, language: str) -> None:
    assert find_language(declared, "完全是中文的一段话，没有别的。") == language


@pytest.mark.parametrize("declared", ["English", "und", "", "e", "en\nx", "123", None])
def test_what_is_no_code_is_ignored(declared: str | None) -> None:
    assert find_language(declared, "完全是中文的一段话，没有别的。") == "zh"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The second tool call of a turn arrives twice in the terminal.", "en"),
        ("Der zweite Aufruf kommt doppelt an, obwohl ich nur einmal gefragt habe.", "de"),
        ("Le deuxième appel arrive deux fois alors que je n'ai demandé qu'une fois.", "fr"),
        ("Второй вызов приходит дважды, хотя я спросил только один раз.", "ru"),
        ("模型答非所问", "zh"),
        ("用 corvane-4.1 跑 Tarn CLI 的时候, tool call 会重复两次", "zh"),
        ("二回目の呼び出しが重複します", "ja"),
        ("도구 호출이 두 번 옵니다", "ko"),
        ("ok", None),
        ("1234 !!!", None),
        ("", None),
    ],
)
def test_the_language_is_detected(text: str, language: str | None) -> None:
    assert find_language(None, text) == language


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.text(st.characters(), max_size=200))
def test_any_text_has_a_lower_case_code_or_none(declared: str, text: str) -> None:
    language = find_language(declared, text)
    assert language is None or (language.isalpha() and language.islower())
