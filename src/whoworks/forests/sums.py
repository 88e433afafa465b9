"""Summing packed pseudo-outcomes by code.

A histogram row of one feature has a slot per code, arm and channel, in this
order.  With two arms and no weights there is one channel and a slot is
``2 code + arm``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, Rules
from whoworks.forests.pseudo import COUNT_BITS
from whoworks.kernels import kernel

COUNT_MASK = (1 << COUNT_BITS) - 1

Codes = NDArray[np.uint8]
Rows = NDArray[np.uint32]
Integers = NDArray[np.int64]


@kernel
def n_channels(rules: Rules, n_effects: int) -> int:
    """Return the number of sums per slot: the effects, then the weight if rows are weighted."""
    return n_effects + 1 if rules.weighted else n_effects


@kernel
def sum_general(
    codes: Codes,
    rules: Rules,
    f: int,
    n_effects: int,
    rows: Rows,
    packed: Integers,
    lane: Codes,
    histogram: Integers,
) -> None:
    """Any number of arms, any weights, one feature."""
    arms, channels = max(2, rules.n_arms), n_channels(rules, n_effects)
    for i in range(len(rows)):
        slot = (np.int64(codes[rows[i], f]) * arms + lane[i]) * channels
        for k in range(channels):
            histogram[f, slot + k] += packed[i * channels + k]


@kernel
def list_codes(histogram: Integers, f: int, rules: Rules, n_effects: int, order: Integers) -> int:
    """List the codes a filled histogram holds, missing apart; their number is returned."""
    width = max(2, rules.n_arms) * n_channels(rules, n_effects)
    m = 0
    for c in range(MISSING):
        for k in range(c * width, (c + 1) * width):
            if histogram[f, k] != 0:
                order[m] = c
                m += 1
                break
    return m


@kernel
def order_levels(
    histogram: Integers, f: int, m: int, rules: Rules, n_effects: int, order: Integers, means: NDArray[np.float64]
) -> None:
    """Sort the levels of a categorical feature by mean pseudo-outcome (of the first effect)."""
    arms, channels = max(2, rules.n_arms), n_channels(rules, n_effects)
    for j in range(m):
        c = order[j]
        total = weight = 0
        for a in range(arms):
            slot = (c * arms + a) * channels
            total += histogram[f, slot] >> COUNT_BITS
            if rules.weighted:
                weight += histogram[f, slot + channels - 1] >> COUNT_BITS
            else:
                weight += histogram[f, slot] & COUNT_MASK
        mean = total / max(weight, 1)
        k = j - 1
        while k >= 0 and means[k] > mean:
            means[k + 1] = means[k]
            order[k + 1] = order[k]
            k -= 1
        means[k + 1] = mean
        order[k + 1] = c


@kernel
def clear(histogram: Integers, f: int) -> None:
    """Empty one feature's histogram as a whole."""
    histogram[f, :] = 0
