"""Where the labelled reports for benchmarks lie; they are no part of the product."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATA = Path(os.environ.get("TRIAGE_BENCHMARK_DATA", Path(__file__).parents[3] / "shared"))


def labelled(name: str) -> Path:
    """A file of labelled reports; leaves with a message where the data is missing."""
    path = DATA / "feedback" / name
    if not path.exists():
        sys.exit(f"{path} is missing: set TRIAGE_BENCHMARK_DATA to the folder that holds it")
    return path
