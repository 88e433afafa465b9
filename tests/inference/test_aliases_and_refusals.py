"""Columns that say nothing new, leverages of one, numbers without meaning, and input that cannot be meant."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.test_agrees_with_the_plain_formula import exact_leverage_one, trial
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test


def test_a_column_that_earlier_ones_span_is_dropped_as_r_drops_it_and_the_others_do_not_notice():
    data = trial()
    X = data["X"]
    extra = np.column_stack([X[:, :3], X[:, 1] - 2 * X[:, 2], X[:, 3:]])
    fit, without = cluster_robust(**(data | {"X": extra})), cluster_robust(**data)
    assert fit.aliased.tolist() == [False, False, False, True, False, False]
    assert np.isnan(fit.coefficients[3])
    np.testing.assert_allclose(np.delete(fit.estimates.std_error, 3), without.estimates.std_error, rtol=1e-10)
    np.testing.assert_allclose(np.delete(fit.estimates.df, 3), without.estimates.df, rtol=1e-10)


def test_the_constant_and_what_is_constant_in_blocks_are_aliased_where_blocks_are_absorbed():
    data = trial(blocks=4)
    place = data["absorb"] == 2
    fit = cluster_robust(**(data | {"X": np.column_stack([np.ones(len(place)), place, data["X"]])}))
    assert fit.aliased.tolist() == [True, True, False, False, False, False]


def test_a_contrast_that_needs_an_aliased_column_is_nan_and_others_are_not():
    data = trial()
    fit = cluster_robust(**(data | {"X": np.column_stack([data["X"], data["X"][:, 1]])}))
    found = fit.linear([[0, 1, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0]])
    for name in ("estimate", "std_error", "df", "statistic", "p_value"):
        assert np.isnan(getattr(found, name)).tolist() == [True, False]
    assert np.isnan(found.covariance).tolist() == [[True, True], [True, False]]


def test_a_contrast_that_another_order_of_columns_would_change_is_not_determined():
    data = trial()
    X = np.column_stack([data["X"], data["X"][:, 1] - 2 * data["X"][:, 2]])
    rows = np.array(
        [[0, 1, 0, 0, 0, 0], [0, 2, 1, 0, 0, 0], [0, 2, 1, 0, 0, 1], [0, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0]]
    )
    found = cluster_robust(**(data | {"X": X})).determines(rows)
    other = np.array([0, 5, 1, 2, 3, 4])
    again = cluster_robust(**(data | {"X": X[:, other]})).determines(rows[:, other])
    assert found.tolist() == again.tolist() == [False, True, False, True, True]


def test_a_joint_test_that_needs_an_aliased_column_is_refused():
    data = trial()
    fit = cluster_robust(**(data | {"X": np.column_stack([data["X"], data["X"][:, 1]])}))
    with pytest.raises(ValueError, match="other columns already determine"):
        joint_test(fit=fit, contrasts=np.eye(6)[-2:])


def test_more_contrasts_than_clusters_can_carry_are_not_assessable():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(8), 5)
    group = (cluster // 2)[:, None] == np.arange(4)
    fit = cluster_robust(X=group.astype(float), y=rng.normal(size=40), cluster=cluster)
    found = joint_test(fit=fit, contrasts=np.eye(4)[:3] - np.eye(4)[3])
    assert found.df_num == 3
    assert found.df <= 0 or found.df < 3
    assert np.isnan(found.p_value) == (found.df <= 0)


def test_a_leverage_of_one_is_counted():
    fit = cluster_robust(**exact_leverage_one())
    assert fit.n_singular == 1
    assert cluster_robust(**trial()).n_singular == 0


def test_what_a_single_cluster_decides_has_an_estimate_and_no_error():
    """Its residuals are zero: an error of 1e-15 would be rounding, and its t a fiction."""
    found = cluster_robust(**exact_leverage_one()).estimates
    assert found.estimate[0] == pytest.approx(0.5)
    for name in ("std_error", "df", "statistic", "p_value"):
        assert np.isnan(getattr(found, name)[0]), name
    assert np.isfinite(found.p_value[1])


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
def test_a_contrast_that_is_zero_up_to_rounding_has_no_p(kind):
    data = trial(weights="vary")
    found = cluster_robust(**(data | {"y": np.full(len(data["y"]), 51.3)}), kind=kind).estimates
    assert np.isnan(found.p_value[1:]).all()
    assert found.estimate[0] == pytest.approx(51.3)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_effect_without_any_spread_within_arms_has_an_estimate_and_no_error(kind, size):
    """An error of 1e-15 and a p of 1e-260 would be rounding sold as certainty."""
    z = np.repeat(np.arange(12) % 2, 5).astype(float)
    fit = cluster_robust(
        X=np.column_stack([np.ones(60), z]), y=size * (5.1 + 5 * z), cluster=np.repeat(np.arange(12), 5), kind=kind
    )
    found = fit.estimates
    assert found.estimate[1] == pytest.approx(5 * size)
    for values in (found.std_error, found.statistic, found.p_value, np.diag(found.covariance), *found.interval()):
        assert np.isnan(values).all()
    assert np.isfinite(found.df).all()
    assert np.isnan(joint_test(fit=fit, contrasts=np.eye(2)).p_value)


def test_a_group_in_which_nobody_has_the_event_has_no_error_and_the_others_keep_theirs():
    rng = np.random.default_rng(0)
    z, group = np.repeat(np.arange(20) % 2, 10).astype(float), np.tile([0.0, 1.0], 100)
    y = np.where(group == 1, 0.0, (rng.random(200) < 0.3).astype(float))
    fit = cluster_robust(
        X=np.column_stack([1 - group, group, z * (1 - group), z * group]), y=y, cluster=np.repeat(np.arange(20), 10)
    )
    assert np.isfinite(fit.estimates.std_error[2])
    assert np.isnan(fit.estimates.std_error[3])
    assert np.isfinite(fit.linear([0.0, 0.0, -1.0, 1.0]).p_value[0])


def test_cr3_has_no_value_where_a_leverage_is_one():
    found = cluster_robust(**exact_leverage_one(), kind="CR3").estimates
    assert np.isnan(found.std_error).all()


def test_an_interval_is_wider_at_a_higher_level_and_centred_on_the_estimate():
    found = cluster_robust(**trial()).estimates
    low, high = found.interval(0.9)
    lower, higher = found.interval(0.99)
    assert ((lower < low) & (high < higher)).all()
    np.testing.assert_allclose((low + high) / 2, found.estimate, rtol=1e-10)


def test_inputs_are_not_changed():
    data = trial(blocks=4)
    before = {name: value.copy() for name, value in data.items()}
    cluster_robust(**data)
    assert all(np.array_equal(before[name], data[name]) for name in data)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"y": np.zeros(3)}, "one entry per unit"),
        ({"cluster": np.zeros(3)}, "one entry per unit"),
        ({"absorb": np.zeros(3)}, "one entry per unit"),
        ({"weights": np.ones(3)}, "one entry per unit"),
        ({"y": lambda y: np.where(np.arange(len(y)) == 4, np.nan, y)}, "must be finite"),
        ({"X": lambda X: np.where(X > 1, np.inf, X)}, "must be finite"),
        ({"weights": lambda w: np.where(np.arange(len(w)) == 4, 0.0, w)}, "positive"),
        ({"weights": lambda w: np.where(np.arange(len(w)) == 4, np.nan, w)}, "positive"),
        ({"cluster": lambda c: c * 0}, "one cluster"),
    ],
)
def test_input_that_cannot_be_meant_is_refused_in_a_sentence(change, sentence):
    data = trial()
    changed = {name: new(data[name]) if callable(new) else new for name, new in change.items()}
    with pytest.raises(ValueError, match=sentence):
        cluster_robust(**(data | changed))


def groups_of_clusters(y_of_group):
    """Eight clusters of each of three groups, 5 units each, and the test that the groups' means are equal."""
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(24), 5)
    group = cluster // 8
    y = y_of_group(rng, group)
    fit = cluster_robust(X=(group[:, None] == np.arange(3)).astype(float), y=y, cluster=cluster)
    return joint_test(fit=fit, contrasts=[[-1, 1, 0], [-1, 0, 1]])


@pytest.mark.parametrize("value", [0.0, 50.0, 51.3])
def test_a_joint_test_of_an_outcome_that_is_the_same_for_all_has_df_and_no_p(value):
    found = groups_of_clusters(lambda rng, group: np.full(len(group), value))
    assert found.df > 0
    assert np.isnan(found.statistic)
    assert np.isnan(found.p_value)


def test_a_joint_test_of_means_two_of_which_have_no_error_has_no_p():
    found = groups_of_clusters(lambda rng, group: np.where(group == 0, rng.normal(size=len(group)), group))
    assert np.isnan(found.p_value)
    assert np.isfinite(groups_of_clusters(lambda rng, group: group + rng.normal(size=len(group))).p_value)


def test_a_joint_test_of_what_one_cluster_decides_alone_has_no_df():
    found = joint_test(fit=cluster_robust(**exact_leverage_one()), contrasts=np.eye(2))
    assert np.isnan(found.df)
    assert np.isnan(found.p_value)
