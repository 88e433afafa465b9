"""The outcome's level in a block, midway between what a constant effect makes of its two arms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


def block_level(rest: Vector, block: Codes, *, z: Vector, weights: Vector) -> Vector:
    """Return each unit's block mean of ``rest - t z``, t the average effect over blocks, (n,).

    Which of a block's units are treated moves the block's difference between arms and, were the effect t for all,
    never this mean. The mean of the two arms' means would move: where one cluster of four is treated, half of it is
    that cluster's, and what it leaves over in the others is taken for an effect of the block.

    Parameters
    ----------
    rest : (n,) outcome less prognosis
    z : (n,) 1/2 where treated, -1/2 where control
    weights : (n,) inverse of the probability of the own arm; 0 for units that do not count
    """
    code = np.unique(block, return_inverse=True)[1]
    counted = weights > 0
    size = np.bincount(code, counted)
    apart = _means(rest, code, weights * (z > 0)) - _means(rest, code, weights * (z < 0))
    both = ~np.isnan(apart)
    average = float(np.average(apart[both], weights=size[both])) if both.any() else 0.0
    level = np.bincount(code, np.where(counted, rest - average * z, 0.0)) / np.maximum(size, 1)
    return np.asarray(level[code], dtype=np.float64)


def _means(values: Vector, code: Codes, weights: Vector) -> Vector:
    """Return the weighted mean of each code; NaN where there is no weight."""
    total = np.bincount(code, weights)
    return np.asarray(np.bincount(code, weights * values) / np.where(total > 0, total, np.nan))
