"""The nearest neighbours of every vector, exactly for few and cell by cell for many."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

# Up to here every pair is compared.
EXACT = 5_000
# Cells per square root of the rows, how many of them each cell is compared with, itself included,
# and how many rows per cell and rounds are enough to place the cells.
CELLS = 2
PROBES = 8
SAMPLE_PER_CELL = 20
ROUNDS = 5
# Rows of a cell that are compared at a time, which bounds the memory where one cell is large.
BLOCK = 512


def all_pairs(unit: Floats) -> Floats | None:
    """The cosine similarities (n, n) of unit vectors (n, d); None where that is too much to hold.

    For those who need them more than once: up to 5,000 rows, 100 MB.
    """
    return unit @ unit.T if len(unit) <= EXACT else None


def nearest_neighbours(unit: Floats, count: int, similarity: Floats | None = None) -> Rows:
    """Rows of the ``count`` nearest others by cosine, nearest first: (n, count) int64.

    ``unit`` (n, d) are unit vectors, and ``similarity`` what ``all_pairs`` makes of them, where it
    is known. -1 stands where fewer are found. Beyond 5,000 rows they are put into cells (the
    inverted file of Jegou et al. 2011, with a fixed seed), and each cell is compared with those
    near it in one matrix product; that finds more than 95 % of them.
    """
    total = len(unit)
    count = min(count, total - 1)
    if count < 1:
        return np.empty((total, 0), dtype=np.int64)
    rows = np.ascontiguousarray(unit, dtype=np.float32)
    if similarity is None:
        similarity = all_pairs(rows)
    return _among_cells(rows, count) if similarity is None else _among_all(similarity, count)


def _among_all(similarity: Floats, count: int) -> Rows:
    everybody = np.arange(len(similarity))
    found = np.empty((len(similarity), count), dtype=np.int64)
    for places in _blocks(0, len(similarity)):
        others = _without_itself(similarity[places], places, everybody)
        found[places] = _largest(others, count)
    return found


def _among_cells(rows: Floats, count: int) -> Rows:
    """As ``nearest_neighbours``, from the rows of the nearest cells."""
    cell_of, near_cells = _cells(rows)
    order = np.argsort(cell_of, kind="stable")
    sorted_rows = rows[order]
    starts = np.searchsorted(cell_of[order], np.arange(len(near_cells) + 1))
    found = np.full((len(rows), count), -1, dtype=np.int64)

    def fill(cell: int) -> None:
        spans = [np.arange(starts[near], starts[near + 1]) for near in near_cells[cell]]
        others = np.concatenate(spans)
        compared = sorted_rows[others].T
        for places in _blocks(starts[cell], starts[cell + 1]):
            similarity = _without_itself(sorted_rows[places] @ compared, places, others)
            nearest = _largest(similarity, count)
            found[order[places], : nearest.shape[1]] = order[others[nearest]]

    # a thread per cell: the products are too small to be shared out
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor() as threads:
        for _ in threads.map(fill, np.flatnonzero(np.diff(starts))):
            pass
    return found


def _cells(rows: Floats) -> tuple[Rows, Rows]:
    """The cell of each row (n,), and for each cell the nearest ones, itself first."""
    import faiss  # here, since only thousands need it

    cells = int(CELLS * np.sqrt(len(rows)))
    means: Any = faiss.Kmeans(
        rows.shape[1],
        cells,
        niter=ROUNDS,
        seed=1,
        spherical=True,
        min_points_per_centroid=1,  # else a warning on standard error
        max_points_per_centroid=SAMPLE_PER_CELL,
    )
    means.train(rows)
    cell_of = np.asarray(means.index.search(rows, 1)[1][:, 0], dtype=np.int64)
    likeness = means.centroids @ means.centroids.T
    np.fill_diagonal(likeness, np.inf)
    return cell_of, np.argsort(-likeness, axis=1, kind="stable")[:, :PROBES].astype(np.int64)


def _blocks(start: int, end: int) -> Iterator[Rows]:
    for first in range(start, end, BLOCK):
        yield np.arange(first, min(first + BLOCK, end))


def _without_itself(similarity: Floats, places: Rows, others: Rows) -> Floats:
    """``similarity`` (m, k) of rows at ``places`` to ``others``, whose first rows hold them all."""
    offset = places[0] - others[0]
    similarity[np.arange(len(places)), offset + np.arange(len(places))] = -np.inf
    return similarity


def _largest(similarity: Floats, count: int) -> Rows:
    """Columns of the ``count`` largest of each row, largest first; (m, k) gives at most k - 1."""
    count = min(count, similarity.shape[1] - 1)
    columns = np.argpartition(similarity, -count - 1, axis=1)[:, -count - 1 :]
    values = np.take_along_axis(similarity, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.asarray(np.take_along_axis(columns, order, axis=1)[:, :count], dtype=np.int64)
