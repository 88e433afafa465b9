"""What every engine of predicted effects takes and hands back; predictions rank and describe, and claim nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.forests.table import Table

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

USE = ("moderator", "share", "noise_median", "noise_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What predicted effects are learned from, one entry per analysed unit.

    features : n rows of p features, all measured before assignment
    y_residual : (n,) y - m(x), rounded so that reruns agree to the last bit
    z_residual : (n,) z - 1/2: under the weights either arm has probability one half
    weights : (n,) the inverse of the known probability of the arm assigned
    cluster, block, arm : (n,) codes of the design; arm is 0 for control
    learn : (n,) the units to learn from: those of the two arms compared
    """

    features: Table
    y_residual: Vector
    z_residual: Vector
    weights: Vector
    cluster: Codes
    block: Codes
    arm: Codes
    learn: NDArray[np.bool_]


class Fitted(Protocol):
    """A fitted engine."""

    @property
    def importance(self) -> Vector:
        """(p,) shares in [0, 1] of the features in the predictions; they rank, and cause nothing."""
        ...

    def predict(self, features: Table) -> Vector:
        """Return predicted effects in the outcome's units."""
        ...


class Engine(Protocol):
    """Anything that learns effects from some clusters and predicts others.

    name : in plain words, for the method box
    ignores : what it leaves out of account, one sentence each
    repeats : how many times a sequence of fits over folds is affordable
    fewest_clusters : in each arm, without which it cannot learn
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def ignores(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def repeats(self) -> int: ...  # noqa: D102

    @property
    def fewest_clusters(self) -> int: ...  # noqa: D102

    @property
    def brief(self) -> Engine:
        """The engine made quick: enough to tell how much each feature is used, and no more."""
        ...

    def fit(self, inputs: Inputs, *, rows: Codes, seed: int) -> Fitted:
        """Learn from the units at `rows`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predicted effects by models that never saw the unit's cluster.

    tau : (n,) predicted effect of each unit, in the outcome's units
    fold : (n,) which fold's rule predicted it
    forward : (repeats, n) predictions from the folds before the unit's own, NaN where these are too few to learn from
    forward_fold : (repeats, n) the folds of each repeat
    engine, ignores : of the engine; among what it leaves out of account, features that name the blocks
    importance : columns moderator, share, noise_median and noise_high, largest share first, as `compare_with_noise`
        returns them; empty where nobody asked
    """

    tau: Vector
    fold: Codes
    forward: Vector
    forward_fold: Codes
    engine: str
    ignores: tuple[str, ...]
    importance: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(USE)))
