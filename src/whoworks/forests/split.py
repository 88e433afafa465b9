"""The best split of one node.

For every candidate feature the packed pseudo-outcomes are summed by code, the
codes are scanned in order, and the cut with the largest between-child variance
that leaves enough rows of each arm on both sides is kept.  Only the winner is
then asked whether both halves of the data leave enough clusters of each arm in
both children; if not, that feature is scanned again under this rule and the
contest goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, N_CODES, Bins, Census, Pseudo, Rows, Rules, Sample
from whoworks.forests.census import count_clusters, holds_clusters, may_part
from whoworks.forests.compile import kernel
from whoworks.forests.draw import draw_below, draw_poisson
from whoworks.forests.pseudo import pack
from whoworks.forests.scan import keep_cut, scan_general, scan_pair
from whoworks.forests.sums import (
    clear,
    list_codes,
    list_met,
    met_codes,
    order_levels,
    sum_general,
    sum_large,
    sum_small,
)

LARGE_NODE = 600  # from here on nearly all bins are filled, and the codes met are not written down


@kernel
def draw_features(rules: Rules, features: NDArray[np.int64], rng: NDArray[np.uint64]) -> int:
    """Shuffle the candidates to the front of ``features``; their number is returned."""
    p = len(features)
    wanted = int(rules.max_features)
    if rules.poisson:
        wanted = draw_poisson(rng, rules.max_features)
    wanted = min(p, max(1, wanted))
    if wanted < p:
        for j in range(wanted):
            other = j + draw_below(rng, p - j)
            features[j], features[other] = features[other], features[j]
    return wanted


@kernel
def scan_pairs(
    sample: Sample,
    rules: Rules,
    n_candidates: int,
    rows: NDArray[np.uint32],
    node: Pseudo,
    bins: Bins,
    census: Census,
) -> None:
    """Two arms at most, no weights: fill ``bins.found`` for every candidate."""
    n = len(rows)
    is_large = n >= LARGE_NODE
    if is_large:
        sum_large(sample.codes, bins.features, n_candidates, rows, node.packed, node.lane, bins.histogram)
    else:
        sum_small(sample.codes, bins.features, n_candidates, rows, node.packed, node.lane, bins.histogram, bins.words)
    n_one = 0
    for i in range(n):
        n_one += node.lane[i] == 1
    for j in range(n_candidates):
        f = bins.features[j]
        if is_large:
            met_codes(bins.histogram, bins.words, f)
        if sample.categorical[f]:
            scan_levels(rules, f, 1, bins, census)
        else:
            gain, cut, missing_left = scan_pair(bins.histogram, bins.words, f, n, n_one, rules)
            bins.found[f, 0], bins.found[f, 1], bins.found[f, 2], bins.found[f, 3] = gain, cut, missing_left, 0.0


@kernel
def scan_levels(rules: Rules, f: int, n_effects: int, bins: Bins, census: Census) -> None:
    """Scan one feature's filled histogram by the general rule, and empty it."""
    m = list_codes(bins.histogram, f, rules, n_effects, bins.order)
    order_levels(bins.histogram, f, m, rules, n_effects, bins.order, bins.level_mean)
    gain, at, missing_left = scan_general(
        bins.histogram, f, bins.order, m, rules, n_effects, bins.left, census.tally, False
    )
    keep_cut(bins, f, gain, at, missing_left, True)
    clear(bins.histogram, bins.words, f)


@kernel
def scan_candidates(
    sample: Sample,
    rules: Rules,
    n_candidates: int,
    rows: NDArray[np.uint32],
    node: Pseudo,
    bins: Bins,
    census: Census,
) -> None:
    """Any number of arms, any weights: fill ``bins.found`` for every candidate."""
    d = node.rho.shape[1]
    for j in range(n_candidates):
        f = bins.features[j]
        sum_general(sample.codes, rules, f, d, rows, node.packed, node.lane, bins.histogram)
        if sample.categorical[f]:
            scan_levels(rules, f, d, bins, census)
            continue
        m = list_codes(bins.histogram, f, rules, d, bins.order)
        gain, at, missing_left = scan_general(
            bins.histogram, f, bins.order, m, rules, d, bins.left, census.tally, False
        )
        keep_cut(bins, f, gain, at, missing_left, False)
        clear(bins.histogram, bins.words, f)


@kernel
def sum_again(sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], node: Pseudo, bins: Bins) -> int:
    """Fill one feature's histogram and the order of its codes; their number is returned."""
    d = node.rho.shape[1]
    if rules.n_arms <= 2 and not rules.weighted:
        bins.lone[0] = f
        sum_small(sample.codes, bins.lone, 1, rows, node.packed, node.lane, bins.histogram, bins.words)
        m = list_met(bins.words, f, bins.order)
    else:
        sum_general(sample.codes, rules, f, d, rows, node.packed, node.lane, bins.histogram)
        m = list_codes(bins.histogram, f, rules, d, bins.order)
    if sample.categorical[f]:
        order_levels(bins.histogram, f, m, rules, d, bins.order, bins.level_mean)
    return m


@kernel
def mark_left(sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], node: Pseudo, bins: Bins) -> None:
    """Fill ``bins.goes_left`` for the cut found on a feature.

    Levels absent from the splitting half go the missing way.
    """
    cut, missing_left = int(bins.found[f, 1]), bins.found[f, 2] > 0.0
    if not sample.categorical[f]:
        for c in range(N_CODES):
            bins.goes_left[c] = c <= cut
    else:
        bins.goes_left[:] = missing_left
        m = sum_again(sample, rules, f, rows, node, bins)
        for j in range(m):
            bins.goes_left[bins.order[j]] = j <= cut
        clear(bins.histogram, bins.words, f)
    bins.goes_left[MISSING] = missing_left


@kernel
def best_of(n_candidates: int, features: NDArray[np.int64], found: NDArray[np.float64]) -> int:
    """Pick the candidate with the largest gain, or -1; the first drawn wins a tie."""
    best, gain = -1, 0.0
    for j in range(n_candidates):
        f = features[j]
        if found[f, 0] > gain:
            best, gain = f, found[f, 0]
    return best


@kernel
def find_split(
    sample: Sample,
    rules: Rules,
    box: NDArray[np.int64],
    rows: Rows,
    node: Pseudo,
    bins: Bins,
    census: Census,
    rng: NDArray[np.uint64],
) -> int:
    """Choose the feature to split a node on, or -1; ``bins.found`` and ``goes_left`` say where.

    ``box`` holds the node's range in the splitting and in the estimating half.
    """
    here, there = rows.split[box[0] : box[1]], rows.value[box[2] : box[3]]
    # drawn even when nothing can be split, so that the stream does not depend on the number of rows
    n_candidates = draw_features(rules, bins.features, rng)
    if not may_part(sample.arm, rules, there, census.seen) or not pack(sample, rules, here, node):
        return -1
    if rules.n_arms <= 2 and not rules.weighted:
        scan_pairs(sample, rules, n_candidates, here, node, bins, census)
    else:
        scan_candidates(sample, rules, n_candidates, here, node, bins, census)
    while True:
        f = best_of(n_candidates, bins.features, bins.found)
        if f < 0:
            return -1
        mark_left(sample, rules, f, here, node, bins)
        if rules.min_clusters == 0 or bins.found[f, 3] > 0.0:
            return f
        if holds_clusters(sample.codes, sample.arm, sample.cell, rules, f, there, bins.goes_left, census.seen) and (
            holds_clusters(sample.codes, sample.arm, sample.cell, rules, f, here, bins.goes_left, census.seen)
        ):
            return f
        m = sum_again(sample, rules, f, here, node, bins)
        count_clusters(sample, rules, f, m, here, there, bins.order, census)
        scan_allowed(rules, f, m, node.rho.shape[1], sample.categorical[f], bins, census)


@kernel
def scan_allowed(rules: Rules, f: int, m: int, n_effects: int, is_levels: bool, bins: Bins, census: Census) -> None:
    """Find one feature's best cut among those that keep enough clusters, and empty its histogram."""
    gain, at, missing_left = scan_general(
        bins.histogram, f, bins.order, m, rules, n_effects, bins.left, census.tally, True
    )
    keep_cut(bins, f, gain, at, missing_left, is_levels)
    bins.found[f, 3] = 1.0
    clear(bins.histogram, bins.words, f)
