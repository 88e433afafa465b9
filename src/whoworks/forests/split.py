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

from whoworks.forests.arena import MISSING, N_CODES, Arena, Rules, Sample
from whoworks.forests.compile import kernel, lowest_bit
from whoworks.forests.draw import draw_below, draw_poisson
from whoworks.forests.pseudo import COUNT_BITS, pack
from whoworks.forests.scan import scan_checked, scan_general, scan_pair

LARGE_NODE = 400  # from here on all features are summed in one pass over the rows
COUNT_MASK = (1 << COUNT_BITS) - 1


@kernel
def draw_features(rules: Rules, arena: Arena, rng: NDArray[np.uint64]) -> int:
    """Shuffle the candidates to the front of ``arena.features``; their number is returned."""
    p = len(arena.features)
    wanted = int(rules.max_features)
    if rules.poisson:
        wanted = draw_poisson(rng, rules.max_features)
    wanted = min(p, max(1, wanted))
    for j in range(wanted):
        other = j + draw_below(rng, p - j)
        arena.features[j], arena.features[other] = arena.features[other], arena.features[j]
    return wanted


@kernel
def sum_one(codes: NDArray[np.uint8], feature: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena) -> int:
    """Sum a small node's pseudo-outcomes by code; list the codes met, missing apart.

    Two arms, no weights.  Four words of 64 bits remember which codes were met,
    so an almost empty histogram is never scanned.
    """
    h = arena.histogram[feature]
    w0 = w1 = w2 = w3 = np.uint64(0)
    one = np.uint64(1)
    for i in range(n):
        c = np.uint64(codes[rows[start + i], feature])
        slot = (c << one) | np.uint64(arena.lane[i])
        h[slot] += arena.packed[i]
        word = c >> np.uint64(6)
        bit = one << (c & np.uint64(63))
        w0 |= bit if word == np.uint64(0) else np.uint64(0)
        w1 |= bit if word == np.uint64(1) else np.uint64(0)
        w2 |= bit if word == np.uint64(2) else np.uint64(0)
        w3 |= bit if word == np.uint64(3) else np.uint64(0)
    w3 &= ~(one << np.uint64(63))  # missing has code 255
    m = 0
    for word, base in ((w0, 0), (w1, 64), (w2, 128), (w3, 192)):
        left = word
        while left != np.uint64(0):
            arena.order[m] = base + lowest_bit(left)
            m += 1
            left &= left - one
    return m


@kernel
def sum_all(
    codes: NDArray[np.uint8], n_candidates: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena
) -> None:
    """Sum a large node's pseudo-outcomes by code for all candidates, one pass over the rows.

    Two arms, no weights.
    """
    for i in range(n):
        row = codes[rows[start + i]]
        value, lane = arena.packed[i], arena.lane[i]
        for j in range(n_candidates):
            f = np.uint64(arena.features[j])
            arena.histogram[f, 2 * row[f] + lane] += value


@kernel
def sum_general(
    sample: Sample, rules: Rules, feature: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena
) -> None:
    """Sum by code, arm and channel: any number of arms, any weights."""
    arms = max(2, rules.n_arms)
    channels = arena.rho.shape[1] + (1 if rules.weighted else 0)
    for i in range(n):
        c = np.int64(sample.codes[rows[start + i], feature])
        slot = (c * arms + arena.lane[i]) * channels
        for k in range(channels):
            arena.histogram[feature, slot + k] += arena.packed[i * channels + k]


@kernel
def list_codes(h: NDArray[np.int64], width: int, arena: Arena) -> int:
    """List the codes present in a histogram whose codes are ``width`` slots wide, missing apart."""
    m = 0
    for c in range(MISSING):
        for k in range(c * width, (c + 1) * width):
            if h[k] != 0:
                arena.order[m] = c
                m += 1
                break
    return m


@kernel
def order_levels(h: NDArray[np.int64], m: int, rules: Rules, n_effects: int, arena: Arena) -> None:
    """Sort the levels of a categorical feature by mean pseudo-outcome (of the first effect)."""
    arms = max(2, rules.n_arms)
    channels = n_effects + (1 if rules.weighted else 0)
    for j in range(m):
        c = arena.order[j]
        total, weight = 0, 0
        for a in range(arms):
            slot = (c * arms + a) * channels
            total += h[slot] >> COUNT_BITS
            weight += (h[slot + channels - 1] >> COUNT_BITS) if rules.weighted else (h[slot] & COUNT_MASK)
        mean = total / max(weight, 1)
        k = j - 1
        while k >= 0 and arena.level_mean[k] > mean:
            arena.level_mean[k + 1] = arena.level_mean[k]
            arena.order[k + 1] = arena.order[k]
            k -= 1
        arena.level_mean[k + 1] = mean
        arena.order[k + 1] = c


@kernel
def summed(
    sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena
) -> int:
    """Fill one feature's histogram and the order of its codes; their number is returned."""
    if rules.n_arms <= 2 and not rules.weighted:
        m = sum_one(sample.codes, f, rows, start, n, arena)
    else:
        sum_general(sample, rules, f, rows, start, n, arena)
        m = list_codes(arena.histogram[f], len(arena.histogram[f]) // N_CODES, arena)
    if sample.categorical[f]:
        order_levels(arena.histogram[f], m, rules, arena.rho.shape[1], arena)
    return m


@kernel
def clear(h: NDArray[np.int64], m: int, arena: Arena) -> None:
    """Empty a histogram by the list of the codes it holds."""
    width = len(h) // N_CODES
    for j in range(m):
        for k in range(arena.order[j] * width, (arena.order[j] + 1) * width):
            h[k] = 0
    for k in range(MISSING * width, N_CODES * width):
        h[k] = 0


@kernel
def scan_candidates(
    sample: Sample, rules: Rules, n_candidates: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena
) -> None:
    """Fill ``arena.found`` for every candidate, clusters not yet asked about."""
    is_pair = rules.n_arms <= 2 and not rules.weighted
    is_large = is_pair and n >= LARGE_NODE
    if is_large:
        sum_all(sample.codes, n_candidates, rows, start, n, arena)
    n_one = 0
    for i in range(n):
        n_one += arena.lane[i] == 1
    for j in range(n_candidates):
        f = arena.features[j]
        h = arena.histogram[f]
        if is_large:
            m = list_codes(h, 2, arena)
            if sample.categorical[f]:
                order_levels(h, m, rules, 1, arena)
        else:
            m = summed(sample, rules, f, rows, start, n, arena)
        if is_pair:
            scan_pair(h, m, n, n_one, rules, f, sample.categorical[f], arena)
        else:
            scan_general(h, m, rules, f, sample.categorical[f], arena, False)
        clear(h, m, arena)


@kernel
def mark_left(
    sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], start: int, n: int, arena: Arena
) -> None:
    """Fill ``arena.goes_left`` for the cut found on a feature.

    Levels absent from the splitting half go the missing way.
    """
    cut, missing_left = int(arena.found[f, 1]), arena.found[f, 2] > 0.0
    if not sample.categorical[f]:
        for c in range(MISSING):
            arena.goes_left[c] = c <= cut
    else:
        arena.goes_left[:] = missing_left
        m = summed(sample, rules, f, rows, start, n, arena)
        for j in range(m):
            arena.goes_left[arena.order[j]] = j <= cut
        clear(arena.histogram[f], m, arena)
    arena.goes_left[MISSING] = missing_left


@kernel
def holds_clusters(
    sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], start: int, stop: int, arena: Arena
) -> bool:
    """Whether both children hold enough clusters of every arm; stops as soon as they do."""
    wanted = rules.min_clusters
    arena.seen[:, :, 0] = 0
    short = 2 * rules.n_arms
    for i in range(start, stop):
        r = rows[i]
        side = 1 if arena.goes_left[sample.codes[r, f]] else 0
        seen = arena.seen[side, sample.arm[r] if rules.n_arms > 1 else 0]
        n_seen = seen[0]
        if n_seen == wanted:
            continue
        is_new = True
        for k in range(1, 1 + n_seen):
            if seen[k] == sample.cell[r]:
                is_new = False
        if is_new:
            seen[0] = n_seen + 1
            seen[n_seen + 1] = sample.cell[r]
            if n_seen + 1 == wanted:
                short -= 1
                if short == 0:
                    return True
    return False


@kernel
def best_of(n_candidates: int, arena: Arena) -> int:
    """Pick the candidate with the largest gain, or -1; the first drawn wins a tie."""
    best, gain = -1, 0.0
    for j in range(n_candidates):
        f = arena.features[j]
        if arena.found[f, 0] > gain:
            best, gain = f, arena.found[f, 0]
    return best


@kernel
def find_split(sample: Sample, rules: Rules, box: NDArray[np.int64], arena: Arena, rng: NDArray[np.uint64]) -> int:
    """Choose the feature to split a node on, or -1; ``arena.found`` and ``goes_left`` say where.

    ``box`` holds the node's range in the splitting and in the estimating half.
    """
    start, n = box[0], box[1] - box[0]
    rows = arena.split_rows
    if not pack(sample, rules, rows, start, box[1], arena):
        return -1
    n_candidates = draw_features(rules, arena, rng)
    scan_candidates(sample, rules, n_candidates, rows, start, n, arena)
    while True:
        f = best_of(n_candidates, arena)
        if f < 0:
            return -1
        mark_left(sample, rules, f, rows, start, n, arena)
        if rules.min_clusters == 0 or arena.found[f, 3] > 0.0:
            return f
        if holds_clusters(sample, rules, f, rows, start, box[1], arena) and holds_clusters(
            sample, rules, f, arena.value_rows, box[2], box[3], arena
        ):
            return f
        m = summed(sample, rules, f, rows, start, n, arena)
        scan_checked(sample, rules, f, m, box, arena)
        clear(arena.histogram[f], m, arena)
