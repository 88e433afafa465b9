"""What every engine of predicted effects hands back: predictions by models that never saw the unit's cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predicted effects, which rank, group and describe, and carry no claim.

    tau : (n,) predicted effect of each unit, in the outcome's units, from models that never saw its cluster
    fold : (n,) which fold's rule predicted it (zeros where the prediction is out of bag)
    engine : the engine's name in plain words
    ignores : what this engine leaves out of account, one sentence each
    importance : one row per moderator with a share in [0, 1]; ranks, never causes
    """

    tau: Vector
    fold: Codes
    engine: str
    ignores: tuple[str, ...]
    importance: pd.DataFrame


class Engine(Protocol):
    """Anything that predicts effects from features, residuals and clusters."""

    def predict_left_out(
        self, *, features: pd.DataFrame, y_residual: Vector, z_residual: Vector, cluster: Codes, fold: Codes
    ) -> Predictions:
        """Predict each unit from models that never saw its cluster.

        features : (n, p) numbers and categoricals, missing allowed
        y_residual, z_residual : (n,) y - m(x) and z - e, rounded to 1e-10
        cluster, fold : (n,) codes; folds hold whole clusters
        """
        ...
