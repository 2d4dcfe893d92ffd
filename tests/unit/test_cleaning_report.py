"""A raw report becomes a clean one, or a rejection that names the field and the remedy."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import (
    clean_report,
    fingerprint,
    hash_author,
    redact_report,
    with_features,
)
from triage.cleaning.links import clean_url
from triage.types import CleanReport, RawReport, Rejection

KEY = b"a key for tests"
NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
RAW = RawReport(
    origin="files",
    external_id="r-1",
    place="reports.jsonl line 17",
    body="The second tool call of a turn arrives twice in Loomcode.",
    title="Tool call doubled",
    model="corvane-latest",
)


def clean(raw: RawReport) -> CleanReport | Rejection:
    versions = {"corvane-latest": "corvane-4.1"}
    return clean_report(raw, hash_key=KEY, received_at=NOW, resolve_version=versions.get)


def accepted(raw: RawReport) -> CleanReport:
    report = clean(raw)
    assert isinstance(report, CleanReport)
    return report


def rejected(raw: RawReport) -> Rejection:
    rejection = clean(raw)
    assert isinstance(rejection, Rejection)
    return rejection


def test_a_plain_report_keeps_its_words_and_gets_its_version() -> None:
    report = accepted(RAW)
    assert report.failure_text == f"Tool call doubled. {RAW.body}"
    assert report.body == RAW.body
    assert (report.model_written, report.model_version) == ("corvane-latest", "corvane-4.1")
    assert report.fingerprint == fingerprint(report.failure_text)
    assert report.created_at == NOW
    assert report.language == "en"


def test_an_unknown_model_is_kept_as_it_was_written() -> None:
    report = accepted(replace(RAW, model="corvane-5-preview"))
    assert (report.model_written, report.model_version) == ("corvane-5-preview", None)


@pytest.mark.parametrize(
    ("change", "field", "remedy"),
    [
        ({"body": "", "title": ""}, "body", "write what failed"),
        ({"body": " \n\t\u200b "}, "body", "write what failed"),
        ({"body": "x" * 1_000_001}, "body", "shorten it"),
        ({"body": "it fails\0 here"}, "body", "remove the NUL bytes and ingest again"),
        ({"title": "a\0b"}, "title", "remove the NUL bytes"),
        ({"author": "an\0a"}, "author", "remove the NUL bytes"),
        ({"supporters": ("ana", "b\0")}, "supporters", "remove the NUL bytes"),
        ({"external_id": "7\0"}, "id", "remove the NUL bytes"),
        ({"channel": "a\0"}, "source", "remove the NUL bytes"),
        ({"external_id": " "}, "id", "give an id"),
        ({"external_id": "9" * 501}, "id", "give an id"),
        ({"external_id": "7\u202e"}, "id", "another id"),
    ],
)
def test_what_cannot_be_stored_is_rejected_with_field_and_remedy(
    change: dict[str, str], field: str, remedy: str
) -> None:
    rejection = rejected(replace(RAW, **change))  # type: ignore[arg-type]
    assert rejection.field == field
    assert remedy in rejection.remedy
    assert rejection.place == "reports.jsonl line 17"
    assert len(rejection.excerpt) <= 200
    assert len(rejection.digest) == 64


def test_two_bad_records_have_two_digests_and_the_same_one_has_one() -> None:
    first, again = rejected(replace(RAW, body="\0")), rejected(replace(RAW, body="\0"))
    other = rejected(replace(RAW, body="\0\0"))
    assert first.digest == again.digest != other.digest


def test_an_issue_with_a_title_and_no_body_is_taken() -> None:
    assert accepted(replace(RAW, body="")).failure_text == "Tool call doubled"


def test_the_largest_accepted_body_is_taken_and_shortened() -> None:
    report = accepted(replace(RAW, body="it fails again " * 66_666))
    assert len(report.body) <= 20_000
    assert len(report.failure_text) <= 2_000


@pytest.mark.parametrize(
    "body",
    [
        "```\nTypeError: expected array\n```",
        "> quoted only",
        "<!-- nothing -->",
        "- [x] I searched",
        "!!!",
        "👎",
        "x" * 400_000,
        "中" * 400_000,
    ],
)
def test_a_report_without_own_words_still_has_a_failure_text(body: str) -> None:
    assert accepted(replace(RAW, body=body, title="")).failure_text.strip()


def test_a_title_that_only_begins_the_body_is_not_counted_twice() -> None:
    report = accepted(replace(RAW, title="The second tool call of a turn…"))
    assert report.failure_text == RAW.body


def test_a_date_in_another_zone_becomes_utc() -> None:
    local = datetime(2026, 9, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    assert accepted(replace(RAW, created_at=local)).created_at == datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(("declared", "redacted"), [("zh-Hans-CN", "zh"), (None, None)])
def test_what_the_redacted_text_tells_can_be_added_later_and_twice(
    declared: str | None, redacted: str | None
) -> None:
    raw = replace(RAW, language=declared)
    early = redact_report(raw, hash_key=KEY, received_at=NOW, resolve_version=lambda _: None)
    assert isinstance(early, CleanReport)
    assert (early.language, early.shingle_bands) == (redacted, ())
    late = with_features(early)
    assert late.language == (redacted or "en")
    assert late.shingle_bands
    assert with_features(late) == late


def test_people_are_keyed_hashes_and_the_author_supports_nobody() -> None:
    report = accepted(replace(RAW, author="@Ana", supporters=("bob", "@Bob ", "ANA", "", "cy")))
    assert report.author_hash == hash_author("ana", KEY)
    assert report.supporter_hashes == (hash_author("bob", KEY), hash_author("cy", KEY))
    assert hash_author("ana", b"other key") != report.author_hash
    assert len(report.author_hash or "") == 32


def test_a_rating_that_is_no_number_is_none() -> None:
    assert accepted(replace(RAW, rating=float("nan"))).rating is None
    assert accepted(replace(RAW, rating=2.0)).rating == 2.0


def test_names_are_one_line_of_limited_length() -> None:
    report = accepted(replace(RAW, title="a\nb " * 200, model="m " * 300, environment="e\tf" * 300))
    assert len(report.title) <= 300
    assert "\n" not in report.title
    assert len(report.model_written or "") <= 200
    assert len(report.environment or "") <= 200


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://forum.example/t/12?page=2#p5", "https://forum.example/t/12?page=2#p5"),
        ("HTTPS://Forum.example/t", "https://forum.example/t"),
        ("https://ana:pw@forum.example/t", "https://forum.example/t"),
        ("https://forum.example/t?token=abc&n=1", "https://forum.example/t?token=redacted&n=1"),
        ("https://forum.example/u/ana@mail.example/t", "https://forum.example/u/redacted/t"),
        ("https://forum.example/t?m=ana%40mail.example", "https://forum.example/t?m=redacted"),
        ("http://10.1.2.3/x", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://forum.example/a b", None),
        ("https://[::1", None),
        ("//forum.example/x", None),
        ("", None),
        ("https://forum.example/" + "x" * 2_000, None),
    ],
)
def test_only_harmless_web_addresses_are_kept(url: str, kept: str | None) -> None:
    assert clean_url(url) == kept


def test_the_fingerprint_ignores_layout_case_and_punctuation_only() -> None:
    assert fingerprint("It FAILS,  again!") == fingerprint("it fails\nagain")
    assert fingerprint("ｉｔ fails again") == fingerprint("it fails again")  # noqa: RUF001
    assert fingerprint("it fails") != fingerprint("it failed")
    assert fingerprint("!!!") != fingerprint("???")


TEXT = st.text(st.characters(), max_size=300)
FRAGMENTS = (
    *("```\n", "~~~\n", "> ", "    ", "\n", "\n\n", "### ", "<!--", "-->", "- [ ] ", "Error: "),
    *("[a](http://b) ", "![x](y)", "`", "**", "_No response_", "wrote:", "it fails ", "| ", "中文"),
    *("\ud800", "\x1b[31m", "Traceback (most recent call last)\n", "12:00:00 x\n", "A" * 130),
)
MARKUP = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)


@settings(max_examples=200, deadline=None)
@given(body=st.one_of(TEXT, MARKUP), title=st.one_of(st.just(""), TEXT), other=TEXT)
def test_no_text_raises_and_every_accepted_report_can_be_stored(
    body: str, title: str, other: str
) -> None:
    raw = replace(
        RAW, body=body, title=title, environment=other, url="https://e.example/" + other,
        author=other, language=other, prompt=other, response=other, external_id=other,
    )  # fmt: skip
    result = clean(raw)
    if isinstance(result, Rejection):
        result.excerpt.encode("utf-8")
        result.place.encode("utf-8")
        return
    assert result.failure_text.strip()
    texts = (result.title, result.body, result.failure_text, result.code, result.external_id)
    for text in (*texts, result.environment or "", result.prompt or "", result.url or ""):
        assert not any(ord(c) < 32 and c not in "\n\t" for c in text)
        text.encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(st.one_of(TEXT, MARKUP).filter(lambda text: "\0" not in text))
def test_a_text_with_words_is_never_rejected(body: str) -> None:
    accepted(replace(RAW, body="It fails. " + body))


@pytest.mark.parametrize(
    "unit", ["```a\n", "[x](", "<!--", "# a" + " " * 200, "a", "é\u200d", "Error: ", "> ", "<a "]
)
def test_a_hostile_report_takes_time_in_proportion_to_its_length(unit: str) -> None:
    started = time.process_time()
    clean(replace(RAW, body=(unit * 100_000)[:100_000]))
    # Up to 0.8 s was measured; looking for the end of every fence took half a minute.
    assert time.process_time() - started < 8
