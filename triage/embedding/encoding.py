"""What every backend offers, and the texts by which one is compared with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# A backend whose vectors are less like float32's than this, on any check, is not used.
LEAST_COSINE = 0.999
# Short and long, empty, padded with blanks, over the limit of any model, not in English, code.
CHECKS = (
    "The answer stops in the middle of a sentence.",
    "",
    "  It says that the tests pass, yet it never ran them.\n",
    "模型一直重复同一句话",
    "TypeError: cannot read property 'length' of undefined at parse (stream.js:12:7)",
    "The second tool call loses the arguments of the first, so the agent guesses them. " * 200,
    "slow",
)


class Encoder(Protocol):
    """A model, loaded and ready."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def description(self) -> str:
        """By what it runs, in which precision."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of a few hundred texts in their order: (n, dimensions) float32, any length."""
        ...


def least_cosine(one: Floats, other: Floats) -> float:
    """The lowest cosine similarity between rows of the same place; 0 where one is no number."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines = np.einsum("ij,ij->i", one, other) / np.maximum(lengths, 1e-12)
    return float(np.nan_to_num(cosines, nan=0.0).min(initial=1.0))
