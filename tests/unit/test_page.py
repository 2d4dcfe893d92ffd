"""The report page before any browser sees it: escaping, withholding, size, dots."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date, timedelta

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pages import MONDAY, NOW, facts, page_of
from triage.page import content_policy, render_page
from triage.page.points import NOT_STATED, OTHER, choose_points, name_rows
from triage.page.themes import safe_url
from triage.page.trend import trend_of

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }} {% raw %}",
    "<!-- --!> <style>*{display:none}</style> ]]>",
    "\u202egnp.exe\u202c and \u2066hidden\u2069",
    "javascript:alert(1)",
]


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)))
@settings(max_examples=12, deadline=None)
def test_no_text_of_a_report_becomes_markup_or_script(text: str) -> None:
    hostile = facts(1, text, capability="tool-use", blocker=f"not coherent: {text}")
    found = soup(render_page(page_of([hostile], dots=0, family=text or "x", notes=[text])))
    count = [len(found.find_all(name)) for name in ("script", "style", "img", "iframe", "form")]
    assert count == [2, 1, 0, 0, 1]
    attributes = {name for tag in found.find_all() for name in tag.attrs}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    for link in found.find_all("a"):
        assert str(link["href"]).startswith(("#", "https://", "http://"))
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(found.get_text())
    json.loads(found.select("#data")[0].get_text())


def test_only_this_script_and_this_style_may_run() -> None:
    found = soup(render_page(page_of([facts(1)])))
    policy = str(found.select("meta[http-equiv=Content-Security-Policy]")[0]["content"])
    assert policy == content_policy()
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    for tag in (found.find_all("script")[1], found.find_all("style")[0]):
        digest = base64.b64encode(hashlib.sha256(str(tag.string).encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_a_theme_of_too_few_people_is_shown_without_any_of_their_words() -> None:
    few = facts(5, "Zebra crossing lost", people=2, issue="https://example.com/i/5")
    html = render_page(page_of([few, facts(6)], min_reporters=3))
    for word in ("Zebra", "seen in 5", "Reason 5", "words of 5"):
        assert word not in html
    assert "words are shown from 3 on" in html
    assert "https://example.com/i/5" in html
    assert "Zebra" in render_page(page_of([few], min_reporters=2))


def test_no_person_is_quoted_twice_and_never_more_than_three_quotes() -> None:
    page = page_of([facts(1)])
    assert [quote.text for quote in page.themes[0].quotes] == [
        "Failure number 1 once",
        "Failure number 1 twice",
    ]


def test_a_hundred_thousand_reports_and_a_thousand_themes_stay_below_ten_megabytes() -> None:
    one = facts(1, "A long title about a failure of parcels " * 3)
    page = page_of([one] * 1001, dots=100_000)
    html = render_page(page)
    assert len(html.encode()) < 10_000_000
    assert "The 1000 themes with the most people; 1 more\nstand in the table alone." in html


def test_what_the_map_leaves_out_is_said() -> None:
    rows = choose_points(50_000, limit=1000)
    assert len(rows) == len(set(rows.tolist())) == 1000
    assert np.array_equal(rows, choose_points(50_000, limit=1000))
    assert not np.array_equal(rows, choose_points(50_000, limit=1000, seed=1))
    assert len(choose_points(50)) == 50
    html = render_page(page_of([facts(1)], dots=40, known=50_000))
    assert "40 of 50,000 reports are drawn, chosen by lot" in html
    assert "chosen by lot" not in render_page(page_of([facts(1)], dots=40))


def test_every_dot_keeps_its_place_theme_version_and_source() -> None:
    page = page_of([facts(1), facts(2)], dots=5)
    packed = base64.b64decode(page.points)
    assert len(packed) == 5 * 8
    assert np.frombuffer(packed[20:30], "<u2").tolist() == [0, 1, 2, 0, 1]
    assert list(packed[30:35]) == [0, 1, 0, 1, 0]
    assert list(packed[35:40]) == [0, 0, 1, 1, 0]


def test_versions_to_filter_by_come_in_release_order_and_no_report_is_lost() -> None:
    names = ["b", "a", None, "c", "a", "z"]
    shown, rows = name_rows(names, ["z", "y", "a"])
    assert shown == ["z", "a", "b", "c", NOT_STATED]
    assert [shown[rows[name]] for name in names] == ["b", "a", NOT_STATED, "c", "a", "z"]
    many, rows = name_rows([f"source {n}" for n in range(300)])
    assert len(many) == 41
    assert many[-1] == OTHER
    assert {rows[f"source {n}"] for n in range(300)} == set(range(41))


@pytest.mark.parametrize(
    ("weeks_ago", "word"),
    [
        ({9: 1, 6: 1}, "quiet"),
        ({1: 2, 0: 1}, "new"),
        ({12: 1, 8: 1, 0: 6}, "growing"),
        ({11: 2, 9: 2, 7: 2, 5: 2, 3: 2, 1: 1, 0: 1}, "steady"),
    ],
)
def test_a_trend_is_said_in_a_word_with_its_figures(weeks_ago: dict[int, int], word: str) -> None:
    arrivals: dict[date, int] = {MONDAY - timedelta(weeks=w): n for w, n in weeks_ago.items()}
    trend = trend_of(arrivals, NOW - timedelta(weeks=min(weeks_ago)), NOW)
    assert trend.word == word
    assert ("last report on" in trend.figures) == (word == "quiet")
    assert len(trend.bars) == 26
    assert max(bar.height for bar in trend.bars) == 23
    assert (trend.bars[-1].height > 1) == (0 in weeks_ago)


def test_no_other_scheme_than_the_webs_becomes_a_link() -> None:
    assert safe_url("https://example.com/1") == "https://example.com/1"
    for url in ("javascript:alert(1)", "data:text/html,x", "//example.com", "", None):
        assert safe_url(url) is None


def test_a_page_without_themes_or_reports_says_how_to_begin() -> None:
    html = render_page(page_of([], dots=0))
    assert "triage ingest" in html
    assert "Nothing waits." in html
