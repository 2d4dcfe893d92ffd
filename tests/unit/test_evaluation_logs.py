"""Evaluation logs as sources: each failed sample is one developer's report, its runs counted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.evaluation_logs import (
    sample,
    settled,
    write_eval_log,
    write_json_log,
    write_samples,
)
from triage.cleaning import clean_report, redact
from triage.errors import SourceError
from triage.sources.eval_folder import LogFormat, fetch_failures
from triage.sources.inspect_logs import InspectLogs
from triage.sources.lm_eval_logs import LmEvalLogs
from triage.sources.pages import ReportPage
from triage.types import CleanReport, Kind, RawReport, Rejection

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STAMP = "2026-11-03T09-30-00.123456"
WRONG = {"includes": "I", "match": "I"}
RIGHT = {"includes": "C", "match": "C"}


def fetch(
    folder: Path, logs: LogFormat | None = None, cursor: str | None = None
) -> list[ReportPage]:
    return list(
        fetch_failures(
            folder, logs or InspectLogs(), cursor, origin="inspect:logs", now=NOW, redact=redact
        )
    )


def reports(pages: list[ReportPage]) -> list[RawReport]:
    return [report for page in pages for report in page.reports]


def aside(pages: list[ReportPage]) -> list[Rejection]:
    return [rejection for page in pages for rejection in page.rejections]


def cleaned(report: RawReport) -> CleanReport:
    found = clean_report(
        report, hash_key=b"k", received_at=NOW, resolve_version=lambda written: written
    )
    assert isinstance(found, CleanReport)
    return found


# --- Inspect ------------------------------------------------------------------------------------

WRITERS: dict[str, Callable[..., Path]] = {
    "zstd.eval": write_eval_log,
    "deflate.eval": lambda path, samples, **facts: write_eval_log(
        path, samples, zstd=False, **facts
    ),
    "plain.json": write_json_log,
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_failed_sample_is_one_report_and_its_epochs_are_counted(
    tmp_path: Path, name: str
) -> None:
    stopped = sample("gate", 1, answer="", scores={}, error={"message": "TimeoutError: gone"})
    WRITERS[name](
        tmp_path / name,
        [
            sample("lund", 1, answer="There are 7.", scores=WRONG),
            sample("lund", 2, answer="There are 6.", scores=RIGHT),
            sample("malmo", 1, answer="There are 6.", scores=RIGHT),
            sample("malmo", 2, answer="There are 6.", scores=RIGHT),
            stopped,
        ],
    )
    pages = fetch(tmp_path)
    lund, gate = reports(pages)
    assert lund.external_id == "harbour/lund/mockllm/corvane-4.2"
    assert (lund.kind, lund.channel, lund.model) == (Kind.DEVELOPER, "inspect", "corvane-4.2")
    assert lund.environment == "Inspect: harbour"
    assert lund.created_at == datetime(2026, 11, 3, 9, 31, 1, tzinfo=UTC)
    assert lund.prompt == "How many boats does lund have?"
    assert lund.response == "There are 7."
    assert "Expected 6, answered There are 7." in lund.body
    assert lund.body.endswith("> harbour, sample lund: failed in 1 of 2 runs")
    assert lund.rating == 0.5
    assert "TimeoutError: gone" in cleaned(gate).error_signatures
    assert aside(pages) == []
    assert fetch(tmp_path, cursor=pages[-1].cursor) == []


def test_a_repeated_run_revises_the_count_and_leaves_the_words(tmp_path: Path) -> None:
    first = [sample("lund", 1, answer="There are 7.", scores=WRONG)]
    write_eval_log(tmp_path / "a.eval", first)
    pages = fetch(tmp_path)
    later = sample("lund", 1, answer="Nine.", scores=WRONG, completed_at="2026-11-09T10:00:00Z")
    fresh = sample("visby", 1, answer="Two.", scores=WRONG)
    write_json_log(tmp_path / "b.json", [later, fresh])
    write_eval_log(tmp_path / "other.eval", first, task="lighthouse")
    again = {one.external_id: one for one in reports(fetch(tmp_path, cursor=pages[-1].cursor))}
    assert {name.partition("/")[0] for name in again} == {"harbour", "lighthouse"}
    before = reports(pages)[0]
    after = again[before.external_id]
    assert "failed in 2 of 2 runs" in after.body
    assert cleaned(after).fingerprint == cleaned(before).fingerprint
    assert cleaned(after).body != cleaned(before).body
    assert len({one.author for one in again.values()}) == 2


def test_a_log_that_is_still_written_is_read_when_it_is_done(tmp_path: Path) -> None:
    samples = [sample("lund", 1, answer="Seven.", scores=WRONG)]
    write_json_log(tmp_path / "a.json", samples, status="started")
    assert fetch(tmp_path) == []
    path = write_json_log(tmp_path / "a.json", samples, status="cancelled")
    assert len(reports(fetch(tmp_path))) == 1
    path.touch()
    stamp = NOW.timestamp() - 1
    os.utime(path, (stamp, stamp))
    assert fetch(tmp_path) == []


def test_what_cannot_be_read_is_set_aside_with_place_and_remedy_and_the_rest_is_taken(
    tmp_path: Path,
) -> None:
    good = write_eval_log(
        tmp_path / "good.eval",
        [
            sample("lund", 1, answer="Seven.", scores=WRONG),
            sample("odd", 1, answer="Seven.", scores={"includes": "maybe"}),
        ],
    )
    cut = tmp_path / "cut.eval"
    cut.write_bytes(good.read_bytes()[:-40])
    settled(cut)
    settled_text = {"no.json": "{", "another.json": '{"rows": []}', "list.json": "[1]"}
    for name, text in settled_text.items():
        (tmp_path / name).write_text(text, "utf-8")
        settled(tmp_path / name)
    pages = fetch(tmp_path)
    assert len(reports(pages)) == 1
    places = {one.place: one for one in aside(pages)}
    assert set(places) == {*settled_text, "cut.eval", "good.eval samples/odd_epoch_1.json"}
    assert all(one.problem and one.remedy for one in places.values())
    assert fetch(tmp_path, cursor=pages[-1].cursor) == []


def test_long_texts_are_taken_from_their_attachments_and_the_chosen_scorer_decides(
    tmp_path: Path,
) -> None:
    digest = "0123456789abcdef" * 2
    one = sample("lund", 1, answer="Seven.", scores={"includes": "C", "judge": 0.2})
    one["scores"]["judge"]["explanation"] = f"attachment://{digest}"
    one["attachments"] = {digest: "It counts the boats that left as if they had stayed."}
    one["input"] = [
        {"role": "system", "content": "One word."},
        {"role": "user", "content": [{"type": "text", "text": "How many?"}, {"type": "image"}]},
    ]
    write_json_log(tmp_path / "a.json", [one])
    assert reports(fetch(tmp_path, InspectLogs(scorer="includes"))) == []
    (report,) = reports(fetch(tmp_path, InspectLogs(scorer="judge")))
    assert report.body.startswith("It counts the boats that left")
    assert report.prompt == "system: One word.\n\nuser: How many?"


def test_a_folder_that_is_not_there_is_the_sources_trouble(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        fetch(tmp_path / "nowhere")


# --- lm-evaluation-harness ----------------------------------------------------------------------


def line(number: int, *, score: float, answer: str = "7", **more: Any) -> dict[str, Any]:
    return {
        "doc_id": number,
        "doc": {"question": "How many boats?"},
        "target": "6",
        "arguments": {"gen_args_0": {"arg_0": f"Question {number}\nAnswer:", "arg_1": {}}},
        "resps": [[answer]],
        "filtered_resps": ["[invalid]"],
        "filter": "none",
        "metrics": ["exact_match"],
        "exact_match": score,
        **more,
    }


def samples_path(folder: Path, task: str = "harbour_counts", stamp: str = STAMP) -> Path:
    return folder / "fennwick__corvane-4.2" / f"samples_{task}_{stamp}.jsonl"


def test_a_sample_failed_when_it_failed_by_every_filter(tmp_path: Path) -> None:
    write_samples(
        samples_path(tmp_path),
        [
            line(0, score=0.0, filter="strict-match"),
            line(0, score=1.0, filter="flexible-extract"),
            line(1, score=0.0, filter="strict-match"),
            line(1, score=0.0, filter="flexible-extract"),
            line(2, score=1.0),
        ],
    )
    (report,) = reports(fetch(tmp_path, LmEvalLogs()))
    assert report.external_id == "harbour_counts/1/fennwick/corvane-4.2"
    assert (report.model, report.channel, report.kind) == ("corvane-4.2", "lm-eval", Kind.DEVELOPER)
    assert (report.prompt, report.response) == ("Question 1\nAnswer:", "7")
    assert "failed in 1 of 1 runs" in report.body
    assert report.created_at == datetime(2026, 11, 3, 9, 30, 0, 123456, tzinfo=UTC)


def test_runs_are_counted_over_lines_and_files_and_the_results_name_the_model(
    tmp_path: Path,
) -> None:
    path = write_samples(samples_path(tmp_path), [line(0, score=0.0), line(0, score=1.0)])
    results = path.with_name(f"results_{STAMP}.json")
    results.write_text(json.dumps({"config": {"model_args": "pretrained=fennwick/corvane-4.2"}}))
    other = samples_path(tmp_path, stamp="2026-11-09T09-30-00")
    write_samples(other, [line(0, score=False, metrics=["acc"], acc=False)])
    (report,) = reports(fetch(tmp_path, LmEvalLogs()))
    assert "failed in 2 of 3 runs" in report.body
    assert reports(fetch(tmp_path, LmEvalLogs(metric="exact_match", pass_from=0.0))) == []


def test_of_choices_the_likeliest_is_the_answer_and_the_target_is_named(tmp_path: Path) -> None:
    choices = {
        f"gen_args_{at}": {"arg_0": "Which tide?", "arg_1": f" {word}"}
        for at, word in enumerate(("ebb", "flood"))
    }
    chances = [["-1.5", "False"], ["-4.2", "False"]]
    one = line(
        0,
        score=0.0,
        arguments=choices,
        filtered_resps=chances,
        target="1",
        metrics=["acc"],
        acc=0.0,
    )
    write_samples(samples_path(tmp_path), [one])
    (report,) = reports(fetch(tmp_path, LmEvalLogs()))
    assert "Expected flood, answered ebb (acc)." in report.body


def test_a_bad_line_is_set_aside_by_its_number(tmp_path: Path) -> None:
    lines: list[dict[str, Any] | str] = [
        line(0, score=0.0), "{", "[]",
        {"doc_id": 3}, line(4, score=0.0, exact_match="good"), line(5, score=0.0),
    ]  # fmt: skip
    path = write_samples(samples_path(tmp_path), lines)
    pages = fetch(tmp_path, LmEvalLogs())
    assert len(reports(pages)) == 2
    name = str(path.relative_to(tmp_path))
    assert [one.place for one in aside(pages)] == [f"{name} line {n}" for n in (2, 3, 4, 5)]
    assert all(one.remedy for one in aside(pages))


# --- hostile logs -------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "epoch", "input", "target", "output", "choices", "message", "content", "scores",
             "value", "error", "attachments", "doc_id", "arguments", "filtered_resps", "metrics",
             "acc", "filter", "eval", "samples", "status"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(JSON, max_size=4), st.binary(max_size=60))
def test_whatever_a_log_holds_becomes_reports_or_rejections(
    tmp_path: Path, values: list[Any], noise: bytes
) -> None:
    for name in ("a.json", "b.eval", "samples_t_2026-11-03T09-30-00.jsonl"):
        (tmp_path / name).unlink(missing_ok=True)
    whole = {"status": "success", "eval": {"task": "t", "model": "m"}, "samples": values}
    write_json_log_text(tmp_path / "a.json", json.dumps(whole))
    (tmp_path / "b.eval").write_bytes(b"PK\x03\x04" + noise)
    settled(tmp_path / "b.eval")
    write_samples(
        tmp_path / "samples_t_2026-11-03T09-30-00.jsonl", [json.dumps(one) for one in values]
    )
    for logs in (InspectLogs(), LmEvalLogs()):
        for page in fetch(tmp_path, logs):
            for report in page.reports:
                clean_report(report, hash_key=b"k", received_at=NOW, resolve_version=str)


def write_json_log_text(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    settled(path)
