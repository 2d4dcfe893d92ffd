"""The reporter's own account, apart from forms, quotes, code and logs."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import clean_report
from triage.cleaning.signatures import find_error_signatures
from triage.cleaning.splitting import shorten_code, split_body
from triage.types import CleanReport, RawReport

ISSUE_FORM = """<!-- Please search first -->
### Is there an existing issue for this?

- [x] I have searched the existing issues

### Your current environment

```text
OS: Ubuntu 22.04
```
python 3.11

### 🐛 Describe the bug

With two tool calls in one turn the second one's `arguments` arrive twice, see [the page](https://docs.example/tools).

> Thanks, can you share a log?
On Mon, 3 Feb 2026, Ana wrote:

    INFO 02-03 12:00:00 engine.py:88] starting
    Traceback (most recent call last):
      File "stream.py", line 12, in run
TypeError: expected array, got string "abc"

1. open a session
2. ask for two cities

$ tarn run --model corvane-4.1

### Expected behavior

A clear and concise description of what you expected to happen.
Each call once.

### Screenshots
_No response_
"""


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9)
SENTENCES = st.lists(WORDS, min_size=3, max_size=7).map(" ".join)


def own_words(body: str) -> str:
    return "\n".join(split_body(body).prose)


def clean(body: str, title: str = "") -> CleanReport:
    raw = RawReport("files", "1", "line 1", body, title=title)
    now = datetime(2026, 10, 1, tzinfo=UTC)
    report = clean_report(raw, hash_key=b"k", received_at=now, resolve_version=lambda name: None)
    assert isinstance(report, CleanReport)
    return report


def test_of_an_issue_form_only_the_reporters_words_are_embedded() -> None:
    report = clean(ISSUE_FORM, "[Bug]: second call doubled")
    assert report.failure_text == (
        "second call doubled. With two tool calls in one turn the second one's `arguments` arrive "
        "twice, see the page. 1. open a session 2. ask for two cities Each call once."
    )


def test_code_and_logs_are_kept_apart() -> None:
    code = clean(ISSUE_FORM).code
    for line in (
        "OS: Ubuntu 22.04",
        "python 3.11",
        "Traceback",
        "TypeError: expected",
        "$ tarn run",
    ):
        assert line in code
    for words in ("Thanks", "No response", "arrive twice", "searched"):
        assert words not in code


@pytest.mark.parametrize(
    ("body", "prose"),
    [
        ("## Crashes on long input\nafter 3 turns", "Crashes on long input\nafter 3 turns"),
        ("**Steps to reproduce:**\nopen it", "open it"),
        ("Expected:\nit stops\nActual: it goes on", "it stops\nActual: it goes on"),
        ("it prints `<br> **x**` and <think>", "it prints `<br> **x**` and <think>"),
        ("see <details><summary>the log</summary>", "see the log"),
        ("- first\n- second", "first\nsecond"),
        ("TypeError: it is not iterable", "TypeError: it is not iterable"),
        ("```\nnever closed\nstill told by me", "never closed\nstill told by me"),
        ("一直报错\n> 引用\n环境：\n没用", "一直报错\n环境：\n没用"),
        ("it fails\n\nSent from my phone", "it fails"),
        ("None of the answers is right.", "None of the answers is right."),
        ("hello <!-- hidden\nstill here", "hello\nstill here"),
    ],
)  # fmt: skip
def test_own_words_survive_and_the_rest_does_not(body: str, prose: str) -> None:
    assert own_words(body) == prose


def test_a_blob_is_shortened_where_it_stands() -> None:
    parts = split_body("the picture data:image/png;base64," + "iVBORw0KGgo" * 40 + " is ignored")
    assert parts.prose == ["the picture is ignored"]
    assert "characters)" in parts.code[0]
    assert len(parts.code[0]) < 80


def test_long_logs_keep_the_error_the_beginning_and_the_end() -> None:
    lines = [f"12:00:00 step {number} of many" for number in range(500)]
    lines[250] = "RuntimeError: the cache is full"
    code = shorten_code(lines, 2_000)
    assert len(code) <= 2_000
    assert code.startswith("RuntimeError: the cache is full")
    assert "step 0 of" in code
    assert "step 499 of" in code


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=400), max_size=40), st.integers(1_000, 3_000))
def test_shortened_code_never_exceeds_its_limit(lines: list[str], limit: int) -> None:
    assert len(shorten_code([*lines, "ValueError: " + "x" * 350], limit)) <= limit


@settings(max_examples=150, deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=6))
def test_plain_sentences_are_never_lost(sentences: list[str]) -> None:
    assert own_words("\n".join(sentences)) == "\n".join(sentences)


@pytest.mark.parametrize(
    ("line", "signature"),
    [
        ("TypeError: expected array, got string", "TypeError: expected array, got string"),
        ("builtins.KeyError: 'city'", "KeyError: VALUE"),
        ("ValueError: length 5120 exceeds 4096 at 0x7f3a", "ValueError: length N exceeds N at HEX"),
        ("OSError: cannot open /srv/models/a.bin", "OSError: cannot open PATH"),
        ("ERROR: request 8812 failed", "error: request N failed"),
        ("HTTP 429 Too Many Requests", "HTTP 429 Too Many Requests"),
        ("status code: 503", "status code: 503"),
        ("bash: tarn: command not found", "command not found"),
    ],
)
def test_error_lines_are_normalised(line: str, signature: str) -> None:
    assert find_error_signatures(line, "") == (signature,)


def test_two_runs_of_one_error_have_one_signature() -> None:
    code = 'KeyError: "a1"\nKeyError: "b2"\n' + "\n".join(f"ValueError{'x' * n}" for n in range(9))
    assert find_error_signatures(code, "") == ("KeyError: VALUE", "ValueError")


def test_at_most_five_signatures_and_prose_counts_too() -> None:
    code = "\n".join(f"{letter}xError: bad" for letter in "ABCDEFG")
    assert len(find_error_signatures(code, "")) == 5
    prose = "It dies with a TypeError: expected array. Then nothing."
    assert find_error_signatures("", prose) == ("TypeError: expected array",)
    assert find_error_signatures("", "The error: it forgets what I said.") == ()
