"""What is drawn: bags, honest parts, and the stream they come from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.forests.test_kernels import RULES, make_sample
from whoworks.forests.arena import BY_COUNT, Bagging, Draws, Strata, count_rows, count_splitting, make_arena
from whoworks.forests.causal import CausalForest
from whoworks.forests.draw import SPLIT, VALUE, draw_bag, draw_parts, draw_poisson, draw_unit, list_rows
from whoworks.forests.order import Layout, make_strata


def test_parts_are_drawn_within_strata_and_never_share_a_cluster():
    sample, _, cluster = make_sample(0, n_clusters=40)
    n_clusters = cluster.max() + 1
    layout = Layout(
        order=np.arange(120), cluster=cluster, row_start=np.concatenate([[0], np.cumsum(np.bincount(cluster))])
    )
    strata, _ = make_strata(arm_of=np.arange(n_clusters) % 2, block_of=None, layout=layout)
    bagging = Bagging(0.5, 1.0, True, 1)
    arena = make_arena(sample, RULES, strata, bagging)
    rng, counts = np.array([5], np.uint64), np.zeros(n_clusters)
    for _ in range(2000):
        draw_bag(strata, bagging, arena.draws, rng)
        draw_parts(strata, bagging, arena.draws, rng)
        role = arena.draws.role
        for s in range(2):
            members = strata.clusters[strata.start[s] : strata.start[s + 1]]
            drawn = (role[members] > 0).sum()
            assert abs(drawn - len(members) / 2) <= 0.5
            assert abs((role[members] == VALUE).sum() - drawn / 2) <= 0.5
        counts += role == VALUE
        n = list_rows(strata, arena.draws, VALUE, True, arena.rows.value)
        assert set(cluster[arena.rows.value[:n]]) == set(np.flatnonzero(role == VALUE))
    # each share is binomial around 1/4: six standard errors, false alarm below 1e-7
    assert np.abs(counts / 2000 - 0.25).max() < 6 * math.sqrt(0.25 * 0.75 / 2000)


@pytest.mark.parametrize(
    ("n", "share", "wanted"),
    [
        (2, BY_COUNT, 1.0), (99, BY_COUNT, 49.5), (100, BY_COUNT, 50.0), (110, BY_COUNT, 60.0), (125, BY_COUNT, 75.0),
        (500, BY_COUNT, 300.0), (1000, BY_COUNT, 550.0), (10, 0.7, 7.0), (2, 0.9, 1.0), (3, 0.1, 1.0),
        (1, 0.7, 0.7), (0, 0.7, 0.0),
    ],
)  # fmt: skip
def test_a_tenth_more_than_half_choose_splits_where_fifty_still_estimate(n, share, wanted):
    assert count_splitting(n, share) == pytest.approx(wanted)


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=6), st.sampled_from([BY_COUNT, 0.5, 0.1, 0.37, 0.9]),
    st.sampled_from([1.0, 0.6]), st.booleans(), st.integers(0, 2**32),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_draw_overflows_the_workbench(sizes, share, tree_share, honest, seed):
    start = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.random.default_rng(seed).integers(1, 5, start[-1])
    strata = Strata(clusters=np.arange(start[-1]), start=start, row_start=np.concatenate([[0], np.cumsum(rows)]))
    bagging = Bagging(0.5, tree_share, honest, 1, share)
    most = count_rows(strata, bagging)
    draws = Draws(
        bag=np.empty(start[-1], np.int64), bag_size=np.empty(len(sizes), np.int64), role=np.empty(start[-1], np.uint8)
    )
    rng, listed = np.array([seed], np.uint64), np.empty(rows.sum(), np.uint32)
    for _ in range(20):
        draw_bag(strata, bagging, draws, rng)
        draw_parts(strata, bagging, draws, rng)
        for role, room in zip((SPLIT, VALUE), most, strict=True):
            assert list_rows(strata, draws, role, honest, listed) <= room


def test_the_stream_is_uniform_and_poisson_numbers_have_their_mean():
    rng = np.array([11], np.uint64)
    draws = np.array([draw_unit(rng) for _ in range(4000)])
    assert stats.kstest(draws, "uniform").pvalue > 1e-4  # fixed seed
    counts = [draw_poisson(rng, 13.0) for _ in range(4000)]
    assert abs(np.mean(counts) - 13.0) < 6 * math.sqrt(13.0 / 4000)


def test_more_choose_splits_only_where_students_are_drawn_alone():
    rng = np.random.default_rng(3)
    n, cluster = 1000, np.repeat(np.arange(250), 4)
    X, z, y = rng.normal(size=(n, 3)), (np.arange(250) % 2)[cluster], rng.normal(size=n)

    def leaves(**given):
        forest = CausalForest(n_estimators=40, random_state=1, **{key: given[key] for key in given if key != "cluster"})
        forest.fit(X, y, z, cluster=given.get("cluster"), propensity=0.5, prognosis=np.zeros(n))
        return len(forest.trees_[0].payload)

    assert leaves(cluster=cluster) == leaves(cluster=cluster, honesty_fraction=0.5)
    assert leaves() > 1.1 * leaves(honesty_fraction=0.5)
