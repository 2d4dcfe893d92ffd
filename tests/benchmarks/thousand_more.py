"""What do 1,000 new reports cost on top of 22,500? Against the full run over the 22,500.

    python -m tests.benchmarks.thousand_more [SEEDS]

The 22,500 are the utterances of clinc150.json. Of the 1,000, half are its out-of-scope utterances,
and half are utterances drawn anew, their words in another order, so that none repeats a stored one.
Each run is a process of its own on a copy of the same database: ingest, embed (with the model's
start) and theme. A seed draws the 1,000. Once more by the index (HNSW) instead of all landmarks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.labelled import DATA

SEEDS = 3
NEW = 1000
STAGES = ("ingest", "embed", "theme")


def utterances() -> dict[str, list[str]]:
    """The stored utterances and those out of scope."""
    path = DATA / "bench" / "clinc150.json"
    if not path.exists():
        sys.exit(f"{path} is missing: set TRIAGE_BENCHMARK_DATA to the folder that holds it")
    parts = json.loads(path.read_text("utf-8"))
    inside = [text for name in ("train", "val", "test") for text, _ in parts[name]]
    outside = [text for name in sorted(parts) if "oos" in name for text, _ in parts[name]]
    return {"inside": inside, "outside": outside}


def more(seed: int) -> Iterator[str]:
    """The 1,000 new ones of a seed."""
    generator = random.Random(seed)
    known = utterances()
    yield from generator.sample(known["outside"], NEW // 2)
    for text in generator.sample(known["inside"], NEW - NEW // 2):
        words = text.split()
        turn = generator.randrange(1, max(2, len(words)))
        yield " ".join([*words[turn:], *words[:turn], "as said"])


def run_here(reports: str) -> None:
    """The measured process: the three stages; prints seconds and counts as JSON."""
    from flows import arrivals
    from flows.collect_reports import ingest
    from flows.embed_reports import embed
    from flows.update_themes import update
    from triage.workspace import open_workspace

    if "--index" in sys.argv:
        arrivals.EXACT = 0
    with open_workspace() as workspace:
        marks = [time.perf_counter()]
        ingest(workspace, Path(reports))
        marks.append(time.perf_counter())
        embed(workspace)
        marks.append(time.perf_counter())
        counts = update(workspace)
        marks.append(time.perf_counter())
    seconds = dict(zip(STAGES, np.diff(marks).tolist(), strict=True))
    print(json.dumps({"seconds": seconds, "counts": counts}))


def run(home: Path, texts: Iterator[str] | list[str], *options: str) -> dict[str, Any]:
    """Run the stages over some texts in a process of its own."""
    reports = home.with_suffix(".jsonl")
    lines = [
        json.dumps({"id": f"{home.name}-{number}", "created_at": "2026-10-20", "body": text})
        for number, text in enumerate(texts)
    ]
    reports.write_text("\n".join(lines), "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
    environment |= {"TRIAGE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.thousand_more", "--here", str(reports), *options],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(seeds: int) -> None:
    """Run everything, and print the shares."""
    with tempfile.TemporaryDirectory(prefix="triage-more-", ignore_cleanup_errors=True) as folder:
        full_home = Path(folder) / "full"
        full = run(full_home, utterances()["inside"])
        print("full run", _words(full))
        for options in ((), ("--index",)):
            shares = []
            for seed in range(seeds):
                home = Path(folder) / f"more-{seed}{''.join(options)}"
                # with its owner, without whom the embedded server does not start on it as root
                subprocess.run(["cp", "-a", full_home, home], check=True)
                if options:  # the index is made once; what is measured is the run after that
                    run(home, more(seed + 100), *options)
                    home = home.rename(home.with_name(home.name + "-again"))
                found = run(home, more(seed), *options)
                shutil.rmtree(home)
                shares.append(_total(found) / _total(full))
                print("1,000 more", *options, _words(found))
            print(f"share of the full run {np.mean(shares):.3f} ± {np.std(shares):.3f}", *options)


def _total(found: dict[str, Any]) -> float:
    return float(sum(found["seconds"].values()))


def _words(found: dict[str, Any]) -> str:
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in found["seconds"].items())
    return f"{_total(found):.1f} s ({stages}); {found['counts']}"


if __name__ == "__main__":
    if "--here" in sys.argv:
        run_here(sys.argv[sys.argv.index("--here") + 1])
    else:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
