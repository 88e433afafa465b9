"""A ridge R-learner behind the protocol: where clusters are too few for a forest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.encoding import centres, encode
from whoworks.forests.protocol import Codes, Fitted, Inputs
from whoworks.forests.shrinkage import shrunken_slopes
from whoworks.forests.table import Table

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeEngine:
    """Regress y - m(x) on (z - e) (a + x b), each slope shrunk by how noisy its clusters say it is.

    Nie & Wager (2021), Biometrika 108, eq. 4 with a linear effect; the shrinkage
    is that of `shrunken_slopes`.
    """

    name: str = "ridge regression of effects on moderators"
    ignores: tuple[str, ...] = ("It sees straight lines only: no bends and no combinations of moderators.",)
    repeats: int = 20
    fewest_clusters: int = 2

    @property
    def brief(self) -> RidgeEngine:
        """Itself: it is quick as it is."""
        return self

    def fit(self, inputs: Inputs, *, rows: Codes, seed: int) -> Fitted:
        """Learn from the units at `rows`; `seed` changes nothing."""
        features = inputs.features.take(rows)
        centre = centres(features)
        columns, source = encode(features, centre=centre)
        mean, spread = columns.mean(axis=0), columns.std(axis=0)
        spread[spread < 1e-12] = np.inf
        scaled = (columns - mean) / spread
        weights, z, y = inputs.weights[rows], inputs.z_residual[rows], inputs.y_residual[rows]
        level = float((weights * z) @ y / ((weights * z) @ z))
        aim = (weights * z * (y - level * z))[:, None] * scaled
        cluster = np.unique(inputs.cluster[rows], return_inverse=True)[1]
        sums = np.column_stack([np.bincount(cluster, column) for column in aim.T])
        gram = scaled.T @ ((weights * z * z)[:, None] * scaled)
        slopes = shrunken_slopes(gram=gram, pull=sums.sum(axis=0), noise=(sums**2).sum(axis=0))
        return _RidgeFit(level=level, slopes=slopes, mean=mean, spread=spread, centre=centre, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RidgeFit:
    level: float
    slopes: Vector
    mean: Vector
    spread: Vector
    centre: Vector
    source: Codes

    @property
    def importance(self) -> Vector:
        size = np.asarray(np.bincount(self.source, np.abs(self.slopes)), dtype=np.float64)
        total = size.sum()
        return size / total if total > 0 else size

    def predict(self, features: Table) -> Vector:
        columns, _ = encode(features, centre=self.centre)
        return np.asarray(self.level + ((columns - self.mean) / self.spread) @ self.slopes, dtype=np.float64)
