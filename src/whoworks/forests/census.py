"""Counting clusters: whether a cut leaves enough of each arm on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import MISSING, N_CODES, Census, Rules, Sample
from whoworks.kernels import kernel

FAR_RIGHT = N_CODES  # a rank beyond every code

Integers = NDArray[np.int64]


@kernel
def holds_clusters(
    codes: NDArray[np.uint8],
    arm: NDArray[np.uint8],
    cell: NDArray[np.int32],
    rules: Rules,
    f: int,
    rows: NDArray[np.uint32],
    goes_left: NDArray[np.bool_],
    seen: Integers,
) -> bool:
    """Whether both children hold enough clusters of every arm; stops as soon as they do.

    ``seen[side, arm]`` holds how many different cells were met, then which.
    """
    wanted = rules.min_clusters
    seen[:, :, 0] = 0
    short = 2 * rules.n_arms
    for i in range(len(rows)):
        r = rows[i]
        side = 1 if goes_left[codes[r, f]] else 0
        a, c = arm[r], cell[r]
        n_seen = seen[side, a, 0]
        if n_seen == wanted:
            continue
        is_new = True
        for k in range(1, 1 + n_seen):
            if seen[side, a, k] == c:
                is_new = False
        if is_new:
            seen[side, a, 0] = n_seen + 1
            seen[side, a, n_seen + 1] = c
            if n_seen + 1 == wanted:
                short -= 1
                if short == 0:
                    return True
    return False


@kernel
def tally_part(sample: Sample, f: int, rows: NDArray[np.uint32], tally: Integers, census: Census) -> None:
    """Count one part's clusters by their lowest and highest rank on a feature.

    Per arm, four histograms over ranks: lowest, highest, and the same over
    clusters without a row that goes the missing way.  The last bin of the first
    counts clusters with such a row; of the second and fourth, all they count.
    """
    low, high, missing = census.low, census.high, census.missing
    for i in range(len(rows)):
        c, rank = sample.cell[rows[i]], census.rank[sample.codes[rows[i], f]]
        if rank < 0:
            missing[c] = True
        else:
            if low[c] < 0 or rank < low[c]:
                low[c] = rank
            high[c] = max(high[c], rank)
    for i in range(len(rows)):
        c, arm = sample.cell[rows[i]], sample.arm[rows[i]]
        if low[c] >= 0:
            tally[arm, 0, low[c]] += 1
            tally[arm, 1, high[c]] += 1
            tally[arm, 1, FAR_RIGHT] += 1
            if not missing[c]:
                tally[arm, 2, low[c]] += 1
                tally[arm, 3, high[c]] += 1
                tally[arm, 3, FAR_RIGHT] += 1
        if missing[c]:
            tally[arm, 0, FAR_RIGHT] += 1
        low[c] = high[c] = -1
        missing[c] = False


@kernel
def tally_allows(tally: Integers, at: int, missing_left: bool, rules: Rules) -> bool:
    """Whether both parts leave enough clusters of each arm in both children (cumulated tally)."""
    for part in range(2):
        for a in range(rules.n_arms):
            missing = tally[part, a, 0, FAR_RIGHT]
            if missing_left:
                left = missing + tally[part, a, 2, at]
                right = tally[part, a, 1, FAR_RIGHT] - tally[part, a, 1, at]
            else:
                left = tally[part, a, 0, at]
                right = missing + tally[part, a, 3, FAR_RIGHT] - tally[part, a, 3, at]
            if left < rules.min_clusters or right < rules.min_clusters:
                return False
    return True


@kernel
def count_clusters(
    sample: Sample,
    rules: Rules,
    f: int,
    m: int,
    split_rows: NDArray[np.uint32],
    value_rows: NDArray[np.uint32],
    order: Integers,
    census: Census,
) -> None:
    """Fill the cumulated tally of both parts for one feature whose codes stand in ``order[:m]``."""
    rank, tally = census.rank, census.tally
    rank_codes(sample.categorical[f], m, order, rank)
    for part in range(2):
        for a in range(rules.n_arms):
            for k in range(4):
                tally[part, a, k, : m + 1] = 0
                tally[part, a, k, FAR_RIGHT] = 0
    tally_part(sample, f, split_rows, tally[0], census)
    tally_part(sample, f, value_rows, tally[1], census)
    for part in range(2):
        for a in range(rules.n_arms):
            for k in range(4):
                for j in range(1, m):
                    tally[part, a, k, j] += tally[part, a, k, j - 1]


@kernel
def rank_codes(is_levels: bool, m: int, order: Integers, rank: NDArray[np.int16]) -> None:
    """Fill ``rank``: a code goes left of the cut after ``order[j]`` when its rank is at most j.

    Codes that go the missing way have rank -1: missing itself, and levels not
    in ``order``.
    """
    rank[:] = -1
    if is_levels:
        for j in range(m):
            rank[order[j]] = j
        return
    code = 0
    for j in range(m):
        while code <= order[j]:
            rank[code] = j
            code += 1
    rank[code:MISSING] = m


@kernel
def may_part(arm: NDArray[np.uint8], n_arms: int, wanted: int, rows: NDArray[np.uint32], seen: Integers) -> bool:
    """Whether there are ``wanted`` rows of every arm; stops as soon as there are."""
    short = n_arms
    if wanted == 0:
        return True
    seen[0, :, 0] = 0
    for i in range(len(rows)):
        a = arm[rows[i]]
        seen[0, a, 0] += 1
        if seen[0, a, 0] == wanted:
            short -= 1
            if short == 0:
                return True
    return False
