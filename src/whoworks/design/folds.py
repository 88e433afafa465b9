"""Folds of whole clusters, so that no unit is predicted by a model that saw its cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from whoworks.design.design import Codes
from whoworks.design.levels import count_distinct, renumber

MOST_FOLDS = 5
MIN_CLUSTERS = 4
SMALL_BLOCK = 4


def assign_folds(*, cluster: Codes, block: Codes, arm: Codes, assigned: Codes, rng: np.random.Generator) -> Codes:
    """Deal whole clusters into folds 0..K-1, balanced over arms and, where possible, blocks.

    K = max(2, min(5, clusters in the smaller arm // 2)).  Blocks with fewer
    than 4 assigned units stay whole: the other half of a pair gives away arm
    and outcome.  With fewer than 4 clusters in an arm, or when whole clusters
    and blocks cannot be dealt so that every fold's complement holds every arm,
    all folds are 0: no model is then fitted, and the plain difference stands.

    Parameters
    ----------
    cluster, block, arm, assigned : (n,) codes of each unit
    rng : the same generator state gives the same folds, whatever the order of the units

    Returns
    -------
    (n,) fold of each unit, all zeros where there is to be no model
    """
    fold: Codes = draw_partitions(cluster=cluster, block=block, arm=arm, assigned=assigned, rngs=(rng,))[0]
    return fold


def draw_partitions(
    *, cluster: Codes, block: Codes, arm: Codes, assigned: Codes, rngs: Sequence[np.random.Generator]
) -> Codes:
    """Deal whole clusters into folds once for each generator, as `assign_folds` does: (generators, n) folds."""
    arm, block, cluster = renumber(arm), renumber(block), renumber(cluster)
    partitions = np.zeros((len(rngs), len(arm)), dtype=np.int64)
    n_folds = count_folds(cluster=cluster, arm=arm)
    group = join_small_blocks(cluster=cluster, block=block, assigned=assigned)
    if n_folds == 0 or group.max() + 1 < n_folds:
        return partitions
    for place, rng in enumerate(rngs):
        fold = deal_groups(group=group, block=block, arm=arm, n_folds=n_folds, rng=rng)[group]
        if leaves_every_arm(fold=fold, arm=arm):
            partitions[place] = fold
    return partitions


def count_folds(*, cluster: Codes, arm: Codes) -> int:
    """Return the number of folds, 0 when there is to be no model."""
    if not len(arm) or arm.max() == 0:
        return 0
    smaller = int(count_distinct(within=arm, codes=cluster, n=int(arm.max()) + 1).min())
    return 0 if smaller < MIN_CLUSTERS else max(2, min(MOST_FOLDS, smaller // 2))


def join_small_blocks(*, cluster: Codes, block: Codes, assigned: Codes) -> Codes:
    """Return what has to stay together: clusters, joined where they share a block of fewer than 4 assigned units."""
    if not len(cluster):
        return cluster
    n_clusters, n_blocks = int(cluster.max()) + 1, int(block.max()) + 1
    small = count_distinct(within=block, codes=assigned, n=n_blocks) < SMALL_BLOCK
    tied = small[block]
    ends = (cluster[tied], n_clusters + block[tied])
    n_nodes = n_clusters + n_blocks
    graph = coo_array((np.ones(int(tied.sum()), dtype=np.int8), ends), shape=(n_nodes, n_nodes))
    component = connected_components(graph, directed=False)[1][:n_clusters]
    first = np.unique(component, return_index=True)[1]
    return renumber(first[np.searchsorted(np.unique(component), component)][cluster])


def deal_groups(*, group: Codes, block: Codes, arm: Codes, n_folds: int, rng: np.random.Generator) -> Codes:
    """Deal the groups like cards, sorted by the arms they hold, then by block, in random order within.

    Each run of equal groups is dealt in turn, so that the folds' shares of any
    such run differ by at most one.
    """
    n_groups = int(group.max()) + 1
    holds = np.zeros((n_groups, int(arm.max()) + 1), dtype=np.int64)
    holds[group, arm] = 1
    lowest_block = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(lowest_block, group, block)
    shuffled_block = rng.permutation(int(block.max()) + 1)[lowest_block]
    order = np.lexsort((rng.permutation(n_groups), shuffled_block, *holds.T))
    fold = np.empty(n_groups, dtype=np.int64)
    fold[order] = rng.permutation(n_folds)[np.arange(n_groups) % n_folds]
    return fold


def leaves_every_arm(*, fold: Codes, arm: Codes) -> bool:
    """Tell whether every arm is found outside every fold, that is in two folds or more."""
    return bool((count_distinct(within=arm, codes=fold, n=int(arm.max()) + 1) > 1).all())
