"""Predicting clusters that the model never saw: by folds for description, forward through folds for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.protocol import Codes, Engine, Inputs, Predictions
from whoworks.inference.block_level import block_level

Vector = NDArray[np.float64]
Progress = Callable[[float], None]


def predict_left_out(
    engine: Engine,
    inputs: Inputs,
    *,
    fold: Codes,
    forward_fold: Codes,
    seed: np.random.SeedSequence,
    progress: Progress = lambda share: None,
) -> Predictions:
    """Predict each unit from models that never saw its cluster.

    Parameters
    ----------
    fold : (n,) folds of whole clusters, for predictions that describe
    forward_fold : (repeats, n) further partitions; in each, fold k is predicted
        from the folds before it, so that a test of one fold does not depend on
        the data of later ones (Wager 2024; Luedtke & van der Laan 2016). Folds
        that come before enough clusters to learn from are not predicted
    progress : told the share of fits done
    """
    n_fits = int(fold.max()) + 1 + sum(int(row.max()) for row in forward_fold)
    seeds = iter(int(state) for state in seed.generate_state(n_fits))
    done = 0
    tau = np.empty(len(fold))
    for k in range(int(fold.max()) + 1):
        others = np.flatnonzero((fold != k) & inputs.learn)
        fitted = engine.fit(_levelled(inputs, others), rows=others, seed=next(seeds))
        tau[fold == k] = fitted.predict(inputs.features.take(fold == k))
        progress((done := done + 1) / n_fits)
    forward = np.full(forward_fold.shape, np.nan)
    for repeat, row in enumerate(forward_fold):
        for k in range(1, int(row.max()) + 1):
            before, fit_seed = np.flatnonzero((row < k) & inputs.learn), next(seeds)
            if _clusters_per_arm(inputs, before) >= engine.fewest_clusters:
                fitted = engine.fit(_levelled(inputs, before), rows=before, seed=fit_seed)
                forward[repeat, row == k] = fitted.predict(inputs.features.take(row == k))
            progress((done := done + 1) / n_fits)
    return Predictions(
        tau=np.round(tau, 10), fold=fold, forward=np.round(forward, 10), forward_fold=forward_fold,
        engine=engine.name, ignores=engine.ignores,
    )  # fmt: skip


def _levelled(inputs: Inputs, rows: Codes) -> Inputs:
    """Return the inputs with blocks' levels those of some rows alone: others' outcomes would be carried over."""
    y = inputs.y_residual.copy()
    y[rows] -= block_level(y[rows], inputs.block[rows], z=inputs.z_residual[rows], weights=inputs.weights[rows])
    return replace(inputs, y_residual=y)


def _clusters_per_arm(inputs: Inputs, rows: Codes) -> int:
    return min(
        len(np.unique(inputs.cluster[rows][arm])) for arm in (inputs.z_residual[rows] > 0, inputs.z_residual[rows] < 0)
    )
