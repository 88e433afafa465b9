"""Between which codes a cut leaves enough clusters of every arm on both sides.

The left child of a cut holds k clusters of an arm when the k-th smallest of
the clusters' lowest codes is at or below the cut, the right child when the
k-th largest of their highest codes is above it.  So the cuts that a half of
the data allows are an interval, found in one pass over its rows for many
features at once.  Missing values go right as code 255, or left when every code
is raised by one, which turns 255 into 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import LANES, MISSING, Lanes, Rules, Sample
from whoworks.forests.lanes import take_row
from whoworks.kernels import kernel

Line = NDArray[np.uint8]


@kernel
def open_bounds(bound: NDArray[np.int64]) -> None:
    """Allow every cut, whichever way missing values go."""
    for way in range(2):
        bound[2 * way, :] = -1
        bound[2 * way + 1, :] = MISSING


@kernel
def sift_down(line: Line, kept: NDArray[np.uint8], k: int) -> None:
    """Put a line of codes among the k smallest kept in each lane; ``line`` is used up."""
    for s in range(k):
        for j in range(LANES):
            held, new = kept[s, j], line[j]
            kept[s, j] = new if new < held else held
            line[j] = held if new < held else new


@kernel
def sift_up(line: Line, kept: NDArray[np.uint8], k: int) -> None:
    """Put a line of codes among the k largest kept in each lane; ``line`` is used up."""
    for s in range(k):
        for j in range(LANES):
            held, new = kept[s, j], line[j]
            kept[s, j] = new if new > held else held
            line[j] = held if new > held else new


@kernel
def widen(line: Line, low: Line, high: Line) -> None:
    """Take one more row of a cluster into its lowest and highest codes."""
    for j in range(LANES):
        code = line[j]
        low[j] = code if code < low[j] else low[j]
        high[j] = code if code > high[j] else high[j]


@kernel
def meet_clusters(sample: Sample, rules: Rules, rows: NDArray[np.uint32], m: int, shift: int, lanes: Lanes) -> None:
    """Fill ``lanes.low`` and ``high``: per arm the k smallest lowest and k largest highest codes of clusters.

    Rows of a cluster stand together.  ``shift`` is 1 where missing values go
    left.
    """
    k, run = rules.min_clusters, lanes.run
    for a in range(rules.n_arms):
        lanes.low[a, :, :] = run[a, 0, :] = MISSING
        lanes.high[a, :, :] = run[a, 1, :] = 0
    i, n = 0, len(rows)
    while i < n:
        # cells of a cluster are numbered by arm
        first, seen = sample.cell[rows[i]] - sample.arm[rows[i]], 0
        while i < n and sample.cell[rows[i]] - sample.arm[rows[i]] == first:
            arm = sample.arm[rows[i]]
            take_row(sample.codes, rows[i], lanes.lane, m, lanes.line)
            if shift == 1:
                for j in range(LANES):
                    lanes.line[j] += np.uint8(1)
            widen(lanes.line, run[arm, 0], run[arm, 1])
            seen |= 1 << arm
            i += 1
        for a in range(rules.n_arms):
            if seen & (1 << a):
                sift_down(run[a, 0], lanes.low[a], k)
                sift_up(run[a, 1], lanes.high[a], k)
                run[a, 0, :] = MISSING
                run[a, 1, :] = 0


@kernel
def narrow_bounds(sample: Sample, rules: Rules, rows: NDArray[np.uint32], m: int, lanes: Lanes) -> None:
    """Narrow the bounds of a block to what these rows' clusters allow."""
    last = rules.min_clusters - 1
    for way in range(2 if rules.holes else 1):
        meet_clusters(sample, rules, rows, m, way, lanes)
        low, high = lanes.bound[2 * way], lanes.bound[2 * way + 1]
        for a in range(rules.n_arms):
            for j in range(LANES):
                least = np.int64(lanes.low[a, last, j]) - np.int64(way)
                most = np.int64(lanes.high[a, last, j]) - np.int64(way)
                low[j] = least if least > low[j] else low[j]
                high[j] = most if most < high[j] else high[j]
    if not rules.holes:
        for j in range(LANES):
            lanes.bound[2, j], lanes.bound[3, j] = lanes.bound[0, j], lanes.bound[1, j]


@kernel
def has_room(rules: Rules, m: int, bound: NDArray[np.int64]) -> bool:
    """Whether any lane still allows a cut."""
    for j in range(m):  # noqa: SIM110  (kernels have no any)
        if bound[0, j] < bound[1, j] or (rules.holes and bound[2, j] < bound[3, j]):
            return True
    return False
