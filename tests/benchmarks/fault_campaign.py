"""Does anything get lost when everything fails? Hundreds of faults over runs of the whole pipeline.

    python -m tests.benchmarks.fault_campaign [--faults 200] [--folder FOLDER] [--seed 1]

A round is a new installation with a database and a repository of its own. It gets the sample
reports in four parts. On each part falls a hail of faults: `kill -9` of the run, the database
killed or stopped, all connections cut, the disk full to the last byte, GitHub failing (before and
after it did what was asked), the clock jumping by up to three days. A fault strikes a real command
(`triage run --file`, at times `triage sync --file`) at a random moment of it. Then the command runs
undisturbed. After the last part it runs until nothing is left to file. Then these must hold: no
report lost, none doubled, one issue per theme, no issue that is not recorded, and the same themes,
verdicts and capabilities as in the first round, which is never disturbed; a theme that had an issue
there has one here, too, unless it waits at the gate.

Each finished round is kept in FOLDER; the same command goes on where it was interrupted. The small
disk needs the right to mount one, the jumps of the clock a C compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import triage
from tests.benchmarks.faults.checking import State, find_troubles, read_state
from tests.benchmarks.faults.kinds import FAULTS, WEIGHTS
from tests.benchmarks.faults.room import Room, open_room

SAMPLE = Path(triage.__file__).parent / "sample" / "reports.jsonl"
PARTS = 4
FAULTS_PER_PART = 5
MOST_RUNS = 12  # until nothing is left to file: five issues a run
RESEND_SECONDS = 3600  # an interrupted creation is tried again after a minute
RUN, SYNC = ["run", "--file"], ["sync", "--file"]


@dataclass(frozen=True)
class Reference:
    """The undisturbed round: what it ended with and how long each part took."""

    state: State
    seconds: list[float]


def main() -> None:
    """Run what is missing of the campaign, then print its table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/triage-fault-campaign"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reports", type=int, help="only the first so many of the sample")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = _sample_lines()[: options.reports]
    reference = _load_reference(options.folder, lines)
    done = _load_rounds(options.folder)
    while sum(len(each["faults"]) for each in done) < options.faults:
        number = len(done) + 1
        done.append(_disturbed_round(options.folder, number, options.seed, lines, reference))
        with (options.folder / "rounds.jsonl").open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(f"round {number}: {done[-1]['troubles'] or 'all is well'}", flush=True)
    print(_table(done, reference))


def _load_reference(folder: Path, lines: list[str]) -> Reference:
    path = folder / "reference.pickle"
    if path.exists():
        found = pickle.loads(path.read_bytes())
        assert isinstance(found, Reference)
        return found
    with open_room(folder / "reference.log", "reference", folder / "models") as room:
        seconds = []
        for part in _parts(lines):
            _drop(room, part)
            began = time.monotonic()
            code = room.run(*RUN)
            assert code == 0, f"the undisturbed run ended with {code}; read {room.log}"
            seconds.append(time.monotonic() - began)
        _settle(room)
        state = read_state(room)
    troubles = find_troubles(state, len(lines), None)
    assert not troubles, f"the undisturbed round is not sound: {troubles}"
    reference = Reference(state, seconds)
    path.with_suffix(".part").write_bytes(pickle.dumps(reference))
    path.with_suffix(".part").replace(path)
    print(f"reference: {len(state.themes)} themes, {len(state.filed)} issues", flush=True)
    return reference


def _disturbed_round(
    folder: Path, number: int, seed: int, lines: list[str], reference: Reference
) -> dict[str, Any]:
    dice = random.Random(f"{seed} {number}")
    met: list[dict[str, Any]] = []
    clean: list[int] = []
    with open_room(folder / f"round-{number}.log", f"round-{number}", folder / "models") as room:
        for part, seconds in zip(_parts(lines), reference.seconds, strict=True):
            _drop(room, part)
            for _ in range(FAULTS_PER_PART):
                fault, ran = _one_fault(room, dice, seconds)
                met.append(fault)
                if fault["code"] == 0:
                    seconds = ran  # the next one finds less to do
            clean.append(_until_done(room))
        clean += _settle(room)
        state = read_state(room)
    troubles = find_troubles(state, len(lines), reference.state)
    if any(clean):
        troubles.append(f"undisturbed runs ended with {sorted(set(clean) - {0})}")
    return {"round": number, "faults": met, "runs": len(clean), "troubles": troubles}


def _one_fault(room: Room, dice: random.Random, seconds: float) -> tuple[dict[str, Any], float]:
    """Strike a command that is expected to take so long; what it was, and how long it took."""
    kind = dice.choices(list(FAULTS), WEIGHTS)[0]
    arguments = SYNC if dice.random() < 0.1 else RUN
    began = time.monotonic()
    outcome = FAULTS[kind](room, dice, arguments, dice.uniform(0.0, seconds))
    fault = {"kind": kind, "met": outcome.met_at_work, "code": outcome.exit_code}
    return fault, time.monotonic() - began


def _until_done(room: Room) -> int:
    """Run undisturbed; a run that meets the end of a recovery may fail once. The last exit code."""
    code = 1
    for _ in range(3):
        code = room.run(*RUN)
        if code == 0:
            break
    return code


def _settle(room: Room) -> list[int]:
    """Let creations that were interrupted be tried again, until nothing is left to file."""
    codes = []
    if room.clock is None:
        time.sleep(61)
    room.set_clock(RESEND_SECONDS)
    before = -1
    for _ in range(MOST_RUNS):
        codes.append(room.run(*RUN))
        issues = len(room.issues())
        if issues == before:
            break
        before = issues
    room.set_clock(0)
    return codes


def _parts(lines: list[str]) -> list[list[str]]:
    size = -(-len(lines) // PARTS)
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def _sample_lines() -> list[str]:
    """Lines end at a line feed alone: hostile reports hold the other characters that end lines."""
    return SAMPLE.read_text("utf-8").removesuffix("\n").split("\n")


def _drop(room: Room, lines: list[str]) -> None:
    """Put a file into the drop folder as somebody would have done a minute ago."""
    inbox = room.home / "inbox"
    inbox.mkdir(exist_ok=True)
    path = inbox / f"part-{time.time_ns()}.jsonl"
    fresh = path.with_suffix(".tmp")
    fresh.write_text("\n".join(lines) + "\n", "utf-8")
    earlier = time.time() - 60
    os.utime(fresh, (earlier, earlier))
    fresh.rename(path)


def _load_rounds(folder: Path) -> list[dict[str, Any]]:
    path = folder / "rounds.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _table(rounds: list[dict[str, Any]], reference: Reference) -> str:
    faults = [fault for each in rounds for fault in each["faults"]]
    lines = ["| fault | times | struck a run at work | runs that ended with an error |"]
    lines.append("|---|---|---|---|")
    for kind in FAULTS:
        mine = [fault for fault in faults if fault["kind"] == kind]
        met, ended = sum(f["met"] for f in mine), sum(f["code"] != 0 for f in mine)
        lines.append(f"| {kind} | {len(mine)} | {met} | {ended} |")
    total = sum(f["met"] for f in faults), sum(f["code"] != 0 for f in faults)
    lines.append(f"| all | {len(faults)} | {total[0]} | {total[1]} |")
    troubles = Counter(trouble for each in rounds for trouble in each["troubles"])
    sound = sum(not each["troubles"] for each in rounds)
    lines.append("")
    lines.append(
        f"{len(rounds)} rounds of {len(reference.state.reports)} reports, "
        f"{len(reference.state.themes)} themes and {len(reference.state.filed)} issues; after "
        f"{sound} of them nothing lost, nothing doubled, one issue per theme, the same themes."
    )
    lines += [f"{times} times: {trouble}" for trouble, times in troubles.most_common()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
