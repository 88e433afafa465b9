from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whoworks.design.folds import assign_folds, count_folds


def trial(n_blocks: int, per_block: tuple[int, ...], size: int) -> dict[str, np.ndarray]:
    """Whole clusters in blocks: per_block[a] clusters of arm a in each block, `size` units each."""
    arms = np.repeat(np.arange(len(per_block)), per_block)
    arm = np.tile(arms, n_blocks).repeat(size)
    block = np.arange(n_blocks).repeat(len(arms) * size)
    cluster = np.arange(n_blocks * len(arms)).repeat(size)
    return {"cluster": cluster, "block": block, "arm": arm, "assigned": cluster}


def deal(seed: int = 0, **codes: np.ndarray) -> np.ndarray:
    return assign_folds(**codes, rng=np.random.default_rng(seed))


shapes = st.tuples(
    st.integers(1, 12),
    st.lists(st.integers(1, 6), min_size=2, max_size=3).map(tuple),
    st.integers(1, 4),
    st.integers(0, 99),
)


@given(shapes)
@settings(max_examples=150, deadline=None)
def test_folds_hold_whole_clusters_and_leave_every_arm_outside(shape):
    n_blocks, per_block, size, seed = shape
    codes = trial(n_blocks, per_block, size)
    fold = deal(seed, **codes)
    for code in np.unique(codes["cluster"]):
        assert len(np.unique(fold[codes["cluster"] == code])) == 1
    if min(per_block) * n_blocks < 4:
        assert (fold == 0).all()
        return
    for k in np.unique(fold):
        assert set(codes["arm"][fold != k]) == set(codes["arm"])


@given(shapes)
@settings(max_examples=100, deadline=None)
def test_small_blocks_are_never_split(shape):
    n_blocks, per_block, size, seed = shape
    codes = trial(n_blocks, per_block, size)
    fold = deal(seed, **codes)
    if sum(per_block) < 4:
        for code in range(n_blocks):
            assert len(np.unique(fold[codes["block"] == code])) == 1


@given(shapes)
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_does_not_matter(shape):
    n_blocks, per_block, size, seed = shape
    codes = trial(n_blocks, per_block, size)
    order = np.random.default_rng(seed).permutation(len(codes["arm"]))
    shuffled = deal(seed, **{name: code[order] for name, code in codes.items()})
    np.testing.assert_array_equal(shuffled, deal(seed, **codes)[order])


@pytest.mark.parametrize("n_clusters", [8, 13, 40])
def test_every_arm_is_spread_evenly_over_the_folds(n_clusters):
    codes = trial(1, (n_clusters, n_clusters), 3)
    fold = deal(**codes)
    for arm in (0, 1):
        counts = np.bincount(fold[codes["arm"] == arm]) // 3
        assert counts.max() - counts.min() <= 1


def test_blocks_are_spread_over_the_folds_arm_by_arm():
    codes = trial(10, (2, 2), 3)
    fold = deal(**codes)
    for block in range(10):
        for arm in (0, 1):
            here = (codes["block"] == block) & (codes["arm"] == arm)
            assert len(np.unique(fold[here])) == 2


@pytest.mark.parametrize(
    ("per_arm", "folds"),
    [((3, 20), 0), ((4, 4), 2), ((5, 9), 2), ((6, 6), 3), ((9, 9), 4), ((10, 10), 5), ((80, 80), 5)],
)
def test_the_smaller_arm_decides_the_number_of_folds(per_arm, folds):
    codes = trial(1, per_arm, 2)
    assert count_folds(cluster=codes["cluster"], arm=codes["arm"]) == folds
    assert len(np.unique(deal(**codes))) == max(folds, 1)


def test_sites_that_hold_both_arms_are_dealt_whole():
    site = np.arange(12).repeat(4)
    fold = deal(cluster=site, block=site, arm=np.tile([0, 1, 0, 1], 12), assigned=np.arange(48))
    assert len(np.unique(fold)) == 5
    for code in range(12):
        assert len(np.unique(fold[site == code])) == 1


def test_what_cannot_be_dealt_apart_gets_no_model():
    cluster = np.arange(8)
    fold = deal(cluster=cluster, block=np.zeros(8, dtype=np.int64), arm=cluster % 2, assigned=cluster // 4)
    assert (fold == 0).all()


def test_one_arm_gets_no_model():
    cluster = np.arange(8)
    assert (deal(cluster=cluster, block=cluster * 0, arm=cluster * 0, assigned=cluster) == 0).all()


def test_no_units_have_no_folds():
    none = np.zeros(0, dtype=np.int64)
    assert deal(cluster=none, block=none, arm=none, assigned=none).shape == (0,)


def test_other_seeds_give_other_folds():
    codes = trial(1, (20, 20), 1)
    assert not np.array_equal(deal(1, **codes), deal(2, **codes))


def test_where_small_blocks_tie_a_whole_arm_together_there_is_no_model():
    """Four treated clusters that meet in blocks of two stay together: no fold would leave the treatment outside."""
    tied = [(cluster, block, 1) for cluster in range(4) for block in (cluster, (cluster + 1) % 4)]
    apart = [(cluster, cluster + 10, 0) for cluster in range(4, 9) for _ in range(5)]
    cluster, block, arm = np.array(tied + apart).T
    codes = {"cluster": cluster, "block": block, "arm": arm, "assigned": np.arange(len(arm))}
    assert count_folds(cluster=cluster, arm=arm) == 2
    for seed in range(10):
        assert not deal(seed, **codes).any()
