"""The prognosis: what each unit's outcome was going to be, from models that never saw its cluster.

Arm-blind: m(x) = E[y | x] over all arms. Each fold's units are predicted by a
model of the other folds. A fold's predictions enter only as
``h_i = m_k(x_i) - mean of m_k over all units``: no training fold's intercept
survives, since it runs opposite to the held-out fold's mean and would make the
standard error wrong. Blocks are taken out before learning and absorbed in every
later regression, so that h speaks of differences within blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.panel.panel import Variable
from whoworks.scores.features import coded_columns, design_columns
from whoworks.scores.ridge import ridge_slopes

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Learner = Callable[[Codes, Vector], Vector]

ENOUGH_FOR_TREES = 500  # units; below, ridge regression alone
ENOUGH_FOR_BENDS = 40  # clusters; below, a straight line in the baseline
FEWEST_PARTS = 4  # clusters to learn from; below, too few to choose a penalty
ROUNDING = 10  # decimals: reruns agree to the last bit whatever the threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Prognosis:
    """A cross-fitted prognosis.

    h : (n,) centred predictions; None where the empty model had the smallest risk
    learner : its name in plain words
    share_explained : 1 - risk / risk of the empty model, on left-out clusters
    """

    h: Vector | None
    learner: str
    share_explained: float


def cross_fit_prognosis(
    *,
    y: Vector,
    values: pd.DataFrame,
    variables: Sequence[Variable],
    cluster: Codes,
    block: Codes,
    fold: Codes,
) -> Prognosis:
    """Learn the prognosis on other folds and keep the learner with the smallest risk on left-out clusters.

    Parameters
    ----------
    y : (n,) outcome, no missing values
    values, variables : (n, p) covariates as typed by the panel, missing allowed
    cluster, block, fold : (n,) codes; folds hold whole clusters; one fold means no model

    Risk is the mean squared error on left-out clusters, blocks taken out; the
    model without covariates competes. The rule looks at no arm.
    """
    if not variables or fold.max(initial=0) == 0:
        return Prognosis(h=None, learner="none", share_explained=0.0)
    from threadpoolctl import threadpool_limits

    outcome = _within(block, y)
    empty = float(outcome @ outcome)
    best = Prognosis(h=None, learner="none", share_explained=0.0)
    learners = _learners(values, variables, cluster, block)
    with threadpool_limits(limits=1):  # small fits: threads wait for each other longer than they work
        learned = [(name, _left_out(learn, y, block, fold)) for name, learn in learners]
    for name, h in learned:
        error = outcome - _within(block, h)
        share = 1 - float(error @ error) / empty if empty > 0 else 0.0
        if share > best.share_explained:
            best = Prognosis(h=np.round(h, ROUNDING), learner=name, share_explained=share)
    return best


def _left_out(learn: Learner, y: Vector, block: Codes, fold: Codes) -> Vector:
    h = np.empty_like(y)
    for k in range(int(fold.max()) + 1):
        train = np.flatnonzero(fold != k)
        predicted = learn(train, _within(block[train], y[train]))
        h[fold == k] = (predicted - predicted.mean())[fold == k]
    return h


def _learners(
    values: pd.DataFrame, variables: Sequence[Variable], cluster: Codes, block: Codes
) -> list[tuple[str, Learner]]:
    """Return the learners with their names, the one with fewest columns first; none where no variable varies."""
    n_clusters = len(np.unique(cluster))
    linear = design_columns(values, variables, splines=n_clusters >= ENOUGH_FOR_BENDS)
    if linear.shape[1] == 0:
        return []
    varies = _varies_within(linear, cluster)
    columns = [linear[:, varies], linear] if 0 < varies.sum() < len(varies) else [linear]
    learners = [("ridge regression", _ridge(each, cluster, block)) for each in columns]
    if len(values) >= ENOUGH_FOR_TREES:
        learners.append(("gradient boosting", _boosting(coded_columns(values, variables))))
    return learners


def _varies_within(columns: Vector, cluster: Codes) -> NDArray[np.bool_]:
    """Tell which columns differ within some cluster, (p,)."""
    first, place = np.unique(cluster, return_index=True, return_inverse=True)[1:]
    return np.asarray((columns != columns[first[place]]).any(axis=0))


def _ridge(columns: Vector, cluster: Codes, block: Codes) -> Learner:
    """Ridge regression on standardised columns, its penalty chosen on left-out clusters of the training folds."""
    from sklearn.model_selection import GroupKFold

    def learn(train: Codes, outcome: Vector) -> Vector:
        within = _within(block[train], columns[train])
        spread = within.std(axis=0)
        spread[spread < 1e-12] = np.inf
        n_parts = min(5, len(np.unique(cluster[train])))
        parts: list[Codes] = []
        if n_parts >= FEWEST_PARTS:
            parts = [left for _, left in GroupKFold(n_parts).split(within, groups=cluster[train])]
        return np.asarray((columns / spread) @ ridge_slopes(x=within / spread, y=outcome, parts=parts))

    return learn


def _boosting(columns: Vector) -> Learner:
    """Boosted trees, learned on the training folds' rows."""
    from whoworks.scores.boosting import boost

    def learn(train: Codes, outcome: Vector) -> Vector:
        learned, others = boost(columns=columns[train], outcome=outcome), np.ones(len(columns), dtype=np.bool_)
        others[train] = False
        predicted = np.empty(len(columns))
        predicted[train], predicted[others] = learned.fitted, learned.predict(columns[others])
        return predicted

    return learn


def _within(group: Codes, values: Vector) -> Vector:
    """Subtract each group's mean from a vector or from each column."""
    count = np.bincount(group)
    if values.ndim == 1:
        sums = np.bincount(group, values)
        return np.asarray(values - (sums / np.maximum(count, 1))[group], dtype=np.float64)
    sums = np.column_stack([np.bincount(group, column) for column in values.T])
    return np.asarray(values - (sums / np.maximum(count, 1)[:, None])[group], dtype=np.float64)
