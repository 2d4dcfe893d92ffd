"""How good are themes, verdicts and capabilities? The whole pipeline against labelled reports.

    python -m tests.benchmarks.quality

Ingests the labelled reports into a new home, runs everything dry, and scores the assignments.
There is no randomness in it: the same reports give the same figures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.labelled import labelled

TRIAGE = "from triage.cli import main; main()"


def measure() -> None:
    """Print what ``score.py`` says of a fresh run."""
    reports, labels, scorer = (labelled(n) for n in ("dev.jsonl", "dev_labels.csv", "score.py"))
    with tempfile.TemporaryDirectory(prefix="triage-quality-") as home:
        target = Path(home) / "assignments.csv"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        environment["TRIAGE_HOME"] = home
        for arguments in (
            ["ingest", str(reports)],
            ["run"],
            ["export", "assignments", "-o", str(target)],
        ):
            command = [sys.executable, "-c", TRIAGE, *arguments]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, str(scorer), str(labels), str(target)], check=True)


if __name__ == "__main__":
    measure()
