"""Related themes side by side for a reader, without merging them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from triage.clustering import chance_similarity, unit_length

Floats = NDArray[np.float32]


def group_themes(
    centres: Mapping[int, Floats], capabilities: Mapping[int, str | None]
) -> dict[int, int]:
    """The group of every theme, named by its lowest theme id.

    ``centres`` are the themes' mean vectors (d,). Themes of one capability are grouped by average
    linkage (Sokal and Michener 1958): the two groups whose members are on average most alike
    become one, as long as they are more alike than chance makes two themes; average, so that a
    chain of neighbours is not one group. Themes of different capabilities share no group.
    """
    if not centres:
        return {}
    theme_ids = sorted(centres)
    unit = unit_length(np.stack([centres[theme_id] for theme_id in theme_ids]))
    related = chance_similarity(unit)
    by_capability: dict[str, list[int]] = {}
    for row, theme_id in enumerate(theme_ids):
        by_capability.setdefault(capabilities.get(theme_id) or "", []).append(row)
    groups: dict[int, int] = {}
    for rows in by_capability.values():
        first_of: dict[int, int] = {}
        for row, label in zip(rows, _linked(unit[rows], related), strict=True):
            groups[theme_ids[row]] = first_of.setdefault(label, theme_ids[row])
    return groups


def _linked(unit: Floats, related: float) -> list[int]:
    """A label per row; equal ones are on average at least ``related`` alike."""
    from scipy.cluster.hierarchy import fcluster, linkage  # half a second that others need not pay

    if len(unit) < 2:
        return [0] * len(unit)
    similarity = np.clip(unit @ unit.T, -1, 1)
    distances = (1 - similarity)[np.triu_indices(len(unit), 1)].astype(np.float64)
    return [
        int(label) for label in fcluster(linkage(distances, "average"), 1 - related, "distance")
    ]
