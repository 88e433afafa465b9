"""Many looks, one error rate: p-values adjusted for how many were taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Vector:
    """Return Holm's (1979) step-down adjusted p-values: the chance of any false claim stays below the level.

    NaN entries (not assessable) stay NaN and count as looks that were planned.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")  # NaN last
    steps = (len(p) - np.arange(len(p))) * p[order]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Vector:
    """Return Benjamini & Hochberg's (1995) adjusted p-values: the expected false share stays below the level.

    NaN entries stay NaN and count as looks that were taken.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * (len(p) / (np.arange(len(p)) + 1))  # the factor first: .05 three times stays .05
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.fmin.accumulate(steps[::-1])[::-1], 1.0)
    adjusted[np.isnan(p)] = np.nan
    return adjusted
