"""Does the answer move as theory says?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.test_agrees_with_the_plain_formula import trial
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test

RTOL = 1e-10
SAME = ("estimate", "std_error", "df", "p_value")
BOTH = [{"blocks": 4}, {}]


def values(data, names=SAME, **more):
    estimates = cluster_robust(**(data | more)).estimates
    return np.array([getattr(estimates, name) for name in names])


@pytest.mark.parametrize("shape", BOTH)
def test_the_scale_of_the_weights_does_not_matter(shape):
    data = trial(**shape)
    np.testing.assert_allclose(values(data), values(data, weights=1e6 * data["weights"]), rtol=RTOL)


@pytest.mark.parametrize("shape", BOTH)
def test_weights_of_one_are_no_weights(shape):
    data = trial(weights="none", **shape)
    np.testing.assert_allclose(values(data), values(data, weights=np.full(len(data["y"]), 3.0)), rtol=RTOL)


@pytest.mark.parametrize("shape", BOTH)
def test_permuting_rows_changes_nothing_and_residuals_come_back_in_the_callers_order(shape):
    data = trial(**shape)
    order = np.random.default_rng(1).permutation(len(data["y"]))
    shuffled = {name: None if value is None else value[order] for name, value in data.items()}
    np.testing.assert_allclose(values(data), values(shuffled), rtol=RTOL)
    first, second = cluster_robust(**data), cluster_robust(**shuffled)
    np.testing.assert_allclose(first.residuals[order], second.residuals, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("shape", BOTH)
def test_relabelling_clusters_and_blocks_changes_nothing(shape):
    data = trial(**shape)
    names = np.array([f"class {code * 37 % 101}" for code in range(200)])
    blocks = None if data["absorb"] is None else names[data["absorb"]]
    np.testing.assert_allclose(values(data), values(data, cluster=names[data["cluster"]], absorb=blocks), rtol=RTOL)


def test_duplicating_every_unit_inside_its_cluster_changes_nothing_that_rests_on_clusters():
    data = trial(weights="vary")
    twice = {name: None if value is None else np.concatenate([value, value]) for name, value in data.items()}
    once, doubled = (cluster_robust(**each, kind="CR0").estimates for each in (data, twice))
    np.testing.assert_allclose(once.covariance, doubled.covariance, rtol=1e-9)
    # CR2 supposes independent errors within the cluster, of which a copy is not: it moves, and little
    np.testing.assert_allclose(values(data, ("std_error",)), values(twice, ("std_error",)), rtol=0.05)


def test_duplicating_every_cluster_halves_the_plain_covariance():
    data = trial(weights="vary")
    copy = data | {"cluster": data["cluster"] + 1000}
    twice = {name: None if data[name] is None else np.concatenate([data[name], copy[name]]) for name in data}
    once, doubled = (cluster_robust(**each, kind="CR0").estimates for each in (data, twice))
    np.testing.assert_allclose(doubled.covariance, once.covariance / 2, rtol=1e-9)
    np.testing.assert_allclose(doubled.estimate, once.estimate, rtol=RTOL)
    assert (doubled.df > 1.5 * once.df).all()


@pytest.mark.parametrize("shape", BOTH)
def test_shifting_and_scaling_the_outcome_move_estimates_alone(shape):
    data = trial(**shape)
    moved = values(data, y=7 * data["y"] + 100)
    slopes = slice(None) if data["absorb"] is not None else slice(1, None)
    np.testing.assert_allclose(moved[0, slopes], 7 * values(data)[0, slopes], rtol=1e-9)
    np.testing.assert_allclose(moved[1], 7 * values(data)[1], rtol=1e-9)
    np.testing.assert_allclose(moved[2], values(data)[2], rtol=RTOL)


def test_the_unit_of_a_regressor_does_not_matter():
    data = trial(blocks=4)
    factor = np.array([1.0, 1e6, 1e6, 1e-6])
    scaled = values(data, X=data["X"] * factor)
    np.testing.assert_allclose(scaled[0] * factor, values(data)[0], rtol=1e-8)
    np.testing.assert_allclose(scaled[1] * factor, values(data)[1], rtol=1e-8)
    np.testing.assert_allclose(scaled[2], values(data)[2], rtol=1e-8)


def test_a_joint_test_does_not_depend_on_how_its_contrasts_are_written():
    fit = cluster_robust(**trial(blocks=4))
    rows = np.eye(4)[1:]
    other = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [3.0, 0.0, 1.0]]) @ rows
    first, second = joint_test(fit=fit, contrasts=rows), joint_test(fit=fit, contrasts=other)
    np.testing.assert_allclose(first.statistic, second.statistic, rtol=1e-9)
    np.testing.assert_allclose(first.df, second.df, rtol=1e-9)


def test_a_joint_test_of_one_contrast_is_the_t_test_squared():
    fit = cluster_robust(**trial(blocks=4))
    single, joint = fit.linear([0, 0, 1, 0]), joint_test(fit=fit, contrasts=[0, 0, 1, 0])
    np.testing.assert_allclose(joint.statistic, single.statistic[0] ** 2, rtol=RTOL)
    np.testing.assert_allclose(joint.df, single.df[0], rtol=1e-9)
    np.testing.assert_allclose(joint.p_value, single.p_value[0], rtol=1e-8)


def test_cr2_is_unbiased_when_errors_are_as_it_supposes():
    """E[CR2] = a' M S M a for independent errors of variance 1, weights varying within clusters; no simulation."""
    data = trial(blocks=4, weights="vary")
    fit = cluster_robust(**data)
    block, w = data["absorb"], data["weights"] / data["weights"].mean()
    full = np.hstack([data["X"], (block[:, None] == np.unique(block)).astype(float)])
    bread = np.linalg.inv(full.T @ (w[:, None] * full))
    truth = bread @ full.T @ (w[:, None] ** 2 * full) @ bread
    np.testing.assert_allclose(fit.loadings(np.eye(4)).expected(), truth[:4, :4], rtol=1e-9, atol=1e-13)
