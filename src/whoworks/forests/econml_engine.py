"""EconML's causal forest behind the protocol: on known propensities, and only through folds of whole clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.encoding import centres, encode
from whoworks.forests.importance import COUNTED_DEPTH
from whoworks.forests.protocol import Codes, Fitted, Inputs
from whoworks.forests.table import Table

Vector = NDArray[np.float64]

TREES = 500
BRIEF_TREES = 100
SMALLEST_LEAF = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EconmlEngine:
    """`econml.grf.CausalForest` on residuals of the outcome and of the known assignment."""

    n_estimators: int = TREES
    max_depth: int | None = None
    name: str = "causal forest of EconML"
    ignores: tuple[str, ...] = (
        "It splits and samples by student: classrooms are respected only by predicting each from other classrooms.",
        "It gives no uncertainty here, since its own would ignore classrooms.",
        "Missing values are filled with the mean and flagged.",
    )
    repeats: int = 4
    fewest_clusters: int = 2

    @property
    def brief(self) -> EconmlEngine:
        """Fewer and shallower trees."""
        return replace(self, n_estimators=BRIEF_TREES, max_depth=COUNTED_DEPTH)

    def fit(self, inputs: Inputs, *, rows: Codes, seed: int) -> Fitted:
        """Learn from the units at `rows`."""
        from econml.grf import CausalForest

        features = inputs.features.take(rows)
        centre = centres(features)
        columns, source = encode(features, centre=centre)
        forest = CausalForest(
            n_estimators=self.n_estimators, max_depth=self.max_depth, min_samples_leaf=SMALLEST_LEAF, max_samples=0.4,
            honest=True, inference=False, subforest_size=4, n_jobs=1, random_state=seed % 2**31,
        )  # fmt: skip
        forest.fit(columns, inputs.z_residual[rows], inputs.y_residual[rows], sample_weight=inputs.weights[rows])
        return _EconmlFit(forest=forest, centre=centre, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _EconmlFit:
    forest: Any
    centre: Vector
    source: Codes

    @property
    def importance(self) -> Vector:
        return np.asarray(np.bincount(self.source, self.forest.feature_importances_), dtype=np.float64)

    def predict(self, features: Table) -> Vector:
        columns, _ = encode(features, centre=self.centre)
        return np.asarray(self.forest.predict(columns), dtype=np.float64).ravel()
