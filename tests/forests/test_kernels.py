"""Each kernel against its naive twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tests.forests.naive_forest import naive_allowed, naive_clusters, naive_moments, naive_rho, naive_tree
from tests.forests.worlds import classrooms
from whoworks.forests.arena import Bagging, Rules, Sample, make_arena
from whoworks.forests.census import count_clusters, holds_clusters, tally_allows
from whoworks.forests.draw import draw_bag
from whoworks.forests.grow import draw_rows, grow_bags, part
from whoworks.forests.order import Layout, canonical_layout, make_strata
from whoworks.forests.predict import NO_LEAF, find_leaves, mean_moments, solve_effects
from whoworks.forests.pseudo import pack
from whoworks.forests.quantise import bin_edges
from whoworks.forests.split import scan_feature, sum_codes
from whoworks.forests.trees import ask_trees, copy_out, join_bags
from whoworks.forests.variance import cluster_degrees, debiased, half_sample_factor, little_bags, variance_factors

RULES = Rules(2, False, 2, 1, 0.05, 99, 99.0, False)


def make_sample(seed, n_arms=2, n=120, p=3, levels=7, weighted=False, n_clusters=20):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, levels, (n, p)).astype(np.uint8)
    codes[rng.random((n, p)) < 0.15] = 255
    arm = rng.integers(0, n_arms, n).astype(np.uint8)
    e = rng.uniform(0.2, 0.4, (n, n_arms - 1)) if n_arms > 1 else np.zeros((n, 0))
    z = (arm[:, None] == np.arange(1, n_arms)) - e
    cluster = np.sort(rng.integers(0, n_clusters, n))
    cluster = np.unique(cluster, return_inverse=True)[1]
    weight = rng.uniform(0.5, 2.0, n) if weighted else np.ones(n)
    sample = Sample(
        codes=codes,
        y=rng.normal(size=n) + 0.5 * codes[:, 0] * (codes[:, 0] < 9),
        z=np.ascontiguousarray(z),
        arm=arm if n_arms > 1 else np.zeros(n, np.uint8),
        weight=weight,
        cell=(cluster * n_arms + arm).astype(np.int32),
        categorical=np.array([j == p - 1 for j in range(p)]),
    )
    starts = np.concatenate([[0], np.cumsum(np.bincount(cluster))])
    layout = Layout(order=np.arange(n), cluster=cluster, row_start=starts)
    strata, _ = make_strata(arm_of=np.zeros(layout.n_clusters, np.int64), block_of=None, layout=layout)
    return sample, strata, cluster


def bench(sample, rules, strata):
    return make_arena(sample, rules, strata, Bagging(0.5, 1.0, True, 1))


def whole_bench(sample, rules, strata):
    """Room for a node of all rows; a tree's own bench holds no more than a tree can draw."""
    return make_arena(sample, rules, strata, Bagging(1.0, 1.0, False, 1))


CASES = [(1, False), (2, False), (2, True), (3, False), (3, True), (1, True)]


@pytest.mark.parametrize(("n_arms", "weighted"), CASES)
def test_packed_pseudo_outcomes_are_the_rounded_gradient_steps(n_arms, weighted):
    sample, strata, _ = make_sample(1, n_arms, weighted=weighted)
    rules = RULES._replace(n_arms=n_arms, weighted=weighted)
    arena, rows = whole_bench(sample, rules, strata), np.arange(0, 40, dtype=np.uint32)
    assert pack(sample, rules, rows, arena.pseudo)
    rho = naive_rho(sample.y[:40], sample.z[:40], sample.weight[:40])
    d, channels = rho.shape[1], rho.shape[1] + weighted
    packed = arena.pseudo.packed[: 40 * channels].reshape(40, channels)
    assert ((packed & ((1 << 24) - 1)) == 1).all()
    sums = (packed >> 24).astype(float)
    scale = sums[0, 0] / rho[0, 0]
    np.testing.assert_allclose(sums[:, :d], rho * scale, atol=1.0 + 1e-6 * abs(scale))
    assert np.abs(sums[:, :d]).sum() <= d * 2.0**38
    if weighted:
        np.testing.assert_allclose(
            sums[:, d] / sums[:, d].sum(), sample.weight[:40] / sample.weight[:40].sum(), rtol=1e-6
        )


def test_a_node_of_one_arm_has_no_pseudo_outcomes():
    sample, strata, _ = make_sample(2)
    rows = np.flatnonzero(sample.arm == 1).astype(np.uint32)
    e = sample.z[rows] * 0 + 0.5
    z = sample.z.copy()
    z[rows] = e
    arena = whole_bench(sample, RULES, strata)
    assert not pack(sample._replace(z=z), RULES, rows[:20], arena.pseudo)


def counted(seed, n_arms=2):
    sample, strata, cluster = make_sample(seed, n_arms, n=80, levels=5, n_clusters=12)
    rng = np.random.default_rng(seed)
    picked = rng.permutation(80)
    rows, others = np.sort(picked[:30]).astype(np.uint32), np.sort(picked[30:60]).astype(np.uint32)
    return sample, strata, cluster, rows, others


@given(seed=st.integers(0, 10_000), least=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_counting_clusters_equals_counting_sets(seed, least):
    sample, strata, cluster, rows, others = counted(seed)
    rules = RULES._replace(min_clusters=least)
    arena = whole_bench(sample, rules, strata)
    assert pack(sample, rules, rows, arena.pseudo)
    m = sum_codes(sample, rules, 0, rows, arena.pseudo, arena.bins)
    count_clusters(sample, rules, 0, m, rows, others, arena.bins.order, arena.census)
    assert (arena.census.low == -1).all()
    assert not arena.census.missing.any()
    for j, code in enumerate(arena.bins.order[:m]):
        for way in (False, True):
            arena.bins.goes_left[:] = np.arange(256) <= code
            arena.bins.goes_left[255] = way
            expected = []
            for half in (rows, others):
                left = arena.bins.goes_left[sample.codes[half, 0]]
                one = naive_clusters(left, sample.arm[half], cluster[half], 2, least)
                found = holds_clusters(
                    sample.codes, sample.arm, sample.cell, rules, 0, half, arena.bins.goes_left, arena.census.seen
                )
                assert found == one
                expected.append(one)
            assert tally_allows(arena.census.tally, j, way, rules) == all(expected)


def test_a_checked_scan_only_offers_cuts_that_keep_clusters():
    for seed in range(30):
        sample, strata, cluster, rows, others = counted(seed)
        rules = RULES._replace(min_clusters=2)
        arena = whole_bench(sample, rules, strata)
        pack(sample, rules, rows, arena.pseudo)
        m = sum_codes(sample, rules, 1, rows, arena.pseudo, arena.bins)
        count_clusters(sample, rules, 1, m, rows, others, arena.bins.order, arena.census)
        scan_feature(rules, 1, m, 1, False, True, arena.bins, arena.census)
        gain, cut, way, _ = arena.bins.found[1]
        if gain > 0.0:
            for half in (rows, others):
                code = sample.codes[half, 1]
                left = np.where(code == 255, way > 0, code <= cut)
                assert naive_clusters(left, sample.arm[half], cluster[half], 2, 2)
                if half is rows:
                    assert naive_allowed(left, sample.arm[half], 2, 2, 0.05)


def test_parting_rows_keeps_their_order():
    rng = np.random.default_rng(0)
    codes, rows = rng.integers(0, 256, (50, 2)).astype(np.uint8), rng.permutation(50).astype(np.uint32)
    goes_left, before = rng.random(256) < 0.4, rows.copy()
    middle = part(codes, 1, goes_left, rows, 10, 45, np.empty(50, np.uint32))
    inside = before[10:45]
    left = goes_left[codes[inside, 1]]
    np.testing.assert_array_equal(rows[10:45], np.concatenate([inside[left], inside[~left]]))
    np.testing.assert_array_equal(rows[[*range(10), *range(45, 50)]], before[[*range(10), *range(45, 50)]])
    assert middle == 10 + left.sum()


@pytest.mark.parametrize(
    ("n_arms", "weighted", "least"), [(1, False, 0), (2, False, 0), (2, False, 2), (2, True, 1), (3, True, 1)]
)
def test_a_brute_force_tree_equals_the_kernel(n_arms, weighted, least):
    for seed in range(6):
        sample, strata, cluster = make_sample(seed, n_arms, n=160, weighted=weighted, n_clusters=40)
        # five rows in a child: with two, two features often part four rows alike, and a tie is no difference
        rules = RULES._replace(n_arms=n_arms, weighted=weighted, min_clusters=least, min_rows=5 if n_arms == 1 else 2)
        bagging, key = Bagging(0.5, 1.0, True, 1), np.array([seed], np.uint64)
        arena, twin = bench(sample, rules, strata), bench(sample, rules, strata)
        bits = np.zeros((1, (len(strata.clusters) + 7) // 8), np.uint8)
        trees = join_bags(
            [copy_out(arena, grow_bags(sample, rules, strata, bagging, key, arena, bits), 1, True)], bits, 1
        )
        rng = key.copy()
        draw_bag(strata, bagging, twin.draws, rng)
        n_split, n_value = draw_rows(strata, bagging, twin.draws, twin.rows, rng)
        rows, others = (r.astype(int) for r in (twin.rows.split[:n_split], twin.rows.value[:n_value]))
        leaves = naive_tree(
            sample.codes,
            sample.categorical,
            sample.y,
            sample.z,
            sample.arm,
            sample.weight,
            cluster,
            rows,
            others,
            rules,
        )
        found = np.empty((1, 160), np.int32)
        find_leaves(trees, sample.codes, np.full(160, -1, np.int32), found)
        assert len(trees.payload) == len(leaves) > 1
        for test, used in leaves:
            inside = test(sample.codes)
            if inside.any():
                expected = naive_moments(sample.y, sample.z, sample.weight, used)
                np.testing.assert_allclose(
                    trees.payload[found[0, inside]], np.tile(expected, (inside.sum(), 1)), atol=1e-12
                )


def grown(n_arms=2, n_trees=24, seed=0, size=3):
    sample, strata, cluster = make_sample(seed, n_arms, n=200, n_clusters=30)
    rules = RULES._replace(n_arms=n_arms)
    bagging = Bagging(0.5, 1.0, True, size)
    bits = np.zeros((n_trees // size, (len(strata.clusters) + 7) // 8), np.uint8)
    arena = make_arena(sample, rules, strata, bagging, n_bags=len(bits))
    seeds = np.arange(len(bits), dtype=np.uint64)
    bags = copy_out(arena, grow_bags(sample, rules, strata, bagging, seeds, arena, bits), n_trees, True)
    return sample, join_bags([bags], bits, size), cluster.astype(np.int32), strata


@pytest.mark.parametrize("n_arms", [1, 2, 3])
def test_predictions_and_little_bags_equal_their_definition(n_arms):
    sample, trees, cluster, strata = grown(n_arms)
    d = n_arms - 1
    effects, variance, error = ask_trees(trees, sample.codes, cluster, d=d, with_variance=True, n_threads=2)
    leaves = np.empty((24, 200), np.int32)
    find_leaves(trees, sample.codes, cluster, leaves)
    in_bag = np.unpackbits(trees.bags, axis=1, bitorder="little")[:, : len(strata.clusters)].astype(bool)
    np.testing.assert_array_equal(leaves == NO_LEAF, np.repeat(in_bag[:, cluster], 3, axis=0))
    for i in range(0, 200, 17):
        out = [t for t in range(24) if leaves[t, i] != NO_LEAF]
        each = trees.payload[leaves[out, i]]
        mean = each.mean(axis=0)
        y, z, zy = mean[0], mean[1 : 1 + d], mean[1 + d : 1 + 2 * d]
        if d == 0:
            tau, psi = np.array([y]), each - y
        else:
            zz = np.zeros((len(each) + 1, d, d))
            zz[:, *np.triu_indices(d)] = np.vstack([each, mean])[:, 1 + 2 * d :]
            zz = zz + np.triu(zz, 1).transpose(0, 2, 1)
            a = zz[-1] - np.outer(z, z)
            tau = np.linalg.solve(a, zy - z * y)
            mu = y - z @ tau
            moment = each[:, 1 + d : 1 + 2 * d] - mu * each[:, 1 : 1 + d] - zz[:-1] @ tau
            moment -= z * (each[:, 0] - mu - each[:, 1 : 1 + d] @ tau)[:, None]
            psi = moment @ np.linalg.inv(a)
        np.testing.assert_allclose(effects[i], tau, rtol=1e-9)
        bags = psi.reshape(-1, 3, psi.shape[1])
        between = (bags.mean(axis=1) ** 2).mean(axis=0)
        noise = ((psi**2).mean(axis=0) - between) / 2
        expected = [debiased(b, max(w, 0.0), float(len(bags))) for b, w in zip(between, noise, strict=True)]
        np.testing.assert_allclose(variance[i], expected, rtol=1e-9)
        np.testing.assert_allclose(error[i], np.maximum(between, noise) * math.sqrt(2 / len(bags)), rtol=1e-9)


def test_debiasing_is_the_mean_of_a_normal_cut_off_at_zero():
    for between, noise in ((1.0, 0.2), (0.3, 1.0), (1.0, 1.0)):
        spread = max(between, noise) * math.sqrt(2 / 50)
        whole = stats.norm(between - noise, spread)
        mean = integrate.quad(lambda v, whole=whole: v * whole.pdf(v), 0, 6)[0] / whole.sf(0)
        assert debiased(between, noise, 50.0) == pytest.approx(mean, rel=1e-6)
    assert 0.0 < debiased(1e-9, 1.0, 1e6) < 1e-5


@pytest.mark.parametrize("n", [8, 9, 20])
@pytest.mark.parametrize("left_out", [False, True])
def test_the_factor_turns_the_spread_of_half_sample_means_into_the_variance_of_the_mean(n, left_out):
    rng = np.random.default_rng(n)
    values, means = rng.normal(size=n), []
    for _ in range(40_000):
        h = n // 2 + (n % 2 and rng.random() < 0.5)
        bag = rng.permutation(n)[:h]
        if not (left_out and 0 in bag):
            means.append(values[bag].mean())
    others = values[1:] if left_out else values
    factor = half_sample_factor(n, 0.5, left_out=left_out)
    assert np.var(means) * factor == pytest.approx(others.var(ddof=1) / len(others), rel=0.05)


def test_factors_of_an_even_two_arm_design_are_one_and_h_over_g_less_one_less_h():
    _, _, z, cluster = classrooms(n_clusters=24)
    layout = canonical_layout(
        codes=np.arange(len(z))[:, None].astype(np.uint8),
        outcome=z[:, None] * 1.0,
        arm=z.astype(np.uint8),
        cluster=cluster,
    )
    arm_of = np.arange(24) % 2
    strata, arms = make_strata(arm_of=arm_of, block_of=None, layout=layout)
    new, own = variance_factors(strata, arms, 0.5)
    assert new == pytest.approx(1.0)
    np.testing.assert_allclose(own, 1.0 + 0.5 * (6 / 5 - 1.0))
    assert cluster_degrees(strata, arms) == pytest.approx(22.0)
    alone = make_strata(arm_of=(np.arange(24) == 0).astype(np.int64), block_of=None, layout=layout)
    with np.errstate(all="raise"):
        assert cluster_degrees(*alone) == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(2, 40))
@settings(max_examples=60, deadline=None)
def test_bins_follow_ranks_and_ignore_duplicates_of_all_rows(values, most):
    column = np.array(values)
    edges = bin_edges(column, most)
    assert len(edges) < most
    assert (np.diff(edges) > 0).all()
    assert np.isin(edges, column).all()
    np.testing.assert_array_equal(edges, bin_edges(np.repeat(column, 2), most))
    if len(np.unique(column)) <= most:
        np.testing.assert_array_equal(edges, np.unique(column)[:-1])


def test_missing_on_both_sides_equals_a_low_and_a_high_sentinel():
    rng = np.random.default_rng(8)
    x = rng.integers(1, 60, (400, 2)).astype(np.uint8)
    hole = rng.random((400, 2)) < 0.3
    sample, strata, _ = make_sample(1, n=400, n_clusters=60)
    flags = np.zeros(2, bool)
    with_missing = sample._replace(codes=np.where(hole, 255, x).astype(np.uint8), categorical=flags)
    both = np.hstack([np.where(hole, 0, x), np.where(hole, 100, x)]).astype(np.uint8)
    with_sentinels = sample._replace(codes=both, categorical=np.zeros(4, bool))
    rules, bagging = RULES._replace(min_rows=8), Bagging(0.5, 1.0, True, 1)
    predicted = []
    for s in (with_missing, with_sentinels):
        arena = make_arena(s, rules, strata, bagging, n_bags=30)
        bits = np.zeros((30, (len(strata.clusters) + 7) // 8), np.uint8)
        seeds = np.arange(30, dtype=np.uint64)
        bags = copy_out(arena, grow_bags(s, rules, strata, bagging, seeds, arena, bits), 30, False)
        predicted.append(
            ask_trees(
                join_bags([bags], bits, 1), s.codes, np.full(400, -1, np.int32), d=1, with_variance=False, n_threads=1
            )[0]
        )
    np.testing.assert_allclose(predicted[0], predicted[1], rtol=1e-9)


def test_a_row_no_tree_may_speak_for_has_no_number():
    _, trees, _, _ = grown()
    leaves = np.full((24, 2), NO_LEAF, np.int32)
    moments, effects, variance, error = np.empty((2, 5)), *(np.empty((2, 1)) for _ in range(3))
    mean_moments(trees, leaves, moments)
    solve_effects(moments, 1, effects)
    little_bags(trees, leaves, moments, effects, 1, variance, error)
    assert np.isnan(effects).all()
    assert np.isnan(variance).all()
