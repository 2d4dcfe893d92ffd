"""How fast are long reports embedded, against plain sentence-transformers, and how alike are they?

    python -m tests.benchmarks.embedding_speed [TEXTS]

Both embed the same texts of 256 tokens or more, with the same weights, in turn, a slice at a time,
so that a machine whose speed changes does so for both. Loading, and converting the model once, is
left out and printed apart. Plain is `SentenceTransformer(...).encode(texts)` with its defaults.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np

from tests.benchmarks.labelled import labelled
from triage.embedding import Embedder

TEXTS = 512
SLICE = 128
LEAST_CHARACTERS = 1500  # all of them then have more than 256 tokens


def long_texts(count: int) -> list[str]:
    """Labelled reports joined until each text is over the model's limit."""
    reports = [
        json.loads(line)
        for name in ("dev.jsonl", "train.jsonl")
        for line in labelled(name).read_text("utf-8").splitlines()
    ]
    stream = cycle(f"{report.get('title') or ''} {report['body']}" for report in reports)
    texts: list[str] = []
    while len(texts) < count:
        text = next(stream)
        while len(text) < LEAST_CHARACTERS:
            text = f"{text} {next(stream)}"
        texts.append(text)
    return texts


def measure(count: int) -> None:
    """Print the table."""
    texts = long_texts(count)
    with tempfile.TemporaryDirectory(prefix="triage-speed-") as cache:
        began = time.perf_counter()
        embedder = Embedder(cache=Path(cache))
        embedder.encode(texts)  # many enough to convert the model for; also warms it up
        first = time.perf_counter() - began
        began = time.perf_counter()
        Embedder(cache=Path(cache)).encode(texts[:1])
        start = time.perf_counter() - began
        plain = embedder.load_transformer()
        tokens = [len(ids) for ids in plain.tokenizer(texts, truncation=True)["input_ids"]]
        plain.encode(texts[:32])
        ours, theirs, cosines = 0.0, 0.0, []
        for part in (texts[place : place + SLICE] for place in range(0, count, SLICE)):
            began = time.perf_counter()
            expected = plain.encode(part)
            theirs += time.perf_counter() - began
            began = time.perf_counter()
            found = embedder.encode(part)
            ours += time.perf_counter() - began
            cosines.append((found * expected).sum(1) / np.linalg.norm(expected, axis=1))
    cosine = np.concatenate(cosines)
    print(f"{count} texts, {np.mean(tokens):.0f} tokens each; by {embedder.backend}")
    print(f"first use with conversion {first:.1f} s, later start to first vector {start:.1f} s")
    print(f"sentence-transformers {count / theirs:6.1f} texts/s")
    print(f"product               {count / ours:6.1f} texts/s, {theirs / ours:.2f} times as fast")
    print(f"cosine between them: mean {cosine.mean():.5f}, least {cosine.min():.5f}")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS)
