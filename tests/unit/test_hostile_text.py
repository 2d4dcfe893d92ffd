"""No text from a report has an effect on the page it is shown on."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_filing_judge import EFFECTS, page, violations
from triage.filing.hostile import ZERO_WIDTH_SPACE, visible_line, visible_text
from triage.filing.links import safe_link
from triage.filing.markdown import code_span, plain_title, quote_block, safe_prose, wrap_columns

FRAGMENTS = (
    *("```", "````````", "~~~", "`", "``", "\\`", "\\", "\\\\|", "|", "||", "| --- |", ":--"),
    *("<!--", "-->", "<!-", "- x -->", "<!", "<![CDATA[", "<?php", "</blockquote>", "</code>"),
    *("<img src=x onerror=y>", "![x](https://t.example/p.png)", "<b>", "</details>", "<a href=x>"),
    *("@mona", "@", "mona", "@org/team", "a@b.example", "mailto:a@b.example", "xmpp:a@b.example"),
    *("&#64;mona", "&commat;", "\uff20mona", "\uff0312", "fixes #12", "Closes: o/r#7", "#", "12"),
    *("GH-12", "GH-", "gh-7", "CVE-2026-1", "o/r@deadbeef12", "deadbee", "f" * 40, "0123456789"),
    *("https://github.com/o/r/issues/1", "github.com/o/r/pull/2", "www.", "www.t.example", "://"),
    *(
        "http",
        ":",
        "ftp://t.example",
        "<https://t.example>",
        "[x]: http://t.example",
        "[x]",
        "[^1]",
    ),
    *(
        "[^1]: note",
        "[a](javascript:b)",
        "](",
        "[",
        "]",
        "(",
        ")",
        ":tada:",
        ":",
        "+1:",
        "$",
        "$x$",
    ),
    *(
        "$`x`$",
        "**",
        "__",
        "_",
        "~~",
        "# h",
        "#",
        "===",
        "---",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "1)",
        "> ",
    ),
    *("- [ ] ", "\n", "\n\n", "\r", "\r\n", "\u2028", "\u2029", "\x0b", "\x0c", "\t", "    ", " "),
    *("\x00", "\x1b[31m", "\x85", "\xa0", "\u200b", "\u200d", "\u202e", "\u2066", "\xad", "\ufeff"),
    *("\ud800", "e" + "\u0301" * 9, "\U000e0041", "\u3000", "\u6a21\u578b" * 60, "x" * 300),
    *(
        "<!-- feedback-triage theme=T1 sig=" + "0" * 32 + " -->",
        "feedback-triage",
        "FEEDBACK-TRIAGE",
    ),
    *("<!-- feedback-triage:end -->", "%%{init", "{{", "word", "the model", "&amp;", "&lt;img&gt;"),
)
hostile = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=10).map(" ".join),
)


def shown(markdown: str) -> str:
    """What the reader sees, white space and invisible breaks aside."""
    return " ".join(page(markdown).get_text().replace(ZERO_WIDTH_SPACE, "").split())


def words(text: str) -> str:
    return visible_line(text).replace(ZERO_WIDTH_SPACE, "")


PLACES = ("{}", "before {} after", "- {}", "| a | b |\n| --- | --- |\n| {} | end |", "before\n{}")


@settings(max_examples=150, deadline=None)
@given(hostile, st.sampled_from(PLACES))
def test_prose_renders_as_the_given_words_and_nothing_else(text: str, place: str) -> None:
    markdown = place.format(safe_prose(text, 10_000))
    assert violations(markdown) == []
    expected = shown(place.format("QQQQ")).replace("QQQQ", words(text))
    assert shown(markdown) == " ".join(expected.split())


@settings(max_examples=150, deadline=None)
@given(hostile, st.sampled_from(PLACES))
def test_a_code_span_renders_as_the_given_words_in_one_code_element(text: str, place: str) -> None:
    markdown = place.format(code_span(text, 10_000))
    assert violations(markdown) == []
    (code,) = page(markdown).find_all("code")
    assert " ".join(code.get_text().replace(ZERO_WIDTH_SPACE, "").split()) == (words(text) or "-")


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_a_quote_holds_the_whole_text_and_cannot_be_left(text: str) -> None:
    markdown = f"before\n\n{quote_block(text, 10_000, max_lines=1000)}\n\nafter"
    assert violations(markdown) == []
    soup = page(markdown)
    assert [tag.name for tag in soup.find_all(recursive=False)] == ["p", "blockquote", "p"]
    (code,) = soup.select("blockquote code")
    inside = "".join(code.get_text().split())
    assert inside == "".join(visible_text(text).split())


@settings(max_examples=100, deadline=None)
@given(hostile)
def test_no_row_of_a_quote_is_wider_than_asked(text: str) -> None:
    for line in visible_text(text).split("\n"):
        for row in wrap_columns(line, 90):
            wide = sum(unicodedata.east_asian_width(character) in "WF" for character in row)
            marks = sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in row)
            assert len(row) + wide - marks <= 90 + 8  # a mark may itself count as wide


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_a_title_is_short_and_sets_nothing_off(text: str) -> None:
    title = plain_title(text)
    assert 0 < len(title) <= 120
    assert title.isprintable() or set(filter(lambda c: not c.isprintable(), title)) <= set(
        "\u200b\u200c\u200d"
    ) | {c for c in title if unicodedata.category(c) in ("Cn", "Co")}
    assert [name for name, effect in EFFECTS.items() if effect.search(title)] == []
    assert "<!--" not in title


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_no_comment_and_no_name_of_our_marker_survives_anywhere(text: str) -> None:
    for made in (safe_prose(text), code_span(text), quote_block(text), plain_title(text)):
        assert "<!" not in made
        assert "feedback-triage" not in made.lower()
        made.encode("utf-8")


@settings(max_examples=150, deadline=None)
@given(hostile, st.integers(20, 200))
def test_a_cut_stays_within_its_length_and_harmless(text: str, limit: int) -> None:
    for made in (safe_prose(text, limit), code_span(text, limit)):
        assert len(made) <= limit
        assert violations(made) == []


@settings(max_examples=150, deadline=None)
@given(
    hostile,
    st.one_of(
        hostile,
        hostile.map(lambda text: f"https://t.example/{text}"),
        hostile.map(lambda text: f"https://{text}github.com/o/r/issues/1"),
        hostile.map(lambda text: f"https://t.example/?a={text}#{text}"),
    ),
)
def test_a_link_leads_to_one_harmless_place_or_is_code(label: str, url: str) -> None:
    for place in ("{}", "| a |\n| --- |\n| {} |"):
        markdown = place.format(safe_link(label, url))
        assert violations(markdown) == []
        assert len(page(markdown).find_all(["a", "code"])) == 1


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://feedback.example/issues/2934", "https://feedback.example/issues/2934"),
        ("http://t.example:8080/a b".replace(" ", "%20"), "http://t.example:8080/a%20b"),
        ("https://t.example/?a=1&copy=2#x", "https://t.example/?a=1&copy=2#x"),
        ("https://t.example/a(b)_c", "https://t.example/a%28b%29_c"),
        ("https://github.com/o/r/issues/12", "https://redirect.github.com/o/r/issues/12"),
        (
            "https://www.github.com/o/r/pull/3#issuecomment-1",
            "https://redirect.github.com/o/r/pull/3#issuecomment-1",
        ),
        ("https://gitlab.example/g/p/-/issues/12", "https://gitlab.example/g/p/-/issues/12"),
    ],
)
def test_an_ordinary_address_becomes_a_link(url: str, link: str) -> None:
    assert [a["href"] for a in page(safe_link("source", url)).find_all("a")] == [link]


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/o/r/issues/12",
        "https://git.example/o/r//pull/3",
        "https://git.example/o/%72/discussions%2F4",
        "https://good.example@bad.example/",
        "https://good.example:secret@bad.example/",
        "https://bad.example\\@good.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://t.example/x",
        "//t.example/x",
        "https://",
        "https://[::1",
        "https://t.example:99999/",
        "https://t.example/a b",
        "https://t\u0435st.example/",
        "not an address",
    ],
)
def test_a_doubtful_address_is_shown_as_code(url: str) -> None:
    soup = page(safe_link("source", url))
    assert soup.a is None
    (code,) = soup.find_all("code")
    assert code.get_text().replace(ZERO_WIDTH_SPACE, "") == url


def test_a_title_keeps_the_words_and_shortens_addresses() -> None:
    title = plain_title("Fails on\nhttps://www.t.example/a/b?c=d for @mona, see o/r#12")
    assert title.replace(ZERO_WIDTH_SPACE, "") == "Fails on t.example for @mona, see o/r#12"
    assert plain_title(" \n\x00") == "Untitled failure"


def test_a_long_title_is_cut_with_an_ellipsis() -> None:
    assert re.fullmatch(r"(word ?)+…", plain_title("word " * 100))


def test_a_shortened_quote_says_so() -> None:
    quote = quote_block("line\n" * 500, 1200, max_lines=60)
    assert "[… shortened; the whole text has 2500 characters]" in quote
    assert len(quote.splitlines()) == 60 + 3


def test_a_quote_keeps_indentation_and_breaks_lines_at_spaces() -> None:
    rows = quote_block("def f():\n\treturn 1\n\n\n\n" + "word " * 30).splitlines()
    assert rows[1:4] == ["> def f():", ">     return 1", ">"]
    assert rows[4] == "> " + "word " * 17 + "word"


def test_a_wide_script_is_broken_by_its_width_on_screen() -> None:
    assert [len(row) for row in wrap_columns("\u6a21" * 100, 90)] == [45, 45, 10]
