"""Other people's tools for the same job, run in a process of their own and timed there.

They are no part of the product: `pip install -e '.[bench]'`, or name an interpreter that has them
in TRIAGE_BENCHMARK_PEERS. A benchmark says so where they are missing, and goes on without.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PYTHON = os.environ.get("TRIAGE_BENCHMARK_PEERS", sys.executable)

# Each reads its arguments, does its work and prints a JSON object as its last line.
BERTOPIC = """
import json, sys
import numpy as np
from bertopic import BERTopic
from sentence_transformers import SentenceTransformer
texts = json.load(open(sys.argv[1]))
topics, _ = BERTopic(embedding_model=SentenceTransformer(sys.argv[2])).fit_transform(texts)
print(json.dumps({"labels": [int(topic) for topic in topics]}))
"""
UMAP_HDBSCAN = """
import json, sys, time
import numpy as np
import hdbscan, umap
vectors = np.load(sys.argv[1])
def fit(rows):
    reducer = umap.UMAP(n_components=5, n_neighbors=15, min_dist=0.0, metric="cosine")
    return hdbscan.HDBSCAN(min_cluster_size=15).fit_predict(reducer.fit_transform(rows))
fit(vectors[:1000])  # compiles
began = time.perf_counter()
labels = fit(vectors)
seconds = time.perf_counter() - began
print(json.dumps({"labels": labels.tolist(), "inside": seconds}))
"""
EVOC = """
import json, sys, time
import numpy as np
import evoc
vectors = np.load(sys.argv[1])
evoc.EVoC().fit_predict(vectors[:1000])  # compiles
began = time.perf_counter()
labels = evoc.EVoC().fit_predict(vectors)
seconds = time.perf_counter() - began
print(json.dumps({"labels": labels.tolist(), "inside": seconds}))
"""


def run_peer(name: str, code: str, *arguments: Path | str) -> dict[str, Any] | None:
    """What a peer printed, with ``seconds`` of its whole process; None, said aloud, without it."""
    began = time.perf_counter()
    command = [PYTHON, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        reason = done.stderr.decode().strip().splitlines()[-1:]
        print(f"{name} could not run ({' '.join(reason)}): pip install -e '.[bench]', or set")
        print("TRIAGE_BENCHMARK_PEERS to an interpreter that has it")
        return None
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "seconds": seconds}
