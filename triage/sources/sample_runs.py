"""Runs of evaluation samples become reports: one for each sample that failed at least once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from triage.types import Kind, RawReport

LONGEST_TEXT = 20_000  # of a prompt or response; cleaning keeps no more
LONGEST_SHOWN = 300  # of what was asked, expected and answered, in the report's own words
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class SampleRun:
    """One run of one sample: whether it failed, and what is known of how.

    ``explanation`` is the scorer's own account, where it has one; ``error`` what stopped the run.
    """

    task: str
    sample: str
    model: str
    failed: bool
    place: str = ""
    prompt: str = ""
    response: str = ""
    expected: str = ""
    scorer: str = ""
    explanation: str = ""
    error: str = ""
    ran_at: datetime | None = None


@dataclass(slots=True)
class _Tally:
    runs: int = 0
    failures: int = 0
    first: SampleRun | None = None


class Tallies:
    """Counts the runs of each sample of one task and model, and keeps its first failure.

    The first, not the latest: a repeated run then leaves the report's words as they are, and with
    them its place in a theme.
    """

    def __init__(self) -> None:
        self._by_sample: dict[str, _Tally] = {}

    def add(self, run: SampleRun) -> None:
        """Count a run."""
        tally = self._by_sample.setdefault(run.sample, _Tally())
        tally.runs += 1
        if run.failed:
            tally.failures += 1
            if tally.first is None or _is_earlier(run, tally.first):
                tally.first = run

    def reports(self, origin: str, channel: str, harness: str) -> Iterable[RawReport]:
        """The failed samples as developer reports.

        The task is the author, so that a hundred failed samples of a task are one who reports. The
        counts stand in a quote: when they change, the report is revised and its text stays itself.
        """
        for tally in self._by_sample.values():
            if tally.first is not None:
                yield _report(tally, tally.first, origin, channel, harness)


def _is_earlier(run: SampleRun, other: SampleRun) -> bool:
    return run.ran_at is not None and (other.ran_at is None or run.ran_at < other.ran_at)


def _report(tally: _Tally, run: SampleRun, origin: str, channel: str, harness: str) -> RawReport:
    counted = f"{run.task}, sample {run.sample}: failed in {tally.failures} of {tally.runs} runs"
    what = "stopped with an error" if run.error else "wrong answer"
    return RawReport(
        origin=origin,
        external_id=_bounded_id(f"{run.task}/{run.sample}/{run.model}"),
        place=run.place,
        title=f"{run.task}: {what}",
        body=f"{_account(run)}\n\n> {' '.join(counted.split())}",
        channel=channel,
        kind=Kind.DEVELOPER,
        created_at=run.ran_at,
        model=run.model.rpartition("/")[2] or None,
        environment=f"{harness}: {run.task}"[:LONGEST_SHOWN],
        author=f"{origin} {run.task}"[:LONGEST_SHOWN],
        rating=round(1 - tally.failures / tally.runs, 4),
        prompt=run.prompt[:LONGEST_TEXT] or None,
        response=run.response[:LONGEST_TEXT] or None,
    )


def _account(run: SampleRun) -> str:
    """How it failed, in words: what stopped it, else the scorer's account, else the answers."""
    asked = f"Asked: {_shown(run.prompt)}" if run.prompt else ""
    if run.error:
        return f"The run stopped with an error. {asked}\n\n```\n{run.error[:2000]}\n```"
    said = run.explanation.strip()
    if said and said != run.response.strip():
        return f"{said[:LONGEST_TEXT]}\n\n{asked}"
    by = f" ({run.scorer})" if run.scorer else ""
    expected = f"Expected {_shown(run.expected)}, answered" if run.expected else "Answered"
    return f"{expected} {_shown(run.response) or 'nothing'}{by}.\n\n{asked}"


def _shown(text: str) -> str:
    joined = " ".join(text[: 4 * LONGEST_SHOWN].split())
    return joined if len(joined) <= LONGEST_SHOWN else f"{joined[: LONGEST_SHOWN - 1]}…"


def _bounded_id(name: str) -> str:
    joined = " ".join(name.split())
    if len(joined) <= LONGEST_ID and joined == name:
        return joined
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{joined[: LONGEST_ID - 17]}~{digest}"
