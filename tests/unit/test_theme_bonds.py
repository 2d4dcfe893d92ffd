"""People's words on which reports belong together: the later holds, wherever the themes went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from triage.themes.bonds import (
    barred,
    kept_apart,
    standing,
    tears,
    theme_of_side,
    without_foes,
)
from triage.types import Bond, BondKind

NOW = datetime(2026, 10, 1, tzinfo=UTC)
A, B, C = range(10), range(10, 20), range(20, 30)
THEMES = {**dict.fromkeys(A, 1), **dict.fromkeys(B, 2), **dict.fromkeys(C, 3)}


def apart(left: range, right: range, day: int = 0) -> Bond:
    return bond(BondKind.APART, left, right, day)


def together(left: range, right: range, day: int = 0) -> Bond:
    return bond(BondKind.TOGETHER, left, right, day)


def bond(kind: BondKind, left: range, right: range, day: int) -> Bond:
    said_at = NOW + timedelta(days=day)
    return Bond(kind, frozenset(left), frozenset(right), 0, 0, said_at, bond_id=day)


class TestStanding:
    @pytest.mark.parametrize("turn", [False, True])
    def test_of_two_words_on_the_same_groups_the_later_holds(self, turn: bool) -> None:
        first = together(A, B, 1)
        later = apart(B, A, 2) if turn else apart(A, B, 2)
        assert standing([later, first]) == ([later], [(first, later)])

    def test_a_word_can_be_taken_back_and_given_again(self) -> None:
        words = [together(A, B, 1), apart(A, B, 2), together(A, B, 3)]
        holds, overruled = standing(words)
        assert holds == [words[2]]
        assert overruled == [(words[0], words[1]), (words[1], words[2])]

    def test_words_on_other_groups_do_not_meet(self) -> None:
        words = [together(A, B, 1), apart(A, C, 2)]
        assert standing(words) == (words, [])

    def test_parting_a_single_report_does_not_part_what_was_merged(self) -> None:
        merged = together(A, B, 1)
        single = apart(range(3, 4), range(4, 20), 2)
        assert standing([merged, single]) == ([merged, single], [])

    def test_a_later_merge_of_all_overrules_an_earlier_parting_of_some(self) -> None:
        parted, merged = apart(A, C, 1), together(range(20), C, 2)
        assert standing([parted, merged])[0] == [merged]


class TestConsequences:
    def test_a_side_is_where_most_of_its_reports_are(self) -> None:
        assert theme_of_side([0, 1, 10], THEMES) == 1
        assert theme_of_side([99], THEMES) is None

    def test_parted_themes_stay_parted_when_one_is_absorbed(self) -> None:
        moved = THEMES | dict.fromkeys(B, 7)
        assert kept_apart([apart(A, B)], THEMES) == {frozenset((1, 2))}
        assert kept_apart([apart(A, B)], moved) == {frozenset((1, 7))}
        assert kept_apart([apart(A, B)], dict.fromkeys(A, 1)) == set()

    def test_a_report_may_not_enter_the_theme_that_it_was_parted_from(self) -> None:
        closed = barred([apart(range(99, 100), A)], THEMES)
        assert closed[99] == {1}
        assert 0 not in closed

    def test_of_parted_reports_the_fewer_stay_out_of_a_new_theme(self) -> None:
        assert without_foes([0, 1, 2, 10, 99], [apart(A, B)]) == [0, 1, 2, 99]
        assert without_foes([0, 1, 20], [apart(A, B)]) == [0, 1, 20]

    def test_what_was_put_together_is_not_torn(self) -> None:
        words = [together(A, B)]
        assert tears(range(9), range(9, 20), words)
        assert tears(range(10, 20), range(10), words)
        assert not tears(range(20), range(20, 30), words)
        assert not tears(range(4), range(4, 20), words)
        assert not tears(A, B, [apart(A, B)])
