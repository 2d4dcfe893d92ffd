"""What do 1,000 new reports cost on top of 22,500? Against the full run over the 22,500.

    python -m tests.benchmarks.thousand_more [SEEDS]

The 22,500 are the utterances of clinc150.json. Of the 1,000, half are its out-of-scope utterances,
and half are utterances drawn anew, their words in another order, so that none repeats a stored one.
Each time they come to a copy of the same database: ingest, embed and theme. They are measured in
the process that did the full run, which has the libraries and the model in memory, and in one of
their own, as a scheduled run is; the latter also by the index (HNSW) instead of all landmarks. The
full run is done before and after them, since machines get slower and faster: the shares are those
of its mean. A seed draws the 1,000.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy import URL

from tests.benchmarks.labelled import DATA

SEEDS = 3
NEW = 1000
STAGES = ("ingest", "embed", "theme")
SAME, OWN, INDEX = "in the same process", "in a process of its own", "the same, by the index"


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


def written(folder: Path, name: str, texts: Iterable[str]) -> Path:
    """Texts as a file of reports."""
    path = folder / f"{name}.jsonl"
    lines = [
        json.dumps({"id": f"{name}-{number}", "created_at": "2026-10-20", "body": text})
        for number, text in enumerate(texts)
    ]
    path.write_text("\n".join(lines), "utf-8")
    return path


def run_here(reports: Path) -> dict[str, Any]:
    """The three stages in this process: seconds and counts."""
    from flows.collect_reports import ingest
    from flows.embed_reports import embed
    from flows.update_themes import update
    from triage.workspace import open_workspace

    with open_workspace() as workspace:
        marks = [time.perf_counter()]
        ingest(workspace, reports)
        marks.append(time.perf_counter())
        embed(workspace)
        marks.append(time.perf_counter())
        counts = update(workspace)
        marks.append(time.perf_counter())
    return {"seconds": dict(zip(STAGES, np.diff(marks).tolist(), strict=True)), "counts": counts}


def run_elsewhere(database: str, reports: Path, *options: str) -> dict[str, Any]:
    """``run_here`` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.thousand_more", "--here", str(reports)]
    environment = os.environ | {"TRIAGE_DATABASE_URL": database}
    done = subprocess.run(
        [*command, *options], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def copied(server: URL, name: str, template: str | None = None) -> str:
    """The URL of a new copy of the server's database, or of another one of it.

    Nobody may be connected to what is copied.
    """
    with psycopg.connect(
        host=str(server.query["host"]), user=server.username, dbname="template1", autocommit=True
    ) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        names = sql.Identifier(name), sql.Identifier(template or server.database or "")
        connection.execute(statement.format(*names))
    return server.set(drivername="postgresql", database=name).render_as_string(False)


def measure(seeds: int) -> None:
    """Run everything, and print the shares."""
    from triage.database import server_url
    from triage.settings import load_settings

    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        if name != "TRIAGE_BENCHMARK_DATA":
            del os.environ[name]
    found: dict[str, list[dict[str, Any]]] = {SAME: [], OWN: [], INDEX: []}
    with tempfile.TemporaryDirectory(prefix="triage-more-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ["TRIAGE_HOME"] = str(folder / "home")
        everything = written(folder, "full", utterances()["inside"])
        full = [run_here(everything)]
        print(f"full run before: {_words(full[-1])}", flush=True)
        server = server_url(load_settings())
        for seed in range(seeds):
            reports = written(folder, f"more-{seed}", more(seed))
            os.environ["TRIAGE_DATABASE_URL"] = copied(server, f"same_{seed}")
            found[SAME].append(run_here(reports))
            found[OWN].append(run_elsewhere(copied(server, f"own_{seed}"), reports))
            # the index is made once; what is measured is the run after that
            indexed = copied(server, f"index_{seed}")
            run_elsewhere(indexed, written(folder, f"else-{seed}", more(seed + 100)), "--index")
            found[INDEX].append(run_elsewhere(indexed, reports, "--index"))
            for how, runs in found.items():
                print(f"1,000 more, {how}: {_words(runs[-1])}", flush=True)
        os.environ["TRIAGE_DATABASE_URL"] = copied(server, "again", "template0")
        full.append(run_here(everything))
        print(f"full run after: {_words(full[-1])}", flush=True)
    whole = np.mean([_total(run) for run in full])
    for how, runs in found.items():
        shares = [_total(run) / whole for run in runs]
        print(f"share of the full run, {how}: {np.mean(shares):.3f} ± {np.std(shares):.3f}")


def _total(found: dict[str, Any]) -> float:
    return float(sum(found["seconds"].values()))


def _words(found: dict[str, Any]) -> str:
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in found["seconds"].items())
    return f"{_total(found):.1f} s ({stages}); {found['counts']}"


if __name__ == "__main__":
    if "--here" in sys.argv:
        if "--index" in sys.argv:
            from flows import arrivals

            arrivals.EXACT = 0
        print(json.dumps(run_here(Path(sys.argv[sys.argv.index("--here") + 1]))))
    else:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
