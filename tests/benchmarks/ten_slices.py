"""Do themes hold while reports arrive? Labelled reports in ten slices by date, against one run.

    python -m tests.benchmarks.ten_slices [SEEDS]

Every slice is ingested, embedded and themed by the pipeline's own functions in a new database; each
text goes through the real embedding model once. A seed orders the reports of one day (dev.jsonl),
or invents all dates (train.jsonl, which has none). Mean and spread over the seeds of: reports that
were in a theme and are in another one, or in none, after a step, as a share of all reports before
it, with merged themes followed and not; the adjusted Rand index after ten slices against one run
over all, noise and unassigned reports as single groups; noise left out; themes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from flows.collect_reports import ingest
from flows.embed_reports import embed
from flows.update_themes import update
from tests.benchmarks.labelled import labelled
from triage.embedding import Embedder
from triage.store.reports import load_reports
from triage.store.themes import load_forwards
from triage.workspace import Workspace, open_workspace

SLICES = 10
SEEDS = 3
NOISE = "noise"


@dataclass(frozen=True)
class Labelled:
    """Reports as records, in the order in which they come, and the true theme of each."""

    records: Sequence[Mapping[str, Any]]
    truth: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """Figures of one seed."""

    followed: float
    worst: float
    unfollowed: float
    ari: float
    ari_at_once: float
    noise_out: float
    noise_out_at_once: float
    themes: int
    themes_at_once: int
    assigned: float
    assigned_at_once: float


def dev(seed: int) -> Labelled:
    """The labelled reports by date; the seed orders those of a day."""
    with labelled("dev_labels.csv").open(encoding="utf-8") as stream:
        truth = {row["id"]: row["theme"] for row in csv.DictReader(stream)}
    records = [json.loads(line) for line in labelled("dev.jsonl").read_text("utf-8").splitlines()]
    records.sort(key=lambda record: (record["created_at"], _draw(seed, record["id"])))
    return Labelled(records, truth)


def train(seed: int) -> Labelled:
    """The training reports at invented dates."""
    lines = labelled("train.jsonl").read_text("utf-8").splitlines()
    records = []
    for line in lines:
        record = json.loads(line)
        day = date(2026, 1, 1) + timedelta(days=int(_draw(seed, record["id"]), 16) % 300)
        records.append({**record, "created_at": f"{day}"})
    records.sort(key=lambda record: (record["created_at"], _draw(seed, record["id"])))
    return Labelled(records, {record["id"]: record["mode"] for record in records})


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()


def measure(found: Labelled) -> Outcome:
    """Feed the reports in slices and at once, and compare."""
    cuts = [round(len(found.records) * slice_ / SLICES) for slice_ in range(SLICES + 1)]
    followed, unfollowed = [], []
    with new_workspace() as workspace:
        before: dict[str, int] = {}
        for start, end in pairwise(cuts):
            feed(workspace, found.records[start:end])
            after, forwards = assignment(workspace)
            if before:
                gone = [forwards.get(t, t) != after.get(name) for name, t in before.items()]
                followed.append(sum(gone) / start)
                moved = [t != after.get(name) for name, t in before.items()]
                unfollowed.append(sum(moved) / start)
            elif start:
                followed.append(0.0)
                unfollowed.append(0.0)
            before = after
    with new_workspace() as workspace:
        feed(workspace, found.records)
        at_once, _ = assignment(workspace)
    return Outcome(
        followed=float(np.mean(followed)),
        worst=max(followed),
        unfollowed=float(np.mean(unfollowed)),
        ari=rand_index(found.truth, before),
        ari_at_once=rand_index(found.truth, at_once),
        noise_out=noise_out(found.truth, before),
        noise_out_at_once=noise_out(found.truth, at_once),
        themes=len(set(before.values())),
        themes_at_once=len(set(at_once.values())),
        assigned=len(before) / len(found.truth),
        assigned_at_once=len(at_once) / len(found.truth),
    )


@contextmanager
def new_workspace() -> Iterator[Workspace]:
    """An installation of its own with the default configuration, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="triage-slices-", ignore_cleanup_errors=True) as home:
        for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
            if name != "TRIAGE_BENCHMARK_DATA":
                del os.environ[name]
        os.environ["TRIAGE_HOME"] = home
        with open_workspace() as workspace:
            yield workspace


def feed(workspace: Workspace, records: Sequence[Mapping[str, Any]]) -> None:
    """Ingest, embed and theme some reports."""
    path = workspace.settings.home / "slice.jsonl"
    kept = ("id", "created_at", "source", "title", "body", "model", "environment", "language")
    lines = [json.dumps({name: record.get(name) for name in kept}) for record in records]
    path.write_text("\n".join(lines), "utf-8")
    ingest(workspace, path)
    embed(workspace)
    update(workspace)


def assignment(workspace: Workspace) -> tuple[dict[str, int], dict[int, int]]:
    """The theme of every report that is in one, and the survivors of absorbed themes."""
    with workspace.database.session() as session:
        reports, forwards = load_reports(session), load_forwards(session)
    return {r.external_id: r.theme_id for r in reports if r.theme_id is not None}, forwards


def rand_index(truth: Mapping[str, str], themes: Mapping[str, int]) -> float:
    """Adjusted Rand index; each noise and each unassigned report is a group of its own."""
    names = sorted(truth)
    true = [f"{NOISE}:{name}" if truth[name] == NOISE else truth[name] for name in names]
    found = [f"T{themes[name]}" if name in themes else f"none:{name}" for name in names]
    return float(adjusted_rand_score(true, found))


def noise_out(truth: Mapping[str, str], themes: Mapping[str, int]) -> float:
    """Share of noise that is in no theme; not a number where there is no noise."""
    noise = [name for name, theme in truth.items() if theme == NOISE]
    return sum(name not in themes for name in noise) / len(noise) if noise else float("nan")


def embed_each_text_once() -> None:
    """Remember the vector of every text, since the same reports are fed many times."""
    known: dict[str, NDArray[np.float32]] = {}
    encode_parts = Embedder.encode_parts

    def remembering(
        self: Embedder, texts: Sequence[str], **options: Any
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        for places, vectors in encode_parts(self, new, **options):
            known.update((new[place], row) for place, row in zip(places, vectors, strict=True))
        if texts:
            yield list(range(len(texts))), np.stack([known[text] for text in texts])

    Embedder.encode_parts = remembering  # type: ignore[method-assign]


def show(name: str, outcomes: Sequence[Outcome]) -> None:
    """Print mean and spread of every figure."""

    def figure(values: Sequence[float]) -> str:
        return f"{np.mean(values):.3f} ± {np.std(values):.3f}"

    print(f"{name}, {len(outcomes)} seeds, {SLICES} slices, {datetime.now(UTC):%Y-%m-%d}")
    print(f"  reports whose theme changes, a step    {figure([o.followed for o in outcomes])}")
    print(f"  the same in the worst step             {figure([o.worst for o in outcomes])}")
    print(f"  the same, merges not followed          {figure([o.unfollowed for o in outcomes])}")
    print(f"  ARI after ten slices                   {figure([o.ari for o in outcomes])}")
    print(f"  ARI of one run over all                {figure([o.ari_at_once for o in outcomes])}")
    shares = [o.ari / o.ari_at_once for o in outcomes]
    print(f"  the first over the second              {figure(shares)}")
    for what, first, second in (
        ("noise left out", "noise_out", "noise_out_at_once"),
        ("themes", "themes", "themes_at_once"),
        ("reports in a theme", "assigned", "assigned_at_once"),
    ):
        sliced = figure([getattr(o, first) for o in outcomes])
        at_once = figure([getattr(o, second) for o in outcomes])
        print(f"  {what:22} slices / at once  {sliced}  /  {at_once}")
    print(flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    embed_each_text_once()
    for name, load in (("dev.jsonl", dev), ("train.jsonl", train)):
        show(name, [measure(load(seed)) for seed in range(count)])
