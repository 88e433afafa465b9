"""Scores: what every later question needs of each unit, once and frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One outcome and one contrast: a treatment against control, for the units whose outcome is observed.

    All arrays have one entry per analysed unit (n), in the panel's order.

    outcome, contrast : the outcome's `Variable.name`, and ("adaptive - usual") in the plan's arm codes
    rows : (n,) positions in `Panel.units`
    y : (n,) outcome, in its own units (0/1 for a binary outcome)
    z : (n,) 1 where the contrast's treatment was assigned, else 0
    other : (n, K-1) indicators of the remaining treatments' arms (no columns in a two-arm study)
    d : (n,) take-up, 0/1, NaN where missing; None where the plan has none
    e : (n,) probability of the contrast's treatment, known by design
    own : (n,) probability of the arm the unit was assigned; the weight is its inverse
    mu0, mu1 : (n,) prognosis under control and under the treatment (equal where it is arm-blind)
    h : (n,) the prognosis centred by each fold's model over all units; None where there is none
    score : (n,) augmented inverse-propensity score of the contrast, in the units of y
    cluster, block, fold : (n,) codes
    site : (n,) codes, or None
    id : (n,) unit ids, as text
    prognosis_name : which learner was chosen ("ridge regression", "gradient boosting", "none")
    share_explained : share of the outcome's left-out variance that h removes (0 where there is none)
    divided_by : (n,) codes of the clusters by whose means h is divided, where `cluster` counts larger units; else None
    """

    outcome: str
    contrast: str
    rows: Codes
    y: Vector
    z: Vector
    other: Vector
    d: Vector | None
    e: Vector
    own: Vector
    mu0: Vector
    mu1: Vector
    h: Vector | None
    score: Vector
    cluster: Codes
    block: Codes
    site: Codes | None
    fold: Codes
    id: NDArray[np.object_]
    prognosis_name: str
    share_explained: float
    divided_by: Codes | None = None

    @property
    def has_folds(self) -> bool:
        """Whether clusters were divided, some to learn from and others to predict."""
        return bool(self.fold.max(initial=0) > 0)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per analysed unit, without the columns that have several values (a copy)."""
        named = {name: getattr(self, name) for name in ("id", "y", "z", "d", "e", "mu0", "mu1", "h", "score")}
        named |= {name: getattr(self, name) for name in ("cluster", "block", "site", "fold")}
        return pd.DataFrame({name: value for name, value in named.items() if value is not None})
