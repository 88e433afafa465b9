"""Thirty-two features side by side: the best cut of each, found at once.

With two arms at most and no weights, numeric candidates are handled in blocks of
``LANES``, one lane each, so that every step is one instruction for many
features.  A small node compares all rows with all rows: for 60 rows this is
cheaper than filling and emptying histograms of 256 codes.  A larger one fills a
histogram whose slots hold a lane per feature and scans it once.

Ties between cuts of a feature go to the lower code, then to missing right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import LANES, MISSING, TILE, Lanes, Rules, Sample
from whoworks.forests.compile import kernel, left_sums
from whoworks.forests.pseudo import COUNT_BITS

COUNT_MASK = (1 << COUNT_BITS) - 1
ARM_BITS = 12  # of a small node's count: how many of its rows are treated
ROW_MASK = (1 << ARM_BITS) - 1

# rows of ``Lanes.state``: left of the cut, missing, the best so far, the cut at hand
SUM, COUNT, ONE, MISSING_SUM, MISSING_COUNT, MISSING_ONE, BEST, WEIGHT, CUT, WAY, CODE = range(11)

Rows = NDArray[np.uint32]
State = NDArray[np.float64]


@kernel
def take_lanes(
    categorical: NDArray[np.bool_], features: NDArray[np.int64], n_candidates: int, start: int, lane: NDArray[np.int64]
) -> tuple[int, int]:
    """List the next numeric candidates; their number is returned, and where to go on."""
    m, j = 0, start
    while j < n_candidates and m < LANES:
        if not categorical[features[j]]:
            lane[m] = features[j]
            m += 1
        j += 1
    return m, j


@kernel
def take_row(codes: NDArray[np.uint8], r: int, lane: NDArray[np.int64], m: int, line: NDArray[np.uint8]) -> None:
    """Copy one row's codes of the block."""
    for j in range(m):
        line[j] = codes[r, lane[j]]


@kernel
def reset_state(lanes: Lanes) -> None:
    """Nothing left of the cut, nothing missing, no cut found."""
    lanes.state[:BEST, :] = 0.0
    lanes.state[BEST, :] = 0.0
    lanes.state[WEIGHT, :] = 1.0
    lanes.state[CUT, :] = float(MISSING + 1)
    lanes.state[WAY, :] = 0.0


@kernel
def offer(state: State, bound: NDArray[np.int16], n: float, n_one: float, rules: Rules, to_left: bool) -> None:
    """Offer the cut at hand to every lane, missing values right or left.

    Both children must keep rows and information (``scan.is_allowed``) and the
    cut must lie within ``bound``, which holds lowest and first forbidden code
    with missing values right, then left.
    """
    least_one, least_zero = float(rules.min_rows), float(rules.min_rows)
    floor = rules.imbalance * n_one * (n - n_one) / n
    if rules.n_arms == 1:
        least_one, least_zero, floor = 0.0, max(float(rules.min_rows), rules.imbalance * n), 0.0
    moved = 1.0 if to_left else 0.0
    for j in range(LANES):
        has_missing = state[MISSING_COUNT, j] > 0.0
        s = state[SUM, j] + moved * state[MISSING_SUM, j]
        n_left = state[COUNT, j] + moved * state[MISSING_COUNT, j]
        one_left = state[ONE, j] + moved * state[MISSING_ONE, j]
        n_right, one_right = n - n_left, n_one - one_left
        zero_left, zero_right = n_left - one_left, n_right - one_right
        way = to_left | ((not has_missing) & (n_left >= n_right))
        low = bound[2, j] if way else bound[0, j]
        high = bound[3, j] if way else bound[1, j]
        code = state[CODE, j]
        square, weight = s * s, n_left * n_right
        mine, other = square * state[WEIGHT, j], state[BEST, j] * weight
        is_better = (mine > other) | ((mine == other) & (square > 0.0) & (code < state[CUT, j]))
        is_better &= (one_left >= least_one) & (zero_left >= least_zero)
        is_better &= (one_right >= least_one) & (zero_right >= least_zero)
        is_better &= (one_left * zero_left >= floor * n_left) & (one_right * zero_right >= floor * n_right)
        is_better &= (code >= low) & (code < high) & (has_missing | (not to_left))
        state[BEST, j] = square if is_better else state[BEST, j]
        state[WEIGHT, j] = weight if is_better else state[WEIGHT, j]
        state[CUT, j] = code if is_better else state[CUT, j]
        state[WAY, j] = (1.0 if way else 0.0) if is_better else state[WAY, j]


@kernel
def spread_sums(sums: NDArray[np.int64], state: State, first: int) -> None:
    """Take sum, rows and treated rows apart, into three rows of the state from ``first``."""
    for j in range(LANES):
        state[first, j] = float(sums[j] >> COUNT_BITS)
        state[first + 1, j] = float(sums[j] & ROW_MASK)
        state[first + 2, j] = float((sums[j] >> ARM_BITS) & ROW_MASK)


@kernel
def scan_tile(n: int, n_one: int, rules: Rules, lanes: Lanes) -> None:
    """Offer the code of every row of a small node; ``tile`` and ``value`` hold the rows."""
    tile, state = lanes.tile, lanes.state
    reset_state(lanes)
    if rules.holes:
        tile[n, :] = MISSING - 1
        left_sums(tile, n, n, lanes.value, lanes.sums)
        spread_sums(lanes.sums, state, MISSING_SUM)
        total = np.int64(0)
        for i in range(n):
            total += lanes.value[i]
        s, one = float(total >> COUNT_BITS), float(n_one)
        for j in range(LANES):
            state[MISSING_SUM, j] = s - state[MISSING_SUM, j]
            state[MISSING_COUNT, j] = float(n) - state[MISSING_COUNT, j]
            state[MISSING_ONE, j] = one - state[MISSING_ONE, j]
    for i in range(n):
        left_sums(tile, n, i, lanes.value, lanes.sums)
        spread_sums(lanes.sums, state, SUM)
        for j in range(LANES):
            state[CODE, j] = float(tile[i, j])
        offer(state, lanes.bound, float(n), float(n_one), rules, False)
        if rules.holes:
            offer(state, lanes.bound, float(n), float(n_one), rules, True)


@kernel
def fill_histogram(
    codes: NDArray[np.uint8],
    lane: NDArray[np.int64],
    m: int,
    rows: Rows,
    packed: NDArray[np.int64],
    arms: NDArray[np.uint8],
    histogram: NDArray[np.int64],
) -> None:
    """Sum packed pseudo-outcomes by code and arm, a lane per feature: one pass over the rows."""
    for i in range(len(rows)):
        r, value, arm = rows[i], packed[i], np.uint64(arms[i])
        for j in range(m):
            histogram[np.uint64(2) * np.uint64(codes[r, lane[j]]) + arm, j] += value


@kernel
def move_slots(histogram: NDArray[np.int64], code: int, state: State, first: int) -> None:
    """Add one code's slots to three rows of the state, and empty them."""
    for j in range(LANES):
        zero, one = histogram[2 * code, j], histogram[2 * code + 1, j]
        histogram[2 * code, j] = 0
        histogram[2 * code + 1, j] = 0
        both = zero + one
        state[first, j] += float(both >> COUNT_BITS)
        state[first + 1, j] += float(both & COUNT_MASK)
        state[first + 2, j] += float(one & COUNT_MASK)


@kernel
def scan_histogram(n: int, n_one: int, rules: Rules, lanes: Lanes) -> None:
    """Offer every code of a filled histogram, which is emptied on the way."""
    state = lanes.state
    reset_state(lanes)
    move_slots(lanes.histogram, MISSING, state, MISSING_SUM)
    for c in range(rules.n_codes):
        move_slots(lanes.histogram, c, state, SUM)
        state[CODE, :] = float(c)
        offer(state, lanes.bound, float(n), float(n_one), rules, False)
        if rules.holes:
            offer(state, lanes.bound, float(n), float(n_one), rules, True)


@kernel
def keep_lanes(lanes: Lanes, m: int, is_checked: bool, found: State) -> None:
    """Write down gain, cut and missing way of every lane."""
    state = lanes.state
    for j in range(m):
        f = lanes.lane[j]
        found[f, 0] = state[BEST, j] / state[WEIGHT, j]
        found[f, 1] = state[CUT, j] if state[BEST, j] > 0.0 else -1.0
        found[f, 2] = state[WAY, j]
        found[f, 3] = 1.0 if is_checked else 0.0
