"""Scanning a histogram for the best cut.

Pseudo-outcomes of a node sum to zero, so the between-child variance of a cut
is proportional to ``(sum left)^2 / (weight left * weight right)``.  Missing
values are tried on both sides of every cut (MIA: Twala, Jones & Hand 2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, N_CODES, Arena, Rules, Sample
from whoworks.forests.compile import kernel
from whoworks.forests.pseudo import COUNT_BITS

COUNT_MASK = (1 << COUNT_BITS) - 1
FAR_RIGHT = N_CODES  # rank beyond every code


@kernel
def is_allowed(n_left: int, one_left: int, n: int, n_one: int, rules: Rules) -> bool:
    """Whether both children keep enough rows of each arm and enough information.

    Information is ``n_0 n_1 / n`` with two arms, ``n`` in a regression forest:
    each child needs the share ``rules.imbalance`` of its parent's.
    """
    least = rules.min_rows
    n_right, one_right = n - n_left, n_one - one_left
    if rules.n_arms == 1:
        floor = max(float(least), rules.imbalance * n)
        return n_left >= floor and n_right >= floor
    if one_left < least or one_right < least or n_left - one_left < least or n_right - one_right < least:
        return False
    floor = rules.imbalance * n_one * (n - n_one) / n
    return one_left * (n_left - one_left) >= floor * n_left and one_right * (n_right - one_right) >= floor * n_right


@kernel
def keep_cut(f: int, gain: float, at: int, missing_left: bool, is_checked: bool, is_levels: bool, arena: Arena) -> None:
    """Write down a feature's best cut: as a code, or as a place in the order of levels."""
    arena.found[f, 0] = gain
    arena.found[f, 1] = at if is_levels or at < 0 else arena.order[at]
    arena.found[f, 2] = 1.0 if missing_left else 0.0
    arena.found[f, 3] = 1.0 if is_checked else 0.0


@kernel
def scan_pair(
    h: NDArray[np.int64], m: int, n: int, n_one: int, rules: Rules, f: int, is_levels: bool, arena: Arena
) -> None:
    """At most two arms, no weights: the best cut over ``arena.order[:m]`` into ``arena.found[f]``."""
    best, best_at, best_missing_left = 0.0, -1, False
    missing_zero, missing_one = h[2 * MISSING], h[2 * MISSING + 1]
    sum_missing = (missing_zero >> COUNT_BITS) + (missing_one >> COUNT_BITS)
    one_missing = missing_one & COUNT_MASK
    n_missing = (missing_zero & COUNT_MASK) + one_missing
    running = one_left = 0
    least = rules.min_rows if rules.n_arms > 1 else 0
    for j in range(m):
        c = arena.order[j]
        zero, one = h[2 * c], h[2 * c + 1]
        running += zero + one
        one_left += one & COUNT_MASK
        n_left = running & COUNT_MASK
        if one_left >= least and n_left - one_left >= least and n_left < n:
            s = float(running >> COUNT_BITS)
            gain = s * s / (float(n_left) * float(n - n_left))
            if gain > best and is_allowed(n_left, one_left, n, n_one, rules):
                best, best_at = gain, j
                best_missing_left = n_missing == 0 and 2 * n_left >= n
        if n_missing > 0:
            n_left += n_missing
            if n_left < n:
                s = float((running >> COUNT_BITS) + sum_missing)
                gain = s * s / (float(n_left) * float(n - n_left))
                if gain > best and is_allowed(n_left, one_left + one_missing, n, n_one, rules):
                    best, best_at, best_missing_left = gain, j, True
    keep_cut(f, best, best_at, best_missing_left, False, is_levels, arena)


@kernel
def gain_of(left: NDArray[np.int64], totals: NDArray[np.int64], n_left: int, n: int, rules: Rules, d: int) -> float:
    """Between-child variance of a cut over all effects; 0 when a child is empty."""
    w_left, w = float(n_left), float(n)
    if rules.weighted:
        w_left, w = float(left[d]), float(totals[d])
    if not (0.0 < w_left < w):
        return 0.0
    gain = 0.0
    for k in range(d):
        gain += float(left[k]) * float(left[k])
    return gain / (w_left * (w - w_left))


@kernel
def keeps_arms(counts: NDArray[np.int64], totals: NDArray[np.int64], rules: Rules) -> bool:
    """Rows and information of each arm in both children, any number of arms."""
    n_left = n = 0
    for a in range(len(counts)):
        n_left += counts[a]
        n += totals[a]
    if rules.n_arms <= 2:
        return is_allowed(n_left, counts[1], n, totals[1], rules)
    for a in range(rules.n_arms):
        left, right = counts[a], totals[a] - counts[a]
        if left < rules.min_rows or right < rules.min_rows:
            return False
        if a > 0:
            floor = rules.imbalance * totals[a] * (n - totals[a]) / n
            if left * (n_left - left) < floor * n_left or right * (n - n_left - right) < floor * (n - n_left):
                return False
    return True


@kernel
def add_code(
    h: NDArray[np.int64], c: int, arms: int, channels: int, sums: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    """Add one code of a histogram to running sums (channels) and counts (arms)."""
    for a in range(arms):
        slot = (c * arms + a) * channels
        counts[a] += h[slot] & COUNT_MASK
        for k in range(channels):
            sums[k] += h[slot + k] >> COUNT_BITS


@kernel
def scan_general(
    h: NDArray[np.int64], m: int, rules: Rules, f: int, is_levels: bool, arena: Arena, is_checked: bool
) -> None:
    """Any number of arms, any weights; with ``is_checked`` the clusters of ``arena.tally`` count too."""
    arms, d = max(2, rules.n_arms), arena.rho.shape[1]
    channels = d + 1 if rules.weighted else d
    sums, counts = arena.left[0], arena.left[1]
    other_sums, other_counts = arena.left[2], arena.left[3]
    totals, arm_totals = arena.left[4], arena.left[5]
    arena.left[:, :] = 0
    for j in range(m):
        add_code(h, arena.order[j], arms, channels, totals, arm_totals)
    add_code(h, MISSING, arms, channels, totals, arm_totals)
    add_code(h, MISSING, arms, channels, other_sums, other_counts)
    n = n_missing = 0
    for a in range(arms):
        n += arm_totals[a]
        n_missing += other_counts[a]
    best, best_at, best_missing_left = 0.0, -1, False
    for j in range(m):
        add_code(h, arena.order[j], arms, channels, sums, counts)
        add_code(h, arena.order[j], arms, channels, other_sums, other_counts)
        n_left = 0
        for a in range(arms):
            n_left += counts[a]
        at = j if not is_checked else arena.rank[arena.order[j]]
        gain = gain_of(sums, totals, n_left, n, rules, d)
        to_left = n_missing == 0 and 2 * n_left >= n
        if gain > best and keeps_arms(counts, arm_totals, rules) and (
            not is_checked or tally_allows(rules, at, to_left, arena)
        ):
            best, best_at, best_missing_left = gain, j, to_left
        if n_missing > 0:
            gain = gain_of(other_sums, totals, n_left + n_missing, n, rules, d)
            if gain > best and keeps_arms(other_counts, arm_totals, rules) and (
                not is_checked or tally_allows(rules, at, True, arena)
            ):
                best, best_at, best_missing_left = gain, j, True
    keep_cut(f, best, best_at, best_missing_left, is_checked, is_levels, arena)


@kernel
def tally_half(
    sample: Sample, rules: Rules, f: int, rows: NDArray[np.uint32], start: int, stop: int, half: int, arena: Arena
) -> None:
    """Count one half's clusters by their lowest and highest rank on a feature.

    Per arm, four histograms over ranks: lowest, highest, and the same over
    clusters without a row that goes the missing way; the last bin of the first
    counts clusters with such a row, of the second clusters with any other.
    """
    tally = arena.tally[half]
    for i in range(start, stop):
        cell, rank = sample.cell[rows[i]], arena.rank[sample.codes[rows[i], f]]
        if rank < 0:
            arena.cell_missing[cell] = True
        else:
            if arena.cell_low[cell] < 0 or rank < arena.cell_low[cell]:
                arena.cell_low[cell] = rank
            arena.cell_high[cell] = max(arena.cell_high[cell], rank)
    for i in range(start, stop):
        cell, arm = sample.cell[rows[i]], sample.arm[rows[i]]
        low, high, has_missing = arena.cell_low[cell], arena.cell_high[cell], arena.cell_missing[cell]
        if low >= 0:
            tally[arm, 0, low] += 1
            tally[arm, 1, high] += 1
            tally[arm, 1, FAR_RIGHT] += 1
            if not has_missing:
                tally[arm, 2, low] += 1
                tally[arm, 3, high] += 1
                tally[arm, 3, FAR_RIGHT] += 1
        if has_missing:
            tally[arm, 0, FAR_RIGHT] += 1
        arena.cell_low[cell] = arena.cell_high[cell] = -1
        arena.cell_missing[cell] = False


@kernel
def tally_allows(rules: Rules, at: int, missing_left: bool, arena: Arena) -> bool:
    """Whether both halves leave enough clusters of each arm in both children (cumulated tally)."""
    for half in range(2):
        for a in range(rules.n_arms):
            t = arena.tally[half, a]
            missing = t[0, FAR_RIGHT]
            if missing_left:
                left = missing + t[2, at]
                right = t[1, FAR_RIGHT] - t[1, at]
            else:
                left = t[0, at]
                right = missing + t[3, FAR_RIGHT] - t[3, at]
            if left < rules.min_clusters or right < rules.min_clusters:
                return False
    return True


@kernel
def scan_checked(sample: Sample, rules: Rules, f: int, m: int, box: NDArray[np.int64], arena: Arena) -> None:
    """Find the best cut of one feature among those that keep enough clusters on both sides."""
    if sample.categorical[f]:
        arena.rank[:] = -1
        for j in range(m):
            arena.rank[arena.order[j]] = j
    else:
        for c in range(MISSING):
            arena.rank[c] = c
        arena.rank[MISSING] = -1
    arena.tally[:, :, :, :] = 0
    tally_half(sample, rules, f, arena.split_rows, box[0], box[1], 0, arena)
    tally_half(sample, rules, f, arena.value_rows, box[2], box[3], 1, arena)
    for half in range(2):
        for a in range(rules.n_arms):
            for k in range(4):
                for c in range(1, MISSING):
                    arena.tally[half, a, k, c] += arena.tally[half, a, k, c - 1]
    scan_general(arena.histogram[f], m, rules, f, sample.categorical[f], arena, True)
