"""Ridge regression with its penalty chosen on left-out clusters, from sums of squares and products alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

PENALTIES = np.logspace(-2, 4, 13)
PLAIN_PENALTY = 1.0  # where clusters are too few to choose one


def ridge_slopes(*, x: Vector, y: Vector, parts: Sequence[Codes]) -> Vector:
    """Return ridge slopes without a constant, their penalty the best on average over left-out parts.

    Parameters
    ----------
    x, y : (n, p) standardised columns and (n,) outcome
    parts : positions of the units of each part, left out in turn; with none, the penalty is 1

    The penalty has the highest mean over parts of R-squared, the smallest such
    penalty where several do. Hastie, Tibshirani & Friedman (2009), sections 3.4 and 7.10.
    """
    if not len(parts):
        return np.asarray(_path(x.T @ x, x.T @ y, np.array([PLAIN_PENALTY]))[0], dtype=np.float64)
    gram = np.array([x[part].T @ x[part] for part in parts])
    pull = np.array([x[part].T @ y[part] for part in parts])
    whole = (gram.sum(axis=0), pull.sum(axis=0))
    gained = np.zeros(len(PENALTIES))
    for part, own_gram, own_pull in zip(parts, gram, pull, strict=True):
        away = y[part] - y[part].mean()
        slopes = _path(whole[0] - own_gram, whole[1] - own_pull, PENALTIES)
        error = y[part] @ y[part] - 2 * slopes @ own_pull + np.einsum("ai,ij,aj->a", slopes, own_gram, slopes)
        gained += -error / (away @ away) if away @ away > 0 else 0.0
    return np.asarray(_path(*whole, PENALTIES)[int(np.argmax(gained))], dtype=np.float64)


def _path(gram: Vector, pull: Vector, penalties: Vector) -> Vector:
    """Return the slopes at every penalty, (penalties, p)."""
    value, vector = np.linalg.eigh(gram)
    turned = vector.T @ pull
    return np.asarray((turned / (np.maximum(value, 0.0) + penalties[:, None])) @ vector.T, dtype=np.float64)
