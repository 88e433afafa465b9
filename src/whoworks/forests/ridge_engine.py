"""A ridge R-learner behind the protocol: where clusters are too few for a forest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.forests.encoding import centres, encode
from whoworks.forests.protocol import Codes, Fitted, Inputs

Vector = NDArray[np.float64]

PENALTIES = np.logspace(-1, 4, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeEngine:
    """Regress y - m(x) on (z - e) (a + x b), b shrunk, its penalty chosen by generalised cross-validation.

    Nie & Wager (2021), Biometrika 108, eq. 4 with a linear effect; Golub, Heath
    & Wahba (1979) for the penalty.
    """

    name: str = "ridge regression of effects on moderators"
    ignores: tuple[str, ...] = ("It sees straight lines only: no bends and no combinations of moderators.",)
    repeats: int = 20

    def fit(self, inputs: Inputs, *, rows: Codes, seed: int) -> Fitted:
        """Learn from the units at `rows`; `seed` changes nothing."""
        centre = centres(inputs.features.iloc[rows])
        columns, source = encode(inputs.features.iloc[rows], centre=centre)
        mean, spread = columns.mean(axis=0), columns.std(axis=0)
        spread[spread < 1e-12] = np.inf
        root = np.sqrt(inputs.weights[rows])
        z, y = root * inputs.z_residual[rows], root * inputs.y_residual[rows]
        scaled = z[:, None] * ((columns - mean) / spread)
        average = float(z @ y / (z @ z))
        slopes = _shrunken(scaled - np.outer(z, z @ scaled / (z @ z)), y - average * z)
        level = average - float(z @ (scaled @ slopes) / (z @ z))
        return _RidgeFit(level=level, slopes=slopes, mean=mean, spread=spread, centre=centre, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RidgeFit:
    level: float
    slopes: Vector
    mean: Vector
    spread: Vector
    centre: pd.Series[float]
    source: Codes

    @property
    def importance(self) -> Vector:
        size = np.asarray(np.bincount(self.source, np.abs(self.slopes)), dtype=np.float64)
        total = size.sum()
        return size / total if total > 0 else size

    def predict(self, features: pd.DataFrame) -> Vector:
        columns, _ = encode(features, centre=self.centre)
        return np.asarray(self.level + ((columns - self.mean) / self.spread) @ self.slopes, dtype=np.float64)


def _shrunken(x: Vector, y: Vector) -> Vector:
    """Return ridge coefficients with the penalty that minimises generalised cross-validation."""
    left, value, right = np.linalg.svd(x, full_matrices=False)
    aim = left.T @ y
    outside = float(y @ y - aim @ aim)
    best, chosen = np.inf, PENALTIES[-1]
    for penalty in PENALTIES:
        kept = value**2 / (value**2 + penalty)
        risk = (outside + float(((1 - kept) * aim) @ ((1 - kept) * aim))) / (len(y) - kept.sum()) ** 2
        if risk < best:
            best, chosen = risk, penalty
    return np.asarray(right.T @ (value / (value**2 + chosen) * aim), dtype=np.float64)
