"""Do effects differ at all along the moderators? One test, its null drawn from the design itself.

Every moderator's column is put to a score test of its own, errors correlated
within clusters, and the largest |t| is compared with what it is when the
assignment is drawn again, outcomes as under a constant effect (Fisher 1935;
Ding, Feller & Miratrix 2016, JRSS B 78; for the largest of many, Westfall &
Young 1993). A column that varies within clusters counts as its deviation from
the cluster's mean: what clusters have in common then cancels, which is most of
the noise where clusters carry the arm. The prognosis is arm-blind and stays, and so
does the level of a block, which tells nothing of its own difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whoworks.design.redraw import draw_many, list_assigned
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.planned.average import REDRAWN
from whoworks.findings.setting import Setting

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

N_DRAWS = 199
AT_ONCE, HELD = 25, 2_000_000  # draws worked on together: fewer where units times columns are many
ROUNDING = 1e-9
FLAT = 1e-9  # of a column's spread: below, it is the same for all units, or for all of a cluster
ALL_MODERATORS = "all moderators"


def find_omnibus(
    setting: Setting,
    features: Vector,
    *,
    held: Sequence[tuple[Vector, Codes]] = (),
    seed: np.random.SeedSequence,
    n_draws: int = N_DRAWS,
) -> Finding | None:
    """Test whether the effect differs along any of the moderators; None where none of them varies.

    Parameters
    ----------
    features : (n, p) moderators as plain columns, one row per analysed unit
    held : further columns, traits of units larger than the clusters, and (n,) codes of these, which their t counts
    """
    scores, design = setting.scores, setting.design
    place = design.places(scores.rows)
    parts = [(deviations(x, cluster), cluster) for x, cluster in ((features, scores.cluster), *held)]
    parts = [(columns, cluster) for columns, cluster in parts if columns.shape[1]]
    if not parts:
        return None
    average = float(setting.average.effects([1.0]).estimate[0])
    base = scores.y - scores.mu0 - average * scores.z
    treatment = int(design.arm[place][scores.z == 1][0])
    two = (design.arm == 0) | (design.arm == treatment)
    own = design.probability[place]
    units = list_assigned(arm=design.arm[two], assigned=design.assigned[two], block=design.exchangeable[two])
    drawn = np.vstack([units.arm, draw_many(units, n_draws=n_draws, rng=np.random.default_rng(seed))])
    statistics = np.empty(n_draws + 1)
    step = max(1, min(AT_ONCE, HELD // max(columns.size for columns, _ in parts)))
    for start in range(0, n_draws + 1, step):
        arms = np.tile(design.arm, (len(drawn[start : start + step]), 1))
        arms[:, two] = drawn[start : start + step, units.unit]
        arm = arms[:, place]
        z = np.where(arm == treatment, 0.5, -0.5)
        drawn_so = {
            "residual": base + average * (z + 0.5), "z": z,
            "weights": np.where(two[place], 1 / np.take_along_axis(own.T, arm, axis=0), 0.0),
        }  # fmt: skip
        statistics[start : start + step] = np.max(
            [largest_t(columns=columns, cluster=cluster, **drawn_so) for columns, cluster in parts], axis=0
        )
    observed = float(statistics[0])
    # the draw itself among them: equal but for rounding counts as at least as extreme
    p = float((statistics >= observed * (1 - ROUNDING)).mean())
    return setting.finding(
        question="heterogeneity", quantity="the effect differs along any moderator: largest |t|", unit="",
        moderator=ALL_MODERATORS, statistic=observed, df=NAN, p_value=p, p_randomization=p, status="exploratory",
        notes=(f"{REDRAWN}over {n_draws} re-drawn assignments",),
        **setting.counts(setting.everyone),
    )  # fmt: skip


def deviations(features: Vector, cluster: Codes) -> Vector:
    """Return the (n, q) columns that vary: from the cluster's mean where they vary within clusters, else from all."""
    spread = features.std(axis=0)
    varying = features[:, spread > FLAT]
    size = np.bincount(cluster)
    if size.max(initial=0) == 1:
        return np.asarray(varying - varying.mean(axis=0))
    mean = np.empty((len(size), varying.shape[1]))
    for place, column in enumerate(varying.T):
        mean[:, place] = np.bincount(cluster, column) / np.maximum(size, 1)
    within = varying - mean[cluster]
    is_own = within.std(axis=0) > FLAT * spread[spread > FLAT]
    return np.where(is_own, within, varying - varying.mean(axis=0))


def largest_t(*, residual: Vector, z: Vector, weights: Vector, columns: Vector, cluster: Codes) -> Vector:
    """Return, for each draw, the largest |t| of the columns' score tests.

    With s_c the cluster's sum of ``w z X (r - average z)``, a column's t is ``sum s_c / sqrt(sum s_c^2)``:
    the score test of a zero slope of the effect along X, errors correlated within clusters.

    Parameters
    ----------
    residual : (D, n) outcome less prognosis in each of D draws
    z, weights : (D, n) +-1/2 by arm, and the inverse probability of the arm (0: not in the contrast)
    columns : (n, p), each with mean zero;  cluster : (n,)
    """
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) != 0])
    signed = weights * z
    average = (signed * residual).sum(axis=1) / (signed * z).sum(axis=1)
    pull = (signed * (residual - average[:, None] * z))[:, order]
    x = columns[order]
    if len(starts) == len(order):  # each unit is a cluster: the sums are products
        total, squares = pull @ x, pull**2 @ x**2
    else:
        sums = np.add.reduceat(pull[:, :, None] * x, starts, axis=1)
        total, squares = sums.sum(axis=1), (sums**2).sum(axis=1)
    t = np.abs(total) / np.sqrt(np.where(squares > 0, squares, np.inf))
    return np.asarray(t.max(axis=1))
