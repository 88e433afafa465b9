"""Little bags: the variance of a forest from the spread of its bags.

Trees of one bag share a half-sample of clusters.  The spread of the bags'
estimates, less the noise of having few trees in each, is the variance a
half-sample brings (Athey, Tibshirani & Wager 2019, section 4.1).  A half-sample
of h of G clusters varies ``(G - h) / h`` times as much as the whole sample's
estimate does, hence the factors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import Strata, Trees
from whoworks.forests.predict import NO_LEAF, unpack_system
from whoworks.forests.pseudo import solve_in_place
from whoworks.kernels import kernel


@kernel
def one_influence(payload: NDArray[np.float64], moments: NDArray[np.float64], effect: float, inverse: float) -> float:
    """Return `tree_influence` of the commonest case, one effect: it takes half the time."""
    mu = moments[1] - effect * moments[2]
    residual = payload[0] - mu - effect * payload[1]
    score = payload[2] - mu * payload[1] - moments[2] * residual - effect * payload[3]
    return float(inverse * score)


@kernel
def tree_influence(
    payload: NDArray[np.float64],
    moments: NDArray[np.float64],
    effects: NDArray[np.float64],
    d: int,
    inverse: NDArray[np.float64],
    psi: NDArray[np.float64],
    score: NDArray[np.float64],
) -> None:
    """Fill ``psi`` with what one leaf, on its own, would move the estimate by (first order).

    ``A^-1 mean((z - zbar)(y - ybar - (z - zbar)' tau))`` over the leaf, bars
    and ``A`` from the whole forest.  With d = 0 the leaf's mean less the
    forest's.
    """
    if d == 0:
        psi[0] = payload[0] - moments[1]
        return
    psi[:] = 0.0
    # intercept such that the residual is y - mu - z' tau
    mu = moments[1]
    for k in range(d):
        mu -= effects[k] * moments[2 + k]
    residual = payload[0] - mu
    for k in range(d):
        residual -= effects[k] * payload[1 + k]
    at = 1 + 2 * d
    score[:] = 0.0
    for k in range(d):
        score[k] += payload[1 + d + k] - mu * payload[1 + k] - moments[2 + k] * residual
        for j in range(k, d):
            score[k] -= effects[j] * payload[at]
            if j != k:
                score[j] -= effects[k] * payload[at]
            at += 1
    for k in range(d):
        for j in range(d):
            psi[k] += inverse[k, j] * score[j]


@kernel
def debiased(between: float, noise: float, n_bags: float) -> float:
    """Variance between bags less the noise within, kept positive.

    The posterior mean of a variance whose estimate is normal with standard
    error ``max(between, noise) sqrt(2 / n_bags)``, under a flat prior on the
    positive half-line (as in grf's ObjectiveBayesDebiaser).
    """
    estimate = between - noise
    error = max(between, noise) * math.sqrt(2.0 / n_bags)
    if not error > 0.0:
        return 0.0
    ratio = estimate / error
    if ratio < -30.0:  # the tail's first-order expansion, where erfc underflows
        return error / -ratio
    density = math.exp(-0.5 * ratio * ratio) / math.sqrt(2.0 * math.pi)
    return estimate + error * density / (0.5 * math.erfc(-ratio / math.sqrt(2.0)))


@kernel
def invert_systems(moments: NDArray[np.float64], d: int, a: NDArray[np.float64], inverse: NDArray[np.float64]) -> None:
    """Fill ``inverse`` (rows, d, d) with that of every row's covariance of z, NaN where there is none.

    ``a`` is room to work. With d = 0 there is nothing to invert.
    """
    for i in range(len(moments) if d > 0 else 0):
        unpack_system(moments[i], d, a)
        for k in range(d):
            a[k, d : 2 * d] = 0.0
            a[k, d + k] = 1.0
        is_solved = solve_in_place(a, d, d)
        for k in range(d):
            for j in range(d):
                inverse[i, k, j] = a[k, d + j] if is_solved else np.nan


@kernel
def little_bags(
    trees: Trees,
    leaves: NDArray[np.int32],
    moments: NDArray[np.float64],
    effects: NDArray[np.float64],
    d: int,
    variance: NDArray[np.float64],
    error: NDArray[np.float64],
) -> None:
    """Fill ``variance`` (rows, max(d, 1)), before the factor for half-samples, and its standard error.

    The error is that of having only so many bags (see ``debiased``).  Only
    bags all of whose trees may speak count.
    """
    size, width, n = trees.trees_per_bag, max(d, 1), leaves.shape[1]
    inverse = np.zeros((n, width, width))
    invert_systems(moments, d, np.zeros((width, 2 * width + 1)), inverse)
    total, between, good = np.zeros((n, width)), np.zeros((n, width)), np.zeros(n)
    psi, bag, score = np.zeros(width), np.zeros(width), np.zeros(width)
    for b in range(leaves.shape[0] // size):  # all rows ask a bag before the next: its leaves stay at hand
        for i in range(n):
            is_whole = not np.isnan(inverse[i, 0, 0])
            for t in range(b * size, (b + 1) * size):
                is_whole = is_whole and leaves[t, i] != NO_LEAF
            if not is_whole:
                continue
            good[i] += 1.0
            bag[:] = 0.0
            for t in range(b * size, (b + 1) * size):
                payload = trees.payload[leaves[t, i]]
                if d == 1:
                    psi[0] = one_influence(payload, moments[i], effects[i, 0], inverse[i, 0, 0])
                else:
                    tree_influence(payload, moments[i], effects[i], d, inverse[i], psi, score)
                for k in range(width):
                    bag[k] += psi[k] / size
                    total[i, k] += psi[k] * psi[k] / size
            for k in range(width):
                between[i, k] += bag[k] * bag[k]
    for i in range(n):
        variance[i, :] = error[i, :] = np.nan
        if good[i] < 2 or size < 2:
            continue
        for k in range(width):
            noise = max(0.0, total[i, k] - between[i, k]) / good[i] / (size - 1)
            variance[i, k] = debiased(between[i, k] / good[i], noise, good[i])
            error[i, k] = max(between[i, k] / good[i], noise) * math.sqrt(2.0 / good[i])


def half_sample_factor(n_clusters: int, share: float, *, left_out: bool) -> float:
    """Factor from the variance between bags to the variance of the estimate.

    ``h / (G - h)`` for new points and ``h / (G - 1 - h)`` for a point whose own
    cluster is left out of the bags that speak: those are half-samples of the
    other G - 1.  An odd stratum is rounded up or down at random, so the factor
    is the inverse of the mean of ``(G - h) / h`` over the bags that speak.
    """
    size = share * n_clusters
    low = math.floor(size + 1e-9)
    chances = {low: 1.0 - (size - low), low + 1: size - low}
    others = n_clusters - 1 if left_out else n_clusters
    spread = weight = 0.0
    for h, chance in chances.items():
        if chance <= 1e-9 or h < 1:
            continue
        speaks = chance * ((n_clusters - h) / n_clusters if left_out else 1.0)
        spread += speaks * max(others - h, 0) / h
        weight += speaks
    return weight / spread if spread > 0.0 else math.nan


def stratum_weights(sizes: NDArray[np.int64], arm_of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of each stratum in the variance of a difference between arms when clusters vary alike."""
    weights = np.array([g / sizes[arm_of == a].sum() ** 2 for g, a in zip(sizes, arm_of, strict=True)])
    return np.asarray(weights / weights.sum())


def variance_factors(strata: Strata, arm_of: NDArray[np.int64], share: float) -> tuple[float, NDArray[np.float64]]:
    """Return the factor for new points, and one per cluster for out-of-bag points.

    Bags are drawn within strata, so only the stratum that holds a point's own
    cluster loses one.  Strata are weighted by what they add to the variance of
    a difference between arms: ``(G_s / G_a)^2 / G_s``, G_a the clusters of
    their arm.

    Parameters
    ----------
    strata : Strata
        Clusters by stratum.
    arm_of : ndarray of shape (S,)
        Arm of each stratum (mixed clusters are an arm of their own).
    share : float
        Share of clusters in a bag.
    """
    sizes = np.diff(strata.start)
    weights = stratum_weights(sizes, arm_of)
    whole = np.array([half_sample_factor(int(g), share, left_out=False) for g in sizes])
    less_one = np.array([half_sample_factor(int(g), share, left_out=True) for g in sizes])
    new = float(weights @ whole)
    per_cluster = np.empty(len(strata.clusters))
    for s in range(len(sizes)):
        members = strata.clusters[strata.start[s] : strata.start[s + 1]]
        per_cluster[members] = new + weights[s] * (less_one[s] - whole[s])
    return new, per_cluster


def cluster_degrees(strata: Strata, arm_of: NDArray[np.int64]) -> float:
    """Degrees of freedom of a variance that had all bags: what the number of clusters leaves.

    Half-samples estimate each stratum's variance between clusters, with
    ``G_s - 1`` degrees of freedom; their sum, with the weights of
    ``variance_factors``, has ``1 / sum of weight_s^2 / (G_s - 1)``
    (Satterthwaite 1946): G - 2 with two equal arms, and 0 where a stratum has one
    cluster, whose variance nothing shows.
    """
    sizes = np.diff(strata.start)
    if sizes.min() < 2:
        return 0.0
    weights = stratum_weights(sizes, arm_of)
    return float(1.0 / np.sum(weights**2 / (sizes - 1.0)))
