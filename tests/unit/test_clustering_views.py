"""Several views agree on clusters, whatever the order; a second witness confirms members."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.test_clustering import blobs
from triage.clustering import (
    NOISE,
    ClusterResult,
    Readings,
    View,
    cluster,
    cluster_views,
    combined,
    consensus,
    evidence_views,
    is_corroborated,
    wording_vectors,
)

Floats = NDArray[np.float32]
RUNS = consensus.RUNS


def halves(groups: int, size: int, *, seed: int = 0) -> list[View]:
    """Two views that each tell only pairs of groups apart; together they tell all."""
    of_group = np.repeat(np.arange(groups), size)
    first, second = blobs(groups, 1, 0, seed=seed), blobs(groups, 1, 0, seed=seed + 1)
    noise = np.random.default_rng(seed).normal(size=(2, groups * size, 384)) * 0.4 / 384**0.5
    views = (first[of_group // 2] + noise[0], second[(of_group + 1) // 2] + noise[1])
    return [View(rows.astype(np.float32), 0.7, 1.3) for rows in views]


def test_what_one_view_confuses_another_tells_apart() -> None:
    views = halves(6, 12)
    labels = cluster_views(views, min_cluster_size=4).labels.reshape(6, 12)
    assert [len(set(group)) for group in labels] == [1] * 6
    assert len(set(labels.ravel())) == 6
    alone = cluster_views(views[:1], min_cluster_size=4).labels
    together = (alone[:, None] == alone) & (alone != NOISE)
    truth = np.repeat(np.arange(6), 12)
    assert (truth[:, None] == truth)[together].mean() < 0.6


def test_the_order_of_reports_changes_nothing() -> None:
    views = halves(5, 9)
    whole = cluster_views(views, min_cluster_size=4).labels
    order = np.random.default_rng(3).permutation(45)
    mixed = cluster_views([view.take(order) for view in views], min_cluster_size=4).labels
    assert np.array_equal(whole[order][:, None] == whole[order], mixed[:, None] == mixed)


def test_the_same_seed_gives_the_same_clusters_and_memberships() -> None:
    views = halves(5, 9)
    first, again = (cluster_views(views, min_cluster_size=4, seed=7) for _ in range(2))
    assert np.array_equal(first.labels, again.labels)
    assert np.array_equal(first.membership_probability, again.membership_probability)


def test_nothing_is_left_for_threads_to_import() -> None:
    code = """
import sys
import numpy as np
from triage.clustering import View, cluster_views, import_libraries, wording_vectors
import_libraries()
known = set(sys.modules)
for size, width in ((10, 6), (100, 520)):  # of the latter components are approximated
    rows = np.repeat(np.eye(6, width, dtype=np.float32), size, axis=0)
    noise = np.random.default_rng(0).normal(size=rows.shape, scale=0.25 / width**0.5)
    rows += noise.astype(np.float32)
    assert cluster_views([View(rows, 1, 1)], min_cluster_size=5, threads=2).labels.max() > 0
wording_vectors([f"it stops at word {number}" for number in range(30)], [None] * 30)
print(*(set(sys.modules) - known))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("groups", "size"), [(5, 9), (30, 20)])
def test_more_threads_change_nothing(groups: int, size: int) -> None:
    views = halves(groups, size)
    alone, together = (cluster_views(views, min_cluster_size=4, threads=n) for n in (1, 5))
    assert np.array_equal(alone.labels, together.labels)
    assert np.array_equal(alone.membership_probability, together.membership_probability)


@pytest.mark.parametrize(
    ("reports", "runs"), [(60, 16), (500, 16), (700, 8), (1_000, 4), (3_000, 4)]
)
def test_many_reports_are_clustered_less_often(
    reports: int, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def cluster(vectors: Floats, **_: object) -> ClusterResult:
        calls.append(len(vectors))
        return ClusterResult(
            np.zeros(len(vectors), dtype=np.int64), np.ones(len(vectors), dtype=np.float32)
        )

    monkeypatch.setattr(consensus, "cluster", cluster)
    rows = np.eye(4, dtype=np.float32)[np.arange(reports) % 4]
    found = cluster_views([View(rows, 1, 1)], min_cluster_size=3)
    assert calls == [reports] * runs
    assert (found.labels == 0).all()


@pytest.mark.parametrize(
    ("reports", "together", "runs", "is_cluster"),
    [(60, 10, 16, True), (60, 9, 16, False), (700, 5, 8, False), (700, 6, 8, True)],
)
def test_fewer_runs_must_agree_more_clearly(
    reports: int, together: int, runs: int, is_cluster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([0] * together + [NOISE] * (runs - together) + [NOISE] * RUNS)

    def run(vectors: Floats, **_: object) -> ClusterResult:
        label = next(answers)
        return ClusterResult(np.full(len(vectors), label), np.ones(len(vectors), dtype=np.float32))

    monkeypatch.setattr(consensus, "cluster", run)
    rows = np.eye(4, dtype=np.float32)[np.arange(reports) % 4]
    labels = cluster_views([View(rows, 1, 1)], min_cluster_size=3).labels
    assert (labels == (0 if is_cluster else NOISE)).all()


@pytest.mark.parametrize(("left", "runs"), [(900, 4 + 5), (1_000, 4)])
def test_who_is_left_is_looked_at_again_where_runs_can_be_sure_enough(
    left: int, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def run(vectors: Floats, **_: object) -> ClusterResult:
        calls.append(len(vectors))
        is_first = len(vectors) == 1_500
        labels = np.where(np.arange(len(vectors)) < (1_500 - left) * is_first, 0, NOISE)
        return ClusterResult(labels, np.ones(len(vectors), dtype=np.float32))

    monkeypatch.setattr(consensus, "cluster", run)
    distinct = np.random.default_rng(0).normal(size=(1_500, 8)).astype(np.float32)
    cluster_views([View(distinct, 1, 1)], min_cluster_size=3)
    assert len(calls) == runs


def test_a_group_too_small_beside_large_ones_is_found_among_those_left_over() -> None:
    rows = np.concatenate([blobs(4, 150, 0), blobs(1, 6, 0, spread=0.2, seed=5)])
    at_once = cluster(rows, min_cluster_size=4).labels
    assert set(at_once) == {0, 1, 2, 3, NOISE}
    labels = cluster_views([View(rows, 1, 1)], min_cluster_size=4).labels
    assert 4 not in labels[:600]
    assert (labels[600:] == 4).sum() >= 4


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_for_a_cluster_are_noise(count: int) -> None:
    views = [View(blobs(1, max(1, count), 0)[:count], 1, 1)]
    assert cluster_views(views, min_cluster_size=4).labels.tolist() == [NOISE] * count


def test_all_alike_are_one_cluster_and_all_different_are_noise() -> None:
    alike = [View(np.repeat(blobs(1, 1, 0), 20, axis=0), 1, 1)]
    assert cluster_views(alike, min_cluster_size=4).labels.tolist() == [0] * 20
    apart = [View(np.eye(60, 384, dtype=np.float32), 1, 1)]
    assert set(cluster_views(apart, min_cluster_size=4).labels) == {NOISE}


def test_members_are_surer_of_each_other_than_the_noise() -> None:
    result = cluster_views([View(blobs(4, 12, 15), 1, 1)], min_cluster_size=4)
    members = result.membership_probability[result.labels != NOISE]
    assert (members >= 0.6).all()
    assert (members <= 1).all()
    assert (result.membership_probability[result.labels == NOISE] == 0).all()


def test_values_that_are_no_numbers_are_refused() -> None:
    rows = blobs(2, 5, 0)
    rows[3, 7] = np.nan
    with pytest.raises(ValueError, match="no numbers"):
        cluster_views([View(rows, 1, 1)], min_cluster_size=4)


def test_a_view_counts_by_its_weight() -> None:
    first, second = np.eye(2, dtype=np.float32), np.ones((2, 1), dtype=np.float32)
    near = combined([View(first, 1, 1), View(second, 9, 9)])
    apart = combined([View(first, 9, 9), View(second, 1, 1)])
    assert near[0] @ near[1] == pytest.approx(0.9)
    assert apart[0] @ apart[1] == pytest.approx(0.1)


NOTHING_SAID = np.zeros((0, 0), dtype=np.float32)


def readings(count: int, layer: int) -> Readings:
    """All reports of one layer and capability."""
    chances = np.full((count, 6), -20.0)
    chances[:, layer] = 0
    return Readings(chances, chances, chances)


def test_another_layer_sets_reports_apart() -> None:
    meaning, wording = blobs(1, 8, 0), blobs(8, 1, 0)
    layers = np.vstack([readings(4, 0).layers, readings(4, 2).layers])
    views = evidence_views(
        meaning,
        wording,
        Readings(layers, layers, layers),
        is_distilled=np.zeros(8, dtype=bool),
        phrase_words=NOTHING_SAID,
    )
    likeness = combined(views) @ combined(views).T
    assert likeness[:4, :4].min() > likeness[:4, 4:].max()


def test_without_readings_meaning_and_wording_remain() -> None:
    views = evidence_views(
        blobs(1, 8, 0),
        blobs(8, 1, 0),
        None,
        is_distilled=np.zeros(8, bool),
        phrase_words=NOTHING_SAID,
    )
    assert len(views) == 2


def test_words_of_phrases_set_reports_apart_and_say_nothing_of_those_without() -> None:
    is_distilled = np.array([True] * 4 + [False] * 4)
    views = evidence_views(
        blobs(8, 1, 0),
        blobs(8, 1, 0),
        None,
        is_distilled=is_distilled,
        phrase_words=np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32),
    )
    words = views[2].rows
    assert words[0] @ words[1] == pytest.approx(1)
    assert words[0] @ words[2] == pytest.approx(-1)
    assert not words[4:].any()


TEXTS = [
    "the agent deleted my whole project folder without asking",
    "it removed the project folder and never asked me",
    "deleted the folder of my project, did not ask at all",
    "the invoice total is added up wrongly again",
    "adds up the invoice wrongly, the total is off",
    "wrong total on the invoice, cannot add up",
]


def nearest_others(vectors: Floats, count: int) -> NDArray[np.int64]:
    """Rows of the nearest others by cosine."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    return np.argsort(-likeness, axis=1)[:, :count]


def test_texts_in_like_words_are_neighbours_by_wording() -> None:
    vectors = wording_vectors(TEXTS, [None] * 6)
    near = nearest_others(vectors, 2)
    assert all((row < 3).all() for row in near[:3])
    assert all((row >= 3).all() for row in near[3:])


def test_a_phrase_brings_texts_of_other_words_together() -> None:
    said = ["ran a destructive command unasked"] * 3 + ["gets sums wrong"] * 3
    texts = [f"{letter * 9} {letter * 5}" for letter in "abcdef"]
    near = nearest_others(wording_vectors(texts, list(said)), 2)
    assert all((row < 3).all() for row in near[:3])


def test_the_order_of_texts_does_not_change_their_vectors() -> None:
    vectors = wording_vectors(TEXTS, [None] * 6)
    back = wording_vectors(TEXTS[::-1], [None] * 6)[::-1]
    assert np.array_equal(vectors, back)


@pytest.mark.parametrize("texts", [[], ["one"], ["same", "same"], ["", ""], ["中文", "完全不同"]])
def test_few_empty_or_foreign_texts_are_taken(texts: list[str]) -> None:
    vectors = wording_vectors(texts, [None] * len(texts))
    assert vectors.shape[0] == len(texts)
    assert np.isfinite(vectors).all()


def test_a_member_needs_two_witnesses_and_noise_has_none() -> None:
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, -1])
    neighbours = np.array(
        [
            [1, 2, 5],
            [0, 5, 6],
            [5, 6, 7],
            [0, 1, -1],
            [0, 8, 5],
            [6, 0, 1],
            [0, 1, 2],
            [5, 6, 8],
            [0, 1, 2],
        ]
    )
    found = is_corroborated(labels, neighbours).tolist()
    # of three fellows one is enough: a group of three can offer no more than two
    assert found == [True, False, False, True, False, True, False, True, False]
