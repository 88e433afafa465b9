"""Summing packed pseudo-outcomes by code.

A histogram row of one feature has a slot per code, arm and channel, in this
order.  With two arms and no weights there is one channel and a slot is
``2 code + arm``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, Rules
from whoworks.forests.compile import kernel, lowest_bit
from whoworks.forests.pseudo import COUNT_BITS

COUNT_MASK = (1 << COUNT_BITS) - 1

Codes = NDArray[np.uint8]
Rows = NDArray[np.uint32]
Integers = NDArray[np.int64]


@kernel
def sum_large(
    codes: Codes, features: Integers, n_candidates: int, rows: Rows, packed: Integers, lane: Codes, histogram: Integers
) -> None:
    """Two arms, no weights, a large node: one pass over the rows for all candidates."""
    for i in range(len(rows)):
        r, value, arm = rows[i], packed[i], lane[i]
        for j in range(n_candidates):
            f = np.uint64(features[j])
            histogram[f, 2 * codes[r, f] + arm] += value


@kernel
def sum_small(
    codes: Codes,
    features: Integers,
    n_candidates: int,
    rows: Rows,
    packed: Integers,
    lane: Codes,
    histogram: Integers,
    words: NDArray[np.uint64],
) -> None:
    """Do the same in a small node, and write down which codes were met, one bit each.

    So an almost empty histogram is never scanned or emptied as a whole.
    """
    one, low = np.uint64(1), np.uint64(63)
    for i in range(len(rows)):
        r, value, arm = rows[i], packed[i], lane[i]
        for j in range(n_candidates):
            f = np.uint64(features[j])
            c = codes[r, f]
            histogram[f, 2 * c + arm] += value
            words[f, c >> 6] |= one << (np.uint64(c) & low)


@kernel
def met_codes(histogram: Integers, words: NDArray[np.uint64], f: int) -> None:
    """Write down which codes a filled histogram holds (two arms, one channel)."""
    for w in range(4):
        word = np.uint64(0)
        for b in range(64):
            slot = 2 * (64 * w + b)
            is_met = np.uint64(histogram[f, slot] != 0) | np.uint64(histogram[f, slot + 1] != 0)
            word |= is_met << np.uint64(b)
        words[f, w] = word


@kernel
def list_met(words: NDArray[np.uint64], f: int, order: Integers) -> int:
    """List the codes written down for a feature, missing apart; their number is returned."""
    m = 0
    for w in range(4):
        word = words[f, w]
        while word != np.uint64(0):
            c = 64 * w + lowest_bit(word)
            word &= word - np.uint64(1)
            if c != MISSING:
                order[m] = c
                m += 1
    return m


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
def clear(histogram: Integers, words: NDArray[np.uint64], f: int) -> None:
    """Empty one feature's histogram as a whole."""
    histogram[f, :] = 0
    words[f, :] = np.uint64(0)
