"""The best split of one node.

For every candidate feature the packed pseudo-outcomes are summed by code, the
codes are scanned in order, and the cut with the largest between-child variance
that leaves enough rows of each arm on both sides is kept.  Only the winner is
then asked whether both parts of the data leave enough clusters of each arm in
both children; if not, that feature is scanned again under this rule and the
contest goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import FEW, MISSING, N_CODES, Bins, Census, Lanes, Pseudo, Rows, Rules, Sample
from whoworks.forests.bounds import has_room, narrow_bounds, open_bounds
from whoworks.forests.census import count_clusters, holds_clusters, may_part
from whoworks.forests.draw import draw_below, draw_poisson
from whoworks.forests.lanes import keep_lanes, scan_block, take_lanes
from whoworks.forests.pseudo import pack
from whoworks.forests.scan import keep_cut, scan_general
from whoworks.forests.sums import clear, list_codes, order_levels, sum_general
from whoworks.kernels import kernel


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
def bound_block(
    sample: Sample, rules: Rules, m: int, here: NDArray[np.uint32], there: NDArray[np.uint32], lanes: Lanes
) -> bool:
    """Set a block's bounds from both parts; false when no lane allows a cut."""
    lanes.line[m:] = MISSING
    open_bounds(lanes.bound)
    narrow_bounds(sample, rules, there, m, lanes)
    if not has_room(rules, m, lanes.bound):
        return False
    if rules.by_row and rules.min_rows >= rules.min_clusters:
        return True
    narrow_bounds(sample, rules, here, m, lanes)
    return has_room(rules, m, lanes.bound)


@kernel
def scan_pairs(
    sample: Sample,
    rules: Rules,
    n_candidates: int,
    here: NDArray[np.uint32],
    there: NDArray[np.uint32],
    is_checked: bool,
    node: Pseudo,
    bins: Bins,
    lanes: Lanes,
) -> None:
    """Two arms at most, no weights: fill ``bins.found`` for every numeric candidate, within bounds if asked."""
    n_one = 0
    for i in range(len(here)):
        n_one += node.lane[i] == 1
    start = 0
    while start < n_candidates:
        m, start = take_lanes(sample.categorical, bins.features, n_candidates, start, lanes.lane)
        open_bounds(lanes.bound)
        if is_checked and not bound_block(sample, rules, m, here, there, lanes):
            for j in range(m):
                bins.found[lanes.lane[j], 0] = 0.0
            continue
        scan_block(sample, m, n_one, rules, here, node, lanes)
        keep_lanes(lanes, m, is_checked, bins.found)


@kernel
def sum_codes(sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], node: Pseudo, bins: Bins) -> int:
    """Fill one feature's histogram and the order of its codes; their number is returned."""
    d = node.rho.shape[1]
    sum_general(sample.codes, rules, f, d, rows, node.packed, node.lane, bins.histogram)
    m = list_codes(bins.histogram, f, rules, d, bins.order)
    if sample.categorical[f]:
        order_levels(bins.histogram, f, m, rules, d, bins.order, bins.level_mean)
    return m


@kernel
def scan_feature(
    rules: Rules, f: int, m: int, n_effects: int, is_levels: bool, is_checked: bool, bins: Bins, census: Census
) -> None:
    """Find the best cut in one feature's filled histogram by the general rule, and empty it.

    With ``is_checked`` only among those that keep enough clusters by ``census``.
    """
    gain, at, missing_left = scan_general(
        bins.histogram, f, bins.order, m, rules, n_effects, bins.left, census.tally, is_checked
    )
    keep_cut(bins, f, gain, at, missing_left, is_levels)
    if is_checked:
        bins.found[f, 3] = 1.0
    clear(bins.histogram, f)


@kernel
def mark_left(sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], node: Pseudo, bins: Bins) -> None:
    """Fill ``bins.goes_left`` for the cut found on a feature.

    Levels absent from the splitting part go the missing way.
    """
    cut, missing_left = int(bins.found[f, 1]), bins.found[f, 2] > 0.0
    if not sample.categorical[f]:
        for c in range(N_CODES):
            bins.goes_left[c] = c <= cut
    else:
        bins.goes_left[:] = missing_left
        m = sum_codes(sample, rules, f, rows, node, bins)
        for j in range(m):
            bins.goes_left[bins.order[j]] = j <= cut
        clear(bins.histogram, f)
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
def keeps_clusters(
    sample: Sample,
    rules: Rules,
    f: int,
    here: NDArray[np.uint32],
    there: NDArray[np.uint32],
    bins: Bins,
    seen: NDArray[np.int64],
) -> bool:
    """Whether the cut found on a feature keeps enough clusters, in both parts."""
    if rules.min_clusters == 0 or bins.found[f, 3] > 0.0:
        return True
    return holds_clusters(sample.codes, sample.arm, sample.cell, rules, f, there, bins.goes_left, seen) and (
        holds_clusters(sample.codes, sample.arm, sample.cell, rules, f, here, bins.goes_left, seen)
    )


@kernel
def find_split(
    sample: Sample,
    rules: Rules,
    box: NDArray[np.int64],
    rows: Rows,
    node: Pseudo,
    bins: Bins,
    lanes: Lanes,
    census: Census,
    rng: NDArray[np.uint64],
) -> int:
    """Choose the feature to split a node on, or -1; ``bins.found`` and ``goes_left`` say where.

    ``box`` holds the node's range in the splitting and in the estimating part.
    """
    here, there = rows.split[box[0] : box[1]], rows.value[box[2] : box[3]]
    # drawn even when nothing can be split, so that the stream does not depend on the number of rows
    n = draw_features(rules, bins.features, rng)
    if not (
        may_part(sample.arm, rules.n_arms, 2 * rules.min_clusters, there, census.seen)
        and may_part(sample.arm, rules.n_arms, 2 * rules.min_rows, here, census.seen)
        and pack(sample, rules, here, node)
    ):
        return -1
    in_lanes = rules.n_arms <= 2 and not rules.weighted
    if in_lanes:
        is_checked = rules.min_clusters > 0 and len(here) <= FEW
        scan_pairs(sample, rules, n, here, there, is_checked, node, bins, lanes)
    d = node.rho.shape[1]
    for j in range(n):
        f = bins.features[j]
        if sample.categorical[f] or not in_lanes:
            m = sum_codes(sample, rules, f, here, node, bins)
            scan_feature(rules, f, m, d, sample.categorical[f], False, bins, census)
    while True:
        f = best_of(n, bins.features, bins.found)
        if f < 0:
            return -1
        mark_left(sample, rules, f, here, node, bins)
        if keeps_clusters(sample, rules, f, here, there, bins, census.seen):
            return f
        if in_lanes and not sample.categorical[f]:
            scan_pairs(sample, rules, n, here, there, True, node, bins, lanes)
        else:
            m = sum_codes(sample, rules, f, here, node, bins)
            count_clusters(sample, rules, f, m, here, there, bins.order, census)
            scan_feature(rules, f, m, d, sample.categorical[f], True, bins, census)
