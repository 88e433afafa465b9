"""Restricted cubic splines: bent between their knots, straight beyond them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spline_knots(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return four knots at the 5th, 35th, 65th and 95th percentiles (Harrell 2015, table 2.3), without ties."""
    return np.unique(np.quantile(values, [0.05, 0.35, 0.65, 0.95]))


def restricted_cubic_spline(x: NDArray[np.float64], *, knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the curved part of a cubic spline that is straight beyond its outer knots.

    (n, K - 2) columns for K knots, to stand beside x itself; no columns with
    fewer than three knots. Harrell (2015), Regression Modeling Strategies, eq. 2.25.
    """
    if len(knots) < 3:
        return np.zeros((len(x), 0))
    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2

    def cubed(knot: float) -> NDArray[np.float64]:
        return np.maximum(x - knot, 0) ** 3

    columns = [
        cubed(t) - cubed(before) * (last - t) / (last - before) + cubed(last) * (before - t) / (last - before)
        for t in knots[:-2]
    ]
    return np.asarray(np.column_stack(columns) / scale, dtype=np.float64)
