"""How good are themes, verdicts and capabilities? The whole pipeline against labelled reports.

    python -m tests.benchmarks.quality [--llm] [--seeds N] [--json]

Ingests the labelled reports into a new home, runs everything dry, and scores the assignments; with
``--llm`` a small server replays the answers that were recorded for these reports. The same reports
and the same ``policy.seed`` give the same figures; several seeds are shown as mean and spread.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.benchmarks.gated import read_gate_figures
from tests.benchmarks.labelled import labelled
from tests.integration.llm.replay import recorded, replay

TRIAGE = "from triage.cli import main; main()"


def measure(*, with_llm: bool, seed: int = 0) -> dict[str, Any]:
    """What ``score.py`` and the gate say of a fresh run."""
    reports, labels, scorer = (labelled(n) for n in ("dev.jsonl", "dev_labels.csv", "score.py"))
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="triage-quality-")))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        environment["TRIAGE_HOME"] = str(home)
        environment["TRIAGE_CONFIG"] = str(_with_seed(home / "triage.yaml", seed))
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
        return {**json.loads(scored), **read_gate_figures(labels, core, themes)}


def _with_seed(path: Path, seed: int) -> Path:
    """The built-in configuration with another seed."""
    built_in = files("triage.config").joinpath("default.yaml").read_text("utf-8")
    changed = re.sub(r"(?m)^  seed: 0\b", f"  seed: {seed}", built_in)
    if seed and changed == built_in:
        raise SystemExit("The built-in configuration has no `seed: 0` to replace.")
    path.write_text(changed, "utf-8")
    return path


def main() -> None:
    """Print the figures, one a line or as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--llm", action="store_true", help="replay the recorded answers")
    parser.add_argument("--seeds", type=int, default=1, help="run once for each of 0, 1, 2 …")
    parser.add_argument("--json", action="store_true", help="print JSON, a list for several seeds")
    options = parser.parse_args()
    found = [measure(with_llm=options.llm, seed=seed) for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(found if len(found) > 1 else found[0]))
        return
    for name in found[0]:
        values = [figures[name] for figures in found]
        spread = f" ± {statistics.pstdev(values):.3f}" if len(values) > 1 else ""
        print(f"{name:24} {statistics.mean(values):.3f}{spread}")


if __name__ == "__main__":
    main()
