"""Our causal forest behind the protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.causal import CausalForest
from whoworks.forests.importance import COUNTED_DEPTH
from whoworks.forests.protocol import Codes, Fitted, Inputs
from whoworks.forests.table import Table, refuse_identifiers

Vector = NDArray[np.float64]

BRIEF_TREES = 200  # the most of a brief forest


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestEngine:
    """`CausalForest` on residuals: whole clusters in bags and honest parts, missing values as they are."""

    n_estimators: int
    max_depth: int | None = None
    name: str = "causal forest by whole clusters"
    ignores: tuple[str, ...] = ()
    repeats: int = 10
    fewest_clusters: int = 4

    @property
    def brief(self) -> ForestEngine:
        """Half the trees, 200 at most, and no deeper than the levels that importance counts."""
        return replace(self, n_estimators=min(self.n_estimators // 2, BRIEF_TREES), max_depth=COUNTED_DEPTH)

    def fit(self, inputs: Inputs, *, rows: Codes, seed: int) -> Fitted:
        """Learn from the units at `rows`; a feature that names the clusters, of all units, is refused."""
        refuse_identifiers(inputs.features, inputs.cluster, inputs.cluster, "cluster")
        forest = CausalForest(n_estimators=self.n_estimators, max_depth=self.max_depth, random_state=seed)
        forest.fit(
            inputs.features.take(rows), inputs.y_residual[rows], (inputs.z_residual[rows] > 0).astype(np.int64),
            cluster=inputs.cluster[rows], propensity=0.5, block=inputs.block[rows],
            prognosis=np.zeros(len(rows)), sample_weight=inputs.weights[rows],
        )  # fmt: skip
        return _ForestFit(forest=forest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ForestFit:
    forest: CausalForest

    @property
    def importance(self) -> Vector:
        return np.asarray(self.forest.feature_importances_, dtype=np.float64)

    def predict(self, features: Table) -> Vector:
        return np.asarray(self.forest.predict(features), dtype=np.float64).ravel()
