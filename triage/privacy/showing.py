"""Whether the reporters' own words may be shown outside, and a theme without them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from triage.types import Decision, Theme

QUOTES_HEADING = "### In the reporters' words"
NOT_QUOTED = "Not quoted here: "
# Right after a heading of ours: what reports say is neutralised, and cannot make one.
_REASON = re.compile(
    rf"^{QUOTES_HEADING}\r?\n\r?\n{NOT_QUOTED}(?P<why>[^\n]*?)\.(?: |$)", re.MULTILINE
)


def withheld_because(people: int, min_reporters: int, sensitive: str | None = None) -> str | None:
    """Why a theme's words are not shown outside, or None where they may be.

    Two reasons, in this order: the theme is ``sensitive`` (the reason is given); fewer than
    ``min_reporters`` different people (authors and supporters) are behind it, so that a quote
    would say who said it. Counts are shown in any case.
    """
    if sensitive is not None:
        return f"it is about something sensitive ({sensitive})"
    if people < min_reporters:
        noun = "person" if people == 1 else "people"
        return f"{people} {noun} reported it, and words are shown from {min_reporters} on"
    return None


def withheld_in(body: str) -> str:
    """The reason why an issue's body shows no words; empty where it may show them."""
    found = _REASON.search(body)
    return found["why"] if found else ""


def without_words(theme: Theme, why: str, known_versions: Collection[str] = ()) -> Theme:
    """The theme as it may be shown: its counts, and nothing that a reporter wrote.

    Names of models that are none of ``known_versions`` go too: they stand as they were written.
    """
    profile = replace(
        theme.profile,
        versions=_only(theme.profile.versions, known_versions),
        channels={},
        environments={},
        error_signatures={},
    )
    text = replace(
        theme.text,
        title=f"A failure that is not quoted here ({theme.name})",
        summary=f"What people wrote about {theme.name} is not shown: {why}.",
        keywords=(),
        exemplar_ids=(),
        worded_by=None,
    )
    return replace(theme, text=text, profile=profile)


def without_words_of_reports(decision: Decision) -> Decision:
    """The decision without its evidence and the policy's reasons, which may name error lines.

    What a person gave as the reason stays: it was said in public or by one of ours.
    """
    reasons = decision.reasons[:1] if decision.set_by != "policy" else ()
    return replace(decision, reasons=reasons, evidence=(), would_change=())


def _only(counts: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name in known}
