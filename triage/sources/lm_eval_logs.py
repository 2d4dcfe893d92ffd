"""Sample logs of the lm-evaluation-harness (``--log_samples``): ``samples_TASK_DATE.jsonl``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triage.errors import IntakeError
from triage.sources.conversations import text_of
from triage.sources.eval_folder import number_of
from triage.sources.json_format import TOO_LONG
from triage.sources.lines import Line, read_lines
from triage.sources.records import Flaw
from triage.sources.sample_runs import LONGEST_TEXT, SampleRun

_NAME = re.compile(
    r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)\.jsonl"
)
_MODEL_ARGUMENT = re.compile(r"(?:^|,)\s*(?:pretrained|model)=([^,]+)")
_MOST_RESULTS_BYTES = 50_000_000
_REMEDY = "Run the evaluation again with --log_samples, or delete the line."


@dataclass(frozen=True, slots=True)
class LmEvalLogs:
    """Reads logs; a run failed whose metric is below ``pass_from``.

    ``metric`` is the one that counts; without it the first that the line names. Where answers were
    filtered in several ways, a sample failed when it failed by all of them.
    """

    metric: str | None = None
    pass_from: float = 0.5
    channel: str = "lm-eval"
    harness: str = "lm-evaluation-harness"

    def is_log(self, path: Path) -> bool:
        return _NAME.fullmatch(path.name) is not None

    def group_of(self, path: Path) -> str:
        found = _NAME.fullmatch(path.name)
        assert found is not None
        return f"{found['task']}\n{_model_of(path, found['date'])}"

    def read_runs(self, path: Path, name: str) -> Iterator[SampleRun | Flaw]:
        found = _NAME.fullmatch(path.name)
        assert found is not None
        task, model = found["task"], _model_of(path, found["date"])
        ran_at = _moment(found["date"])
        runs: dict[str, dict[str, list[SampleRun]]] = {}
        for line, item in _lines(path, name):
            place = f"{name} line {line.number}"
            if isinstance(item, str):
                yield Flaw(place, item, _REMEDY, "", line.text_digest())
                continue
            try:
                run = self._run(item, task, model, place, ran_at)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                problem = f"the sample cannot be read ({_told(error)})"
                yield Flaw(place, problem, _REMEDY, "", line.text_digest(), field="sample")
            else:
                by_filter = runs.setdefault(run.sample, {})
                by_filter.setdefault(str(item.get("filter", "none")), []).append(run)
        for by_filter in runs.values():
            yield from _repeats(by_filter)

    def _run(
        self, item: Mapping[str, Any], task: str, model: str, place: str, ran_at: datetime | None
    ) -> SampleRun:
        metric, value = self._decisive(item)
        asked = _arguments(item.get("arguments"))
        return SampleRun(
            task=task,
            sample=str(item["doc_id"]),
            model=model,
            failed=value < self.pass_from,
            place=place,
            prompt=(asked[0][0] if asked else "")[:LONGEST_TEXT],
            response=_response(item, asked)[:LONGEST_TEXT],
            expected=_expected(item.get("target"), asked),
            scorer=metric,
            ran_at=ran_at,
        )

    def _decisive(self, item: Mapping[str, Any]) -> tuple[str, float]:
        named = item.get("metrics")
        names = [self.metric] if self.metric else named if isinstance(named, list) else []
        for name in names:
            value = number_of(item.get(str(name)))
            if value is not None:
                return str(name), value
        raise KeyError(self.metric or "metrics")


def _repeats(by_filter: Mapping[str, list[SampleRun]]) -> Iterator[SampleRun]:
    """The runs of one sample: the nth line of each filter is the same run."""
    columns = list(by_filter.values())
    for at in range(max(map(len, columns))):
        same = [column[at] for column in columns if at < len(column)]
        yield next((run for run in same if not run.failed), same[0])


def _lines(path: Path, name: str) -> Iterator[tuple[Line, Mapping[str, Any] | str]]:
    """Each line and its object, or what is wrong with it."""
    try:
        with path.open("rb") as stream:
            for line in read_lines(stream):
                if line.content.strip():
                    yield line, _object(line)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise IntakeError(f"Reading {name}", problem, "Check its permissions.") from error


def _object(line: Line) -> Mapping[str, Any] | str:
    if line.too_long:
        return TOO_LONG
    try:
        value: object = json.loads(line.content.decode())
    except (ValueError, RecursionError):
        return "no valid JSON"
    return value if isinstance(value, Mapping) else "is no JSON object"


def _model_of(path: Path, date: str) -> str:
    """The model's name from the results beside the log, else from the folder's name."""
    results = path.with_name(f"results_{date}.json")
    fallback = path.parent.name.replace("__", "/")
    try:
        if results.stat().st_size > _MOST_RESULTS_BYTES:
            return fallback
        known = json.loads(results.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return fallback
    if not isinstance(known, Mapping):
        return fallback
    if isinstance(known.get("model_name"), str) and known["model_name"]:
        return str(known["model_name"])
    config = known.get("config")
    arguments = config.get("model_args") if isinstance(config, Mapping) else None
    if isinstance(arguments, Mapping):
        return str(arguments.get("pretrained") or arguments.get("model") or fallback)
    found = _MODEL_ARGUMENT.search(arguments) if isinstance(arguments, str) else None
    return found[1].strip() if found else fallback


def _arguments(value: Any) -> list[list[str]]:
    """The requests of a sample: one to generate from, or one for each choice."""
    if isinstance(value, Mapping):
        value = [list(one.values()) if isinstance(one, Mapping) else one for one in value.values()]
    if not isinstance(value, list):
        return []
    return [[text_of(part) for part in one] for one in value if isinstance(one, list) and one]


def _response(item: Mapping[str, Any], asked: list[list[str]]) -> str:
    """What the model wrote; of choices, the likeliest."""
    answers = item.get("filtered_resps", item.get("resps"))
    answers = answers if isinstance(answers, list) else [answers]
    if len(asked) > 1 and len(asked) == len(answers) and all(len(one) > 1 for one in asked):
        chances = [_chance(one) for one in answers]
        return asked[chances.index(max(chances))][1].strip()
    # what a filter left may be no more than "[invalid]"
    raw = item.get("resps", answers)
    first: Any = raw[0] if isinstance(raw, list) and raw else raw
    while isinstance(first, list) and first:
        first = first[0]
    return text_of(first)


def _chance(answer: Any) -> float:
    while isinstance(answer, list) and answer:
        answer = answer[0]
    return float(answer)


def _expected(target: Any, asked: list[list[str]]) -> str:
    """The target; where it is the number of a choice, that choice."""
    written = text_of(target)
    if len(asked) > 1 and written.isdecimal() and int(written) < len(asked):
        choice = asked[int(written)]
        return choice[1].strip() if len(choice) > 1 else written
    return written


def _moment(date: str) -> datetime | None:
    day, _, clock = date.partition("T")
    try:
        return datetime.fromisoformat(f"{day}T{clock.replace('-', ':')}").replace(tzinfo=UTC)
    except ValueError:
        return None


def _told(error: Exception) -> str:
    return f"no {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__
