"""The libraries that clustering needs, imported when it starts: two seconds that others are spared.

Functions that use one import it where they use it; by then it is there.
"""

from __future__ import annotations

from importlib import import_module

LIBRARIES = (
    "hdbscan._hdbscan_tree",
    "scipy.cluster.hierarchy",
    "scipy.linalg",
    "scipy.sparse",
    "scipy.spatial.distance",
    "sklearn.feature_extraction.text",
    "sklearn.preprocessing",
    "sklearn.utils.extmath",
)


def import_libraries() -> None:
    """Import them all, before threads do: of one that two import at once, one can meet half."""
    for name in LIBRARIES:
        import_module(name)
