"""A grown forest as arrays: growing bags on threads, asking trees in chunks of rows."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import Arena, Bagging, Rules, Sample, Strata, Trees, make_arena
from whoworks.forests.grow import grow_bags
from whoworks.forests.predict import find_leaves, mean_moments, solve_effects
from whoworks.forests.threads import over_threads
from whoworks.forests.variance import little_bags

Progress = Callable[[int, int], None]

RUN_OF_ROWS = 1 << 15  # rows that a run's bags are drawn from, all together
RUNS_PER_THREAD = 8


class Grown(NamedTuple):
    """Some bags' trees, copied out of an arena."""

    nodes: NDArray[np.void]
    payload: NDArray[np.float64]
    masks: NDArray[np.uint8]
    mask_of: NDArray[np.int32]
    sizes: NDArray[np.int64]  # (trees, 3)


def bag_seeds(random_state: int | np.random.RandomState | None, n_bags: int) -> NDArray[np.uint64]:
    """One 64-bit seed per bag, whatever the threads."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    return np.random.SeedSequence(random_state).generate_state(n_bags, np.uint64).astype(np.uint64)


def copy_out(arena: Arena, counts: tuple[int, int, int], n_trees: int, has_levels: bool) -> Grown:
    """Copy what was grown, so that the arena is free for the next bags."""
    n_nodes, n_leaves, n_masks = counts
    return Grown(
        nodes=arena.product.nodes[:n_nodes].copy(),
        payload=arena.product.payload[:n_leaves].copy(),
        masks=arena.product.masks[:n_masks].copy(),
        mask_of=arena.product.mask_of[:n_nodes].copy() if has_levels else np.zeros(0, np.int32),
        sizes=arena.product.grown[:n_trees].copy(),
    )


def share_out(n_rows: int, n_bags: int, n_threads: int) -> list[slice]:
    """Cut bags into runs, each grown by one call: many where they are small, but enough for threads to share."""
    size = max(1, min(RUN_OF_ROWS // n_rows, n_bags // (RUNS_PER_THREAD * n_threads)))
    return [slice(b, min(n_bags, b + size)) for b in range(0, n_bags, size)]


def grow_trees(
    sample: Sample,
    rules: Rules,
    strata: Strata,
    bagging: Bagging,
    *,
    seeds: NDArray[np.uint64],
    n_threads: int,
    progress: Progress | None = None,
) -> Trees:
    """Grow one bag per seed; the result does not depend on the number of threads."""
    bits = np.zeros((len(seeds), (len(strata.clusters) + 7) // 8), np.uint8)
    runs = share_out(len(sample.y), len(seeds), n_threads)
    benches: queue.SimpleQueue[Arena] = queue.SimpleQueue()
    for _ in range(min(n_threads, len(runs))):
        benches.put(make_arena(sample, rules, strata, bagging, n_bags=runs[0].stop))
    has_levels = bool(sample.categorical.any())

    def grow(run: slice) -> Grown:
        arena = benches.get()
        try:
            counts = grow_bags(sample, rules, strata, bagging, seeds[run], arena, bits[run])
            return copy_out(arena, counts, (run.stop - run.start) * bagging.n_trees, has_levels)
        finally:
            benches.put(arena)

    grown: list[Grown] = []
    for run, trees in zip(runs, over_threads(grow, runs, n_threads), strict=True):
        grown.append(trees)
        if progress is not None:
            progress(run.stop * bagging.n_trees, len(seeds) * bagging.n_trees)
    return join_bags(grown, bits, bagging.n_trees)


def join_bags(bags: list[Grown], bits: NDArray[np.uint8], trees_per_bag: int) -> Trees:
    """Put the bags' trees one after the other."""
    sizes = np.concatenate([bag.sizes for bag in bags])
    shifts = np.concatenate([[0], np.cumsum([len(bag.masks) for bag in bags])[:-1]])
    mask_of = np.concatenate([bag.mask_of + shift for bag, shift in zip(bags, shifts, strict=True)])
    return Trees(
        nodes=np.concatenate([bag.nodes for bag in bags]),
        payload=np.concatenate([bag.payload for bag in bags]),
        masks=np.concatenate([bag.masks for bag in bags]),
        mask_of=mask_of.astype(np.int32),
        node_start=np.concatenate([[0], np.cumsum(sizes[:, 0])]).astype(np.int64),
        leaf_start=np.concatenate([[0], np.cumsum(sizes[:, 1])]).astype(np.int64),
        usable=sizes[:, 2].astype(bool),
        bags=bits,
        trees_per_bag=trees_per_bag,
    )


def ask_trees(
    trees: Trees,
    codes: NDArray[np.uint8],
    cluster: NDArray[np.int32],
    *,
    d: int,
    with_variance: bool,
    n_threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return effects (n, max(d, 1)) and, if asked, their variance before the half-sample factor and its error.

    Rows are taken in chunks, so memory is bounded whatever their number;
    ``cluster`` is -1 for new rows.
    """
    n, width = len(codes), max(d, 1)
    effects = np.empty((n, width))
    variance, error = (np.empty((n, width)), np.empty((n, width))) if with_variance else (None, None)
    n_trees = len(trees.usable)
    size = int(max(64, min(4096, 16_000_000 // max(1, n_trees))))

    def ask(start: int) -> None:
        part = slice(start, min(n, start + size))
        leaves = np.empty((n_trees, part.stop - part.start), np.int32)
        moments = np.empty((part.stop - part.start, 1 + trees.payload.shape[1]))
        find_leaves(trees, codes[part], cluster[part], leaves)
        mean_moments(trees, leaves, moments)
        solve_effects(moments, d, effects[part])
        if variance is not None and error is not None:
            little_bags(trees, leaves, moments, effects[part], d, variance[part], error[part])

    for _ in over_threads(ask, range(0, n, size), n_threads):
        pass
    return effects, variance, error
