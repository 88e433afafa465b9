"""The ratio of an outcome's variances in two arms, with an error that knows the clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST = 3  # clusters in an arm: with one left out, two remain to vary
ROUNDING = 1e-12  # of the outcome's size, of a log, or of a variance: what is below is left of zero by rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceRatio:
    """A variance ratio, treatment over control, tested on the log scale.

    log_ratio, std_error : the log of the ratio, and its error
    df, statistic, p_value : t test that the ratio is one
    """

    log_ratio: float
    std_error: float
    df: float
    statistic: float
    p_value: float

    @property
    def ratio(self) -> float:
        """The ratio."""
        return float(np.exp(self.log_ratio))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the ratio's limits, symmetric on the log scale."""
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.std_error
        return float(np.exp(self.log_ratio - half)), float(np.exp(self.log_ratio + half))


def variance_ratio(
    *, y: ArrayLike, z: ArrayLike, cluster: ArrayLike, weights: ArrayLike | None = None, h: ArrayLike | None = None
) -> VarianceRatio:
    """Compare the variance of an outcome between two arms, clusters left out one at a time.

    In arm a, with m its weighted mean and V the variance of that mean by its G clusters,

        s^2 = weighted mean of (y - m)^2 + V,  V = G / (G - 1) sum_c (sum over c of w (y - m))^2 / (sum of w)^2.

    V gives back what taking the arm's own mean removed: little of it with many
    clusters, more in the arm that has fewer. The error of log s^2 is the
    jackknife's over clusters, with the logarithm (Miller 1968, Annals of
    Mathematical Statistics 39), which unlike an F test needs no normal outcome:

        SE^2 = (G - 1) / G sum_c (log s^2 without c - its mean over c)^2.

    The arms' errors add up; a cluster with both arms leaves both at once. The
    degrees of freedom are Welch's, from clusters of one arm, of the other and of
    both, one less than there are of each.

    An effect that is the same for everyone shifts y and leaves its variance as it
    is, whatever the distribution and the clusters. The converse does not hold.

    Parameters
    ----------
    y, z : (n,) outcome, in any unit, and arm (0/1)
    cluster : (n,) labels of the clusters
    weights : (n,) positive, optional: 1 / the probability of the arm
    h : (n,) or (n, q), optional
        Fixed before the arms were known; taken out of y with one slope for both arms.

    Returns
    -------
    VarianceRatio
        NaN where an arm has fewer than three clusters, no spread, or none but in one
        cluster, and where no cluster's loss would change the ratio.
    """
    arm, outcome = np.asarray(z, dtype=np.float64), np.asarray(y, dtype=np.float64)
    group = np.unique(np.asarray(cluster), return_inverse=True)[1].astype(np.int64)
    w = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=np.float64)
    rest, size = _without(outcome, arm, w, h), float(np.abs(outcome).max())
    untold = VarianceRatio(log_ratio=np.nan, std_error=np.nan, df=np.nan, statistic=np.nan, p_value=np.nan)
    change, member, log_ratio = np.zeros(int(group.max()) + 1), np.zeros(int(group.max()) + 1), 0.0
    for value, sign in ((1.0, 1.0), (0.0, -1.0)):
        own = arm == value
        names, code = np.unique(group[own], return_inverse=True)
        if len(names) < FEWEST or np.ptp(rest[own]) <= ROUNDING * size:
            return untold
        whole, left_out = log_variances(rest[own], w[own], code)
        log_ratio += sign * whole
        change[names] += sign * np.sqrt(1 - 1 / len(names)) * (left_out - left_out.mean())
        member[names] += 1 + value
    std_error = float(np.sqrt(change @ change))
    if not std_error > ROUNDING:
        return untold
    parts = [(float((change[member == m] ** 2).sum()), int((member == m).sum())) for m in np.unique(member[member > 0])]
    df = std_error**4 / sum(part**2 / max(n - 1, 1) for part, n in parts)
    statistic = log_ratio / std_error
    return VarianceRatio(
        log_ratio=log_ratio, std_error=std_error, df=df, statistic=statistic,
        p_value=float(2 * stats.t.sf(abs(statistic), df)),
    )  # fmt: skip


def log_variances(y: Vector, w: Vector, code: Codes) -> tuple[float, Vector]:
    """Return log s^2 of one arm, and log s^2 without each of its clusters, (G,), from sums over clusters.

    NaN where without some cluster nothing varies.
    """
    y = y - np.average(y, weights=w)
    total, once, twice = (np.bincount(code, each) for each in (w, w * y, w * y**2))
    sums = np.column_stack([total, once, twice, once**2, once * total, total**2])
    n_clusters = len(total)
    whole = float(_variance(sums.sum(axis=0)[None, :], n_clusters)[0])
    left_out = _variance(sums.sum(axis=0) - sums, n_clusters - 1)
    if left_out.min() <= ROUNDING * whole:
        return np.nan, np.full(n_clusters, np.nan)
    return float(np.log(whole)), np.log(left_out)


def _variance(sums: Vector, n_clusters: int) -> Vector:
    """Return s^2 for rows of sums: w, w y, w y^2, and over clusters (w y)^2, (w y) w and w^2."""
    total, once, twice, oo, ot, tt = sums.T
    mean = once / total
    of_mean = n_clusters / (n_clusters - 1) * (oo - 2 * mean * ot + mean**2 * tt) / total**2
    return np.asarray(twice / total - mean**2 + of_mean, dtype=np.float64)


def _without(y: Vector, z: Vector, w: Vector, h: ArrayLike | None) -> Vector:
    """Return y less h, with the slope of a regression on both arms' means and h."""
    if h is None:
        return y
    x = np.asarray(h, dtype=np.float64).reshape(len(y), -1)
    rooted = np.sqrt(w)[:, None]
    slopes = np.linalg.lstsq(rooted * np.column_stack([1 - z, z, x]), rooted[:, 0] * y)[0]
    return np.asarray(y - x @ slopes[2:], dtype=np.float64)
