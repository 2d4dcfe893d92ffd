"""Who stands for a theme, how near one must be to join it, who may found one, what is related."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.test_themes import report, unit
from triage.themes import (
    choose_anchors,
    founding_blocker,
    group_themes,
    join_themes,
    join_thresholds,
    profile,
    themes_around,
    without_floods,
)
from triage.types import Kind, Report, ThemeProfile

AXES = np.eye(6, dtype=np.float32)


def cloud(count: int, *, axis: int = 0, spread: float = 0.5, seed: int = 1) -> NDArray[np.float32]:
    """Unit vectors around an axis of 64."""
    rows = spread * np.random.default_rng(seed).normal(size=(count, 64)) / 8
    rows[:, axis] += 1
    return unit(*rows.tolist())


def people(count: int) -> list[str]:
    return [f"person {number}" for number in range(count)]


class TestAnchors:
    def test_of_few_reports_all_stand_for_the_theme(self) -> None:
        assert choose_anchors(cloud(32), people(32)) == list(range(32))

    def test_of_many_reports_a_few_that_cover_it_do(self) -> None:
        vectors = np.vstack([cloud(500), cloud(500, axis=1, seed=2)])
        chosen = choose_anchors(vectors, people(1000))
        assert len(set(chosen)) == 32
        assert 8 <= sum(row < 500 for row in chosen) <= 24

    def test_a_stray_never_stands_for_it(self) -> None:
        vectors = np.vstack([cloud(200), cloud(3, axis=5)])
        assert max(choose_anchors(vectors, people(203))) < 200

    def test_one_persons_flood_is_one_voice(self) -> None:
        names = ["flood"] * 400 + people(40)
        chosen = choose_anchors(cloud(440, spread=0.1), names)
        assert sum(row < 400 for row in chosen) <= 16

    def test_the_same_reports_in_another_order_give_the_same_anchors(self) -> None:
        vectors = cloud(100)
        order = np.random.default_rng(5).permutation(100)
        names = people(100)
        shuffled = choose_anchors(vectors[order], [names[row] for row in order])
        assert sorted(order[shuffled].tolist()) == choose_anchors(vectors, names)


class TestThresholds:
    def test_a_tight_theme_asks_for_more_and_a_loose_one_for_no_less(self) -> None:
        found = join_thresholds({1: cloud(30, spread=0.2), 2: cloud(30, spread=3.0)}, 0.3)
        assert found[1] > 0.7
        assert found[2] == 0.3

    def test_few_anchors_say_little(self) -> None:
        few, many = cloud(4, spread=0.2), cloud(30, spread=0.2)
        found = join_thresholds({1: few, 2: many}, 0.3)
        assert 0.3 < found[1] < found[2] - 0.1

    @pytest.mark.parametrize("count", [1, 2])
    def test_one_or_two_anchors_ask_for_what_is_usual_at_least(self, count: int) -> None:
        assert join_thresholds({1: cloud(count)}, 0.3)[1] >= 0.3

    def test_each_theme_is_joined_by_its_own(self) -> None:
        exemplars = {1: np.repeat(AXES[:1], 3, axis=0), 2: np.repeat(AXES[1:2], 3, axis=0)}
        near = unit([1, 0, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0])
        places = join_themes(near, exemplars, min_similarity={1: 0.8, 2: 0.6})
        assert [place and place[0] for place in places] == [None, 2]


class TestSurroundings:
    def test_the_nearest_landmarks_count_but_not_the_report_itself(self) -> None:
        landmarks = np.vstack([AXES[:1], unit([1, 0.1, 0, 0, 0, 0]), AXES[1:2]])
        themes = np.array([4, 5, 0], dtype=np.int64)
        found = themes_around(AXES[:1], landmarks, themes, np.array([0]), count=1)
        assert found.tolist() == [[5]]
        found = themes_around(AXES[:1], landmarks, themes, np.array([-1]), count=2)
        assert sorted(found[0].tolist()) == [4, 5]

    def test_without_landmarks_there_is_nobody(self) -> None:
        nobody = np.zeros(0, dtype=np.int64)
        assert themes_around(AXES, AXES[:0], nobody, np.full(6, -1)).shape == (6, 0)

    def test_more_reports_than_fit_at_once_are_all_looked_at(self) -> None:
        many = np.repeat(AXES[:1], 2500, axis=0)
        themes = np.array([7], dtype=np.int64)
        found = themes_around(many, AXES[:1], themes, np.full(2500, -1))
        assert (found == 7).all()
        assert found.shape == (2500, 1)


COHERENT: ThemeProfile = replace(profile([report(1)]), coherence=0.9)
MIXED = replace(COHERENT, coherence=0.1)


class TestFounding:
    @pytest.mark.parametrize(
        ("reports", "counted", "corpus_size", "blocker"),
        [
            ([report(1), report(2)], COHERENT, 20, None),
            ([report(1), report(2)], MIXED, 500, None),
            ([report(1), report(2)], MIXED, 20, "not coherent"),
            ([report(1, reporter="a"), report(2, reporter="a")], COHERENT, 500, "one user alone"),
            ([report(1, reporter="a", supporters=("b",))], COHERENT, 500, None),
            ([report(1, reporter="a", kind=Kind.DEVELOPER)], COHERENT, 500, None),
        ],
    )
    def test_it_needs_several_people_and_in_a_small_corpus_coherence(
        self,
        reports: list[Report],
        counted: ThemeProfile,
        corpus_size: int,
        blocker: str | None,
    ) -> None:
        found = founding_blocker(reports, counted, corpus_size=corpus_size, min_coherence=0.5)
        assert found == blocker if blocker is None else str(found).startswith(blocker)

    def test_of_a_users_flood_the_first_fifty_are_heard(self) -> None:
        flood = [report(n, reporter="a") for n in range(2000)]
        heard = without_floods([*flood, report(2001, reporter="b")])
        assert [r.report_id for r in heard] == [*range(50), 2001]

    def test_a_developer_is_heard_whole(self) -> None:
        found = [report(n, reporter="a", kind=Kind.DEVELOPER) for n in range(200)]
        assert without_floods(found) == found


class TestGrouping:
    def test_related_themes_of_one_capability_are_grouped(self) -> None:
        centres = {
            3: unit([1, 0.2, 0, 0, 0, 0])[0],
            5: unit([1, 0, 0.2, 0, 0, 0])[0],
            7: AXES[3],
            9: unit([1, 0.1, 0, 0, 0, 0])[0],
        }
        capabilities = {3: "tool-use", 5: "tool-use", 7: "tool-use", 9: "coding"}
        assert group_themes(centres, capabilities) == {3: 3, 5: 3, 7: 7, 9: 9}

    def test_a_chain_of_neighbours_is_not_one_group(self) -> None:
        angles = np.linspace(0, np.pi, 12)
        centres = {
            number: np.array([np.cos(a), np.sin(a), 0, 0, 0, 0], dtype=np.float32)
            for number, a in enumerate(angles)
        }
        groups = group_themes(centres, dict.fromkeys(centres, "coding"))
        assert groups[0] != groups[11]

    def test_without_themes_there_is_no_group(self) -> None:
        assert group_themes({}, {}) == {}

    def test_themes_that_are_not_routed_yet_are_grouped_among_themselves(self) -> None:
        centres = {1: AXES[0], 2: AXES[0], 3: AXES[0]}
        assert group_themes(centres, {3: "coding", 1: None}) == {1: 1, 2: 1, 3: 3}
