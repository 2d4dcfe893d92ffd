"""Themes are joined only when clearly near, described in reporters' words, counted by people."""

import re
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage.themes import Background, count_background, describe, join_theme, profile, words_of
from triage.themes.wording import sentences_of, shorten
from triage.types import Kind, Report

START = datetime(2026, 9, 7, 12, tzinfo=UTC)


def report(number: int, title: str = "", text: str = "It failed.", **changes: object) -> Report:
    values: dict[str, object] = {
        "report_id": number,
        "external_id": f"r-{number}",
        "origin": "files",
        "channel": "user",
        "kind": Kind.USER,
        "created_at": START + timedelta(days=number),
        "title": title,
        "body": text,
        "failure_text": f"{title}\n{text}" if title else text,
        "fingerprint": str(number),
        "reporter": f"person-{number}",
        "language": "en",
    }
    return Report(**(values | changes))  # type: ignore[arg-type]


def unit(*rows: list[float]) -> NDArray[np.float32]:
    array = np.array(rows, dtype=np.float32)
    return np.asarray(array / np.linalg.norm(array, axis=1, keepdims=True))


AXES = np.eye(4, dtype=np.float32)


class TestJoining:
    def test_a_report_joins_the_theme_of_its_nearest_exemplars(self) -> None:
        exemplars = {1: np.repeat(AXES[:1], 3, axis=0), 2: np.repeat(AXES[1:2], 3, axis=0)}
        joined = join_theme(unit([1, 0.2, 0, 0])[0], exemplars)
        assert joined is not None
        assert joined[0] == 1
        assert joined[1] == pytest.approx(0.98, abs=0.01)

    def test_a_report_that_is_near_to_nothing_stays_outside(self) -> None:
        assert join_theme(AXES[3], {1: AXES[:3]}) is None

    def test_a_report_between_two_themes_stays_outside(self) -> None:
        exemplars = {1: np.repeat(AXES[:1], 3, axis=0), 2: np.repeat(AXES[1:2], 3, axis=0)}
        assert join_theme(unit([1, 1, 0, 0])[0], exemplars) is None

    def test_one_exemplar_alone_must_be_almost_the_same_text(self) -> None:
        assert join_theme(unit([1, 0.7, 0, 0])[0], {1: AXES[:1]}) is None
        assert join_theme(AXES[0], {1: AXES[:1]}) is not None

    @pytest.mark.parametrize("exemplars", [{}, {1: AXES[:0]}])
    def test_without_exemplars_nothing_is_joined(self, exemplars: dict) -> None:  # type: ignore[type-arg]
        assert join_theme(AXES[0], exemplars) is None

    def test_a_vector_that_is_no_number_joins_nothing(self) -> None:
        assert join_theme(np.full(4, np.nan, dtype=np.float32), {1: AXES}) is None

    @settings(max_examples=100, deadline=None)
    @given(seed=st.integers(0, 100_000))
    def test_the_order_of_themes_does_not_matter(self, seed: int) -> None:
        rows = np.random.default_rng(seed).normal(size=(13, 4)).tolist()
        vectors = unit(*rows)
        themes = {number: vectors[3 * number : 3 * number + 3] for number in range(4)}
        backwards = dict(reversed(themes.items()))
        assert join_theme(vectors[12], themes) == join_theme(vectors[12], backwards)


STREAM = [
    report(1, "Streaming drops the last chunk", "The last chunk of the stream never arrives here."),
    report(
        2, "Last chunk lost", "While streaming, the final chunk is lost in every second answer."
    ),
    report(3, "", "stream stops before the last chunk. I pay for whole answers, not for halves."),
    report(4, "Kettle", "The chunk at the end of the stream is missing since the server update."),
    report(5, "流式输出缺少最后一块", "最后一块总是丢失。", language="zh"),
]
NEAR = unit([1, 0.1, 0, 0], [1, 0, 0.1, 0], [1, 0, 0, 0.1], [1, 0.3, 0, 0], [1, 0.5, 0.5, 0])
OTHERS = count_background(
    [r.failure_text for r in STREAM]
    + [
        f"The model answered question {n} in the wrong tone and every answer is rude."
        for n in range(40)
    ]
)


class TestDescribing:
    def test_the_title_is_a_reporters_own_and_about_the_theme(self) -> None:
        assert describe(STREAM, NEAR, OTHERS).title == "Streaming drops the last chunk"

    def test_keywords_are_usual_here_and_rare_elsewhere(self) -> None:
        keywords = describe(STREAM, NEAR, OTHERS).keywords
        assert {"chunk", "stream"} <= set(keywords[:3])
        assert "answer" not in keywords

    def test_every_sentence_of_the_summary_cites_its_report(self) -> None:
        summary = describe(STREAM, NEAR, OTHERS).summary
        parts = re.findall(r"(.+?) \[(r-\d)\](?: |$)", summary)
        assert 2 <= len(parts) <= 3
        assert len({cited for _, cited in parts}) == len(parts)
        by_id = {r.external_id: r for r in STREAM}
        for sentence, cited in parts:
            assert sentence in by_id[cited].failure_text

    def test_exemplars_start_with_the_medoid_and_are_different_people(self) -> None:
        repeated = [
            *STREAM,
            report(6, text="The last chunk is lost again, I wrote before.", reporter="person-1"),
        ]
        vectors = np.vstack([NEAR, NEAR[:1]])
        text = describe(repeated, vectors, OTHERS)
        people = {r.report_id: r.reporter for r in repeated}
        assert text.exemplar_ids[0] == text.medoid_id
        assert len({people[number] for number in text.exemplar_ids}) == len(text.exemplar_ids) == 5

    def test_exemplars_differ_from_each_other(self) -> None:
        reports = [report(n, text=f"The stream broke in case {n}.") for n in range(8)]
        vectors = unit(*[[1, 0.01 * n, 0, 0] for n in range(7)], [1, 0, 0.8, 0])
        assert 7 in describe(reports, vectors, OTHERS).exemplar_ids[:3]

    def test_without_an_english_title_the_medoids_first_sentence_serves(self) -> None:
        titled = describe([STREAM[2], STREAM[4]], NEAR[[2, 4]], OTHERS)
        assert titled.title == "stream stops before the last chunk."

    def test_a_theme_in_chinese_alone_is_described_in_chinese(self) -> None:
        text = describe([STREAM[4]], NEAR[4:], OTHERS)
        assert text.title.startswith("流式输出")
        assert text.summary.endswith("[r-5]")

    def test_duplicates_are_no_exemplars(self) -> None:
        copy = report(9, text="The last chunk is lost, copied again.", duplicate_of=1)
        text = describe([*STREAM, copy], np.vstack([NEAR, AXES[:1]]), OTHERS)
        assert 9 not in text.exemplar_ids

    def test_the_same_reports_in_another_order_read_the_same(self) -> None:
        order = [3, 0, 4, 2, 1]
        shuffled = describe([STREAM[i] for i in order], NEAR[order], OTHERS)
        assert shuffled == describe(STREAM, NEAR, OTHERS)

    def test_a_theme_without_reports_is_refused(self) -> None:
        with pytest.raises(ValueError, match="without reports"):
            describe([], AXES[:0], OTHERS)

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(st.tuples(st.text(max_size=200), st.text(max_size=300)), min_size=1, max_size=6)
    )
    def test_any_text_gives_a_short_title_and_a_cited_summary(self, texts: list) -> None:  # type: ignore[type-arg]
        reports = [report(n, title, body) for n, (title, body) in enumerate(texts)]
        text = describe(reports, np.repeat(AXES[:1], len(texts), axis=0), Background(0, {}))
        assert 0 < len(text.title) <= 80
        assert "\n" not in text.title + text.summary
        assert text.summary.endswith("]")

    def test_a_hundred_thousand_characters_take_no_second(self) -> None:
        long = report(1, "Long " * 50, "word " * 20_000 + "。" * 1000)
        began = datetime.now(UTC)
        describe([long], AXES[:1], OTHERS)
        assert (datetime.now(UTC) - began).total_seconds() < 1


class TestWording:
    def test_chinese_gives_pairs_of_characters(self) -> None:
        assert words_of("模型重复") == {"模型", "型重", "重复"}

    def test_words_that_everybody_uses_are_left_out(self) -> None:
        assert words_of("It is the Parser_v2 that isn't working") == {"parser_v2", "working"}

    def test_sentences_end_at_full_stops_of_both_scripts(self) -> None:
        assert sentences_of('It "fails." Always!\n最后丢失。真的\uff1f') == [
            'It "fails."', "Always!", "最后丢失。", "真的\uff1f",
        ]  # fmt: skip

    def test_shortening_cuts_at_a_word(self) -> None:
        assert shorten("one  two\nthree four", 12) == "one two…"
        assert shorten("one two", 12) == "one two"


class TestProfile:
    def test_people_are_counted_and_posts_are_not(self) -> None:
        reports = [
            report(1, reporter="ada", supporters=("bo", "cy")),
            *[report(n, reporter="ada") for n in range(2, 6)],
            report(6, reporter="di", duplicate_of=1),
            report(7, reporter="bo", duplicate_of=1),
        ]
        counted = profile(reports)
        assert counted.distinct_reporters == 4
        assert (counted.reports, counted.duplicates) == (5, 2)

    def test_counts_are_of_originals_most_frequent_first(self) -> None:
        reports = [
            report(1, model_written="Corvane X", kind=Kind.DEVELOPER),
            report(2, model_version="corvane-4.2", environment="Loomcode"),
            report(3, model_version="corvane-4.2", error_signatures=("E1", "E1", "E2")),
            report(4, model_version="corvane-4.1", duplicate_of=3, language="zh"),
        ]
        counted = profile(reports)
        assert list(counted.versions.items()) == [("corvane-4.2", 2), ("Corvane X", 1)]
        assert counted.environments == {"Loomcode": 1}
        assert counted.languages == {"en": 3}
        assert counted.error_signatures == {"E1": 1, "E2": 1}
        assert counted.developer_reports == 1

    def test_weeks_have_no_gaps_and_start_on_mondays(self) -> None:
        reports = [report(1, created_at=START), report(2, created_at=START + timedelta(days=20))]
        weeks = profile(reports).weeks
        assert list(weeks) == [date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21)]
        assert list(weeks.values()) == [1, 0, 1]

    def test_a_late_duplicate_moves_last_seen(self) -> None:
        counted = profile([report(1), report(30, duplicate_of=1)])
        assert counted.last_seen == START + timedelta(days=30)

    def test_only_the_core_counts_and_its_share_is_the_coherence(self) -> None:
        core = [report(1, reporter="ada"), report(2, reporter="bo"), report(3, duplicate_of=1)]
        loose = [report(4, reporter="cy", is_core=False, created_at=START + timedelta(days=90))]
        counted = profile([*core, *loose])
        assert (counted.reports, counted.duplicates, counted.loose) == (2, 1, 1)
        assert counted.distinct_reporters == 3  # the duplicate's own reporter is one
        assert counted.last_seen == START + timedelta(days=3)
        assert counted.coherence == pytest.approx(0.75)

    def test_a_theme_without_a_core_is_counted_whole_and_is_not_coherent(self) -> None:
        counted = profile([report(1, is_core=False), report(2, is_core=False)])
        assert (counted.reports, counted.loose, counted.coherence) == (2, 0, 0.0)

    def test_a_theme_of_duplicates_alone_is_counted_too(self) -> None:
        assert profile([report(2, duplicate_of=1)]).reports == 1

    def test_a_theme_without_reports_is_refused(self) -> None:
        with pytest.raises(ValueError, match="without reports"):
            profile([])
