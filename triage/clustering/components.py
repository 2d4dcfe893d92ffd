"""Principal component analysis: the few directions in which rows differ most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

DIRECTIONS = 50
# Those of more rows and columns than this are approximated, which takes half of the time. Adjusted
# Rand index of four samples each, exact and approximated: 700 utterances 0.452 and 0.450, 1,450 of
# them 0.557 both times; 700 invented reports 0.075 and 0.076, 1,450 of them 0.083 and 0.081.
EXACT = 500
POWER_ITERATIONS = 4


def principal_components(rows: Floats) -> Doubles:
    """The leading principal components of rows (n, d): (n, at most 50), up to their signs.

    Of more than 500 rows and columns by randomized SVD (Halko et al. 2011), with a fixed seed.
    ``rows`` are centred in place.
    """
    rows -= rows.mean(axis=0)
    # of the two products that share their eigenvalues, the smaller one
    is_few = len(rows) < rows.shape[1]
    product = rows @ rows.T if is_few else rows.T @ rows
    values, vectors = (_approximated if len(product) > EXACT else _exact)(product)
    if is_few:
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)
    return np.asarray(rows @ vectors.astype(np.float32), dtype=np.float64)


def _exact(product: Floats) -> tuple[Any, Any]:
    """The largest eigenvalues (k,) of a product (m, m), and their vectors (m, k)."""
    from scipy.linalg import eigh

    side = len(product)
    wanted = (max(side - DIRECTIONS, 0), side - 1)
    values, vectors = eigh(product.astype(np.float64), subset_by_index=wanted)
    return values, vectors


def _approximated(product: Floats) -> tuple[Any, Any]:
    """As ``_exact``; the singular values of such a product are its eigenvalues."""
    from sklearn.utils.extmath import randomized_svd

    vectors, values, _ = randomized_svd(
        product, DIRECTIONS, n_iter=POWER_ITERATIONS, random_state=0
    )
    return values, vectors
