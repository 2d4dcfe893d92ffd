"""What the coherence gate lets through: how pure those themes are, how much they cover."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

SMALLEST = 3  # reports of a theme that is judged, as in score.py
PURE = 0.7
GATE = "not coherent"  # how the blocker of an incoherent theme begins


def let_through(themes: Iterable[Mapping[str, Any]]) -> set[str]:
    """Names of the themes whose stored blocker is not the coherence; rows of `triage themes`."""
    return {row["theme"] for row in themes if not str(row["issue or blocker"]).startswith(GATE)}


def gate_figures(
    truth: Mapping[str, str], assigned: Mapping[str, str], passed: Collection[str]
) -> dict[str, float]:
    """Figures of the gate from the true and the found theme of each labelled report.

    A report of the true theme ``noise`` is alone in it; one without a found theme is in none.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for report, theme in assigned.items():
        if theme and report in truth:
            members[theme].append(f"noise:{report}" if truth[report] == "noise" else truth[report])
    judged = {theme for theme, found in members.items() if len(found) >= SMALLEST}
    pure = {theme for theme in judged if _largest_share(members[theme]) >= PURE}
    inside = judged & set(passed)
    covered = sum(len(found) for theme, found in members.items() if theme in passed)
    return {
        "gated_themes": len(inside),
        "gated_pure_share": len(pure & inside) / len(inside) if inside else 0.0,
        "gated_covered_share": covered / len(truth) if truth else 0.0,
        "withheld_pure_share": len(pure - inside) / len(judged - inside)
        if judged - inside
        else 0.0,
    }


def read_gate_figures(labels: Path, assignments: Path, themes: Path) -> dict[str, float]:
    """The figures from files: labels, `triage export assignments --core`, `triage themes --json`.

    The core of a theme is what its issue counts and quotes.
    """
    truth = {row["id"]: row["theme"] for row in _rows(labels)}
    assigned = {row["id"]: row["theme_id"] for row in _rows(assignments)}
    return gate_figures(truth, assigned, let_through(json.loads(themes.read_text("utf-8"))))


def _largest_share(found: Collection[str]) -> float:
    return Counter(found).most_common(1)[0][1] / len(found)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
