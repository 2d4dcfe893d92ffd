"""What a clustering says about themes: who goes where, what is founded, what comes together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage.themes import People, Standing, compare, draft_changes, unite_alike
from triage.themes.likeness import likeness
from triage.types import Bond, BondKind, Change, ProposalKind

NOW = datetime(2026, 10, 1, tzinfo=UTC)
OPEN = Standing(is_open=True, has_issue=False, has_word=False, reports=10)


def around(*axes: int, spread: float = 0.3) -> NDArray[np.float32]:
    """Unit vectors around the given axes of 16, each leaning to an axis of its own a little."""
    rows = np.zeros((len(axes), 16), dtype=np.float32)
    for row, axis in enumerate(axes):
        rows[row, axis] = 1
        rows[row, 8 + row % 8] += spread
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def labels(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


class TestComparing:
    def test_without_themes_every_large_enough_cluster_is_founded_largest_first(self) -> None:
        found = compare(
            labels(0, 0, 1, 1, 1, 2, -1), labels(*[0] * 7), around(0, 0, 1, 1, 1, 2, 3), least=2
        )
        assert found.founded == ((2, 3, 4), (0, 1))
        assert found.placed == {}

    def test_who_is_in_no_theme_goes_to_the_one_that_dominates_his_cluster(self) -> None:
        found = compare(labels(0, 0, 0, 0, 0), labels(5, 5, 5, 0, 0), around(*[0] * 5), least=4)
        assert found.placed == {5: (3, 4)}
        assert found.founded == ()

    def test_a_cluster_with_a_stray_of_a_theme_is_not_that_themes(self) -> None:
        clusters = labels(0, 0, 0, 0, 1, 1, 1, 1, 1)
        found = compare(clusters, labels(5, 5, 5, 5, 5, 0, 0, 0, 0), around(*[0] * 9), least=4)
        assert found.homes == {5: 0}
        assert found.founded == ((5, 6, 7, 8),)

    def test_between_two_themes_that_fell_together_nobody_is_placed(self) -> None:
        themes = labels(5, 5, 5, 6, 6, 6, 7, 7, 7, 0)
        found = compare(labels(*[0] * 10), themes, around(*[0] * 10), least=4)
        assert found.placed == {}
        assert {(m.survivor, m.absorbed) for m in found.merges} == {(5, 6), (5, 7), (6, 7)}
        assert all(m.share == 1.0 for m in found.merges)

    def test_a_theme_in_two_clusters_may_be_two(self) -> None:
        themes = labels(*[5] * 9)
        clusters = labels(0, 0, 0, 0, 0, 1, 1, 1, 1)
        split = compare(clusters, themes, around(*[0] * 5, *[1] * 4), least=4).splits[0]
        assert (split.theme, split.leaving, split.target) == (5, (5, 6, 7, 8), 0)
        assert split.share == pytest.approx(4 / 9)
        assert split.covered == 1.0
        assert split.likeness < 0.3

    def test_the_smaller_part_goes_to_the_theme_that_is_at_home_there(self) -> None:
        themes = labels(*[5] * 8, *[6] * 4)
        clusters = labels(0, 0, 0, 0, 0, 1, 1, 1, *[1] * 4)
        split = compare(clusters, themes, around(*[0] * 5, *[1] * 7), least=4).splits[0]
        assert (split.leaving, split.target) == ((5, 6, 7), 6)

    def test_members_that_became_noise_are_left_where_they_are(self) -> None:
        found = compare(labels(-1, -1, -1, -1), labels(5, 5, 5, 5), around(*[0] * 4), least=4)
        assert (found.homes, found.splits, found.founded) == ({}, (), ())

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=1, max_size=40))
    def test_no_member_is_placed_or_founded_anew(self, rows: list[tuple[int, int]]) -> None:
        clusters, themes = (labels(*column) for column in zip(*rows, strict=True))
        found = compare(clusters, themes, around(*clusters.clip(0).tolist()), least=3)
        taken = [row for each in (*found.placed.values(), *found.founded) for row in each]
        assert len(taken) == len(set(taken))
        assert not themes[taken].any()
        assert (clusters[taken] >= 0).all()


class TestLikeness:
    def test_it_is_one_for_halves_of_a_group_and_nothing_for_strangers(self) -> None:
        rows = around(*[0] * 16)
        assert likeness(rows[::2], rows[1::2]) > 0.95
        assert likeness(around(0, 0, 0), around(1, 1, 1)) < 0.2

    def test_clusters_that_cannot_be_told_apart_are_one(self) -> None:
        vectors = around(*[0] * 12, *[1] * 4, *[0] * 3, 2)
        found = unite_alike(labels(*[0] * 6, *[1] * 6, *[2] * 4, *[3] * 3, -1), vectors)
        assert found.tolist() == [0] * 12 + [1] * 4 + [0] * 3 + [-1]

    def test_a_cluster_of_near_copies_takes_in_the_copies_that_were_left_out(self) -> None:
        found = unite_alike(labels(0, 0, 0, -1, -1), around(0, 0, 0, 0, 1))
        assert found.tolist() == [0, 0, 0, 0, -1]

    def test_a_cluster_in_different_words_takes_in_nobody(self) -> None:
        loose = around(0, 0, 0, 0, spread=1.0)
        assert unite_alike(labels(0, 0, 0, -1), loose).tolist() == [0, 0, 0, -1]

    @pytest.mark.parametrize("same", [[], [-1, -1], [0, 0]])
    def test_one_cluster_or_none_stays_as_it_is(self, same: list[int]) -> None:
        assert unite_alike(labels(*same), around(*[0] * len(same))).tolist() == same


def drafted(
    themes: NDArray[np.int64],
    clusters: NDArray[np.int64],
    vectors: NDArray[np.float32],
    standings: dict[int, Standing] | None = None,
    bonds: tuple[Bond, ...] = (),
    pinned: tuple[int, ...] = (),
    others: int = 400,
) -> list[Change]:
    """Changes of the named rows among many other reports; report ids are rows plus 100."""
    clusters = np.concatenate([clusters, np.full(others, -1)])
    themes = np.concatenate([themes, np.zeros(others, dtype=np.int64)])
    vectors = np.vstack([vectors, np.zeros((others, 16), dtype=np.float32)])
    ids = [100 + row for row in range(len(themes))]
    theme_of = {ids[row]: int(theme) for row, theme in enumerate(themes) if theme}
    known = dict.fromkeys(set(theme_of.values()), OPEN) | (standings or {})
    comparison = compare(clusters, themes, vectors, least=4)
    return draft_changes(comparison, ids, known, People(bonds, theme_of, pinned))


ONE = (labels(*[5] * 6, *[6] * 6), labels(*[0] * 12), around(*[0] * 12))
TWO = (labels(*[5] * 12), labels(*[0] * 7, *[1] * 5), around(*[0] * 7, *[1] * 5))


def bond(kind: BondKind, left: range, right: range) -> Bond:
    return Bond(kind, frozenset(left), frozenset(right), 0, 0, NOW)


class TestDrafting:
    def test_a_clear_merge_has_no_hindrance(self) -> None:
        (change,) = drafted(*ONE)
        assert (change.kind, change.theme_id, change.other_id) == (ProposalKind.MERGE, 5, 6)
        assert change.hindrance is None
        assert change.figures["share"] == 1.0

    @pytest.mark.parametrize(
        ("standing", "survivor"),
        [
            (replace(OPEN, has_issue=True, reports=1), 6),
            (replace(OPEN, has_word=True, reports=1), 6),
            (replace(OPEN, reports=11), 6),
            (OPEN, 5),
        ],
    )
    def test_who_has_an_issue_a_word_or_more_reports_survives(
        self, standing: Standing, survivor: int
    ) -> None:
        assert drafted(*ONE, standings={6: standing})[0].theme_id == survivor

    @pytest.mark.parametrize(
        ("both", "hindrance"),
        [
            (replace(OPEN, has_issue=True), "both have an issue"),
            (replace(OPEN, has_word=True), "a person corrected both"),
        ],
    )
    def test_what_people_work_on_is_merged_by_people_alone(
        self, both: Standing, hindrance: str
    ) -> None:
        assert drafted(*ONE, standings={5: both, 6: both})[0].hindrance == hindrance

    def test_themes_that_are_less_alike_are_only_proposed(self) -> None:
        (change,) = drafted(ONE[0], ONE[1], around(*[0] * 6, *[0, 1, 0, 1, 0, 1]))
        assert change.hindrance is not None
        assert change.hindrance.startswith("not clear")

    def test_a_theme_that_is_not_open_takes_no_part(self) -> None:
        closed = replace(OPEN, is_open=False)
        assert drafted(*ONE, standings={6: closed}) == []
        assert drafted(*TWO, standings={5: closed}) == []

    def test_themes_that_a_person_set_apart_are_not_merged(self) -> None:
        apart = bond(BondKind.APART, range(100, 106), range(106, 112))
        assert drafted(*ONE, bonds=(apart,)) == []

    def test_a_clear_split_has_no_hindrance(self) -> None:
        (change,) = drafted(*TWO)
        assert change.report_ids == (107, 108, 109, 110, 111)
        assert (change.kind, change.other_id, change.hindrance) == (ProposalKind.SPLIT, None, None)

    def test_a_theme_that_a_person_put_together_is_not_split(self) -> None:
        together = bond(BondKind.TOGETHER, range(100, 107), range(107, 112))
        assert drafted(*TWO, bonds=(together,)) == []

    def test_a_report_that_a_person_placed_does_not_leave(self) -> None:
        assert drafted(*TWO, pinned=(107, 108))[0].report_ids == (109, 110, 111)
        assert drafted(*TWO, pinned=(107, 108, 109, 110, 111)) == []

    def test_splits_move_three_reports_in_a_hundred_together(self) -> None:
        assert drafted(*TWO, others=155)[0].hindrance is None
        hindrance = drafted(*TWO, others=120)[0].hindrance
        assert hindrance == "a run moves at most 3% of all reports"

    def test_a_theme_changes_once_at_a_time(self) -> None:
        themes = labels(*[5] * 4, *[6] * 4, *[7] * 4)
        changes = drafted(themes, labels(*[0] * 12), around(*[0] * 12))
        assert [change.hindrance for change in changes] == [
            None,
            "one change of a theme at a time",
            "one change of a theme at a time",
        ]
