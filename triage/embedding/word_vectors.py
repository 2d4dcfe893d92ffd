"""A second witness for an LLM's phrases: the mean of their words' vectors, from another model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from triage.embedding.source import PACKAGED_MODEL, ModelSource
from triage.errors import EmbeddingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]
PACKAGED_WORDS = Path(__file__).parent / "words-1.safetensors"
FORMAT = "1"
_REMEDY = "Make it with `triage train-words`, or unset TRIAGE_WORD_VECTORS for the shipped one."


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Vectors of the packaged model's tokens: ``vectors`` int8 (t, d) times ``scales`` (t, 1)."""

    vectors: NDArray[np.int8]
    scales: Floats

    def mean(self, texts: Sequence[str]) -> Floats:
        """The mean vector of each text's tokens: (n, d), zeros where there is none.

        It is blind to order and context, and so errs on other texts than a transformer does.
        """
        from scipy.sparse import csr_array

        encoded = word_tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)
        tokens = np.array([each for one in encoded for each in one.ids], dtype=np.int64)
        ends = np.r_[0, np.cumsum([len(one) for one in encoded], dtype=np.int64)]
        used, columns = np.unique(tokens, return_inverse=True)
        shares = np.repeat(1 / np.maximum(np.diff(ends), 1), np.diff(ends)).astype(np.float32)
        counts = csr_array((shares, columns, ends), shape=(len(texts), len(used)))
        return np.asarray(counts @ (self.vectors[used] * self.scales[used]), dtype=np.float32)


def word_tokenizer() -> Tokenizer:
    """The packaged model's tokenizer, without limit or padding."""
    from tokenizers import Tokenizer

    folder = ModelSource(PACKAGED_MODEL, None).folder
    assert folder is not None  # the packaged model is a folder
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def load_words(path: Path | None) -> WordVectors:
    """Word vectors from a file, or the shipped ones.

    Raises ``EmbeddingError`` for a file that is missing, broken or too old.
    """
    from safetensors import SafetensorError, safe_open

    path = path or PACKAGED_WORDS
    attempted = f"Loading the word vectors {path}"
    try:
        with safe_open(path, framework="numpy") as stored:
            form = (stored.metadata() or {}).get("format")
            vectors, scales = stored.get_tensor("vectors"), stored.get_tensor("scales")
    except (OSError, SafetensorError) as error:
        raise EmbeddingError(attempted, str(error).partition("\n")[0], _REMEDY) from error
    size = word_tokenizer().get_vocab_size()
    if form != FORMAT or vectors.dtype != np.int8 or scales.shape != (size, 1):
        problem = f"it does not hold format {FORMAT} for the {size} tokens of {PACKAGED_MODEL}"
        raise EmbeddingError(attempted, problem, _REMEDY)
    if vectors.shape[0] != size or not np.isfinite(scales).all():
        raise EmbeddingError(attempted, "its numbers are broken", _REMEDY)
    return WordVectors(vectors, scales.astype(np.float32))
