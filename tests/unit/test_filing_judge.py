"""A judge of drafted Markdown: GitHub's own parser, then what GitHub does to the result.

The tests in here show that the judge sees each attack; the other tests rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import cmarkgfm
import pytest
from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString
from cmarkgfm.cmark import Options

EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
OPTIONS = (
    Options.CMARK_OPT_UNSAFE
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_GITHUB_PRE_LANG
    | Options.CMARK_OPT_HARDBREAKS
)
# The tags and attributes that our own Markdown gives; a report's text must add no other.
TAGS = {"h3", "p", "ul", "li", "strong", "code", "pre", "blockquote", "span", "br", "a"}
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
ALLOWED: dict[str, set[str]] = {name: set() for name in TAGS | TABLE_TAGS}
ALLOWED["pre"] = {"lang"}
ALLOWED["a"] = {"href"}
# After rendering, GitHub reads the text outside these once more.
UNREAD = ("pre", "code", "a", "tt", "style", "script")
EFFECTS = {
    "mention": re.compile(r"(?<![A-Za-z0-9_])@[A-Za-z0-9]"),
    "reference": re.compile(r"#[0-9]|(?<![A-Za-z0-9])GH-[0-9]", re.IGNORECASE),
    "commit": re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{7,40}(?![A-Za-z0-9])", re.IGNORECASE),
    "address": re.compile(r"(?:https?|ftp)://|www\.|github\.com/", re.IGNORECASE),
    "emoji": re.compile(r":[a-z0-9_+-]+:"),
}
TRACKER_PATH = re.compile(r"/[^/]+/[^/]+/(issues|pull|discussions)/")


def page(markdown: str) -> BeautifulSoup:
    """The page that GitHub's parser makes of the Markdown."""
    html = cmarkgfm.cmark.markdown_to_html_with_extensions(markdown, OPTIONS, EXTENSIONS)
    return BeautifulSoup(html, "html.parser")


def violations(markdown: str) -> list[str]:
    """Everything on the rendered page that has an effect or is not of our making."""
    return list(violations_on(page(markdown)))


def violations_on(soup: BeautifulSoup) -> Iterator[str]:
    for tag in soup.find_all(True):
        if tag.name not in ALLOWED or set(tag.attrs) - ALLOWED[tag.name]:
            yield f"tag {tag}"
        if tag.name == "a":
            yield from _bad_link(str(tag["href"]))
            if EFFECTS["address"].search(tag.get_text()):
                yield f"address {tag}"
        if tag.name == "blockquote" and _children(tag) != ["pre"]:
            yield f"quote {tag}"
    for text in soup.find_all(string=True):
        if not isinstance(text, Comment) and text.find_parent(UNREAD) is None:
            yield from (
                f"{what} in {text!r}" for what, seen in EFFECTS.items() if seen.search(text)
            )
            if "$" in text and not (text == "$" and text.find_parent("span") is text.parent):
                yield f"formula in {text!r}"


def _children(tag: Tag) -> list[str | None]:
    """Names of the tags inside, None for a text."""
    return [
        child.name if isinstance(child, Tag) else None
        for child in tag.children
        if not isinstance(child, NavigableString) or child.strip()
    ]


def _bad_link(href: str) -> Iterator[str]:
    if not re.match(r"https?://[a-z0-9]", href) or "@" in href.split("/")[2]:
        yield f"link {href!r}"
    host = re.split(r"[/:?#]", href.split("//", 1)[-1])[0]
    if host in ("github.com", "www.github.com"):
        yield f"cross-reference {href!r}"
    if host != "redirect.github.com" and TRACKER_PATH.search(href):
        yield f"cross-reference {href!r}"


@pytest.mark.parametrize(
    ("attack", "seen"),
    [
        ("ask @mona", "mention"),
        ("(@org/team)", "mention"),
        ("&#64;mona", "mention"),
        ("fixes #12", "reference"),
        ("see owner/repo#12", "reference"),
        ("gh-12", "reference"),
        ("at deadbeef1", "commit"),
        ("http://a.example", "address"),
        ("www.a.example", "address"),
        ("a@b.example", "link"),
        ("[x](https://github.com/o/r/issues/1)", "cross-reference"),
        ("[x](https://git.example/o/r/pull/1)", "cross-reference"),
        ("[x](https://good.example@bad.example/)", "link"),
        ("[x](javascript:alert)", "link"),
        ("![x](https://a.example/x.png)", "tag"),
        ("<img src=x>", "tag"),
        ("a <b>bold</b> word", "tag"),
        ("# Heading", "tag"),
        ("*stress*", "tag"),
        ("- [ ] task", "tag"),
        ("a[^1]\n\n[^1]: b", "tag"),
        ("cost $x$", "formula"),
        ("so :tada:", "emoji"),
        ("> quoted prose", "quote"),
        ("> ```\n> a\n> ```\n> out", "quote"),
    ],
)
def test_the_judge_sees_each_attack(attack: str, seen: str) -> None:
    assert any(violation.startswith(seen) for violation in violations(attack))


def test_the_judge_leaves_code_and_plain_words_alone() -> None:
    assert violations("plain words, `@mona #12`, and\n\n> ```text\n> @mona\n> ```\n") == []
