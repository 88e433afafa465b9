"""The smallest difference a design could have detected."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit


def minimum_detectable(
    *, std_error: ArrayLike, df: ArrayLike, alpha: float = 0.05, power: float = 0.80
) -> NDArray[np.float64]:
    """Return the true difference that a two-sided test detects with the given power.

    ``(t_{1 - alpha/2, df} + t_{power, df}) std_error``, in the unit of
    `std_error` (Bloom 1995, Evaluation Review 19; as in PowerUp!). NaN where
    there is no degree of freedom.
    """
    df = np.asarray(df, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        factor = stdtrit(df, 1 - alpha / 2) + stdtrit(df, power)
    return np.asarray(factor * np.asarray(std_error, dtype=np.float64))
