"""100,000 reports against 25,000: peak memory of the theme stage, and how its time grows.

    python -m tests.benchmarks.hundred_thousand [vectors|database] [SEEDS]
    python -m tests.benchmarks.hundred_thousand pipeline [REPORTS]

The vectors are those of the 22,500 utterances, drawn with replacement, each moved by noise as a
paraphrase would be. `vectors` clusters them in memory; `database` (the default) stores as many
reports with these vectors in a new home and runs the theme stage, all of it, over them. Each size
and seed is a process of its own, so that its peak of memory is its own.

`pipeline` sends 100,000 reports, each of two utterances and by somebody else, through the command
line: `triage ingest`, then `triage run`, dry; it prints the time and the peak of both processes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.utterances import SMALLEST_THEME, utterances
from triage.clustering import cluster, fit_centres, unit_length

SIZES = (25_000, 100_000)
SEEDS = 3
# Length of the noise against a vector of length 1. The copy's cosine to its source is then 0.93;
# that of two utterances of one intent is 0.62 in the mean.
NOISE = 0.4
BATCH = 2000  # reports stored in one transaction
Floats = NDArray[np.float32]

if TYPE_CHECKING:
    from triage.workspace import Workspace


def resampled(vectors: Floats, count: int, seed: int) -> tuple[Floats, NDArray[np.int64]]:
    """``count`` noisy copies (count, d) of rows drawn with replacement, and which these are."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(len(vectors), size=count)
    noise = chance.standard_normal((count, vectors.shape[1]), dtype=np.float32)
    return unit_length(vectors[rows] + NOISE * unit_length(noise)), rows


def in_memory(vectors: Floats) -> tuple[float, int]:
    """Seconds from vectors to labels, and how many clusters there are."""
    spoken = ["en"] * len(vectors)
    began = time.perf_counter()
    centred = fit_centres(vectors, spoken).centred(vectors, spoken)
    labels = cluster(centred, min_cluster_size=SMALLEST_THEME).labels
    return time.perf_counter() - began, int(labels.max()) + 1


def store_texts(workspace: Workspace, texts: Sequence[str], vectors: Floats) -> None:
    """Save a report, by somebody else, and its vector for each text; vectors are (n, d)."""
    from flows.embed_reports import open_embedder, open_space
    from triage.cleaning import fingerprint
    from triage.store.embeddings import save_vectors
    from triage.store.saving import save_reports
    from triage.types import CleanReport, Kind

    first = datetime(2026, 9, 1, tzinfo=UTC)
    space_id = open_space(workspace, open_embedder(workspace))
    for start in range(0, len(texts), BATCH):
        reports = [
            CleanReport(
                origin="files",
                external_id=str(start + number),
                channel="user",
                kind=Kind.USER,
                created_at=first + timedelta(minutes=start + number),
                title="",
                body=body,
                failure_text=body,
                fingerprint=fingerprint(body),
                author_hash=f"{start + number:064x}",
                language="en",
            )
            for number, body in enumerate(texts[start : start + BATCH])
        ]
        keys = [report.fingerprint for report in reports]
        with workspace.database.session() as session:
            save_reports(session, reports)
            save_vectors(session, space_id, dict(zip(keys, vectors[start:], strict=False)))


def with_database(vectors: Floats, texts: list[str], folder: Path) -> tuple[float, int]:
    """Seconds of the theme stage over that many stored reports, and how many themes it made."""
    os.environ["TRIAGE_HOME"] = os.environ["PREFECT_HOME"] = str(folder)
    from flows.update_themes import update
    from triage.workspace import open_workspace

    with open_workspace() as workspace:
        store_texts(workspace, texts, vectors)
        began = time.perf_counter()
        counts = update(workspace)
        return time.perf_counter() - began, counts["new themes"]


def run_here(source: Path, count: int, seed: int, is_stored: bool, folder: Path) -> None:
    """The measured process."""
    vectors, rows = resampled(np.load(source), count, seed)
    if is_stored:
        known, _ = utterances()
        texts = [f"{known[row]} ({place})" for place, row in enumerate(rows)]
        seconds, themes = with_database(vectors, texts, folder)
    else:
        seconds, themes = in_memory(vectors)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "themes": themes, "GiB": peak}))


def measure_pipeline(count: int) -> None:
    """Print the time and the peak of ingesting and of a whole run."""
    known, _ = utterances()
    chance = np.random.default_rng(0)
    first = datetime(2026, 9, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory(prefix="triage-100k-", ignore_cleanup_errors=True) as name:
        path = Path(name) / "reports.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            for place, (one, other) in enumerate(chance.integers(len(known), size=(count, 2))):
                record = {
                    "id": f"r{place}",
                    "body": f"{known[one]}. {known[other]}",
                    "author": f"author {place}",
                    "created_at": (first + timedelta(minutes=place)).isoformat(),
                }
                stream.write(json.dumps(record) + "\n")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        environment |= {"TRIAGE_HOME": f"{name}/home", "PREFECT_HOME": f"{name}/prefect"}
        for arguments in (["ingest", str(path)], ["run"]):
            began = time.perf_counter()
            command = [sys.executable, "-c", "from triage.cli import main; main()", *arguments]
            process = subprocess.Popen(command, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            print(
                f"triage {arguments[0]}: exit code {process.returncode}, "
                f"{time.perf_counter() - began:.0f} s, peak {usage.ru_maxrss / 2**20:.2f} GiB",
                flush=True,
            )


def measure(is_stored: bool, seeds: int) -> None:
    """Print a line for each size and seed, and the growth."""
    from triage.embedding import Embedder

    growth = []
    with tempfile.TemporaryDirectory(prefix="triage-100k-") as name:
        source = Path(name) / "vectors.npy"
        np.save(source, Embedder().encode(utterances()[0]))
        for seed in range(seeds):
            spent = {}
            for count in SIZES:
                folder = Path(name) / f"{count}-{seed}"
                here = ["--here", str(source), str(count), str(seed), str(is_stored), str(folder)]
                command = [sys.executable, "-m", "tests.benchmarks.hundred_thousand", *here]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                spent[count] = found["seconds"]
                print(
                    f"{count:7} reports, seed {seed}: {found['seconds']:7.1f} s, "
                    f"{found['themes']} themes, peak {found['GiB']:.2f} GiB",
                    flush=True,
                )
            growth.append(spent[SIZES[1]] / spent[SIZES[0]])
    print(f"time(100k) / time(25k): {np.mean(growth):.2f} ± {np.std(growth):.2f}")


def main() -> None:
    """Read the arguments."""
    if "--here" in sys.argv:
        source, count, seed, is_stored, folder = sys.argv[sys.argv.index("--here") + 1 :]
        run_here(Path(source), int(count), int(seed), is_stored == "True", Path(folder))
        return
    wanted = sys.argv[1] if len(sys.argv) > 1 else "database"
    if wanted == "pipeline":
        measure_pipeline(int(sys.argv[2]) if len(sys.argv) > 2 else SIZES[1])
        return
    if wanted not in ("vectors", "database"):
        sys.exit(__doc__)
    measure(wanted == "database", int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS)


if __name__ == "__main__":
    main()
