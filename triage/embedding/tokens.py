"""Texts to batches of tokens: each text is tokenised once, little is padding, memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Integers = NDArray[np.int64]
# What a transformer may be fed with, in the order in which a converted one takes it.
FEATURES = ("input_ids", "attention_mask", "token_type_ids")
# Of a batch, padding included. A larger one leaves the processor's caches: 32 texts of 256 tokens
# took a tenth longer than 8.
TOKENS_PER_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Batch:
    """``rows`` are places among the texts; each feature is int64 of shape (rows, tokens)."""

    rows: list[int]
    features: Mapping[str, Integers]


class FastTokenizer:
    """A tokenizer of the library ``tokenizers`` with the model's limit and padding."""

    def __init__(
        self, tokenizer: Tokenizer, *, inputs: Sequence[str], max_tokens: int, padding: int
    ) -> None:
        self.tokenizer = tokenizer
        self.inputs = tuple(name for name in FEATURES if name in inputs)
        self.max_tokens = max_tokens
        self.padding = padding
        tokenizer.enable_truncation(max_tokens)
        tokenizer.no_padding()

    def batches(
        self, texts: Sequence[str], *, tokens_per_batch: int = TOKENS_PER_BATCH
    ) -> Iterator[Batch]:
        """All texts, longest first, as many to a batch as the budget of tokens allows."""
        encoded = self.tokenizer.encode_batch_fast(list(texts))
        lengths = [len(encoding) for encoding in encoded]
        order = sorted(range(len(texts)), key=lambda row: -lengths[row])
        start = 0
        while start < len(order):
            width = max(1, lengths[order[start]])
            rows = order[start : start + max(1, tokens_per_batch // width)]
            yield Batch(rows, self._padded([encoded[row] for row in rows], width))
            start += len(rows)

    def _padded(self, encoded: Sequence[Any], width: int) -> dict[str, Integers]:
        shape = (len(encoded), width)
        features = {name: np.zeros(shape, dtype=np.int64) for name in self.inputs}
        features["input_ids"][:] = self.padding
        for row, encoding in enumerate(encoded):
            count = len(encoding)
            features["input_ids"][row, :count] = encoding.ids
            features["attention_mask"][row, :count] = 1
            if "token_type_ids" in features:
                features["token_type_ids"][row, :count] = encoding.type_ids
        return features
