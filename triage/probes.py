"""Probes: each theme's reports as an evaluation set, and an evaluation's results read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from triage.errors import IntakeError


class ProbeFormat(StrEnum):
    """Whose samples are written: Inspect's, or documents of the lm-evaluation-harness."""

    INSPECT = "inspect"
    LM_EVAL = "lm-eval"


@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt that showed a theme's failure, redacted as the report is.

    ``failing_response`` is what the model said then and must not say again; what was expected is
    ``expected``, the theme in words, for a person or a model that grades.
    """

    name: str
    theme: str
    prompt: str
    failing_response: str | None
    environment: str | None
    model_version: str | None
    expected: str


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """One run of a probe on a version: whether the failure was there."""

    theme: str
    probe: str
    version: str
    failed: bool


def probe_line(probe: Probe, layout: ProbeFormat) -> dict[str, Any]:
    """The probe as one JSON line of the wanted layout.

    For Inspect a sample with ``input``, ``target``, ``id`` and ``metadata``; for the
    lm-evaluation-harness a document whose fields a task's ``doc_to_text`` and ``doc_to_target``
    name.
    """
    target = f"Must not fail like this: {probe.expected}"
    facts = {
        "theme": probe.theme,
        "failing_response": probe.failing_response,
        "environment": probe.environment,
        "model_version": probe.model_version,
    }
    if layout is ProbeFormat.INSPECT:
        return {"id": probe.name, "input": probe.prompt, "target": target, "metadata": facts}
    return {"doc_id": probe.name, "question": probe.prompt, "target": target, **facts}


def read_outcomes(
    path: Path, version: str, resolve_version: Callable[[str], str | None]
) -> list[ProbeOutcome]:
    """Every run in a JSONL file: ``id``, ``theme``, ``passed`` or ``failed``, maybe ``version``.

    ``theme`` may stand in ``metadata``, as Inspect keeps it; several lines with one id are several
    runs. ``version`` holds where a line names none. Raises ``IntakeError`` with line and field.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise IntakeError(f"Reading {path}", problem, "Check the path and encoding.") from error
    found = []
    for number, text in enumerate(lines, start=1):
        if text.strip():
            found.append(_outcome(text, number, path, version, resolve_version))
    return found


def tally(outcomes: Iterable[ProbeOutcome]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Runs and failures by theme, version and probe."""
    counted: dict[tuple[str, str, str], tuple[int, int]] = {}
    for one in outcomes:
        key = (one.theme, one.version, one.probe)
        runs, failures = counted.get(key, (0, 0))
        counted[key] = (runs + 1, failures + one.failed)
    return counted


def _outcome(
    text: str, line: int, path: Path, version: str, resolve: Callable[[str], str | None]
) -> ProbeOutcome:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise _wrong(path, line, "line", "it is no JSON") from error
    if not isinstance(row, Mapping):
        raise _wrong(path, line, "line", "it is no object")
    inner = row.get("metadata")
    more: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    probe, theme = row.get("id", row.get("doc_id")), row.get("theme", more.get("theme"))
    if not isinstance(probe, str | int) or not str(probe):
        raise _wrong(path, line, "id", "it is missing")
    if not isinstance(theme, str) or not theme[1:].isdigit() or theme[0] not in "Tt":
        raise _wrong(path, line, "theme", f"{theme!r} is no theme such as T12")
    named = row.get("version")
    exact = resolve(str(named)) if named is not None else version
    if exact is None:
        raise _wrong(path, line, "version", f"no version is called {named!r}")
    return ProbeOutcome(theme.upper(), str(probe), exact, _failed(row, line, path))


def _failed(row: Mapping[str, Any], line: int, path: Path) -> bool:
    if isinstance(row.get("failed"), bool):
        return bool(row["failed"])
    if isinstance(row.get("passed"), bool):
        return not row["passed"]
    raise _wrong(path, line, "passed", "neither passed nor failed is true or false")


def _wrong(path: Path, line: int, field: str, problem: str) -> IntakeError:
    remedy = 'Each line is {"id": …, "theme": "T12", "passed": true}; see `triage export probes`.'
    return IntakeError(f"Reading {path.name} line {line}, {field}", problem, remedy)
