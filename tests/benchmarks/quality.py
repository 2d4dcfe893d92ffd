"""How good are themes, verdicts and capabilities? The whole pipeline against labelled reports.

    python -m tests.benchmarks.quality [--llm] [--json]

Ingests the labelled reports into a new home, runs everything dry, and scores the assignments; with
``--llm`` a small server replays the answers that were recorded for these reports. There is no
randomness in it: the same reports give the same figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.gated import read_gate_figures
from tests.benchmarks.labelled import labelled
from tests.integration.llm.replay import recorded, replay

TRIAGE = "from triage.cli import main; main()"


def measure(*, with_llm: bool) -> dict[str, Any]:
    """What ``score.py`` and the gate say of a fresh run."""
    reports, labels, scorer = (labelled(n) for n in ("dev.jsonl", "dev_labels.csv", "score.py"))
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="triage-quality-")))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        environment["TRIAGE_HOME"] = str(home)
        if with_llm:
            script = recorded(reports, labelled("dev_distilled.jsonl"))
            environment["TRIAGE_LLM_BASE_URL"] = stack.enter_context(replay(script))
            environment["TRIAGE_LLM_MODEL"] = "recorded"
        target, themes = home / "assignments.csv", home / "themes.json"
        core = home / "core.csv"
        for arguments, output in (
            (["ingest", str(reports)], os.devnull),
            (["run"], os.devnull),
            (["export", "assignments", "-o", str(target)], os.devnull),
            (["export", "assignments", "--core", "-o", str(core)], os.devnull),
            (["themes", "--json"], str(themes)),
        ):
            command = [sys.executable, "-c", TRIAGE, *arguments]
            with open(output, "w", encoding="utf-8") as stream:
                subprocess.run(command, env=environment, check=True, stdout=stream)
        command = [sys.executable, str(scorer), str(labels), str(target), "--json"]
        scored = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(scored) | read_gate_figures(labels, core, themes)


def main() -> None:
    """Print the figures, one a line or as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--llm", action="store_true", help="replay the recorded answers")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    figures = measure(with_llm=options.llm)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:.3f}" if isinstance(value, float) else f"{name:24} {value}")


if __name__ == "__main__":
    main()
