"""Against n x n matrices with every dummy written out (`naive.py`): rtol 1e-10."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.naive import naive_fit, naive_htz
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test

RTOL = 1e-10
NEARLY = 1e-7  # weights that differ by 1e-6 inside a cluster: [Z_c, W_c Z_c] is of half rank but for the 12th digit


def trial(seed=0, *, n_clusters=14, size=7, blocks=0, inside=False, weights="vary"):
    """Unequal clusters; blocks hold whole clusters, or several blocks lie inside each cluster."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(size - 4, size + 5, n_clusters)
    cluster = np.repeat(np.arange(n_clusters), sizes)
    n = len(cluster)
    block = None
    if blocks:
        block = cluster * 2 + rng.integers(0, 2, n) if inside else cluster % blocks
    z = rng.integers(0, 2, n).astype(float) if inside else ((cluster // max(blocks, 1)) % 2).astype(float)
    m = rng.normal(size=n) + 0.5 * rng.normal(size=n_clusters)[cluster]
    X = np.column_stack([z, m, z * m, rng.normal(size=n)])
    if block is None:
        X = np.column_stack([np.ones(n), X])
    y = 50 + 3 * z + m + rng.normal(size=n_clusters)[cluster] + rng.normal(size=n)
    per_cluster = rng.uniform(0.5, 3, n_clusters)[cluster]
    w = {
        "none": None, "vary": rng.uniform(0.3, 4, n), "constant": per_cluster,
        "nearly constant": per_cluster * (1 + 1e-6 * rng.normal(size=n)), "two values": np.where(z == 1, 4.0, 4 / 3),
    }[weights]  # fmt: skip
    return {"X": X, "y": y, "cluster": cluster, "weights": w, "absorb": block}


SHAPES = {
    "no blocks": {},
    "blocks of several clusters": {"blocks": 4},
    "several blocks inside each cluster": {"blocks": 1, "inside": True},
}
WEIGHTS = ("none", "vary", "constant", "nearly constant", "two values")


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2", "CR3"])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_correction_equals_the_plain_formula(shape, weights, kind):
    if kind == "CR3" and "inside" in SHAPES[shape]:
        found = cluster_robust(**trial(weights=weights, **SHAPES[shape]), kind=kind)
        assert np.isnan(found.estimates.std_error).all()  # blocks inside a cluster: leverages of one, no CR3
        return
    data = trial(weights=weights, **SHAPES[shape])
    plain, found = naive_fit(**data, kind=kind), cluster_robust(**data, kind=kind)
    k = data["X"].shape[1]
    estimates = found.linear(np.eye(k))
    np.testing.assert_allclose(found.coefficients, plain.coefficients, rtol=RTOL)
    tolerance = NEARLY if weights == "nearly constant" else RTOL
    np.testing.assert_allclose(estimates.covariance, plain.covariance, rtol=tolerance, atol=1e-12)
    np.testing.assert_allclose(estimates.df, plain.df, rtol=tolerance)


def exact_leverage_one():
    """One cluster, and nobody else, decides a coefficient: I - H_cc has no inverse."""
    cluster = np.repeat(np.arange(4), 2)
    X = np.column_stack([cluster == 0, cluster > 0]).astype(float)
    return {"X": X, "y": np.arange(8.0), "cluster": cluster}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_joint_test_equals_the_plain_formula(shape, weights):
    data = trial(seed=3, weights=weights, **SHAPES[shape])
    rows = np.eye(data["X"].shape[1])[-3:]
    statistic, df_num, df = naive_htz(naive_fit(**data), rows)
    found = joint_test(fit=cluster_robust(**data), contrasts=rows)
    tolerance = NEARLY if weights == "nearly constant" else RTOL
    np.testing.assert_allclose((found.statistic, found.df_num, found.df), (statistic, df_num, df), rtol=tolerance)


@pytest.mark.parametrize("weights", ["none", "vary"])
def test_a_cluster_that_is_a_block_equals_the_plain_formula_and_its_leverages_of_one_are_counted(weights):
    data = trial(blocks=1, inside=True, weights=weights) | {}
    data["absorb"] = data["cluster"]
    plain, found = naive_fit(**data), cluster_robust(**data)
    assert found.n_singular == plain.n_singular == found.n_clusters
    np.testing.assert_allclose(found.estimates.std_error, np.sqrt(np.diag(plain.covariance)), rtol=RTOL)
    np.testing.assert_allclose(found.estimates.df, plain.df, rtol=RTOL)


@pytest.mark.parametrize("shape", ["blocks of several clusters", "several blocks inside each cluster"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_absorbing_blocks_equals_writing_out_every_dummy(shape, weights):
    data = trial(seed=5, weights=weights, **SHAPES[shape])
    block, k = data.pop("absorb"), data["X"].shape[1]
    absorbed = cluster_robust(**data, absorb=block).estimates
    dummies = (block[:, None] == np.unique(block)).astype(float)
    full = cluster_robust(**(data | {"X": np.hstack([dummies, data["X"]])})).linear(np.eye(dummies.shape[1] + k)[-k:])
    tolerance = NEARLY if weights == "nearly constant" else RTOL
    np.testing.assert_allclose(absorbed.estimate, full.estimate, rtol=RTOL)
    np.testing.assert_allclose(absorbed.covariance, full.covariance, rtol=tolerance, atol=1e-12)
    np.testing.assert_allclose(absorbed.df, full.df, rtol=tolerance)


def test_demeaning_first_is_not_absorbing():
    data = trial(seed=5, blocks=4, weights="none")
    block = data.pop("absorb")
    mean = lambda v: np.bincount(block, v) / np.bincount(block)  # noqa: E731
    X = np.column_stack([column - mean(column)[block] for column in data["X"].T])
    y = data["y"] - mean(data["y"])[block]
    first = cluster_robust(X=X, y=y, cluster=data["cluster"]).estimates
    absorbed = cluster_robust(**data, absorb=block).estimates
    np.testing.assert_allclose(first.estimate, absorbed.estimate, rtol=RTOL)
    assert first.std_error[0] < 0.97 * absorbed.std_error[0]


def test_pairs_by_assigned_unit_and_by_pair_give_the_same_error_once_blocks_are_dummies():
    rng = np.random.default_rng(11)
    unit = np.repeat(np.arange(20), 6)
    z, pair = (unit % 2).astype(float), unit // 2
    y = rng.normal(size=20)[unit] + rng.normal(size=120)
    by_unit, by_pair = (cluster_robust(X=z, y=y, cluster=c, absorb=pair).estimates for c in (unit, pair))
    np.testing.assert_allclose(by_unit.std_error, by_pair.std_error, rtol=RTOL)
    np.testing.assert_allclose(by_unit.df, by_pair.df, rtol=RTOL)
    assert by_pair.df[0] == pytest.approx(9)


def test_the_difference_in_means_of_equal_clusters_is_the_t_test_of_their_means():
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(12), 5)
    z, y = (cluster % 2).astype(float), rng.normal(size=60)
    found = cluster_robust(X=np.column_stack([np.ones(60), z]), y=y, cluster=cluster).estimates
    means = y.reshape(12, 5).mean(axis=1)
    expected = np.sqrt(means[::2].var(ddof=1) / 6 + means[1::2].var(ddof=1) / 6)
    np.testing.assert_allclose(found.std_error[1], expected, rtol=1e-12)
    np.testing.assert_allclose(found.df[1], 10, rtol=1e-12)


def test_with_one_unit_a_cluster_the_error_is_hc2():
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    y = rng.normal(size=40)
    bread = np.linalg.inv(X.T @ X)
    residual = y - X @ bread @ X.T @ y
    leverage = np.einsum("ij,jk,ik->i", X, bread, X)
    meat = (X.T * (residual**2 / (1 - leverage))) @ X
    found = cluster_robust(X=X, y=y, cluster=np.arange(40)).estimates
    np.testing.assert_allclose(found.covariance, bread @ meat @ bread, rtol=1e-12, atol=1e-15)
