"""What a stored report costs: bytes in the database, memory and time of each stage over it.

    python -m tests.benchmarks.stored_reports [FEW MANY]

Stores FEW and MANY reports (5,000 and 15,000), each in a new home and a process of its own, and
runs the stages twice: what the second run needs is what every later one needs too. The texts are
those of the shipped sample, numbered; the vectors are the sample's, each moved by noise as a
paraphrase would be. A stage's bytes a report are the difference of its two peaks over that of the
sizes, so what a process needs anyway does not count. Linux only: it reads and resets the peak in
``/proc``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.benchmarks.hundred_thousand import resampled, store_texts

SIZES = (5_000, 15_000)


def sample_texts() -> list[str]:
    """The texts of the sample's well-formed records."""
    found = []
    for line in (files("triage") / "sample" / "reports.jsonl").read_text("utf-8").split("\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        body = record.get("body") if isinstance(record, dict) else None
        if isinstance(body, str) and body.strip():
            found.append(body)
    return found


def store(workspace: Any, count: int) -> None:
    """Save so many reports with their vectors."""
    from flows.embed_reports import open_embedder

    texts = sample_texts()
    vectors, rows = resampled(open_embedder(workspace).encode(texts), count, 0)
    store_texts(workspace, [f"{texts[row]} ({place})" for place, row in enumerate(rows)], vectors)


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds and the peak of this process's memory in bytes while it works."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text("utf-8")
    return {"seconds": seconds, "peak": 1024 * float(status.split("VmHWM:")[1].split()[0])}


def run_here(count: int, home: str) -> None:
    """The measured process."""
    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        del os.environ[name]
    os.environ["TRIAGE_HOME"] = os.environ["PREFECT_HOME"] = home
    from flows.decide_themes import decide_all
    from flows.recluster_themes import recluster
    from flows.route_themes import route_all
    from flows.update_themes import update
    from triage.workspace import open_workspace

    with open_workspace() as workspace:
        store(workspace, count)
        update(workspace)
        decide_all(workspace)
        route_all(workspace)
        found = {
            "decide": measured(lambda: decide_all(workspace)),
            "route": measured(lambda: route_all(workspace)),
            # something changed, so that it does not end at once
            "recluster": measured(lambda: recluster(_with_other_seed(workspace))),
        }
        with workspace.database.session() as session:
            size = session.execute(text("SELECT pg_database_size(current_database())"))
            print(json.dumps({**found, "bytes": size.scalar_one()}))


def _with_other_seed(workspace: Any) -> Any:
    from dataclasses import replace

    config = workspace.config
    policy = config.policy.model_copy(update={"seed": config.policy.seed + 1})
    return replace(workspace, config=config.model_copy(update={"policy": policy}))


def measure(few: int, many: int) -> None:
    """Print what one report more costs."""
    found = {}
    for count in (few, many):
        with tempfile.TemporaryDirectory(prefix="triage-stored-", ignore_cleanup_errors=True) as at:
            here = [sys.executable, "-m", "tests.benchmarks.stored_reports", "--here"]
            done = subprocess.run(
                [*here, str(count), at], check=True, stdout=subprocess.PIPE, text=True
            )
        found[count] = json.loads(done.stdout.splitlines()[-1])
        print(f"{count:6} reports: {found[count]['bytes'] / 2**20:.0f} MiB in the database")
        for stage in ("decide", "route", "recluster"):
            spent = found[count][stage]
            peak = spent["peak"] / 2**30
            print(f"    {stage:9} {spent['seconds']:5.1f} s, peak {peak:.2f} GiB", flush=True)
    added = many - few
    print(f"database: {(found[many]['bytes'] - found[few]['bytes']) / added / 1e3:.1f} KB a report")
    for stage in ("decide", "route", "recluster"):
        more = found[many][stage]["peak"] - found[few][stage]["peak"]
        print(f"{stage}: {more / added / 1e3:.1f} KB of memory a report")


def main() -> None:
    """Read the arguments."""
    if "--here" in sys.argv:
        count, home = sys.argv[sys.argv.index("--here") + 1 :]
        run_here(int(count), home)
        return
    few, many = (int(each) for each in sys.argv[1:3]) if len(sys.argv) > 2 else SIZES
    measure(few, many)


if __name__ == "__main__":
    main()
