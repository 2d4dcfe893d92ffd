"""The page as HTML: every value escaped, script and style allowed by their hash alone."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from triage.page.content import Page

# Beside the style and the script in the page itself nothing is loaded, run, sent or embedded.
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; "
    "form-action 'none'"
)


def render_page(page: Page) -> str:
    """The page as one HTML text that needs nothing else; the same page gives the same text."""
    script, style = _asset("page.js"), _asset("page.css")
    template = _environment().get_template("report.html.j2")
    return template.render(
        page=page,
        policy=content_policy(),
        script=Markup(script),
        style=Markup(style),
        data=_data(page),
    )


def content_policy() -> str:
    """The page's Content-Security-Policy, for its own head and for whoever serves it."""
    return POLICY.format(script=_source(_asset("page.js")), style=_source(_asset("page.css")))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("triage", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _data(page: Page) -> dict[str, Any]:
    """What the script reads; the template escapes it for an element of JSON."""
    return {
        "versions": page.versions,
        "sources": page.sources,
        "themes": [[entry.name, [list(cell) for cell in entry.cells]] for entry in page.themes],
        "points": page.points,
    }


def _asset(name: str) -> str:
    return (files("triage.page") / name).read_text("utf-8")


def _source(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
