"""Clusters that many ways of looking agree on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage.clustering.clusters import ClusterResult, cluster, largest_first
from triage.clustering.libraries import import_libraries
from triage.clustering.likeness import NOISE
from triage.clustering.rows import distinct_rows
from triage.clustering.views import View, combined

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

# Up to here reports are clustered many times and all pairs are counted: 3,000 are 36 MB.
CONSENSUS = 3000
RUNS = 16
# Of more than 500 a run takes longer and there are fewer, which must agree more clearly. 1,920
# invented reports in ten slices, 16 to 8 runs that count in full and 16 to 4 that count for less:
# adjusted Rand index 0.078 both times; at once 0.080 and 0.085, reports in a theme 0.47 and 0.43.
# Samples of 1,450 utterances: 0.295 and 0.291, of what was clustered 0.35 and 0.37.
FEW = 500
FEWEST_RUNS = 4
SMOOTHINGS = (0.25, 0.5, 1.0)
LEAST_SHARE = 0.25
# Reports belong together when half of the runs say so, on average over the pairs.
AGREEMENT = 0.5
# Who is with its fellows less often than this is a stranger: labelled reports, share of noise left
# out 0.56 without, 0.74 with it, the adjusted Rand index 0.42 both times.
LEAST_FELLOWSHIP = 0.6
# Who is left is looked at once more alone, where larger groups no longer shape the view; such a
# group must be this sure, and as alike within as the loosest there is: strangers alone among
# themselves would make groups, too. Labelled reports with an LLM's phrases: index 0.682 before,
# 0.686 after, pure cores 0.96 both times, reports in them 0.658 and 0.669; without an LLM no less
# of anything.
LEAST_FELLOWSHIP_OF_REST = 0.85


def cluster_views(
    views: Sequence[View], *, min_cluster_size: int, seed: int = 0, threads: int = 1
) -> ClusterResult:
    """Group reports by several views of them (see ``cluster`` for the promises).

    Few reports are clustered 16 times (over 500: less often), each time with other weights
    of the views and another smoothing, and those are together that mostly were (evidence
    accumulation, Fred and Jain 2005). On labelled reports the adjusted Rand index rose from 0.36 to
    0.40, and its spread over samples halved. Whoever is left over is clustered in the same way once
    more, and only what is surer than before stays. Many reports are clustered once, at the middle
    weights: there each cluster rests on more of them, and the time counts. How many ``threads``
    share the work changes no result.
    """
    middle = combined(views)
    if not np.isfinite(middle).all():
        raise ValueError("vectors to cluster contain values that are no numbers")
    if not min_cluster_size <= len(middle) <= CONSENSUS:
        return cluster(middle, min_cluster_size=min_cluster_size)
    import_libraries()
    # in an order of their own, so that ties break alike in any order of input
    rank = distinct_rows(middle)[1]
    order = np.argsort(rank, kind="stable")
    # Matrices of this size are no work for several threads: on two cores that had other work too,
    # waiting for each other made an eigenvalue decomposition of 362 rows take 1.5 s, not 0.03 s.
    with threadpool_limits(1, user_api="blas"):
        ordered = [view.take(order) for view in views]
        labels, fellowship = _agreement(ordered, min_cluster_size, seed, threads)
        rest = np.flatnonzero(labels == NOISE)
        # of more than some 900 there are so few runs that not even all of them are sure enough
        is_worth_it = _surest(_runs_of(len(rest))) >= LEAST_FELLOWSHIP_OF_REST
        if min_cluster_size <= len(rest) < len(labels) and is_worth_it:
            left = [view.take(rest) for view in ordered]
            late, strength = _agreement(left, min_cluster_size, seed, threads)
            loosest = _likeness_within(middle[order], labels).min()
            is_sure = (_mean_of_cluster(strength, late) >= LEAST_FELLOWSHIP_OF_REST) & (
                _likeness_within(middle[order][rest], late) >= loosest
            )
            labels[rest[is_sure]] = labels.max() + 1 + late[is_sure]
            fellowship[rest[is_sure]] = strength[is_sure]
    back = np.argsort(order, kind="stable")
    return ClusterResult(largest_first(labels)[back], fellowship[back])


def _agreement(
    views: Sequence[View], min_cluster_size: int, seed: int, threads: int
) -> tuple[Labels, Floats]:
    """Labels (n,) that the runs agree on, and how often each report was with its fellows (n,)."""
    shared = _shared_runs(views, min_cluster_size, seed, threads)
    agreed = _agreed(shared, min_cluster_size)
    labels = _without_small(
        np.where(_fellowship(shared, agreed) >= LEAST_FELLOWSHIP, agreed, NOISE), min_cluster_size
    )
    return labels, _fellowship(shared, labels)


def _likeness_within(unit: Floats, labels: Labels) -> Floats:
    """Mean cosine similarity between the members of each report's cluster: (n,), 1 for noise."""
    likeness = np.ones(len(labels), dtype=np.float32)
    for label in np.unique(labels[labels != NOISE]):
        members = unit[labels == label]
        total, pairs = members.sum(axis=0, dtype=np.float64), len(members) * (len(members) - 1)
        likeness[labels == label] = (total @ total - len(members)) / max(pairs, 1)
    return likeness


def _mean_of_cluster(strength: Floats, labels: Labels) -> Floats:
    """Each report's cluster's mean of ``strength`` (n,); 0 for noise."""
    means = np.zeros(len(labels), dtype=np.float32)
    for label in np.unique(labels[labels != NOISE]):
        means[labels == label] = strength[labels == label].mean()
    return means


def _shared_runs(views: Sequence[View], min_cluster_size: int, seed: int, threads: int) -> Floats:
    """In which share of the runs each pair of reports was in one cluster: (n, n).

    Of fewer runs than ``RUNS`` it is a smaller one; see ``_surest``.
    """
    count = len(views[0].rows)
    runs = _runs_of(count)
    generator = np.random.default_rng(seed)
    drawn = [
        (
            [float(generator.uniform(view.least, view.most)) for view in views],
            float(generator.choice(SMOOTHINGS)),
        )
        for _ in range(runs)
    ]

    def run(draw: tuple[Sequence[float], float]) -> Labels:
        weights, smoothing_weight = draw
        return cluster(
            combined(views, weights),
            min_cluster_size=min_cluster_size,
            smoothing_weight=smoothing_weight,
            least_share=LEAST_SHARE,
        ).labels

    shared = np.zeros((count, count), dtype=np.float32)
    with ThreadPoolExecutor(threads) as pool:
        for labels in pool.map(run, drawn):
            shared += (labels[:, None] == labels[None, :]) & (labels != NOISE)[:, None]
    return np.asarray(shared * (_surest(runs) / runs), dtype=np.float32)


def _runs_of(count: int) -> int:
    """How often so many reports are clustered."""
    return min(RUNS, max(FEWEST_RUNS, round(RUNS * (FEW / max(count, 1)) ** 2)))


def _surest(runs: int) -> float:
    """The share of a pair that all of so many runs put together; 1 for ``RUNS`` of them.

    Those that are missing say no, all together with the weight of up to one run.
    """
    return runs / (runs + 1 - runs / RUNS)


def _agreed(shared: Floats, min_cluster_size: int) -> Labels:
    """Average linkage over the shares, cut where half of the runs agree."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    apart = 1 - shared.astype(np.float64)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    labels = fcluster(tree, 1 - AGREEMENT, "distance").astype(np.int64)
    return _without_small(labels, min_cluster_size)


def _without_small(labels: Labels, min_cluster_size: int) -> Labels:
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    return np.where(sizes[np.maximum(labels, 0)] >= min_cluster_size, labels, NOISE)


def _fellowship(shared: Floats, labels: Labels) -> Floats:
    """Mean share of runs in which each report was with the others of its cluster; 0 for noise."""
    fellows = (labels[:, None] == labels[None, :]) & (labels != NOISE)[:, None]
    np.fill_diagonal(fellows, False)
    counts = np.maximum(fellows.sum(axis=1), 1)
    return np.asarray((shared * fellows).sum(axis=1) / counts, dtype=np.float32)
