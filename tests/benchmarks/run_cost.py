"""What does `triage run` cost on 3,000 reports? Peak memory, and where the time goes.

    python -m tests.benchmarks.run_cost [REPORTS]

Measures one whole process from its start: seconds in the embedding model, in clustering, in the
database, and everything else (imports, cleaning up, describing, drafting).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, event

from tests.benchmarks.labelled import labelled

REPORTS = 3000


class Stopwatch:
    """Seconds by kind of work; work within other work counts for the inner kind."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[float] = []

    def start(self) -> None:
        """Begin a piece of work."""
        self._open.append(time.perf_counter())

    def stop(self, kind: str) -> None:
        """End the piece begun last."""
        spent = time.perf_counter() - self._open.pop()
        self.seconds[kind] = self.seconds.get(kind, 0.0) + spent
        self._open = [began + spent for began in self._open]

    def timed(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted."""

        def wrapper(*arguments: Any, **named: Any) -> Any:
            self.start()
            try:
                return function(*arguments, **named)
            finally:
                self.stop(kind)

        return wrapper

    def timed_parts(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that gives one part after another, the time of each part counted."""

        def wrapper(*arguments: Any, **named: Any) -> Iterator[Any]:
            parts = function(*arguments, **named)
            while True:
                self.start()
                try:
                    part = next(parts, None)
                finally:
                    self.stop(kind)
                if part is None:
                    return
                yield part

        return wrapper


def sample(count: int) -> Iterator[str]:
    """Distinct reports as JSON lines: the labelled ones, then their sentences recombined."""
    lines = [
        json.loads(line)
        for name in ("dev.jsonl", "train.jsonl")
        for line in labelled(name).read_text("utf-8").splitlines()
    ]
    for number in range(count):
        report = lines[number % len(lines)]
        if number >= len(lines):  # never the same pair of reports twice
            other = lines[(number * 7 + 3) % len(lines)]
            report = {**report, "body": f"{other['body']} {report['body']}"}
        kept = {k: report.get(k) for k in ("source", "title", "body", "environment", "language")}
        yield json.dumps({**kept, "id": f"n{number}", "created_at": "2026-10-20"})


def run_here() -> None:
    """The measured process: run everything dry and print the figures as JSON."""
    began = psutil.Process().create_time()
    watch = Stopwatch()
    watch.start()
    from triage.embedding import Embedder

    Embedder.encode = watch.timed("embedding", Embedder.encode)  # type: ignore[method-assign]
    Embedder.encode_parts = watch.timed_parts("embedding", Embedder.encode_parts)  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", lambda *_: watch.start())
    event.listen(Engine, "after_cursor_execute", lambda *_: watch.stop("database"))
    import triage.database
    import triage.workspace

    triage.workspace.open_database = watch.timed(  # type: ignore[attr-defined]
        "database", triage.database.open_database
    )
    from flows import arrivals, corpus, theme_changes
    from flows.pipeline import run_stages

    for stage in (arrivals, theme_changes):
        stage.cluster_views = watch.timed("clustering", stage.cluster_views)  # type: ignore[attr-defined]
    corpus.fit_centres = watch.timed("clustering", corpus.fit_centres)  # type: ignore[attr-defined]
    with triage.workspace.open_workspace() as workspace:
        results = run_stages(workspace, dry_run=True)
    total = time.time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"total": total, "MiB": peak, **watch.seconds, "results": results}))


def measure(count: int) -> None:
    """Ingest the sample into a new home, run the measured process, print a table."""
    with tempfile.TemporaryDirectory(prefix="triage-cost-") as home:
        reports = Path(home) / "reports.jsonl"
        reports.write_text("\n".join(sample(count)), "utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        environment |= {"TRIAGE_HOME": home, "PREFECT_HOME": f"{home}/prefect"}
        Path(environment["PREFECT_HOME"]).mkdir()
        ingest = "from triage.cli import main; main()"
        subprocess.run(
            [sys.executable, "-c", ingest, "ingest", str(reports)], env=environment, check=True
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.run_cost", "--here"],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    figures = json.loads(done.stdout.splitlines()[-1])
    inside = sum(figures.get(kind, 0.0) for kind in ("embedding", "clustering", "database"))
    print(json.dumps(figures.pop("results")))
    for name, value in figures.items():
        print(f"{name:12} {value:8.1f}")
    print(f"{'elsewhere':12} {figures['total'] - inside:8.1f}")
    print(f"{'share':12} {(figures['total'] - inside) / figures['total']:8.1%}")


if __name__ == "__main__":
    if "--here" in sys.argv:
        run_here()
    else:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS)
