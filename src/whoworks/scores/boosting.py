"""Gradient boosting of small trees on binned columns: the prognosis that bends and crosses.

Squared error, trees grown best leaf first (Friedman 2001, Annals of Statistics
29; histograms as in Ke et al. 2017, LightGBM). Missing values have a bin of
their own, tried on both sides of every cut. No draw is made: the same data give
the same trees. Compiled, so that a trial of a thousand students takes
milliseconds where a general package spends its time on bookkeeping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whoworks.kernels import kernel

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Bins = NDArray[np.uint8]

N_TREES = 100
RATE = 0.08  # of each tree's step that is taken
MOST_LEAVES = 15
LEAF_SIZE = 25  # units
RIDGE = 1.0  # pseudo-units of no residual in every leaf
MOST_BINS = 254  # of values that are not missing
MISSING = 255  # the bin of missing values
NODES = 2 * MOST_LEAVES - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted:
    """Boosted trees.

    edges : for each column, the cuts between its bins
    feature, cut : (T, nodes) a node sends bins up to `cut` of its feature to the left; feature -1 is a leaf
    missing_left : (T, nodes) whether missing values go left
    left : (T, nodes) the left child; the right one comes next
    value : (T, nodes) what a leaf adds;  level : the outcome's mean
    fitted : (n,) what `predict` gives for the units learned from
    """

    edges: tuple[Vector, ...]
    feature: Codes
    cut: Codes
    missing_left: NDArray[np.bool_]
    left: Codes
    value: Vector
    level: float
    fitted: Vector

    def predict(self, columns: Vector) -> Vector:
        """Predict (n, p) columns, NaN where missing: (n,)."""
        bins = put_in_bins(columns, self.edges)
        summed = _ask(bins, self.feature, self.cut, self.missing_left, self.left, self.value)
        return np.asarray(self.level + summed, dtype=np.float64)


def boost(*, columns: Vector, outcome: Vector) -> Boosted:
    """Learn the outcome, (n,), from columns, (n, p), NaN where missing."""
    edges = tuple(find_edges(column) for column in columns.T)
    level = float(outcome.mean())
    grown = _grow(put_in_bins(columns, edges), outcome - level)
    feature, cut, missing_left, left, value, summed = grown
    return Boosted(
        edges=edges, feature=feature, cut=cut, missing_left=missing_left, left=left, value=value, level=level,
        fitted=level + summed,
    )  # fmt: skip


def find_edges(column: Vector) -> Vector:
    """Return the cuts between a column's bins: halfway between values, or at quantiles where values are many."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    if len(values) > MOST_BINS:
        share = np.cumsum(counts) / counts.sum()
        last = np.unique(np.searchsorted(share, np.arange(1, MOST_BINS) / MOST_BINS))
        last = last[last < len(values) - 1]
        return np.asarray((values[last] + values[last + 1]) / 2, dtype=np.float64)
    return np.asarray((values[:-1] + values[1:]) / 2, dtype=np.float64)


def put_in_bins(columns: Vector, edges: tuple[Vector, ...]) -> Bins:
    """Return each value's bin, 255 where missing, (n, p)."""
    bins = np.empty(columns.shape, dtype=np.uint8)
    for place, cuts in enumerate(edges):
        column = columns[:, place]
        bins[:, place] = np.where(np.isnan(column), MISSING, np.searchsorted(cuts, column))
    return bins


@kernel
def _count_bins(bins: Bins, used: Codes) -> None:
    """Fill `used` (p,) with how many bins of each column may be in use, that of missing values aside."""
    used[:] = 0
    for row in range(len(bins)):
        for j in range(bins.shape[1]):
            b = bins[row, j]
            if b != MISSING and b >= used[j]:
                used[j] = b + 1


@kernel
def _fill(
    bins: Bins, used: Codes, rest: Vector, rows: Codes, start: int, stop: int, total: Vector, count: Codes
) -> None:
    """Sum residuals and count units by column and bin over a node's units; only bins in use are written."""
    for j in range(len(used)):
        total[j, : used[j]] = 0.0
        count[j, : used[j]] = 0
        total[j, MISSING], count[j, MISSING] = 0.0, 0
    for place in range(start, stop):
        row = rows[place]
        for j in range(bins.shape[1]):
            b = bins[row, j]
            total[j, b] += rest[row]
            count[j, b] += 1


@kernel
def _subtract(used: Codes, total: Any, count: Any, parent: int, small: int, large: int) -> None:
    """Give the larger child what its parent held, less what the smaller one holds."""
    for j in range(len(used)):
        for b in range(used[j]):
            total[large, j, b] = total[parent, j, b] - total[small, j, b]
            count[large, j, b] = count[parent, j, b] - count[small, j, b]
        total[large, j, MISSING] = total[parent, j, MISSING] - total[small, j, MISSING]
        count[large, j, MISSING] = count[parent, j, MISSING] - count[small, j, MISSING]


@kernel
def _best_cut(used: Codes, total: Vector, count: Codes, n: int, whole: float) -> tuple[float, int, int, bool]:
    """Return gain, column, cut and side of missing values of a node's best cut; a gain of 0 where there is none."""
    best = (0.0, -1, 0, False)
    own = whole * whole / (n + RIDGE)
    for j in range(total.shape[0]):
        gap, gap_count = total[j, MISSING], count[j, MISSING]
        for side in range(2 if gap_count > 0 else 1):
            left, left_count = (gap, gap_count) if side == 1 else (0.0, 0)
            for b in range(used[j]):
                if count[j, b] == 0:
                    continue
                left += total[j, b]
                left_count += count[j, b]
                if n - left_count < LEAF_SIZE:
                    break
                if left_count < LEAF_SIZE:
                    continue
                right = whole - left
                gain = left * left / (left_count + RIDGE) + right * right / (n - left_count + RIDGE) - own
                if gain > best[0]:
                    # without missing values here, later ones go with the larger side
                    goes_left = side == 1 if gap_count > 0 else 2 * left_count > n
                    best = (gain, j, b, goes_left)
    return best


@kernel
def _divide(
    bins: Bins, rows: Codes, spare: Codes, start: int, stop: int, feature: Any, cut: Any, missing_left: Any
) -> int:
    """Put the units that go left first, in their order; return where the others begin."""
    middle, kept = start, 0
    for place in range(start, stop):
        row = rows[place]
        b = bins[row, feature]
        goes_left = missing_left if b == MISSING else b <= cut
        if goes_left:
            rows[middle] = row
            middle += 1
        else:
            spare[kept] = row
            kept += 1
    for place in range(kept):
        rows[middle + place] = spare[place]
    return middle


@kernel
def _grow(bins: Bins, outcome: Vector) -> tuple[Codes, Codes, NDArray[np.bool_], Codes, Vector, Vector]:
    """Grow all trees; the arrays are those of `Boosted`, the last the sum of what its leaves add to each unit."""
    n, p = bins.shape
    used = np.empty(p, np.int64)
    _count_bins(bins, used)
    feature = np.full((N_TREES, NODES), -1, np.int64)
    cut = np.zeros((N_TREES, NODES), np.int64)
    missing_left = np.zeros((N_TREES, NODES), np.bool_)
    left = np.zeros((N_TREES, NODES), np.int64)
    value = np.zeros((N_TREES, NODES))
    rest, summed = outcome.copy(), np.zeros(n)
    rows, spare = np.empty(n, np.int64), np.empty(n, np.int64)
    total, count = np.empty((NODES, p, MISSING + 1)), np.empty((NODES, p, MISSING + 1), np.int64)
    gain, chosen, where = np.empty(NODES), np.empty(NODES, np.int64), np.empty((NODES, 2), np.int64)
    for t in range(N_TREES):
        for row in range(n):
            rows[row] = row
        size, leaves, fresh = 1, 1, 0
        where[0, 0], where[0, 1] = 0, n
        _fill(bins, used, rest, rows, 0, n, total[0], count[0])
        while True:
            for node in range(fresh, size):
                start, stop = where[node]
                whole = 0.0
                for place in range(start, stop):
                    whole += rest[rows[place]]
                value[t, node], gain[node] = RATE * whole / (stop - start + RIDGE), 0.0
                if stop - start >= 2 * LEAF_SIZE and leaves < MOST_LEAVES:
                    gain[node], chosen[node], cut[t, node], missing_left[t, node] = _best_cut(
                        used, total[node], count[node], stop - start, whole
                    )
            best = int(np.argmax(gain[:size]))
            if leaves == MOST_LEAVES or gain[best] <= 0.0:
                break
            feature[t, best], left[t, best], gain[best] = chosen[best], size, 0.0
            start, stop = where[best]
            middle = _divide(bins, rows, spare, start, stop, chosen[best], cut[t, best], missing_left[t, best])
            where[size, 0], where[size, 1] = start, middle
            where[size + 1, 0], where[size + 1, 1] = middle, stop
            small, large = (size, size + 1) if middle - start < stop - middle else (size + 1, size)
            fresh, size, leaves = size, size + 2, leaves + 1
            if leaves < MOST_LEAVES and where[large, 1] - where[large, 0] >= 2 * LEAF_SIZE:
                _fill(bins, used, rest, rows, where[small, 0], where[small, 1], total[small], count[small])
                _subtract(used, total, count, best, small, large)
        for node in range(size):
            if feature[t, node] < 0:
                for place in range(where[node, 0], where[node, 1]):
                    rest[rows[place]] -= value[t, node]
                    summed[rows[place]] += value[t, node]
    return feature, cut, missing_left, left, value, summed


@kernel
def _ask(bins: Bins, feature: Any, cut: Any, missing_left: Any, left: Codes, value: Vector) -> Vector:
    """Sum over trees what the leaf of each unit adds, (n,)."""
    summed = np.zeros(len(bins))
    for t in range(len(feature)):
        for row in range(len(bins)):
            node = 0
            while feature[t, node] >= 0:
                b = bins[row, feature[t, node]]
                goes_left = missing_left[t, node] if b == MISSING else b <= cut[t, node]
                node = left[t, node] if goes_left else left[t, node] + 1
            summed[row] += value[t, node]
    return summed
