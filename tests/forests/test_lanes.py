"""Features side by side: the same cuts as one by one, within the bounds that clusters set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forests.naive_forest import naive_clusters
from tests.forests.test_kernels import RULES, make_sample
from whoworks.forests.arena import LANES, SMALL, Bagging, make_arena
from whoworks.forests.lanes import take_lanes
from whoworks.forests.pseudo import pack
from whoworks.forests.small_nodes import KEY_BITS, sort_keys
from whoworks.forests.split import bound_block, scan_feature, scan_pairs, sum_codes


@pytest.mark.parametrize(("n_arms", "has_holes"), [(1, True), (2, True), (2, False)])
@pytest.mark.parametrize("n", [12, 40, SMALL, SMALL + 1, 300, 2500])
def test_features_side_by_side_are_cut_as_one_by_one(n, n_arms, has_holes):
    for seed in range(8):
        sample, strata, _ = make_sample(seed, n_arms, n=n, levels=200, p=41)
        if not has_holes:
            sample = sample._replace(codes=np.minimum(sample.codes, 250))
        rules = RULES._replace(n_arms=n_arms, imbalance=0.05 + 0.3 * (seed % 2), holes=has_holes)
        arena = make_arena(sample, rules, strata, Bagging(1.0, 1.0, False, 1))
        rows = np.arange(n, dtype=np.uint32)
        assert pack(sample, rules, rows, arena.pseudo)
        scan_pairs(sample, rules, 41, rows, rows, False, arena.pseudo, arena.bins, arena.lanes)
        fast = arena.bins.found[:40].copy()
        assert not arena.lanes.histogram.any()
        for f in range(40):
            m = sum_codes(sample, rules, f, rows, arena.pseudo, arena.bins)
            scan_feature(rules, f, m, max(1, n_arms - 1), False, False, arena.bins, arena.census)
        np.testing.assert_allclose(arena.bins.found[:40], fast, rtol=1e-12)


def test_the_network_sorts_every_lane():
    assert SMALL < 1 << KEY_BITS
    rng = np.random.default_rng(1)
    for n in range(1, SMALL + 1):
        key = rng.integers(0, 3 * n, (SMALL + 1, LANES)).astype(np.uint16)
        expected = np.vstack([np.sort(key[:n], axis=0), key[n:]])
        sort_keys(key, n)
        np.testing.assert_array_equal(key, expected)


@pytest.mark.parametrize("n", [40, 300])
def test_bounds_allow_exactly_the_cuts_that_keep_clusters(n):
    for seed in range(6):
        sample, strata, cluster = make_sample(seed, n=2 * n, levels=30, p=3, n_clusters=n // 3)
        rules = RULES._replace(min_clusters=1 + seed % 3)
        arena = make_arena(sample, rules, strata, Bagging(1.0, 1.0, False, 1))
        half = np.random.default_rng(seed).permutation(2 * n)
        here, there = (np.sort(rows).astype(np.uint32) for rows in (half[:n], half[n:]))
        m, _ = take_lanes(np.zeros(3, bool), np.arange(3), 3, 0, arena.lanes.lane)
        has_room = bound_block(sample, rules, m, here, there, arena.lanes)
        allowed = np.zeros((3, 2, 29), bool)
        for f, way, cut in np.ndindex(3, 2, 29):
            sides = [np.where(sample.codes[r, f] == 255, bool(way), sample.codes[r, f] <= cut) for r in (here, there)]
            allowed[f, way, cut] = all(
                naive_clusters(left, sample.arm[r], cluster[r], 2, rules.min_clusters)
                for left, r in zip(sides, (here, there), strict=True)
            )
        low, high = arena.lanes.bound[[0, 2], :3].T, arena.lanes.bound[[1, 3], :3].T
        cuts = np.arange(29)
        np.testing.assert_array_equal((cuts >= low[..., None]) & (cuts < high[..., None]), allowed)
        assert has_room == allowed.any()
