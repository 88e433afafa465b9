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
from whoworks.design.folds import draw_partitions
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
AT_ONCE, HELD = 25, 2_000_000  # draws worked on together: fewer where units times columns are many
ROUNDING = 1e-9
ALL_MODERATORS = "all moderators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Several partitions of the clusters into folds, and what the moderators are in each: the same in every draw.

    columns : (n, p) standardised moderators
    order, starts : (n,) the units sorted by cluster, and (G,) where each cluster begins
    member : (S, K, G) whether a fold holds a cluster
    centre : (S, K, p) means of the columns in each fold
    gram : (S, K, p, p) cross-products of the columns outside each fold, as the
        design expects them under the weights: half of the plain ones, whatever the arms
    """

    columns: Vector
    order: Codes
    starts: Codes
    member: NDArray[np.bool_]
    centre: Vector
    gram: Vector

    @classmethod
    def of(cls, columns: Vector, cluster: Codes, folds: Codes) -> Splits:
        """Describe (S, n) fold codes; every row has folds 0 to K - 1."""
        first = np.unique(cluster, return_index=True)[1]
        n_folds = int(folds.max()) + 1
        member = folds[:, None, first] == np.arange(n_folds)[None, :, None]
        shape = (len(folds), n_folds, columns.shape[1])
        centre, inside = np.empty(shape), np.empty((*shape, columns.shape[1]))
        for s, row in enumerate(folds):
            for k in range(n_folds):
                part = columns[row == k]
                centre[s, k], inside[s, k] = part.mean(axis=0), part.T @ part / 2
        gram = inside.sum(axis=1, keepdims=True) - inside
        order = np.argsort(cluster, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) != 0])
        return cls(columns=columns, order=order, starts=starts, member=member, centre=centre, gram=gram)


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
    spread = features.std(axis=0)
    columns = (features - features.mean(axis=0))[:, spread > 1e-12] / spread[spread > 1e-12]
    folds = _draw_folds(scores, design, place, n_splits=n_splits, seed=for_splits)
    if folds.max() == 0 or not columns.shape[1]:
        return None
    splits = Splits.of(columns, scores.cluster, folds)
    average = float(fit_effects(scores).effects([1.0]).estimate[0])
    base = scores.y - scores.mu0 - average * scores.z
    treatment = int(design.arm[place][scores.z == 1][0])
    two = (design.arm == 0) | (design.arm == treatment)

    own = design.probability[place]
    units = list_assigned(arm=design.arm[two], assigned=design.assigned[two], block=design.block[two])
    drawn = np.vstack([units.arm, draw_many(units, n_draws=n_draws, rng=np.random.default_rng(for_draws))])
    statistics = np.empty(n_draws + 1)
    step = max(1, min(AT_ONCE, HELD // columns.size))
    for start in range(0, n_draws + 1, step):
        arms = np.tile(design.arm, (len(drawn[start : start + step]), 1))
        arms[:, two] = drawn[start : start + step, units.unit]
        arm = arms[:, place]
        weights = np.where(two[place], 1 / np.take_along_axis(own.T, arm, axis=0), 0.0)
        z = np.where(arm == treatment, 0.5, -0.5)
        residual = base + average * (z + 0.5)
        statistics[start : start + step] = mean_statistic(residual=residual, z=z, weights=weights, splits=splits)
        progress(min(1.0, (start + step) / (n_draws + 1)))
    observed = float(statistics[0])
    # the draw itself among them: equal but for rounding counts as at least as extreme
    p = float((statistics >= observed - ROUNDING * abs(observed)).mean())
    everyone = np.ones(len(scores.y), dtype=np.bool_)
    return setting.finding(
        question="heterogeneity", quantity="predicted differences come back in unseen clusters", unit="",
        moderator=ALL_MODERATORS, statistic=observed, df=NAN, p_value=p, p_randomization=p, status="exploratory",
        notes=(f"one-sided p over {n_draws} re-drawn assignments; mean over {n_splits} splits of whole clusters",),
        **setting.counts(everyone),
    )  # fmt: skip


def _draw_folds(scores: Scores, design: Design, place: Codes, *, n_splits: int, seed: np.random.SeedSequence) -> Codes:
    """Draw (S, n) partitions into folds of whole clusters; all zeros where clusters are too few for any."""
    return draw_partitions(
        cluster=scores.cluster, block=scores.block, arm=design.arm[place], assigned=design.assigned[place],
        rngs=[np.random.default_rng(each) for each in seed.spawn(n_splits)],
    )  # fmt: skip


def mean_statistic(*, residual: Vector, z: Vector, weights: Vector, splits: Splits) -> Vector:
    """Return, for each draw, the mean over splits of the t of predicted effects against what is left of the outcome.

    With tau the prediction from other folds, centred within its own, and s_c the
    cluster's sum of ``w z tau (r - average z)``, the t is ``sum s_c / sqrt(sum s_c^2)``:
    the score test of a zero calibration slope, errors correlated within clusters.
    A fold holds whole clusters, so that s_c follows from the cluster's sums of
    ``w z (r - average z)`` alone and with each column: no unit is met twice.

    Parameters
    ----------
    residual : (D, n) outcome less prognosis in each of D draws
    z, weights : (D, n) +-1/2 by arm, and the inverse probability of the arm (0: not in the contrast)
    """
    signed = weights * z
    average = (signed * residual).sum(axis=1) / (signed * z).sum(axis=1)
    pull = (signed * (residual - average[:, None] * z))[:, splits.order]
    total = np.add.reduceat(pull, splits.starts, axis=1)
    sums = np.add.reduceat(pull[:, :, None] * splits.columns[splits.order], splits.starts, axis=1)
    member = splits.member.astype(np.float64)
    shape = (len(pull), *member.shape[:2], sums.shape[2])
    flat = member.reshape(-1, member.shape[2])
    scores, noise = (flat @ sums).reshape(shape), (flat @ sums**2).reshape(shape)
    slopes = shrunken_slopes(
        gram=splits.gram, pull=scores.sum(axis=2, keepdims=True) - scores,
        noise=noise.sum(axis=2, keepdims=True) - noise,
    )  # fmt: skip
    level = (splits.centre * slopes).sum(axis=-1)
    predicted = slopes @ np.swapaxes(sums, 1, 2)[:, None] - level[..., None] * total[:, None, None]
    of_cluster = (predicted * member).sum(axis=2)
    length = np.sqrt((of_cluster**2).sum(axis=2))
    return np.asarray((of_cluster.sum(axis=2) / np.where(length > 0, length, np.inf)).mean(axis=1))
