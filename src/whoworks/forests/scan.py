"""Scanning a histogram for the best cut.

Pseudo-outcomes of a node sum to zero, so the between-child variance of a cut
is proportional to ``(sum left)^2 / (weight left * weight right)``.  Missing
values are tried on both sides of every cut (MIA: Twala, Jones & Hand 2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, Bins, Rules
from whoworks.forests.census import tally_allows
from whoworks.forests.pseudo import COUNT_BITS
from whoworks.forests.sums import n_channels
from whoworks.kernels import kernel

COUNT_MASK = (1 << COUNT_BITS) - 1

Integers = NDArray[np.int64]


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
def keep_cut(bins: Bins, f: int, gain: float, at: int, missing_left: bool, is_levels: bool) -> None:
    """Write down a feature's best cut: as a code, or as a place in the order of levels."""
    bins.found[f, 0] = gain
    bins.found[f, 1] = at if is_levels or at < 0 else bins.order[at]
    bins.found[f, 2] = 1.0 if missing_left else 0.0
    bins.found[f, 3] = 0.0


@kernel
def gain_of(left: Integers, totals: Integers, n_left: int, n: int, rules: Rules, n_effects: int) -> float:
    """Between-child variance of a cut over all effects; 0 when a child is empty."""
    w_left, w = float(n_left), float(n)
    if rules.weighted:
        w_left, w = float(left[n_effects]), float(totals[n_effects])
    if not (0.0 < w_left < w):
        return 0.0
    gain = 0.0
    for k in range(n_effects):
        gain += float(left[k]) * float(left[k])
    return gain / (w_left * (w - w_left))


@kernel
def keeps_arms(counts: Integers, totals: Integers, rules: Rules) -> bool:
    """Rows and information of each arm in both children, any number of arms."""
    n_left = n = 0
    for a in range(max(2, rules.n_arms)):
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
def add_code(histogram: Integers, f: int, c: int, arms: int, channels: int, sums: Integers, counts: Integers) -> int:
    """Add one code to running sums (channels) and counts (arms); its rows are returned."""
    n = 0
    for a in range(arms):
        slot = (c * arms + a) * channels
        n += histogram[f, slot] & COUNT_MASK
        counts[a] += histogram[f, slot] & COUNT_MASK
        for k in range(channels):
            sums[k] += histogram[f, slot + k] >> COUNT_BITS
    return n


@kernel
def scan_general(
    histogram: Integers,
    f: int,
    order: Integers,
    m: int,
    rules: Rules,
    n_effects: int,
    left: Integers,
    tally: Integers,
    is_checked: bool,
) -> tuple[float, int, bool]:
    """Any number of arms, any weights: the best gain, its place in ``order``, and the missing way.

    With ``is_checked`` the clusters of ``tally`` count too.  ``left`` holds
    running sums and counts: missing right, missing left, totals.
    """
    arms, channels = max(2, rules.n_arms), n_channels(rules, n_effects)
    left[:, :] = 0
    n_missing = add_code(histogram, f, MISSING, arms, channels, left[2], left[3])
    n = add_code(histogram, f, MISSING, arms, channels, left[4], left[5])
    for j in range(m):
        n += add_code(histogram, f, order[j], arms, channels, left[4], left[5])
    best, best_at, missing_left = 0.0, -1, False
    n_left = 0
    for j in range(m):
        n_left += add_code(histogram, f, order[j], arms, channels, left[0], left[1])
        add_code(histogram, f, order[j], arms, channels, left[2], left[3])
        for way in range(1 if n_missing == 0 else 2):
            to_left = way == 1 or (n_missing == 0 and 2 * n_left >= n)
            gain = gain_of(left[2 * way], left[4], n_left + way * n_missing, n, rules, n_effects)
            if (
                gain > best
                and keeps_arms(left[2 * way + 1], left[5], rules)
                and (not is_checked or tally_allows(tally, j, to_left, rules))
            ):
                best, best_at, missing_left = gain, j, to_left
    return best, best_at, missing_left
