"""Do effects differ at all along the moderators? One test, its null drawn from the design itself.

A ridge R-learner predicts effects from all moderators in clusters it has not
seen; the statistic asks whether predicted differences go with outcomes there.
One K-fold split of this kind rejects too often, and more clusters do not cure
it, since folds are dependent. So the null distribution comes from re-drawing
the assignment with everything after it computed again: outcomes under a
constant effect, the ridge on every fold of every split, and the mean over
splits (Fisher 1935; Ding, Feller & Miratrix 2016, JRSS B 78; Nie & Wager 2021
for the learner). The prognosis is arm-blind and stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Design
from whoworks.design.folds import assign_folds
from whoworks.design.redraw import draw_many, list_assigned
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import Setting
from whoworks.forests.shrinkage import shrunken_slopes
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Progress = Callable[[float], None]

N_DRAWS = 199
N_SPLITS = 20
ALL_MODERATORS = "all moderators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Several partitions of the units into folds of whole clusters.

    order : (S, n) units sorted by fold
    bounds : (S, K + 1) where each fold begins in that order
    """

    order: Codes
    bounds: Codes

    @classmethod
    def of(cls, folds: Codes) -> Splits:
        """Sort each row of (S, n) fold codes; every row has folds 0 to K - 1."""
        order = np.argsort(folds, axis=1, kind="stable")
        n_folds = int(folds.max()) + 1
        bounds = np.array([np.searchsorted(np.sort(row), np.arange(n_folds + 1)) for row in folds])
        return cls(order=order, bounds=bounds)


def find_omnibus(
    setting: Setting,
    features: Vector,
    *,
    seed: np.random.SeedSequence,
    n_draws: int = N_DRAWS,
    n_splits: int = N_SPLITS,
    progress: Progress = lambda share: None,
) -> Finding | None:
    """Test whether the effect differs along any of the moderators; None where no fold can be left out.

    Parameters
    ----------
    features : (n, p) moderators as plain columns, one row per analysed unit

    The p is one-sided: only differences that come back in unseen clusters count.
    """
    scores, design = setting.scores, setting.design
    for_splits, for_draws = seed.spawn(2)
    place = np.searchsorted(design.rows, scores.rows)
    splits = draw_splits(scores, design, place, n_splits=n_splits, seed=for_splits)
    spread = features.std(axis=0)
    columns = (features - features.mean(axis=0))[:, spread > 1e-12] / spread[spread > 1e-12]
    if splits is None or not columns.shape[1]:
        return None
    average = float(fit_effects(scores).effects([1.0]).estimate[0])
    base = scores.y - scores.mu0 - average * scores.z
    treatment = int(design.arm[place][scores.z == 1][0])

    def statistic(arm: Codes) -> float:
        weights = np.where((arm == 0) | (arm == treatment), 1 / design.probability[place, arm], 0.0)
        z = np.where(arm == treatment, 0.5, -0.5)
        residual = base + average * (z + 0.5)
        return mean_statistic(
            columns=columns, residual=residual, z=z, weights=weights, cluster=scores.cluster, splits=splits
        )

    units = list_assigned(arm=design.arm, assigned=design.assigned, block=design.block)
    drawn = draw_many(units, n_draws=n_draws, rng=np.random.default_rng(for_draws))
    observed, null = statistic(design.arm[place]), []
    for done, arms in enumerate(drawn):
        null.append(statistic(arms[units.unit][place]))
        progress((done + 1) / n_draws)
    p = (1 + sum(value >= observed for value in null)) / (n_draws + 1)
    everyone = np.ones(len(scores.y), dtype=np.bool_)
    return setting.finding(
        question="heterogeneity", quantity="predicted differences come back in unseen clusters", unit="",
        moderator=ALL_MODERATORS, statistic=observed, df=NAN, p_value=p, p_randomization=p, status="exploratory",
        notes=(f"one-sided p over {n_draws} re-drawn assignments; mean over {n_splits} splits of whole clusters",),
        **setting.counts(everyone),
    )  # fmt: skip


def draw_splits(
    scores: Scores, design: Design, place: Codes, *, n_splits: int, seed: np.random.SeedSequence
) -> Splits | None:
    """Draw partitions into folds of whole clusters; None where clusters are too few for any."""
    folds = np.array([
        assign_folds(
            cluster=scores.cluster, block=scores.block, arm=design.arm[place], assigned=design.assigned[place],
            rng=np.random.default_rng(each),
        )
        for each in seed.spawn(n_splits)
    ])  # fmt: skip
    return Splits.of(folds) if folds.max() > 0 else None


def mean_statistic(
    *, columns: Vector, residual: Vector, z: Vector, weights: Vector, cluster: Codes, splits: Splits
) -> float:
    """Return the mean over splits of the t of predicted effects against what is left of the outcome.

    With tau the prediction from other folds, centred within its own, and s_c the
    cluster's sum of ``w z tau (r - average z)``, the t is ``sum s_c / sqrt(sum s_c^2)``:
    the score test of a zero calibration slope, errors correlated within clusters.

    Parameters
    ----------
    columns : (n, p) standardised moderators
    residual : (n,) outcome less prognosis
    z, weights : (n,) +-1/2 by arm, and the inverse probability of the arm (0: not in the contrast)
    """
    average = float((weights * z) @ residual / ((weights * z) @ z))
    pull = weights * z * (residual - average * z)
    tau = _left_out_effects(
        columns=columns, residual=residual - average * z, z=z, weights=weights, cluster=cluster, splits=splits
    )
    total = 0.0
    for effects in tau:
        sums = np.bincount(cluster, pull * effects)
        length = float(np.sqrt(sums @ sums))
        total += float(sums.sum()) / length if length > 0 else 0.0
    return total / len(tau)


def _left_out_effects(
    *, columns: Vector, residual: Vector, z: Vector, weights: Vector, cluster: Codes, splits: Splits
) -> Vector:
    """Return (S, n) predicted effects by ridges of the other folds, centred within each fold.

    `cluster` counts from 0 without gaps.
    """
    rooted = np.sqrt(weights * z * z)[:, None] * columns
    aim = (weights * z * residual)[:, None] * columns
    first = np.unique(cluster, return_index=True)[1]
    sums = np.column_stack([np.bincount(cluster, column) for column in aim.T])
    tau = np.empty(splits.order.shape)
    for s, (order, bounds) in enumerate(zip(splits.order, splits.bounds, strict=True)):
        parts = [order[low:high] for low, high in pairwise(bounds)]
        gram = np.array([rooted[part].T @ rooted[part] for part in parts])
        fold = np.empty(len(order), dtype=np.int64)
        for k, part in enumerate(parts):
            fold[part] = k
        member = fold[first][None, :] == np.arange(len(parts))[:, None]
        pull, noise = member @ sums, member @ sums**2
        slopes = shrunken_slopes(gram=gram.sum(0) - gram, pull=pull.sum(0) - pull, noise=noise.sum(0) - noise)
        for part, slope in zip(parts, slopes, strict=True):
            effects = columns[part] @ slope
            tau[s, part] = effects - effects.mean()
    return tau
