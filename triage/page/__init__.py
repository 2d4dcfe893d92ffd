"""The report page: one self-contained HTML file, readable offline, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_page(
    *,
    family: str,
    next_version: str,
    written_at: datetime,
    counts: Mapping[str, int],
    themes: Sequence[Mapping[str, Any]],
    agreement: Sequence[Mapping[str, Any]] = (),
    owners: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page as HTML. Every value is escaped; nothing is loaded from anywhere.

    ``themes`` are the rows of ``store.overview`` with ``summary``, ``reasons``, ``versions`` and
    ``weeks`` (mappings to counts) added, ``agreement`` and ``owners`` those of their own stores.
    """
    environment = Environment(
        loader=PackageLoader("triage", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        family=family,
        next_version=next_version,
        written_at=written_at,
        counts=counts,
        themes=themes,
        tables={"What people changed": agreement, "Who carries how much": owners},
    )
