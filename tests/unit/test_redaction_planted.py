"""Planted secrets of every kind never reach a field that is stored.

They are put together while the tests run, so that no scanner finds one in the repository.
"""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import clean_report, redact, redact_excerpt
from triage.types import CleanReport, RawReport, Rejection

ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def chars(rng: random.Random, alphabet: str, length: int) -> str:
    """Random characters, digits and letters among them as in every generated key."""
    text = "".join(rng.choice(alphabet) for _ in range(length - 6))
    return "a1" + text + "b2c3"


def b64url(data: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def jwt(rng: random.Random) -> tuple[str, str]:
    signature = chars(rng, ALPHANUMERIC, 43)
    return ".".join([b64url({"alg": "HS256"}), b64url({"sub": "1"}), signature]), signature


def pem(rng: random.Random) -> tuple[str, str]:
    lines = [chars(rng, ALPHANUMERIC + "+/", 64) for _ in range(5)]
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "]) + "PRIVATE " + "KEY"
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"]), lines[2]


def prefixed(
    prefix: str, length: int, alphabet: str = ALPHANUMERIC
) -> Callable[[random.Random], tuple[str, str]]:
    def build(rng: random.Random) -> tuple[str, str]:
        value = chars(rng, alphabet, length)
        return prefix + value, value

    return build


def around(before: str, length: int, after: str = "") -> Callable[[random.Random], tuple[str, str]]:
    def build(rng: random.Random) -> tuple[str, str]:
        value = chars(rng, ALPHANUMERIC, length)
        return before + value + after, value

    return build


def aws_pair(rng: random.Random) -> tuple[str, str]:
    secret = chars(rng, ALPHANUMERIC + "/+", 40)
    return "AK" + "IA" + "Q3" + chars(
        rng, string.ascii_uppercase, 14
    ).upper() + "\n" + secret, secret


KINDS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "GitHub token": prefixed("gh" + "p_", 36),
    "GitHub server token": prefixed("gh" + "s_", 36),
    "GitHub fine-grained token": prefixed("github" + "_pat_", 82, ALPHANUMERIC + "_"),
    "GitLab token": prefixed("gl" + "pat-", 20),
    "OpenAI key": prefixed("s" + "k-", 48),
    "OpenAI project key": prefixed("s" + "k-proj-", 120, ALPHANUMERIC + "_-"),
    "Anthropic key": prefixed("s" + "k-ant-api03-", 90, ALPHANUMERIC + "_-"),
    "OpenRouter key": prefixed("s" + "k-or-v1-", 64, HEX),
    "Hugging Face token": prefixed("h" + "f_", 34),
    "Google API key": prefixed("AI" + "za", 35, ALPHANUMERIC + "_-"),
    "Google OAuth secret": prefixed("GOC" + "SPX-", 28, ALPHANUMERIC + "_-"),
    "Slack token": prefixed("xo" + "xb-123456789012-123456789012-", 24),
    "Slack hook": prefixed("https://hooks." + "slack.com/services/T0A1B2C3D/B0A1B2C3D/", 24),
    "Stripe key": prefixed("s" + "k_live_", 24),
    "npm token": prefixed("np" + "m_", 36),
    "PyPI token": prefixed("py" + "pi-AgEIcHlwaS5vcmc", 100, ALPHANUMERIC + "_-"),
    "SendGrid key": lambda rng: prefixed(f"S{'G'}.{chars(rng, ALPHANUMERIC, 22)}.", 43)(rng),
    "Telegram token": prefixed("123456789" + ":", 35),
    "Twilio key": prefixed("S" + "K", 32, HEX),
    "AWS key id and secret": aws_pair,
    "AWS secret by name": around("aws_secret_access_key = ", 40),
    "Azure storage key": around("AccountName=x;Account" + "Key=", 86, "=="),
    "Azure signature": around("https://x.blob.example/c?sv=2024&sig" + "=", 44),
    "JSON web token": jwt,
    "private key": pem,
    "bearer header": around("Authorization: Bearer ", 40),
    "basic header": around("authorization: Basic ", 24, "=="),
    "password": around("pass" + "word=", 12),
    "password in JSON": around('{"pass' + 'word": "', 12, '"}'),
    "password in prose": around("my pass" + "word is ", 12),
    "password in Chinese": around("密码：", 12),
    "API key in YAML": around("api" + "_key: ", 24),
    "environment variable": around("export LOOMCODE_TOKEN" + "=", 32),
    "command option": around("tarn run --api" + "-key ", 24),
    "connection string": around("postgres" + "ql://app:", 16, "@db.example:5432/x"),
    "password in an address": around("https://ana:", 16, "@host.example/x"),
    "curl user": around("curl -u ana:", 16, " https://host.example"),
    "cookie": around("Cookie: sid=", 24, "; theme=dark"),
    "npmrc": around("//registry.example/:_auth" + "Token=", 36),
}  # fmt: skip
SEPARATORS = st.sampled_from([" ", "\n", "\n\n", " \n> ", "，", " - ", "\t"])


def strings_of(value: Any) -> Iterator[str]:
    """Every string in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings_of(item)


def clean(raw: RawReport) -> CleanReport | Rejection:
    return clean_report(raw, hash_key=b"k", received_at=NOW, resolve_version=lambda name: None)


def raw_report(text: str, url: str | None = None) -> RawReport:
    return RawReport(
        origin="files", external_id="7", place="reports.jsonl line 7", body=text, title=text,
        channel=text, model=text, environment=text, language=text, url=url, author=text,
        prompt=text, response=text, supporters=(text, "other"),
    )  # fmt: skip


def test_at_least_twenty_kinds_are_planted() -> None:
    assert len(KINDS) >= 20


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    before=st.text(max_size=60),
    after=st.text(max_size=60),
    separators=st.tuples(SEPARATORS, SEPARATORS),
    nul=st.booleans(),
)
def test_a_planted_secret_reaches_no_field(
    kind: str, seed: int, before: str, after: str, separators: tuple[str, str], nul: bool
) -> None:
    written, secret = KINDS[kind](random.Random(seed))
    text = before + separators[0] + written + separators[1] + after + ("\0" if nul else "")
    cleaned = clean(raw_report(text, f"https://forum.example/t?q={quote(written)}&n=1"))
    assert isinstance(cleaned, Rejection if "\0" in text else CleanReport)
    # Half of a secret is as bad: look for both ends.
    for part in (secret, secret[:12], secret[-12:]):
        assert all(part not in value for value in strings_of(asdict(cleaned)))


# Alone, the second half of an AWS pair has no format: cut off from its key id it is any 40 letters.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "AWS key id and secret"])
def test_a_secret_in_a_fence_a_log_or_split_by_markup_goes_too(kind: str) -> None:
    written, secret = KINDS[kind](random.Random(kind))
    half = len(written) - len(secret) // 2
    for text in (
        f"It fails.\n\n```\n{written}\n```\n",
        f"2026-10-01 12:00:00 INFO {written}\n",
        f"It fails.\n\n```\n{written[:half]}<!-- -->{written[half:]}\n```\n",
        f"It fails with <br>{written[:half]}<!-- -->{written[half:]} here",
        f"broken <kbd>{written}</kbd>",
    ):
        report = clean(raw_report(text))
        assert isinstance(report, CleanReport)
        assert secret not in report.failure_text
        assert secret not in report.code


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_secret_goes(kind: str) -> None:
    written, _ = KINDS[kind](random.Random(1))
    cleaned = redact(f"Loomcode stops here.\n{written}\nThen it starts again.")
    assert cleaned.startswith("Loomcode stops here.\n")
    assert cleaned.endswith("\nThen it starts again.")
    assert "[secret]" in cleaned


@pytest.mark.parametrize("shift", range(0, 44, 3))
def test_a_secret_on_the_limit_of_what_is_read_is_not_half_kept(shift: int) -> None:
    token = "gh" + "p_" + "a1B2" * 9
    # Log lines, for of those the end is stored.
    body = ("12:00:00 a step\n" * 7_000)[: 99_999 - shift] + " " + token + " end"
    report = clean(RawReport("files", "1", "line 1", body))
    assert isinstance(report, CleanReport)
    assert report.code.count("12:00:00") > 50
    assert all(token[:16] not in value for value in strings_of(asdict(report)))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_excerpt_holds_no_secret_even_without_its_name(kind: str) -> None:
    _, secret = KINDS[kind](random.Random(11))
    excerpt = redact_excerpt(f'{{"body": "cut off {secret}')
    assert secret not in excerpt or len(secret) < 16
    assert excerpt.startswith('{"body": "cut off')


@pytest.mark.parametrize("identifier", ["gh" + "p_" + "a1B2" * 9, "ana@mail.example.org"])
def test_an_id_that_holds_a_secret_is_rejected_not_stored(identifier: str) -> None:
    rejected = clean(RawReport("files", identifier, "line 1", "it fails"))
    assert isinstance(rejected, Rejection)
    assert rejected.field == "id"
    assert all(identifier not in value for value in strings_of(asdict(rejected)))
