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

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Design
from whoworks.design.folds import assign_folds
from whoworks.design.redraw import draw_many, list_assigned
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import Setting
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Progress = Callable[[float], None]

N_DRAWS = 199
N_SPLITS = 20
PENALTIES = np.logspace(-4, 2, 13)  # in units of the mean eigenvalue
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
    tau = _left_out_effects(columns, residual, z, weights, splits)
    code = np.unique(cluster, return_inverse=True)[1]
    n_clusters = int(code.max()) + 1
    total = 0.0
    for effects in tau:
        sums = np.bincount(code, pull * effects, n_clusters)
        length = float(np.sqrt(sums @ sums))
        total += float(sums.sum()) / length if length > 0 else 0.0
    return total / len(tau)


def _left_out_effects(columns: Vector, residual: Vector, z: Vector, weights: Vector, splits: Splits) -> Vector:
    """Return (S, n) predicted effects by ridges of the other folds, centred within each fold."""
    x = np.hstack([np.ones((len(columns), 1)), columns])
    half, aim = np.sqrt(weights * z * z)[:, None] * x, (weights * z * residual)[:, None] * x
    n_splits, n_folds = splits.bounds.shape[0], splits.bounds.shape[1] - 1
    p = x.shape[1]
    gram, pull = np.zeros((n_splits, n_folds, p, p)), np.zeros((n_splits, n_folds, p))
    for s in range(n_splits):
        for k in range(n_folds):
            place = splits.order[s, splits.bounds[s, k] : splits.bounds[s, k + 1]]
            part = half[place]
            gram[s, k], pull[s, k] = part.T @ part, aim[place].sum(axis=0)
    rest_gram, rest_pull = gram.sum(axis=1, keepdims=True) - gram, pull.sum(axis=1, keepdims=True) - pull
    square = float((weights * residual**2).sum())
    slopes = _ridge(rest_gram, rest_pull, square=square, n_units=len(columns) * (n_folds - 1) / n_folds)
    tau = np.empty((n_splits, len(columns)))
    for s in range(n_splits):
        for k in range(n_folds):
            place = splits.order[s, splits.bounds[s, k] : splits.bounds[s, k + 1]]
            effects = columns[place] @ slopes[s, k]
            tau[s, place] = effects - effects.mean()
    return tau


def _ridge(gram: Vector, pull: Vector, *, square: float, n_units: float) -> Vector:
    """Return ridge slopes of each Gram matrix, constant unpenalised, penalty by generalised cross-validation.

    gram, pull : (..., p, p) and (..., p), the constant first. Golub, Heath & Wahba (1979).
    """
    first = gram[..., 0, 0]
    inner = gram[..., 1:, 1:] - gram[..., 1:, :1] * gram[..., :1, 1:] / first[..., None, None]
    aim = pull[..., 1:] - gram[..., 1:, 0] * (pull[..., 0] / first)[..., None]
    value, vector = np.linalg.eigh(inner)
    value = np.maximum(value, 0.0)
    turned = np.einsum("...ij,...i->...j", vector, aim)
    scale = value.mean(axis=-1, keepdims=True) + 1e-300
    risks, shrunk = [], []
    for penalty in PENALTIES:
        slope = turned / (value + penalty * scale)
        fitted = 2 * (slope * turned).sum(axis=-1) - (slope**2 * value).sum(axis=-1)
        kept = (value / (value + penalty * scale)).sum(axis=-1)
        risks.append((square - fitted) / (1 - kept / n_units) ** 2)
        shrunk.append(slope)
    best = np.argmin(np.array(risks), axis=0)
    chosen = np.take_along_axis(np.array(shrunk), best[None, ..., None], axis=0)[0]
    return np.asarray(np.einsum("...ij,...j->...i", vector, chosen), dtype=np.float64)
