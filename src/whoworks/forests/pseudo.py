"""Pseudo-outcomes: what each row of a node says about the node's effect.

``rho = A^-1 (z - zbar) ((y - ybar) - (z - zbar)' tau)`` with ``A`` the node's
weighted covariance of z, the gradient step of Athey, Tibshirani & Wager
(2019), eqs. 6-7.  They sum to zero over a node, so a child's sum alone tells
how far its effect stands from the parent's.

Each is stored as a whole number, so that sums do not depend on their order and
a histogram has the same bytes whoever fills it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import Pseudo, Rules, Sample
from whoworks.kernels import kernel

COUNT_BITS = 24  # a node may hold 16 million rows
SUM_BITS = 38  # sums of magnitudes stay below 2^38: 23 bits each for 25,000 rows
LARGEST_NODE = 1 << COUNT_BITS


@kernel
def solve_in_place(a: NDArray[np.float64], n: int, n_right: int) -> bool:
    """Reduce ``a[:n, :n + n_right]`` so that its right part holds the solutions.

    Gauss-Jordan with diagonal pivots: the matrix is a covariance.  False when
    a pivot is not clearly positive (an arm is absent).
    """
    largest = 0.0
    for i in range(n):
        largest = max(largest, a[i, i])
    for k in range(n):
        pivot = a[k, k]
        if not pivot > 1e-12 * largest:
            return False
        for j in range(n + n_right):
            a[k, j] /= pivot
        for i in range(n):
            factor = a[i, k]
            if i != k and factor != 0.0:
                for j in range(n + n_right):
                    a[i, j] -= factor * a[k, j]
    return True


@kernel
def rho_of_mean(sample: Sample, rows: NDArray[np.uint32], node: Pseudo) -> bool:
    """Regression forests: the pseudo-outcome is the distance from the node's mean."""
    total, weight = 0.0, 0.0
    for i in range(len(rows)):
        r = rows[i]
        total += sample.weight[r] * sample.y[r]
        weight += sample.weight[r]
    if not weight > 0.0:
        return False
    mean = total / weight
    for i in range(len(rows)):
        r = rows[i]
        node.rho[i, 0] = sample.weight[r] * (sample.y[r] - mean)
    return True


@kernel
def rho_of_effect(sample: Sample, rows: NDArray[np.uint32], node: Pseudo) -> bool:
    """Two arms: one effect; false when the node holds one arm only."""
    w = wz = wy = wzz = wzy = 0.0
    for i in range(len(rows)):
        r = rows[i]
        weight, z, y = sample.weight[r], sample.z[r, 0], sample.y[r]
        w += weight
        wz += weight * z
        wy += weight * y
        wzz += weight * z * z
        wzy += weight * z * y
    if not w > 0.0:
        return False
    z_mean, y_mean = wz / w, wy / w
    variance = wzz / w - z_mean * z_mean
    if not variance > 1e-12:
        return False
    effect = (wzy / w - z_mean * y_mean) / variance
    for i in range(len(rows)):
        r = rows[i]
        z = sample.z[r, 0] - z_mean
        node.rho[i, 0] = sample.weight[r] * z * ((sample.y[r] - y_mean) - effect * z)
    return True


@kernel
def rho_of_effects(sample: Sample, rows: NDArray[np.uint32], node: Pseudo) -> bool:
    """Several arms: d effects at once; false when an arm is absent."""
    d = sample.z.shape[1]
    a = node.work  # columns: covariance | (z, y) | identity; last row: means of z and y, weight
    a[:, :] = 0.0
    for i in range(len(rows)):
        r = rows[i]
        weight = sample.weight[r]
        for k in range(d):
            a[d, k] += weight * sample.z[r, k]
        a[d, d] += weight * sample.y[r]
        a[d, d + 1] += weight
    if not a[d, d + 1] > 0.0:
        return False
    for k in range(d + 1):
        a[d, k] /= a[d, d + 1]
    for i in range(len(rows)):
        r = rows[i]
        for k in range(d):
            z = sample.weight[r] * (sample.z[r, k] - a[d, k])
            for j in range(d):
                a[k, j] += z * (sample.z[r, j] - a[d, j])
            a[k, d] += z * (sample.y[r] - a[d, d])
    for k in range(d):
        a[k, d + 1 + k] = 1.0
    if not solve_in_place(a, d, 1 + d):
        return False
    for i in range(len(rows)):
        r = rows[i]
        residual = sample.y[r] - a[d, d]
        for k in range(d):
            residual -= a[k, d] * (sample.z[r, k] - a[d, k])
        for k in range(d):
            rho = 0.0
            for j in range(d):
                rho += a[k, d + 1 + j] * (sample.z[r, j] - a[d, j])
            # scaled to the size of z' z so that channels share one scale
            node.rho[i, k] = sample.weight[r] * rho * residual
    return True


@kernel
def scale_for(values: NDArray[np.float64], n: int, channel: int) -> float:
    """Power of two that brings the sum of magnitudes just under 2^38; 0 when all are zero."""
    total = 0.0
    for i in range(n):
        total += abs(values[i, channel])
    if not total > 0.0:
        return 0.0
    return float(2.0 ** (SUM_BITS - 1 - np.floor(np.log2(total))))


@kernel
def pack(sample: Sample, rules: Rules, rows: NDArray[np.uint32], node: Pseudo) -> bool:
    """Fill ``packed`` and ``lane``: whole numbers ready to be summed.

    A packed number is ``round(scale * value) * 2^24 + 1``: the low 24 bits of a
    sum count its rows.  Channels are the effects, then the weight if rows are
    weighted.  False when the node has nothing to split on.
    """
    n = len(rows)
    if rules.n_arms == 1:
        is_usable = rho_of_mean(sample, rows, node)
    elif sample.z.shape[1] == 1:
        is_usable = rho_of_effect(sample, rows, node)
    else:
        is_usable = rho_of_effects(sample, rows, node)
    if not is_usable:
        return False
    d = node.rho.shape[1]
    channels = d + 1 if rules.weighted else d
    scale = 0.0
    for k in range(d):
        here = scale_for(node.rho, n, k)
        if here > 0.0 and (scale == 0.0 or here < scale):
            scale = here
    if scale == 0.0:
        return False
    for i in range(n):
        node.lane[i] = sample.arm[rows[i]]
        for k in range(d):
            node.packed[i * channels + k] = (np.int64(np.rint(node.rho[i, k] * scale)) << COUNT_BITS) + 1
    if rules.weighted:
        pack_weights(sample, rows, node, channels)
    return True


@kernel
def pack_weights(sample: Sample, rows: NDArray[np.uint32], node: Pseudo, channels: int) -> None:
    """Fill the last channel with the weights, which ``rho`` no longer needs room for."""
    for i in range(len(rows)):
        node.rho[i, 0] = sample.weight[rows[i]]
    scale = scale_for(node.rho, len(rows), 0)
    for i in range(len(rows)):
        value = np.int64(np.rint(node.rho[i, 0] * scale))
        node.packed[i * channels + channels - 1] = (value << COUNT_BITS) + 1
