"""What the kernels read and where they work: plain arrays under one name each.

A ``Sample`` is the data, ``Rules`` is what a split must respect, an ``Arena``
is one thread's workbench.  All are tuples of arrays and numbers, which is what
a kernel can take.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING = 255
N_CODES = 256
LANES = 32  # features handled side by side
NARROW = 2048  # nodes with fewer rows are narrow: their sums and counts fit in one number (see ``vectors``)
BY_COUNT = -1.0  # for `Bagging.split_share`: as many as `count_splitting` says
NEAR = 2048  # rows of either part that are copied to stand close together
SMALL = 128  # rows of a node small enough to be sorted, in every feature; fewer than a key can number
FEW = 48  # rows of a node whose cuts are bounded by clusters beforehand, not only when one is refused

NODE = np.dtype([("child", np.int32), ("feature", np.uint16), ("cut", np.uint8), ("kind", np.uint8)])
# bits of ``kind``
LEAF, MISSING_LEFT, CATEGORICAL = 1, 2, 4


class Sample(NamedTuple):
    """Rows in canonical order: all rows of a cluster stand together."""

    codes: NDArray[np.uint8]  # (n, p) quantised features, 255 is missing
    y: NDArray[np.float64]  # (n,) outcome minus prognosis
    z: NDArray[np.float64]  # (n, d) arm indicators minus propensities
    arm: NDArray[np.uint8]  # (n,) arm as assigned
    weight: NDArray[np.float64]  # (n,)
    cell: NDArray[np.int32]  # (n,) one number per cluster and arm
    categorical: NDArray[np.bool_]  # (p,)


class Rules(NamedTuple):
    """What a split must respect, and how candidates are drawn."""

    n_arms: int  # 1 in a regression forest
    weighted: bool
    min_rows: int  # of each arm in each child, splitting part
    min_clusters: int  # of each arm in each child, both parts
    imbalance: float  # smallest share of the parent's information in a child
    max_depth: int
    max_features: float
    poisson: bool  # the number of candidates is Poisson with mean max_features
    by_row: bool = False  # every row is a cluster of its own
    holes: bool = True  # some code is missing
    n_codes: int = MISSING  # codes in use, missing apart


class Strata(NamedTuple):
    """Clusters by arm (and block): what bags and honesty are drawn within."""

    clusters: NDArray[np.int64]  # (G,) clusters, stratum after stratum
    start: NDArray[np.int64]  # (S + 1,) where each stratum begins
    row_start: NDArray[np.int64]  # (G + 1,) where each cluster's rows begin


class Bagging(NamedTuple):
    """How bags and trees are drawn."""

    bag_share: float  # of the clusters of a stratum, in a bag
    tree_share: float  # of the bag's clusters, in a tree
    honest: bool
    n_trees: int  # in a bag
    split_share: float = 0.5  # of a tree's clusters that choose its splits


class Draws(NamedTuple):
    """The clusters of a bag and of a tree."""

    bag: NDArray[np.int64]  # (G,) clusters; those drawn stand first in each stratum
    bag_size: NDArray[np.int64]  # (S,) how many were drawn
    role: NDArray[np.uint8]  # (G,) 1 splitting part, 2 estimating part


class Rows(NamedTuple):
    """The rows of a tree, parted in place as it grows."""

    split: NDArray[np.uint32]
    value: NDArray[np.uint32]
    spare: NDArray[np.uint32]


class Pseudo(NamedTuple):
    """What the rows of the node at hand say about its effect."""

    rho: NDArray[np.float64]  # (n, max(d, 1))
    packed: NDArray[np.int64]  # (n * channels,) see ``pack``
    lane: NDArray[np.uint8]  # (n,) arm
    work: NDArray[np.float64]  # (d + 1, 2 d + 3) moments and a small linear system


class Bins(NamedTuple):
    """Sums by code, and the best cut of each candidate."""

    histogram: NDArray[np.int64]  # (p, 256 * arms * channels)
    order: NDArray[np.int64]  # (256,) codes in the order they are scanned
    level_mean: NDArray[np.float64]  # (256,) of a categorical feature, in that order
    features: NDArray[np.int64]  # (p,) candidates first
    found: NDArray[np.float64]  # (p, 4) gain, cut, missing left, is checked
    left: NDArray[np.int64]  # (6, arms or channels) running sums of a scan
    goes_left: NDArray[np.bool_]  # (256,)


class Lanes(NamedTuple):
    """A block of numeric features side by side (see ``lanes`` and ``bounds``)."""

    lane: NDArray[np.uint64]  # (LANES,) the feature of each lane
    key: NDArray[np.uint16]  # (SMALL + 1, LANES) codes of a small node's rows, each with its row's number
    value: NDArray[np.int64]  # (2048,) packed pseudo-outcomes and arms of a narrow node's rows
    histogram: NDArray[np.int64]  # (LANES / 8, 512, 8) a slot per code and arm, empty between nodes
    frame: NDArray[np.float64]  # (5,) what every cut of the node must respect
    bound: NDArray[np.int64]  # (4, LANES) lowest and first forbidden cut, missing values right, then left
    best: NDArray[np.float64]  # (3, LANES) the best cut of each lane
    line: NDArray[np.uint8]  # (LANES,) one row's codes
    run: NDArray[np.uint8]  # (2, 2, LANES) lowest and highest code of the cluster at hand, by arm
    low: NDArray[np.uint8]  # (2, min_clusters, LANES) by arm
    high: NDArray[np.uint8]


class Census(NamedTuple):
    """Clusters by arm on both sides of a cut."""

    seen: NDArray[np.int64]  # (2, arms, 1 + min_clusters)
    rank: NDArray[np.int16]  # (256,) place of a code in the scan
    tally: NDArray[np.int64]  # (2 parts, arms, 4, 257) clusters by lowest and highest rank
    low: NDArray[np.int16]  # (cells,)
    high: NDArray[np.int16]
    missing: NDArray[np.bool_]


class Product(NamedTuple):
    """What bags leave behind."""

    nodes: NDArray[np.void]
    payload: NDArray[np.float64]
    masks: NDArray[np.uint8]  # (categorical splits, 32) one bit per level: goes left
    mask_of: NDArray[np.int32]
    grown: NDArray[np.int64]  # (trees, 3) nodes, leaves, is usable


class Arena(NamedTuple):
    """One thread's workbench.  Kernels take only the drawers they use: calls stay cheap."""

    draws: Draws
    rows: Rows
    near: Sample  # (2 NEAR) rows of the branch at hand
    pseudo: Pseudo
    bins: Bins
    lanes: Lanes
    census: Census
    product: Product
    stack: NDArray[np.int64]  # (depth + 1, 8) the last row is the node at hand


class Trees(NamedTuple):
    """All trees one after the other; children and leaves are counted from their tree's first."""

    nodes: NDArray[np.void]  # child (left; right is the next), feature, cut, kind
    payload: NDArray[np.float64]  # (leaves, moments)
    masks: NDArray[np.uint8]  # (categorical splits, 32)
    mask_of: NDArray[np.int32]  # (nodes or 1,)
    node_start: NDArray[np.int64]  # (trees + 1,)
    leaf_start: NDArray[np.int64]  # (trees + 1,)
    usable: NDArray[np.bool_]  # (trees,)
    bags: NDArray[np.uint8]  # (bags, clusters / 8) one bit per cluster
    trees_per_bag: int


def n_payload(n_z: int) -> int:
    """Length of a leaf's moments: y, z, z y and the triangle of z z'."""
    return 1 + 2 * n_z + n_z * (n_z + 1) // 2


def count_splitting(n: int, share: float) -> float:
    """Return how many of a tree's n clusters of a stratum choose its splits, on average; the others estimate.

    A share leaves one cluster to either.  `BY_COUNT` is half of them and a tenth more, at most fifty, as long as fifty
    still estimate: leaves' estimates are averaged over trees, each with others in its leaves, while no tree's splits
    are better than its own clusters allow (docs/decisions/0033).
    """
    if share == BY_COUNT:
        return 0.5 * n + max(0.0, min(0.1 * n, 50.0, 0.5 * n - 50.0))
    return min(max(share * n, 1.0), n - 1.0) if n > 1 else share * n


def most_rows(strata: Strata, most: Callable[[int], float]) -> int:
    """Most rows that a draw can hold which takes `most` of a stratum's clusters, rounded up."""
    sizes = np.diff(strata.row_start)
    rows = 0
    for a, b in pairwise(strata.start):
        here = sizes[strata.clusters[a:b]]
        rows += int(np.sort(here)[len(here) - _up(most(b - a)) :].sum())
    return rows


def _up(value: float) -> int:
    """Round up, as `draw.round_at_random` does at most."""
    return int(np.ceil(value - 1e-9))


def make_lanes(n_kept: int) -> Lanes:
    """Allocate the block of features side by side."""
    integers: Any = np.int64
    return Lanes(
        lane=np.zeros(LANES, np.uint64),
        key=np.zeros((SMALL + 1, LANES), np.uint16),
        value=np.zeros(NARROW, integers),
        histogram=np.zeros((LANES // 8, 2 * N_CODES, 8), integers),
        frame=np.zeros(5),
        bound=np.zeros((4, LANES), integers),
        best=np.zeros((3, LANES)),
        line=np.full(LANES, MISSING, np.uint8),
        run=np.zeros((2, 2, LANES), np.uint8),
        low=np.zeros((2, n_kept, LANES), np.uint8),
        high=np.zeros((2, n_kept, LANES), np.uint8),
    )


def make_near(sample: Sample) -> Sample:
    """Allocate room for the rows of a branch."""
    n = 2 * NEAR
    return Sample(
        codes=np.empty((n, sample.codes.shape[1]), np.uint8),
        y=np.empty(n),
        z=np.empty((n, sample.z.shape[1])),
        arm=np.empty(n, np.uint8),
        weight=np.empty(n),
        cell=np.empty(n, np.int32),
        categorical=sample.categorical,
    )


def count_rows(strata: Strata, bagging: Bagging) -> tuple[int, int]:
    """Return the most rows that a tree's splitting part and its estimating part can hold."""

    def of_tree(n: int) -> int:
        return _up(bagging.tree_share * _up(bagging.bag_share * n))

    def splitting(n: int) -> float:
        return count_splitting(of_tree(n), bagging.split_share)

    if not bagging.honest:
        return most_rows(strata, of_tree), most_rows(strata, of_tree)
    return most_rows(strata, splitting), most_rows(strata, lambda n: of_tree(n) - int(splitting(n) + 1e-9))


def make_arena(sample: Sample, rules: Rules, strata: Strata, bagging: Bagging, *, n_bags: int = 1) -> Arena:
    """Allocate one thread's workbench, large enough for any bag, and to hold ``n_bags`` grown ones."""
    n_trees = n_bags * bagging.n_trees
    n_split, n_value = count_rows(strata, bagging)
    n_cluster = len(strata.clusters)
    p, d = sample.codes.shape[1], sample.z.shape[1]
    arms, channels = max(2, rules.n_arms), max(1, d) + int(rules.weighted)
    most_leaves = max(1, n_split // max(1, rules.n_arms * rules.min_rows))
    nodes, leaves = n_trees * 2 * most_leaves, n_trees * most_leaves
    n_cells = int(sample.cell.max()) + 1
    n_masks = nodes if sample.categorical.any() else 1
    integers: Any = np.int64
    real: Any = np.float64
    bins = Bins(
        histogram=np.zeros((p, N_CODES * arms * channels), integers),
        order=np.empty(N_CODES, integers),
        level_mean=np.empty(N_CODES, real),
        features=np.arange(p, dtype=integers),
        found=np.zeros((p, 4), real),
        left=np.zeros((6, max(arms, channels)), integers),
        goes_left=np.zeros(N_CODES, np.bool_),
    )
    census = Census(
        seen=np.zeros((2, arms, 1 + max(1, rules.min_clusters)), integers),
        rank=np.empty(N_CODES, np.int16),
        tally=np.zeros((2, arms, 4, N_CODES + 1), integers),
        low=np.full(n_cells, -1, np.int16),
        high=np.full(n_cells, -1, np.int16),
        missing=np.zeros(n_cells, np.bool_),
    )
    product = Product(
        nodes=np.empty(nodes, NODE),
        payload=np.empty((leaves, n_payload(d)), real),
        masks=np.zeros((n_masks, N_CODES // 8), np.uint8),
        mask_of=np.zeros(n_masks, np.int32),
        grown=np.zeros((n_trees, 3), integers),
    )
    spare = max(n_split, n_value)
    return Arena(
        draws=Draws(
            bag=np.empty(n_cluster, integers),
            bag_size=np.zeros(len(strata.start) - 1, integers),
            role=np.zeros(n_cluster, np.uint8),
        ),
        near=make_near(sample),
        rows=Rows(np.empty(n_split, np.uint32), np.empty(n_value, np.uint32), np.empty(spare, np.uint32)),
        pseudo=Pseudo(
            rho=np.empty((n_split, max(1, d)), real),
            packed=np.empty(n_split * channels, integers),
            lane=np.empty(n_split, np.uint8),
            work=np.zeros((d + 1, 2 * d + 3), real),
        ),
        bins=bins,
        lanes=make_lanes(max(1, rules.min_clusters)),
        census=census,
        product=product,
        stack=np.empty((most_leaves + 65, 8), integers),
    )
