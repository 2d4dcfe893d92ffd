"""What can be counted about a theme; people count, posts do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from triage.types import Kind, Report, ThemeProfile

Floats = NDArray[np.float32]


def profile(reports: Sequence[Report], vectors: Floats) -> ThemeProfile:
    """Count a theme's reports; ``vectors`` (n, d) are unit vectors in the same order.

    ``reports`` counts those that repeat no other, ``duplicates`` the rest. People are the
    union of reporters and supporters over all posts: five posts of one person are one, and
    somebody else's duplicate is a further person. Raises ``ValueError`` without reports.
    """
    if not reports:
        raise ValueError("a theme without reports cannot be counted")
    rows = [row for row, report in enumerate(reports) if report.duplicate_of is None]
    originals = [reports[row] for row in rows] or list(reports)
    seen = [report.created_at for report in reports]
    return ThemeProfile(
        reports=len(originals),
        duplicates=len(reports) - len(originals),
        distinct_reporters=len(people_behind(reports)),
        developer_reports=sum(report.kind is Kind.DEVELOPER for report in originals),
        coherence=_coherence(vectors[rows] if rows else vectors),
        first_seen=min(seen),
        last_seen=max(seen),
        versions=_counts(report.model_version or report.model_written for report in originals),
        channels=_counts(report.channel for report in originals),
        environments=_counts(report.environment for report in originals),
        languages=_counts(report.language for report in originals),
        weeks=_weeks(report.created_at for report in originals),
        error_signatures=_counts(
            signature for report in originals for signature in sorted(set(report.error_signatures))
        ),
    )


def people_behind(reports: Iterable[Report]) -> frozenset[str]:
    """Keys of everybody who reported or confirmed one of the reports."""
    return frozenset(
        person for report in reports for person in (report.reporter, *report.supporters)
    )


def _coherence(vectors: Floats) -> float:
    """Mean cosine similarity over all pairs of rows, from the length of their sum.

    Unlike the likeness to the centroid, which each row is part of, it does not favour small
    themes: three strangers are 0.58 like their centroid and 0.0 like each other.
    """
    count = len(vectors)
    if count < 2:
        return 1.0
    squared = float(np.sum(vectors.sum(axis=0, dtype=np.float64) ** 2))
    lengths = float(np.sum(vectors.astype(np.float64) ** 2))
    return float(np.clip((squared - lengths) / (count * (count - 1)), -1.0, 1.0))


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    counted = Counter(value for value in values if value)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _weeks(times: Iterable[datetime]) -> Mapping[date, int]:
    counted = Counter(time.date() - timedelta(days=time.weekday()) for time in times)
    first, last = min(counted), max(counted)
    mondays = (first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1))
    return {monday: counted[monday] for monday in mondays}
