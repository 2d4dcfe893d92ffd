"""Ward's tree over a graph of neighbours, by merging reciprocal nearest neighbours in rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Rows = NDArray[np.int64]

# What is not connected meets above everything else.
APART = 1.5


@dataclass(slots=True)
class _Nodes:
    """The clusters of one round: (m, d) centres and (m,) sizes, heights and tree numbers."""

    centres: Doubles
    sizes: Doubles
    heights: Doubles
    numbers: Rows


@dataclass(slots=True)
class _Edges:
    """Neighbouring clusters, each pair once, the lower place first."""

    first: Rows
    second: Rows
    distances: Doubles


def ward_tree(points: Doubles, neighbours: Rows) -> Doubles:
    """Agglomerate ``points`` (n, d) along ``neighbours`` (n, k): (n - 1, 4) float64.

    The rows are those of a SciPy linkage (left, right, height, size). Ward's criterion makes
    compact clusters and does not chain. It is reducible, so all pairs that are each other's
    nearest can merge at once (Murtagh 1983; Sumengen et al. 2021): some fifty rounds of array
    operations for 22,500 points, where scikit-learn's heap takes a Python step per merge. Parts
    that no edge connects are joined above everything else. -1 among the neighbours is skipped.
    """
    total = len(points)
    nodes = _Nodes(
        points.astype(np.float64),
        np.ones(total),
        np.zeros(total),
        np.arange(total, dtype=np.int64),
    )
    left = np.repeat(np.arange(total, dtype=np.int64), neighbours.shape[1])
    right = neighbours.ravel()
    known = right >= 0
    edges = _edges(nodes, left[known], right[known])
    merges: list[Doubles] = []
    made = total
    while len(edges.first):
        merged, nodes, edges = _merge_round(nodes, edges, made)
        merges.append(merged)
        made += len(merged)
    merges.append(_join_parts(nodes, made, merges))
    return _sorted_by_height(np.concatenate(merges), total)


def _merge_round(nodes: _Nodes, edges: _Edges, made: int) -> tuple[Doubles, _Nodes, _Edges]:
    """Merge every pair of reciprocal nearest neighbours; returns the merges and what is left."""
    nearest, distance = _nearest(len(nodes.sizes), edges)
    first = np.flatnonzero(nearest < len(nearest))
    first = first[(nearest[nearest[first]] == first) & (first < nearest[first])]
    second = nearest[first]
    height = np.sqrt(distance[first])
    height = np.maximum(height, np.maximum(nodes.heights[first], nodes.heights[second]))
    sizes = nodes.sizes[first] + nodes.sizes[second]
    merged = np.stack([nodes.numbers[first], nodes.numbers[second], height, sizes], axis=1)

    weighted = nodes.centres[first] * nodes.sizes[first, np.newaxis]
    weighted += nodes.centres[second] * nodes.sizes[second, np.newaxis]
    nodes.centres[first] = weighted / sizes[:, np.newaxis]
    nodes.sizes[first], nodes.heights[first] = sizes, height
    nodes.numbers[first] = made + np.arange(len(first))
    kept = np.ones(len(nearest), dtype=bool)
    kept[second] = False
    left_over = _Nodes(
        nodes.centres[kept], nodes.sizes[kept], nodes.heights[kept], nodes.numbers[kept]
    )
    return merged, left_over, _contracted(left_over, edges, kept, first, second)


def _nearest(count: int, edges: _Edges) -> tuple[Rows, Doubles]:
    """Each node's nearest neighbour, ``count`` if it has none, and the distance to it.

    Of several equally near it is the lowest: then two that are each other's nearest are found in
    any order of the edges.
    """
    distance = np.full(count, np.inf)
    nearest = np.full(count, count, dtype=np.int64)
    for near in (edges.first, edges.second):
        np.minimum.at(distance, near, edges.distances)
    for near, far in ((edges.first, edges.second), (edges.second, edges.first)):
        is_least = edges.distances == distance[near]
        np.minimum.at(nearest, near[is_least], far[is_least])
    return nearest, distance


def _contracted(
    nodes: _Nodes, edges: _Edges, kept: NDArray[np.bool_], first: Rows, second: Rows
) -> _Edges:
    """The edges between what is left; distances are computed anew only where something merged."""
    place = np.cumsum(kept) - 1
    place[second] = place[first]
    has_changed = np.zeros(len(nodes.sizes), dtype=bool)
    has_changed[place[first]] = True
    left, right = place[edges.first], place[edges.second]
    is_new = has_changed[left] | has_changed[right]
    fresh = _edges(nodes, left[is_new], right[is_new])
    old = ~is_new
    return _Edges(
        np.concatenate([left[old], fresh.first]),
        np.concatenate([right[old], fresh.second]),
        np.concatenate([edges.distances[old], fresh.distances]),
    )


def _edges(nodes: _Nodes, left: Rows, right: Rows) -> _Edges:
    """The distinct pairs of different nodes, with their distances."""
    total = len(nodes.sizes)
    keys = np.sort(np.minimum(left, right) * total + np.maximum(left, right))
    # thirty times as fast as np.unique, which hashes
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    first, second = keys // total, keys % total
    apart = first != second
    first, second = first[apart], second[apart]
    return _Edges(first, second, _ward_distances(nodes, first, second))


def _ward_distances(nodes: _Nodes, left: Rows, right: Rows) -> Doubles:
    """Squared: twice the growth of the sum of squares if both merged."""
    gap = nodes.centres[left] - nodes.centres[right]
    weight = 2 * nodes.sizes[left] * nodes.sizes[right] / (nodes.sizes[left] + nodes.sizes[right])
    return np.asarray(weight * np.einsum("ij,ij->i", gap, gap))


def _join_parts(nodes: _Nodes, made: int, merges: list[Doubles]) -> Doubles:
    """One merge after another, largest part first, above all heights there are."""
    highest = max((float(rows[:, 2].max()) for rows in merges), default=1.0)
    order = np.argsort(-nodes.sizes, kind="stable")
    sizes = np.cumsum(nodes.sizes[order])[1:]
    trunk = np.r_[nodes.numbers[order[0]], made + np.arange(len(order) - 2)][: len(order) - 1]
    top = np.full(len(sizes), APART * highest)
    return np.stack([trunk, nodes.numbers[order[1:]], top, sizes], axis=1)


def _sorted_by_height(tree: Doubles, total: int) -> Doubles:
    """Rows in order of height, with the numbers that a linkage gives its merges."""
    order = np.argsort(tree[:, 2], kind="stable")
    rank = np.empty(len(tree))
    rank[order] = np.arange(len(tree))
    ordered = tree[order]
    for side in (0, 1):
        is_merge = ordered[:, side] >= total
        ordered[is_merge, side] = total + rank[(ordered[is_merge, side] - total).astype(np.int64)]
    return ordered
