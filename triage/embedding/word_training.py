"""Distil vectors of single words from a larger sentence-transformers model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from triage.embedding.source import NO_ADAPTER, ModelSource
from triage.embedding.word_vectors import FORMAT, word_tokenizer
from triage.errors import EmbeddingError, TrainingError

# Of the teacher's directions those in which words differ most. Labelled reports with an LLM's
# phrases, their words weighing 0.4 to 0.8: adjusted Rand index with 64 0.70, with 128 0.72, with
# 256 0.73, with 384 0.73.
DIRECTIONS = 256
TOKENS_PER_BATCH = 512
REMEDY = (
    "Name a sentence-transformers model, or its folder, with BERT's vocabulary without capitals, "
    "such as all-mpnet-base-v2."
)


def distil_words(
    teacher: str, path: Path, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write the vector that ``teacher`` gives each of the packaged model's tokens alone.

    As Model2Vec does (Tulkens and van Dongen 2024): mean over the token and the marks around it,
    the mean of all taken away, the leading principal components kept; then one byte a number.
    ``teacher`` is a folder or a name on the hub; its vocabulary must be that of BERT without
    capitals, as all-mpnet-base-v2's is. ``progress`` gets the tokens done and all of them. Raises
    ``TrainingError`` for one that cannot be loaded or has another vocabulary.
    """
    from safetensors.numpy import save_file

    vocabulary = word_tokenizer().get_vocab()
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    attempted = f"Distilling words from {teacher}"
    try:
        transformer: Any = ModelSource(teacher, NO_ADAPTER).load()
    except EmbeddingError as error:
        raise TrainingError(attempted, error.problem, REMEDY) from error
    known = transformer.tokenizer.get_vocab()
    missing = [word for word in words if word not in known and not _is_mark(word)]
    if missing:
        raise TrainingError(
            attempted,
            f"it does not know {len(missing)} of {len(words)} words, such as {missing[0]!r}",
            REMEDY,
        )
    own = [known.get(word, transformer.tokenizer.unk_token_id) for word in words]
    states = _alone(transformer, own, progress)
    states -= states.mean(axis=0)
    kept = states @ np.linalg.svd(states, full_matrices=False)[2][:DIRECTIONS].T
    scales = np.maximum(np.abs(kept).max(axis=1, keepdims=True), 1e-12) / 127
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {"vectors": np.round(kept / scales).astype(np.int8), "scales": scales.astype(np.float32)},
        path,
        metadata={"format": FORMAT, "teacher": Path(teacher).name},
    )


def _is_mark(word: str) -> bool:
    """Whether a token stands for no text, such as [PAD]."""
    return word.startswith("[") and word.endswith("]") and len(word) > 2


def _alone(
    transformer: Any, tokens: list[int], progress: Callable[[int, int], None] | None
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Mean of the last states of each token between the marks of begin and end: (t, d)."""
    import torch

    network, tokenizer = transformer[0].auto_model, transformer.tokenizer
    found = []
    with torch.inference_mode():
        for start in range(0, len(tokens), TOKENS_PER_BATCH):
            part = tokens[start : start + TOKENS_PER_BATCH]
            rows = torch.tensor(
                [[tokenizer.cls_token_id, each, tokenizer.sep_token_id] for each in part]
            )
            states = network(input_ids=rows, attention_mask=torch.ones_like(rows))
            found.append(states.last_hidden_state.mean(dim=1).double().numpy())
            if progress is not None:
                progress(start + len(part), len(tokens))
    return np.concatenate(found)
