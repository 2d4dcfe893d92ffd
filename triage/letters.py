"""Letters in groups: what a text is written in, in every language and without a word list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse

Sparse = Any  # scipy names no type of its own for a row-compressed matrix


def count_letters(texts: Sequence[str], sizes: tuple[int, int], buckets: int) -> Sparse:
    """Hashed counts of groups of so many letters within words: sparse float64 (n, buckets).

    The same numbers as scikit-learn's ``HashingVectorizer`` gives with ``char_wb``, which looks at
    every word of every text. Groups never span words, so here each distinct word is looked at once:
    texts by their words, times words by their letters.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    words: dict[str, int] = {}
    places: list[int] = []
    ends = [0]
    for text in texts:
        places.extend(words.setdefault(word, len(words)) for word in text.lower().split())
        ends.append(len(places))
    if not words:
        return sparse.csr_matrix((len(texts), buckets), dtype=np.float64)
    counter = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=sizes,
        n_features=buckets,
        lowercase=False,
        alternate_sign=False,
        norm=None,
    )
    of_texts = sparse.csr_matrix((np.ones(len(places)), places, ends), (len(texts), len(words)))
    counts = of_texts @ counter.transform(list(words))
    counts.sort_indices()
    return counts
