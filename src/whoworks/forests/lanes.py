"""Up to 32 features side by side: the best cut of each, found at once.

With two arms at most and no weights, numeric candidates are handled in blocks
of ``LANES``, one lane each, so that a step of a scan is a few instructions for
many features.  A small node, of fewer rows than there are codes, sorts its rows
by code in every lane: this is cheaper than filling and emptying histograms of
256 codes.  A larger one fills a histogram and scans it once.

The cut with the largest between-child variance that leaves enough rows and
information (``scan.is_allowed``) and lies within its bounds is kept; ties go
to the lower code, and with missing values right before left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import LANES, NARROW, SMALL, Lanes, Pseudo, Rules, Sample
from whoworks.forests.prefetch import AHEAD, prefetch
from whoworks.forests.small_nodes import sort_keys, sorted_cuts, write_keys
from whoworks.forests.vectors import (
    ARM_BITS,
    CUT,
    FLOOR,
    GROUP,
    LEAST_ONE,
    LEAST_ZERO,
    ROWS,
    SQUARE,
    TREATED,
    WEIGHT,
    narrow_cuts,
    wide_cuts,
)
from whoworks.kernels import kernel

Codes = NDArray[np.uint8]
Rows = NDArray[np.uint32]
Integers = NDArray[np.int64]
Lane = NDArray[np.uint64]

FILLED = 4  # features a step of filling a histogram: half a group, so that few are filled in vain


@kernel
def take_lanes(
    categorical: NDArray[np.bool_], features: NDArray[np.int64], n_candidates: int, start: int, lane: Lane
) -> tuple[int, int]:
    """List the next numeric candidates; their number is returned, and where to go on.  Free lanes repeat the last."""
    m, j = 0, start
    while j < n_candidates and m < LANES:
        if not categorical[features[j]]:
            lane[m] = features[j]
            m += 1
        j += 1
    if m > 0:
        lane[m:] = lane[m - 1]
    return m, j


@kernel
def take_row(codes: NDArray[np.uint8], r: int, lane: Lane, m: int, line: NDArray[np.uint8]) -> None:
    """Copy one row's codes of the block."""
    for j in range(m):
        line[j] = codes[r, lane[j]]


@kernel
def frame_node(rules: Rules, n: int, n_one: int, frame: NDArray[np.float64]) -> None:
    """Write down what every cut of a node must respect."""
    frame[ROWS], frame[TREATED] = n, n_one
    if rules.n_arms == 1:
        frame[LEAST_ONE], frame[LEAST_ZERO] = 0.0, np.ceil(max(float(rules.min_rows), rules.imbalance * n))
        frame[FLOOR] = 0.0
    else:
        frame[LEAST_ONE] = frame[LEAST_ZERO] = rules.min_rows
        frame[FLOOR] = rules.imbalance * n_one * (n - n_one) / n


@kernel
def pack_narrow(node: Pseudo, n: int, value: Integers) -> None:
    """Give treated rows a field of their own in the packed numbers of a narrow node."""
    for i in range(n):
        value[i] = node.packed[i] + ((1 << ARM_BITS) - 1 if node.lane[i] == 1 else 0)


@kernel
def fill_narrow(codes: Codes, lane: Lane, m: int, rows: Rows, packed: Integers, histogram: Integers) -> None:
    """Sum the packed rows of a narrow node by code: one pass over the rows for all lanes.

    Eight lanes of a slot stand together, group after group.
    """
    for i in range(len(rows)):
        r, value = rows[i], packed[i]
        for first in range(0, m, FILLED):
            for j in range(FILLED):
                histogram[first // GROUP, np.uint64(codes[r, lane[first + j]]), first % GROUP + j] += value


@kernel
def fill_wide(codes: Codes, lane: Lane, m: int, rows: Rows, packed: Integers, arms: Codes, histogram: Integers) -> None:
    """Sum packed pseudo-outcomes by code and arm, in a node of any size."""
    for i in range(len(rows)):
        if i + AHEAD < len(rows):
            prefetch(codes, rows[i + AHEAD])
        r, value, arm = rows[i], packed[i], np.uint64(arms[i])
        for first in range(0, m, FILLED):
            for j in range(FILLED):
                slot = np.uint64(2) * np.uint64(codes[r, lane[first + j]]) + arm
                histogram[first // GROUP, slot, first % GROUP + j] += value


@kernel
def scan_block(sample: Sample, m: int, n_one: int, rules: Rules, rows: Rows, node: Pseudo, lanes: Lanes) -> None:
    """Find the best cut of every lane of a block."""
    n, groups = len(rows), range(0, m, GROUP)
    frame_node(rules, n, n_one, lanes.frame)
    if n >= NARROW:
        fill_wide(sample.codes, lanes.lane, m, rows, node.packed, node.lane, lanes.histogram)
        for first in groups:
            wide_cuts(lanes.histogram, rules.n_codes, first, lanes.frame, lanes.bound, lanes.best)
        return
    pack_narrow(node, n, lanes.value)
    if n > min(SMALL, rules.n_codes):  # few codes are soon scanned
        fill_narrow(sample.codes, lanes.lane, m, rows, lanes.value, lanes.histogram)
        for first in groups:
            narrow_cuts(lanes.histogram, rules.n_codes, first, lanes.frame, lanes.bound, lanes.best)
        return
    write_keys(sample.codes, lanes.lane, m, rows, lanes.key)
    sort_keys(lanes.key, n)
    for first in groups:
        sorted_cuts(lanes.key, lanes.value, n, first, lanes.frame, lanes.bound, lanes.best)


@kernel
def keep_lanes(lanes: Lanes, m: int, is_checked: bool, found: NDArray[np.float64]) -> None:
    """Write down gain, cut and missing way of every lane."""
    best = lanes.best
    for j in range(m):
        f, cut = lanes.lane[j], int(best[CUT, j])
        found[f, 0] = best[SQUARE, j] / best[WEIGHT, j]
        found[f, 1] = cut // 2 if best[SQUARE, j] > 0.0 else -1
        found[f, 2] = cut % 2
        found[f, 3] = 1.0 if is_checked else 0.0
