"""The largest of several estimates: what may be said of it after it was picked, and of which may be the largest.

The estimate that looks largest is larger than it should be on average: it was
picked for its error as well as for its size. Two answers, both from the joint t
distribution of all estimates, valid whatever the true values are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats
from scipy.stats import qmc

Vector = NDArray[np.float64]

LOG_POINTS = 15  # 2 to this power quasi-random normal points
N_SCALES = 512  # equally likely values of the errors' common scale
SEED = 1981  # of the scrambling: the same quantile on every call


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The largest of several estimates and its limits; `place` is its index."""

    place: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Each of several values against the best of the others: ``theta_i - max_{j != i} theta_j``.

    estimate, low, high : (K,), simultaneous
    may_be_best : (K,) whether the value may be the largest
    """

    estimate: Vector
    low: Vector
    high: Vector
    may_be_best: NDArray[np.bool_]


def largest_t_quantile(*, correlation: ArrayLike, df: float, level: float) -> float:
    """Return c with ``P(max_k T_k <= c) = level`` for T multivariate t with the correlation and degrees of freedom.

    By quasi-Monte-Carlo, within .002 of tabulated values. With one value the quantile is Student's; with a common
    correlation of one half it is Dunnett's one-sided critical value (1955).
    """
    matrix = np.atleast_2d(np.asarray(correlation, dtype=np.float64))
    if len(matrix) == 1:
        return float(stats.t.ppf(level, df))
    return _quantile(tuple(np.round(matrix, 10).ravel().tolist()), float(df), float(level))


@lru_cache(maxsize=256)
def _quantile(correlation: tuple[float, ...], df: float, level: float) -> float:
    n = round(len(correlation) ** 0.5)
    value, vector = np.linalg.eigh(np.array(correlation).reshape(n, n))
    largest = np.sort((_normal_points(n) @ (vector * np.sqrt(np.clip(value, 0.0, None))).T).max(axis=1))
    if not np.isfinite(df):
        return float(np.quantile(largest, level))
    scale = np.sqrt(2 * special.gammaincinv(df / 2, (np.arange(N_SCALES) + 0.5) / N_SCALES) / df)

    def beyond(quantile: float) -> float:
        return float(np.searchsorted(largest, quantile * scale).mean() / len(largest)) - level

    return float(optimize.brentq(beyond, -100.0, 1e6, xtol=1e-6))


@lru_cache(maxsize=8)
def _normal_points(n: int) -> Vector:
    """Return quasi-random normal points, (2^LOG_POINTS, n)."""
    points = qmc.Sobol(d=n, scramble=True, rng=SEED).random_base2(LOG_POINTS)
    return np.asarray(stats.norm.ppf(np.clip(points, 1e-12, 1 - 1e-12)), dtype=np.float64)


def picked_limits(*, estimate: ArrayLike, covariance: ArrayLike, df: ArrayLike, level: float = 0.95) -> Picked:
    """Return the largest estimate with an interval that holds its own true value with probability `level`.

    Picking moves the error of the picked estimate upwards only. So the lower
    limit is that of a simultaneous band, ``estimate - c s`` with c the quantile at
    ``1 - alpha / 2`` of the largest of all standardised errors: whichever is picked,
    its error is at most the largest. The upper limit is Student's. It needs no
    correction: given its own standardised error u, the chance that k is picked
    rises with u wherever ``cov(j, k) <= var(k)``, as it does for estimates that share
    one control, so that the error of what was picked is stochastically larger than
    Student's t. The interval is the same whatever the other estimates were.

    Parameters
    ----------
    estimate : (K,);  covariance : (K, K);  df : (K,), of which the smallest counts for the joint quantile
    """
    theta, sigma = np.asarray(estimate, dtype=np.float64), np.atleast_2d(np.asarray(covariance, dtype=np.float64))
    freedom, spread = np.asarray(df, dtype=np.float64), np.sqrt(np.diag(sigma))
    place = int(np.argmax(theta))
    beyond = (1 + level) / 2
    joint = largest_t_quantile(correlation=correlation_of(sigma), df=float(freedom.min()), level=beyond)
    single = float(stats.t.ppf(beyond, freedom[place]))
    low, high = theta[place] - joint * spread[place], theta[place] + single * spread[place]
    return Picked(place=place, low=float(low), high=float(high))


def compare_with_best(*, difference: ArrayLike, covariance: ArrayLike, df: ArrayLike, level: float = 0.95) -> Standing:
    """Compare each of K values with the best of the others; the largest counts as best.

    A value is ruled out as the best when some other is larger beyond
    ``c_i s_ij``, c_i the quantile at `level` of the largest standardised error of
    the K - 1 differences from value i. Only the true best can be ruled out
    wrongly, so that it is kept with probability `level` (Hsu 1981, Annals of Statistics 9;
    Edwards & Hsu 1983, Journal of the American Statistical Association 78, for unequal errors).

    Parameters
    ----------
    difference : (K, K) ``theta_i - theta_j``
    covariance : (K, K, K), for each i the covariance of its differences from all j (its own row and column unused)
    df : (K, K) degrees of freedom of each difference
    """
    d, sigma, freedom = (np.asarray(part, dtype=np.float64) for part in (difference, covariance, df))
    n = len(d)
    reach = np.zeros((n, n))
    for i in range(n):
        others = np.arange(n) != i
        own = sigma[i][np.ix_(others, others)]
        quantile = largest_t_quantile(correlation=correlation_of(own), df=float(freedom[i, others].min()), level=level)
        reach[i, others] = quantile * np.sqrt(np.diag(own))
    apart = ~np.eye(n, dtype=np.bool_)
    estimate = np.where(apart, d, np.inf).min(axis=1)
    high = np.maximum(np.where(apart, d + reach, np.inf).min(axis=1), 0.0)
    best = high > 0
    against = np.where(apart & best[None, :], d - reach.T, np.inf).min(axis=1)
    low = np.where(np.isfinite(against), np.minimum(against, 0.0), 0.0)
    return Standing(estimate=estimate, low=low, high=high, may_be_best=best)


def correlation_of(covariance: Vector) -> Vector:
    """Return the correlations of a covariance matrix."""
    spread = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(spread, spread))
