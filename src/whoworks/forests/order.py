"""Canonical order and strata: nothing a forest does depends on labels or on the order of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import N_CODES, Strata

SMALLEST_STRATUM = 4  # half of it can be split again for honesty


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Rows brought together by cluster."""

    order: NDArray[np.int64]  # (n,) canonical position -> row as given
    cluster: NDArray[np.int64]  # (n,) cluster of each canonical row, ascending
    row_start: NDArray[np.int64]  # (G + 1,)

    @property
    def n_clusters(self) -> int:
        """Return how many clusters there are."""
        return len(self.row_start) - 1


def hash_rows(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One number per row of codes, the same for equal rows."""
    table = np.random.default_rng(0).integers(0, 2**64, (codes.shape[1], N_CODES), dtype=np.uint64)
    total = np.zeros(len(codes), np.uint64)
    for j in range(codes.shape[1]):
        total += table[j][codes[:, j]]
    return total


def canonical_layout(
    *, codes: NDArray[np.uint8], outcome: NDArray[np.float64], arm: NDArray[np.uint8], cluster: NDArray[np.int64] | None
) -> Layout:
    """Sort rows by what they hold, clusters by the rows they hold, labels ignored.

    Keys are hashes of the codes, then outcomes, then arms; so a shift of the
    outcome, other labels, another order of rows or a monotone transform of a
    feature lead to the same forest.  ``cluster`` is None when every row is its
    own cluster.
    """
    n = len(codes)
    keys = (arm, *outcome.T[::-1], hash_rows(codes))
    if cluster is None:
        order = np.lexsort(keys)
        return Layout(order=order, cluster=np.arange(n), row_start=np.arange(n + 1))
    order = np.lexsort((*keys, cluster))
    start = np.flatnonzero(np.append(True, np.diff(cluster[order]) != 0))
    marks = [f.reduceat(key[order], start) for key in keys for f in (np.maximum, np.minimum)]
    place = np.empty(len(start), np.int64)
    place[np.lexsort(marks)] = np.arange(len(start))
    placed = place[cluster]
    order = np.lexsort((*keys, placed))
    sizes = np.bincount(placed)
    return Layout(order=order, cluster=placed[order], row_start=np.concatenate([[0], np.cumsum(sizes)]))


def number_alike(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """Give rows numbers 0, 1, ... in the order of their columns, the first counting most; equal rows share one."""
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        number = np.unique(number * len(values) + place, return_inverse=True)[1]
    return number


def cluster_arms(arm: NDArray[np.uint8], layout: Layout, n_arms: int) -> NDArray[np.int64]:
    """Return the arm of each cluster; clusters with several arms get the number ``n_arms``."""
    start = layout.row_start[:-1]
    low, high = np.minimum.reduceat(arm, start), np.maximum.reduceat(arm, start)
    return np.where(low == high, low, n_arms).astype(np.int64)


def make_strata(
    *, arm_of: NDArray[np.int64], block_of: NDArray[np.int64] | None, layout: Layout
) -> tuple[Strata, NDArray[np.int64]]:
    """Strata of clusters by arm and block, and the arm of each stratum.

    Where some arm of a block has fewer than four clusters, that block's
    clusters are pooled with those of other such blocks, arm by arm.
    """
    n_clusters = layout.n_clusters
    block = np.zeros(n_clusters, np.int64) if block_of is None else block_of.copy()
    cell = number_alike(block, arm_of)
    block[np.isin(block, block[np.bincount(cell)[cell] < SMALLEST_STRATUM])] = -1
    key = (block + 1) * (int(arm_of.max()) + 1) + arm_of
    _, first, stratum = np.unique(key, return_index=True, return_inverse=True)
    by_first = np.argsort(np.argsort(first))[stratum]  # numbered by their first cluster, not by label
    clusters = np.argsort(by_first, kind="stable").astype(np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(by_first))]).astype(np.int64)
    strata = Strata(clusters=clusters, start=start, row_start=layout.row_start.astype(np.int64))
    return strata, arm_of[clusters[start[:-1]]]
