"""A theme in words that its reporters wrote: title, summary, keywords, exemplars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.themes.wording import (
    Background,
    contrastive_weights,
    is_mostly_latin,
    sentences_of,
    shorten,
    words_of,
)
from triage.types import Report, ThemeText

Floats = NDArray[np.float32]

KEYWORDS = 8
EXEMPLARS = 5
TITLE_LENGTH = 80
SUMMARY_SENTENCES = 3
SENTENCE_LENGTH = (30, 240)
# Maximal marginal relevance (Carbonell and Goldstein 1998): share of nearness against novelty.
NEARNESS = 0.5


@dataclass(frozen=True, slots=True)
class _Members:
    """A theme's reports as described: ``order`` ranks their rows, nearest the centre first."""

    reports: Sequence[Report]
    vectors: Floats
    centrality: Floats
    order: list[int]


def describe(reports: Sequence[Report], vectors: Floats, background: Background) -> ThemeText:
    """Describe a theme by its own reports; nothing is generated.

    ``vectors`` (n, d) are the reports' centred unit vectors in the same order. The title is
    a reporter's own, the summary two or three sentences, each followed by the external id of
    its report in square brackets. Same reports, same text, in whatever order they come.
    Raises ``ValueError`` without reports.
    """
    if not reports:
        raise ValueError("a theme without reports cannot be described")
    members = _members(reports, vectors)
    weights = contrastive_weights((report.failure_text for report in members.reports), background)
    exemplars = _exemplars(members)
    return ThemeText(
        title=_title(members, weights),
        summary=_summary([members.reports[row] for row in exemplars], weights),
        keywords=tuple(weights)[:KEYWORDS],
        medoid_id=members.reports[members.order[0]].report_id,
        exemplar_ids=tuple(members.reports[row].report_id for row in exemplars),
    )


def _members(reports: Sequence[Report], vectors: Floats) -> _Members:
    rows = [row for row, report in enumerate(reports) if report.duplicate_of is None]
    rows = sorted(rows or range(len(reports)), key=lambda row: reports[row].report_id)
    own, chosen = vectors[rows], [reports[row] for row in rows]
    # rounded, so that float noise from another order of summation cannot swap two reports
    centrality = np.round(own @ own.mean(axis=0), 5)
    order = sorted(range(len(chosen)), key=lambda row: (-centrality[row], chosen[row].report_id))
    return _Members(chosen, own, centrality, order)


def _exemplars(members: _Members) -> list[int]:
    """Rows of up to five reports, medoid first, then near yet unlike, by different people."""
    chosen = [members.order[0]]
    people = {members.reports[chosen[0]].reporter}
    while len(chosen) < EXEMPLARS:
        rest = [row for row in members.order if row not in chosen]
        fresh = [row for row in rest if members.reports[row].reporter not in people]
        if not fresh:
            break
        likeness = (members.vectors @ members.vectors[chosen].T).max(axis=1)
        gain = NEARNESS * members.centrality - (1 - NEARNESS) * likeness
        best = max(fresh, key=lambda row: round(float(gain[row]), 5))
        chosen.append(best)
        people.add(members.reports[best].reporter)
    return chosen


def _title(members: _Members, weights: Mapping[str, float]) -> str:
    """The most telling title of the half nearest the centre, else the medoid's first sentence."""
    near = members.order[: max(3, len(members.order) // 2)]
    candidates = [members.reports[row] for row in near]
    titled = [report for report in candidates if _has_good_title(report)]
    if titled:
        # max keeps the first of equals, which is the nearest the centre
        best = max(titled, key=lambda report: _coverage(report.title, weights))
        return shorten(best.title, TITLE_LENGTH).rstrip(".")
    readable = [report for report in candidates if is_mostly_latin(report.failure_text)]
    medoid = (readable or candidates)[0]
    sentences = sentences_of(medoid.failure_text) or sentences_of(medoid.title)
    return shorten(sentences[0] if sentences else f"Report {medoid.external_id}", TITLE_LENGTH)


def _has_good_title(report: Report) -> bool:
    title = report.title
    english = report.language in (None, "en") and is_mostly_latin(title)
    return english and " " in title and 12 <= len(title) <= TITLE_LENGTH + 20


def _summary(exemplars: Sequence[Report], weights: Mapping[str, float]) -> str:
    """The most telling sentences of different reports; each must add words to those before."""
    pool = [
        (report, sentence) for report in exemplars for sentence in _usable_sentences(report)
    ] or [(exemplars[0], _first_words(exemplars[0]))]
    chosen: list[tuple[Report, str]] = []
    open_weights = dict(weights)
    while pool and len(chosen) < SUMMARY_SENTENCES:
        best = max(pool, key=lambda item: _coverage(item[1], open_weights))
        chosen.append(best)
        pool = [item for item in pool if item[0].report_id != best[0].report_id]
        for word in words_of(best[1]):
            open_weights.pop(word, None)
    return " ".join(f"{sentence} [{report.external_id}]" for report, sentence in chosen)


def _usable_sentences(report: Report) -> Iterator[str]:
    """Sentences that can stand alone; the title is left out, a readable report preferred."""
    shortest, longest = SENTENCE_LENGTH
    for sentence in sentences_of(report.failure_text):
        readable = is_mostly_latin(sentence)
        if shortest <= len(sentence) <= longest and readable and sentence != report.title:
            yield sentence


def _first_words(report: Report) -> str:
    return shorten(report.failure_text or report.title or report.body, SENTENCE_LENGTH[1])


def _coverage(text: str, weights: Mapping[str, float]) -> float:
    """Weight of the theme's words in a text; long texts must earn their length."""
    words = words_of(text)
    found = sum(weights.get(word, 0.0) for word in words)
    return round(found / math.sqrt(4 + len(words)), 6)
