"""Which features trees split on, and how often they would by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.forests.arena import LEAF, Sample, Trees
from whoworks.forests.order import Layout
from whoworks.kernels import kernel

Counts = NDArray[np.float64]

COUNTED_DEPTH = 4  # levels of a tree whose splits count


@kernel
def count_splits(trees: Trees, counts: NDArray[np.float64]) -> None:
    """Fill ``counts`` (depth, p) with the splits on each feature at each depth, over all trees."""
    most = counts.shape[0]
    stack = np.empty((2 * most + 2, 2), np.int64)
    for t in range(len(trees.usable)):
        first = trees.node_start[t]
        stack[0, 0] = stack[0, 1] = 0
        top = 1
        while top > 0:
            top -= 1
            at, depth = stack[top, 0], stack[top, 1]
            node = trees.nodes[first + at]
            if node.kind & LEAF or depth >= most:
                continue
            counts[depth, node.feature] += 1.0
            stack[top, 0], stack[top, 1] = node.child, depth + 1
            stack[top + 1, 0], stack[top + 1, 1] = node.child + 1, depth + 1
            top += 2


def split_importance(trees: Trees, p: int, *, max_depth: int = COUNTED_DEPTH, decay: float = 2.0) -> Counts:
    """Weighted share of splits on each feature; shares at depth k weigh ``k ** -decay``.

    As grf's variable_importance: ``sum_k k^-decay share_k / sum_k k^-decay``,
    k = 1 at the root.  Adds up to 1 where all depths hold splits.
    """
    counts = np.zeros((max_depth, p))
    count_splits(trees, counts)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0.0)
    weights = np.arange(1, max_depth + 1) ** -decay
    return np.asarray(weights @ shares / weights.sum())


def redraw_arms(
    sample: Sample, layout: Layout, stratum_of: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Permute the assignment as the design could have drawn it; return arms and arm residuals.

    Where clusters hold one arm, arms are permuted over clusters; where they
    hold several, over the rows of each cluster.  In both cases only among units
    with the same propensities and in the same block.

    Parameters
    ----------
    sample : Sample
        Rows in canonical order.
    layout : Layout
        Clusters of these rows.
    stratum_of : ndarray of shape (n,)
        Rows between which an assignment may be exchanged: block and propensity.
    rng : Generator
        Source of the permutation.
    """
    start = layout.row_start[:-1]
    is_whole = bool((np.minimum.reduceat(sample.arm, start) == np.maximum.reduceat(sample.arm, start)).all())
    if is_whole:
        units, group = start, stratum_of[start]
    else:
        units, group = np.arange(len(sample.arm)), stratum_of * layout.n_clusters + layout.cluster
    shuffled = np.lexsort((rng.random(len(units)), group))
    slots = np.lexsort((np.arange(len(units)), group))
    source = np.empty(len(units), np.int64)
    source[slots] = units[shuffled]
    row_source = np.repeat(source, np.diff(layout.row_start)) if is_whole else source
    return sample.arm[row_source], sample.z[row_source]


def band_frame(names: tuple[str, ...], importance: Counts, null: NDArray[np.float64], level: float) -> pd.DataFrame:
    """One row per feature: importance, and the band it would lie in if effects did not differ."""
    tail = 50.0 * (1.0 - level)
    return pd.DataFrame(
        {
            "feature": names,
            "importance": importance,
            "null_low": np.percentile(null, tail, axis=0),
            "null_high": np.percentile(null, 100.0 - tail, axis=0),
            "p_value": (1 + (null >= importance).sum(axis=0)) / (1 + len(null)),
        }
    )
