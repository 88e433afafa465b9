"""From trees to local estimates.

A prediction solves the local moment equation with forest weights
``alpha_i(x)``, the average over trees of ``w_i 1(i in leaf of x) / sum of w in
that leaf`` (Athey, Tibshirani & Wager 2019, eqs. 2-3).  Leaves hold the
weighted means this needs, so only means of leaf moments are taken here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import CATEGORICAL, LEAF, MISSING, MISSING_LEFT, Trees
from whoworks.forests.pseudo import solve_in_place
from whoworks.kernels import kernel

NO_LEAF = -1


@kernel
def is_among(masks: NDArray[np.uint8], mask: int, level: int) -> bool:
    """Whether a level is among those that go left."""
    return bool((masks[mask, level >> 3] >> (level & 7)) & 1)


@kernel
def descend(trees: Trees, t: int, codes: NDArray[np.uint8], rows: NDArray[np.int32], leaves: NDArray[np.int32]) -> None:
    """Take rows down a tree, all by one level at a time, until each is in a leaf; ``rows`` is used up.

    A row's way down is a chain of memory reads that wait for each other; those of different rows do not.
    """
    nodes = trees.nodes[trees.node_start[t] : trees.node_start[t + 1]]
    first, first_leaf, n = trees.node_start[t], trees.leaf_start[t], len(rows)
    for k in range(n):
        leaves[rows[k]] = 0
    while n > 0:
        n_left = 0
        for k in range(n):
            i = np.uint64(rows[k])
            at = np.uint64(leaves[i])
            node = nodes[at]
            child, kind = node.child, node.kind
            if kind & LEAF:
                leaves[i] = first_leaf + child
                continue
            code = codes[i, np.uint64(node.feature)]
            goes_left = code <= node.cut
            if code == MISSING:
                goes_left = (kind & MISSING_LEFT) != 0
            elif kind & CATEGORICAL:
                goes_left = is_among(trees.masks, trees.mask_of[first + np.int64(at)], code)
            leaves[i] = child + (not goes_left)
            rows[n_left] = rows[k]
            n_left += 1
        n = n_left


@kernel
def find_leaves(trees: Trees, codes: NDArray[np.uint8], cluster: NDArray[np.int32], leaves: NDArray[np.int32]) -> None:
    """Fill ``leaves`` (trees, rows) with each row's leaf, counted over the whole forest.

    A row of training cluster c gets ``NO_LEAF`` in trees whose bag holds c; a
    new row has cluster -1.
    """
    rows = np.empty(len(codes), np.int32)
    for t in range(len(trees.usable)):
        bits = trees.bags[t // trees.trees_per_bag]
        n = 0
        for i in range(len(codes)):
            c = cluster[i]
            is_in_bag = c >= 0 and (bits[c >> 3] >> (c & 7)) & 1
            leaves[t, i] = NO_LEAF
            rows[n] = i
            n += not is_in_bag
        if trees.usable[t]:
            descend(trees, t, codes, rows[:n], leaves[t])


@kernel
def mean_moments(trees: Trees, leaves: NDArray[np.int32], moments: NDArray[np.float64]) -> None:
    """Fill ``moments`` (rows, 1 + payload) with the number of trees and the mean of their leaves."""
    n_payload = trees.payload.shape[1]
    moments[:, :] = 0.0
    for t in range(leaves.shape[0]):
        for i in range(leaves.shape[1]):
            leaf = leaves[t, i]
            if leaf != NO_LEAF:
                moments[i, 0] += 1.0
                for k in range(n_payload):
                    moments[i, 1 + k] += trees.payload[leaf, k]
    for i in range(leaves.shape[1]):
        if moments[i, 0] > 0.0:
            for k in range(n_payload):
                moments[i, 1 + k] /= moments[i, 0]


@kernel
def unpack_system(moments: NDArray[np.float64], d: int, a: NDArray[np.float64]) -> None:
    """Fill ``a[:d, :d + 1]`` with the covariance of z and of (z, y) from one row's mean moments."""
    at = 2 + 2 * d
    for k in range(d):
        for j in range(k, d):
            a[k, j] = moments[at] - moments[2 + k] * moments[2 + j]
            a[j, k] = a[k, j]
            at += 1
        a[k, d] = moments[2 + d + k] - moments[2 + k] * moments[1]


@kernel
def solve_effects(moments: NDArray[np.float64], d: int, effects: NDArray[np.float64]) -> None:
    """Fill ``effects`` (rows, d); with d = 0 the local mean of y.  NaN where no tree may speak."""
    a = np.zeros((max(d, 1), d + 1))
    for i in range(len(moments)):
        effects[i, :] = np.nan
        if not moments[i, 0] > 0.0:
            continue
        if d == 0:
            effects[i, 0] = moments[i, 1]
            continue
        unpack_system(moments[i], d, a)
        if solve_in_place(a, d, 1):
            for k in range(d):
                effects[i, k] = a[k, d]
