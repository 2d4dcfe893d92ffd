"""Logs of Inspect evaluations: the zip format ``.eval`` and the JSON format.

The fields are those of Inspect's ``EvalLog``; only what is needed is looked at, and anything may be
missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triage.errors import IntakeError
from triage.sources.conversations import content_of, conversation, part_of, text_of
from triage.sources.eval_folder import UnfinishedLog, number_of
from triage.sources.records import Flaw
from triage.sources.sample_runs import LONGEST_TEXT, SampleRun
from triage.sources.zip_members import Archive

MOST_BYTES = 200_000_000  # of a JSON log, which has to be loaded whole
MOST_SAMPLE_BYTES = 100_000_000
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partly, incorrect, no answer
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_ATTACHMENT = re.compile(r"attachment://([0-9a-f]{32})")
_REMEDY = "Write the log again with a current Inspect, or delete it."


@dataclass(frozen=True, slots=True)
class InspectLogs:
    """Reads logs; a run failed whose score is below ``pass_from``, or that stopped with an error.

    ``scorer`` is the one that counts; without it a run failed when any scorer says so.
    """

    scorer: str | None = None
    pass_from: float = 0.5
    channel: str = "inspect"
    harness: str = "Inspect"

    def is_log(self, path: Path) -> bool:
        return path.suffix in (".eval", ".json") and not path.name.startswith(".")

    def group_of(self, path: Path) -> str:
        return "\n".join(_task_and_model(_header(path), path.name))

    def read_runs(self, path: Path, name: str) -> Iterator[SampleRun | Flaw]:
        task, model = _task_and_model(_header(path), name)
        for place, sample in _samples(path, name, self._passed):
            try:
                yield self._run(sample, task, model, place)
            except (KeyError, TypeError, ValueError) as error:
                problem = f"the sample cannot be read ({type(error).__name__})"
                yield Flaw(place, problem, _REMEDY, "", place, field="sample")

    def _run(self, sample: Mapping[str, Any], task: str, model: str, place: str) -> SampleRun:
        scorer, value = self._decisive(sample)
        error = sample.get("error")
        stopped = text_of(error.get("message") if isinstance(error, Mapping) else error)
        if value is None and not stopped:
            raise ValueError("no score")
        score = part_of(part_of(sample, "scores"), scorer)
        attached = part_of(sample, "attachments")
        ran_at = sample.get("completed_at") or sample.get("started_at")
        return SampleRun(
            task=task,
            sample=str(sample["id"]),
            model=model,
            failed=bool(stopped) or value is None or value < self.pass_from,
            place=place,
            prompt=_attach(conversation(sample.get("input")), attached),
            response=_attach(_response(sample.get("output")), attached),
            expected=text_of(sample.get("target")),
            scorer=scorer,
            explanation=_attach(text_of(score.get("explanation")), attached),
            error=stopped,
            ran_at=_moment(ran_at),
        )

    def _decisive(self, sample: Mapping[str, Any]) -> tuple[str, float | None]:
        """The scorer whose word holds, and its score: the chosen one, else the lowest."""
        found = {
            str(name): _score(one.get("value"))
            for name, one in part_of(sample, "scores").items()
            if isinstance(one, Mapping) and self.scorer in (None, name)
        }
        known = {name: value for name, value in found.items() if value is not None}
        if not known:
            return "", None
        name = min(known, key=lambda one: known[one])
        return name, known[name]

    def _passed(self, summary: Mapping[str, Any]) -> bool:
        value = self._decisive(summary)[1]
        return not summary.get("error") and value is not None and value >= self.pass_from


def _header(path: Path) -> Mapping[str, Any]:
    """The log without its samples."""
    if path.suffix == ".json":
        header = _whole(path)
    else:
        with path.open("rb") as stream, Archive(stream, path.name) as archive:
            if "header.json" not in archive.names():
                raise UnfinishedLog(path.name)
            header = _object(archive.read("header.json", MOST_BYTES), path.name)
    if header.get("status") == "started":
        raise UnfinishedLog(path.name)
    return header


def _task_and_model(header: Mapping[str, Any], name: str) -> tuple[str, str]:
    spec = part_of(header, "eval")
    task, model = spec.get("task"), spec.get("model")
    if not isinstance(task, str) or not isinstance(model, str) or not task:
        raise IntakeError(f"Reading {name}", "is no log of an Inspect evaluation", _REMEDY)
    return task, model


def _samples(path: Path, name: str, passed: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each sample with its place; of a zip log's samples that passed only the summary is read."""
    if path.suffix == ".json":
        samples = _whole(path).get("samples")
        for at, sample in enumerate(samples if isinstance(samples, list) else ()):
            yield f"{name} sample {at + 1}", sample if isinstance(sample, Mapping) else {}
        return
    with path.open("rb") as stream, Archive(stream, name) as archive:
        summaries = _summaries(archive, name)
        for member in archive.names():
            if not member.startswith("samples/") or not member.endswith(".json"):
                continue
            summary = summaries.get(member)
            if summary is not None and passed(summary):
                yield f"{name} {member}", summary
            else:
                yield f"{name} {member}", _object(archive.read(member, MOST_SAMPLE_BYTES), name)


def _summaries(archive: Archive, name: str) -> dict[str, Mapping[str, Any]]:
    """The summary of each sample by the name of its file."""
    if "summaries.json" not in archive.names():
        return {}
    listed = _decoded(archive.read("summaries.json", MOST_BYTES), name)
    return {
        f"samples/{one.get('id')}_epoch_{one.get('epoch')}.json": one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, Mapping)
    }


def _whole(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            problem = f"is a JSON log of more than {MOST_BYTES // 1_000_000} MB"
            remedy = "Convert it: inspect log convert --to eval."
            raise IntakeError(f"Reading {path.name}", problem, remedy)
        return _object(path.read_bytes(), path.name)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise IntakeError(f"Reading {path.name}", problem, "Check its permissions.") from error


def _object(content: bytes, name: str) -> Mapping[str, Any]:
    value = _decoded(content, name)
    if not isinstance(value, Mapping):
        raise IntakeError(f"Reading {name}", "holds no JSON object", _REMEDY)
    return value


def _decoded(content: bytes, name: str) -> object:
    try:
        value: object = json.loads(content.decode("utf-8"))
        return value
    except (ValueError, RecursionError) as error:
        told = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise IntakeError(f"Reading {name}", f"holds no valid JSON{told}", _REMEDY) from error


def _score(value: Any) -> float | None:
    if isinstance(value, str):
        written = value.strip()
        if written in _LETTERS or written.casefold() in _WORDS:
            return _LETTERS.get(written, _WORDS.get(written.casefold()))
        try:
            return float(written)
        except ValueError:
            return None
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return number_of([_score(part) for part in value])
    return number_of(value)


def _response(output: Any) -> str:
    choices = output.get("choices") if isinstance(output, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    return content_of(message.get("content"))[:LONGEST_TEXT] if isinstance(message, Mapping) else ""


def _attach(text: str, attached: Mapping[str, Any]) -> str:
    """Long texts are kept apart in a log, and referred to."""
    if "attachment://" not in text:
        return text
    filled = _ATTACHMENT.sub(lambda found: text_of(attached.get(found[1]))[:LONGEST_TEXT], text)
    return filled[:LONGEST_TEXT]


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
