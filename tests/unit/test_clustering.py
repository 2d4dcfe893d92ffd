"""Clusters are pure, reproducible, independent of order, and noise stays noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from triage.clustering import (
    NOISE,
    chance_similarity,
    cluster,
    components,
    fellow_similarity,
    fit_centres,
)
from triage.clustering.agglomeration import ward_tree
from triage.clustering.components import principal_components
from triage.clustering.neighbours import all_pairs, nearest_neighbours
from triage.clustering.rows import distinct_rows


def blobs(
    groups: int, size: int, loners: int, *, spread: float = 0.35, seed: int = 0
) -> NDArray[np.float32]:
    """Unit vectors (n, 384): tight groups around random directions, then loners."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, 384))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    noise = generator.normal(size=(groups * size, 384)) * spread / 384**0.5
    rows = np.repeat(centres, size, axis=0) + noise
    rows = np.concatenate([rows, generator.normal(size=(loners, 384))])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def nearest_similarity(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Per row the mean cosine similarity to its three nearest others."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    return np.asarray(np.sort(similarity, axis=1)[:, -3:].mean(axis=1), dtype=np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_clear_groups_are_found_unmixed_and_loners_left_out(seed: int) -> None:
    labels = cluster(blobs(6, 12, 20, spread=0.7, seed=seed), min_cluster_size=4).labels
    groups = labels[:72].reshape(6, 12)
    found = [set(group) - {NOISE} for group in groups]
    assert all(found)
    assert sum(len(group) for group in found) == len(set.union(*found))
    assert (groups == NOISE).mean() < 0.2
    assert (labels[72:] == NOISE).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_fewer_than_a_cluster_are_noise(count: int) -> None:
    result = cluster(blobs(1, max(count, 1), 0)[:count], min_cluster_size=4)
    assert result.labels.tolist() == [NOISE] * count
    assert result.membership_probability.tolist() == [0.0] * count


@pytest.mark.parametrize("count", [4, 7, 500])
def test_all_alike_are_one_cluster(count: int) -> None:
    alike = np.repeat(blobs(1, 1, 0), count, axis=0)
    assert cluster(alike, min_cluster_size=4).labels.tolist() == [0] * count


def test_copies_of_a_text_follow_it_into_its_cluster() -> None:
    vectors = blobs(5, 10, 0)
    with_copies = np.concatenate([vectors, np.repeat(vectors[:1], 300, axis=0)])
    labels = cluster(with_copies, min_cluster_size=4).labels
    assert set(labels[50:]) == {labels[0]} == set(labels[:10])


def test_a_small_residue_about_one_thing_is_one_cluster() -> None:
    assert cluster(blobs(1, 6, 0), min_cluster_size=4).labels.tolist() == [0] * 6


def test_two_groups_too_small_for_a_cluster_are_not_merged_into_one() -> None:
    assert set(cluster(blobs(2, 3, 0), min_cluster_size=4).labels) == {NOISE}


def test_a_stranger_in_a_small_residue_is_left_out() -> None:
    labels = cluster(blobs(1, 6, 1), min_cluster_size=4).labels
    assert labels.tolist() == [0] * 6 + [NOISE]


def test_all_different_are_all_noise() -> None:
    assert set(cluster(np.eye(60, 384, dtype=np.float32), min_cluster_size=4).labels) == {NOISE}


def test_zero_vectors_belong_nowhere() -> None:
    vectors = np.concatenate([blobs(3, 8, 0), np.zeros((5, 384), dtype=np.float32)])
    assert set(cluster(vectors, min_cluster_size=4).labels[24:]) == {NOISE}


def test_a_chain_between_two_groups_does_not_join_them() -> None:
    vectors = blobs(2, 15, 0, spread=0.2)
    share = np.linspace(0.1, 0.9, 5)[:, None]
    chain = (1 - share) * vectors[0] + share * vectors[15]
    chain /= np.linalg.norm(chain, axis=1, keepdims=True)
    labels = cluster(np.vstack([vectors, chain]).astype(np.float32), min_cluster_size=4).labels
    assert labels[0] != labels[15]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(4, 60))
def test_the_order_of_the_reports_does_not_matter(seed: int, count: int) -> None:
    vectors = blobs(4, 12, 20, seed=seed)[-count:]
    shuffled = np.random.default_rng(seed).permutation(count)
    straight = cluster(vectors, min_cluster_size=4)
    other = cluster(vectors[shuffled], min_cluster_size=4)
    assert np.array_equal(straight.labels[shuffled], other.labels)
    assert np.array_equal(straight.membership_probability[shuffled], other.membership_probability)


def wide(groups: int, size: int, loners: int) -> NDArray[np.float32]:
    """``blobs`` (n, 768): too wide for exact principal components."""
    halves = [blobs(groups, size, loners, seed=seed) / 2**0.5 for seed in (1, 2)]
    return np.concatenate(halves, axis=1)


def test_the_order_of_many_wide_rows_does_not_matter() -> None:
    vectors = wide(30, 20, 100)
    shuffled = np.random.default_rng(0).permutation(len(vectors))
    straight = cluster(vectors, min_cluster_size=4).labels
    assert np.array_equal(straight[shuffled], cluster(vectors[shuffled], min_cluster_size=4).labels)
    assert straight.max() == 29


@pytest.mark.parametrize(
    "rows",
    [
        wide(40, 10, 200),  # fewer rows than columns
        wide(40, 20, 400),  # more
        np.repeat(wide(3, 1, 0), 250, axis=0),  # all of them along two directions
    ],
)
def test_approximated_components_hold_as_much_as_exact_ones(
    rows: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    approximated = principal_components(rows.copy())
    monkeypatch.setattr(components, "EXACT", 10_000)
    exact = principal_components(rows.copy())
    assert approximated.shape == exact.shape == (len(rows), 50)
    assert not np.array_equal(approximated, exact)
    assert 0.999 < (approximated**2).sum() / (exact**2).sum() < 1.0001


def test_values_that_are_no_numbers_are_refused() -> None:
    vectors = blobs(2, 8, 0)
    vectors[3, 5] = np.nan
    with pytest.raises(ValueError, match="no numbers"):
        cluster(vectors, min_cluster_size=4)


def test_a_cluster_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        cluster(blobs(2, 8, 0), min_cluster_size=1)


def test_probabilities_are_zero_exactly_for_noise() -> None:
    result = cluster(blobs(5, 10, 30), min_cluster_size=4)
    assert ((result.membership_probability == 0) == (result.labels == NOISE)).all()
    assert (result.membership_probability <= 1).all()


def test_centring_makes_the_same_failure_near_in_two_languages() -> None:
    generator = np.random.default_rng(1)
    failures = generator.normal(size=(200, 64))
    accents = {"en": generator.normal(size=64) * 2, "zh": generator.normal(size=64) * 2}
    rows = np.concatenate([failures + accents["en"], failures + accents["zh"]])
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    languages = ["en"] * 200 + ["zh"] * 200
    centred = fit_centres(vectors, languages).centred(vectors, languages)
    own_language_wins = (vectors @ vectors.T)[0, 1:200].max() > (vectors @ vectors.T)[0, 200]
    assert own_language_wins
    assert (centred @ centred.T)[0, 1:].argmax() + 1 == 200


def test_centring_leaves_a_handful_of_reports_alike() -> None:
    vectors = blobs(1, 6, 0)
    centred = fit_centres(vectors, ["en"] * 6).centred(vectors, ["en"] * 6)
    assert nearest_similarity(centred).min() > 0.8


def test_an_unknown_language_is_centred_by_the_overall_mean() -> None:
    vectors = blobs(8, 20, 0)
    centres = fit_centres(vectors, ["en"] * 100 + ["zh"] * 60)
    unknown = centres.centred(vectors[:1], [None])
    assert np.allclose(np.linalg.norm(unknown, axis=1), 1, atol=1e-5)
    assert not np.allclose(unknown, centres.centred(vectors[:1], ["en"]), atol=1e-3)
    assert not np.allclose(unknown, centres.centred(vectors[:1], ["fr"]), atol=1e-3)


def test_single_reports_in_rare_languages_are_no_theme_of_being_foreign() -> None:
    generator = np.random.default_rng(2)
    abroad = generator.normal(size=384) * 2
    rows = generator.normal(size=(205, 384))
    rows[100:] += abroad
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    languages = ["en"] * 100 + ["zh"] * 100 + ["fr", "es", "pt", "ja", "ko"]
    centred = fit_centres(vectors, languages).centred(vectors, languages)
    assert nearest_similarity(vectors[200:]).min() > 0.5
    assert nearest_similarity(centred[200:]).max() < 0.25


def test_no_reports_have_centres_too() -> None:
    empty = np.zeros((0, 64), dtype=np.float32)
    assert fit_centres(empty, []).centred(empty, []).shape == (0, 64)


def test_chance_similarity_is_what_one_pair_of_strangers_in_twenty_exceeds() -> None:
    strangers = blobs(0, 0, 1500)
    similarity = (strangers @ strangers.T)[np.triu_indices(1500, 1)]
    related = blobs(10, 60, 900)
    assert 0.03 < (similarity > chance_similarity(strangers)).mean() < 0.07
    assert abs(chance_similarity(related) - chance_similarity(strangers)) < 0.02


def test_fellow_similarity_leaves_a_row_itself_out() -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    found = fellow_similarity(vectors, np.array([0, 0, 0, NOISE]))
    assert found[:, 0].tolist() == [0.5, 0.5, 0.0, 0.0]


def test_a_tree_over_thousands_equals_the_classic_one_over_few() -> None:
    from scipy.cluster.hierarchy import linkage

    points = np.random.default_rng(3).normal(size=(80, 5))
    everybody = np.array([[j for j in range(80) if j != i] for i in range(80)])
    tree, classic = ward_tree(points, everybody), linkage(points, "ward")
    assert np.allclose(tree[:, 2], classic[:, 2])
    assert np.array_equal(tree[:, 3], classic[:, 3])


def test_parts_that_no_edge_connects_are_joined_last() -> None:
    points = np.array([[0.0], [1.0], [10.0], [12.0], [90.0]])
    tree = ward_tree(points, np.array([[1], [0], [3], [2], [-1]]))
    assert tree[:, :2].tolist() == [[0, 1], [2, 3], [5, 6], [7, 4]]
    assert (np.diff(tree[:, 2]) >= 0).all()
    assert tree[-1].tolist()[2:] == [3.0, 5.0]


def test_the_index_for_many_finds_nearly_the_same_neighbours() -> None:
    vectors = blobs(60, 100, 500)
    found = nearest_neighbours(vectors, 5)
    similarity = vectors[:200] @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    exact = np.argsort(-similarity, axis=1)[:, :5]
    shared = [len(set(a) & set(b)) / 5 for a, b in zip(found[:200], exact, strict=True)]
    assert np.mean(shared) > 0.9
    assert (found != np.arange(len(vectors))[:, None]).all()


@pytest.mark.parametrize("count", [2, 7, 600])
def test_the_neighbours_of_few_are_those_of_every_pair(count: int) -> None:
    vectors = np.repeat(blobs(1, count, 0), 2, axis=0)  # a copy is a neighbour, itself is none
    similarity = all_pairs(vectors)
    assert similarity is not None
    found = nearest_neighbours(vectors, 5)
    assert np.array_equal(found, nearest_neighbours(vectors, 5, similarity))
    assert (found != np.arange(len(vectors))[:, None]).all()
    np.fill_diagonal(similarity, -np.inf)
    best = -np.sort(-similarity, axis=1)[:, : found.shape[1]]
    assert np.allclose(np.take_along_axis(similarity, found, axis=1), best, atol=1e-6)


def test_chance_is_the_same_from_known_pairs() -> None:
    for count in (30, 4500):  # of the latter a sample
        vectors = blobs(0, 0, count)
        known = chance_similarity(vectors, all_pairs(vectors))
        assert known == pytest.approx(chance_similarity(vectors), abs=1e-6)


def test_of_too_many_not_all_pairs_are_held() -> None:
    assert all_pairs(np.zeros((5001, 1), dtype=np.float32)) is None


@given(
    rows=arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=7),
        elements=st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.25, 2.0]),
    )
)
def test_distinct_rows_are_those_of_numpy(rows: NDArray[np.float32]) -> None:
    expected: tuple[Any, ...] = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    found: tuple[Any, ...] = distinct_rows(rows)
    for ours, known in zip(found, expected, strict=True):
        assert np.array_equal(ours, known)
