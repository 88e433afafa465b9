"""Effect sizes by hand, by the formulas of the What Works Clearinghouse."""

from __future__ import annotations

import numpy as np
import pytest

from whoworks.checks.balance import COX
from whoworks.findings.scale import Scale, measure_scale


def measure(y, treated, cluster=None, own=None, binary=False):
    n = len(y)
    return measure_scale(
        y=np.asarray(y, float), treated=np.asarray(treated, bool),
        cluster=np.arange(n) if cluster is None else np.asarray(cluster),
        own=np.full(n, 0.5) if own is None else np.asarray(own, float), binary=binary,
    )  # fmt: skip


def test_the_sd_pools_both_arms_and_takes_no_effect_for_spread():
    y, treated = [1.0, 3, 5, 102, 104, 109], [0, 0, 0, 1, 1, 1]
    assert measure(y, treated).sd == pytest.approx(np.sqrt((2 * 4 + 2 * 13) / 4))


def test_students_alone_have_hedgess_factor_on_n_minus_two():
    y, treated = np.random.default_rng(0).normal(size=30), np.arange(30) % 2
    scale = measure(y, treated)
    assert scale.factor == pytest.approx(1 - 3 / (4 * 28 - 1))
    assert scale.effect_size(2.0) == pytest.approx((1 - 3 / (4 * 30 - 9)) * 2.0 / scale.sd)  # the same, as 4N - 9


def test_clusters_cost_degrees_of_freedom_as_equation_e_21_says():
    """Eight clusters of ten; the intraclass correlation by analysis of variance within arms, by hand."""
    rng = np.random.default_rng(1)
    cluster, n, big_n, g = np.repeat(np.arange(8), 10), 10, 80, 8
    treated = cluster % 2
    y = rng.normal(size=8)[cluster] + rng.normal(size=80)
    means = y.reshape(8, 10).mean(axis=1)
    between = 10 * sum(((means[a::2] - means[a::2].mean()) ** 2).sum() for a in (0, 1)) / (g - 2)
    within = ((y.reshape(8, 10) - means[:, None]) ** 2).sum() / (big_n - g)
    rho = (between - within) / (between + (n - 1) * within)
    top = ((big_n - 2) - 2 * (n - 1) * rho) ** 2
    low = (big_n - 2) * (1 - rho) ** 2 + n * (big_n - 2 * n) * rho**2 + 2 * (big_n - 2 * n) * rho * (1 - rho)
    assert rho > 0.1
    assert measure(y, treated, cluster).factor == pytest.approx(1 - 3 / (4 * top / low - 1), rel=1e-10)


def test_with_whole_clusters_alike_the_factor_is_that_of_so_many_cluster_means():
    """An intraclass correlation of one leaves as many degrees of freedom as there are clusters, less two."""
    cluster = np.repeat(np.arange(10), 20)
    y = np.random.default_rng(2).normal(size=10)[cluster]
    h = (1 / (1 - measure(y, cluster % 2, cluster).factor) * 3 + 1) / 4
    assert h == pytest.approx(8.0, rel=0.05)


def test_the_cox_index_is_the_difference_of_log_odds_over_1_65():
    y = np.repeat([0, 1, 0, 1], [60, 40, 45, 55]).astype(float)
    treated = np.repeat([False, True], 100)
    scale = measure(y, treated, binary=True)
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    omega = 1 - 3 / (4 * 198 - 1)
    assert scale.effect_size(0.15) == pytest.approx(omega * (logit(0.55) - logit(0.40)) / 1.65)
    assert COX == 1.65


def test_the_control_arms_share_is_weighted_by_the_design():
    y, treated = [1.0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]
    assert measure(y, treated, own=[0.25, 0.5, 0.5, 0.5, 0.5, 0.5], binary=True).control == pytest.approx(4 / 8)


@pytest.mark.parametrize("estimate", [0.7, -0.5])
def test_a_share_beyond_0_or_1_has_no_cox_index(estimate):
    scale = Scale(sd=0.5, factor=1.0, control=0.4, binary=True, name="Cox index")
    assert np.isnan(scale.effect_size(estimate))


def test_a_difference_of_differences_is_linear_and_agrees_near_zero():
    scale = Scale(sd=0.5, factor=0.9, control=0.4, binary=True, name="Cox index")
    assert scale.difference(0.02) == pytest.approx(2 * scale.difference(0.01))
    assert scale.difference(1e-6) == pytest.approx(scale.effect_size(1e-6), rel=1e-4)
    number = Scale(sd=2.0, factor=0.9, control=0.0, binary=False, name="pooled")
    assert number.difference(1.0) == number.effect_size(1.0) == pytest.approx(0.45)


@pytest.mark.parametrize("binary", [False, True])
def test_an_estimate_in_units_has_the_effect_size_it_was_made_from(binary):
    scale = Scale(sd=0.5, factor=0.9, control=0.4, binary=binary, name="")
    assert scale.difference(scale.in_units(0.3)) == pytest.approx(0.3)
    assert (0.9 * scale.in_units(0.3), scale.times) == (
        pytest.approx(0.3 * (1.65 * 0.24 if binary else 0.5)),
        100 if binary else 1,
    )


def test_an_outcome_without_spread_has_no_effect_size():
    assert np.isnan(measure([3.0] * 8, np.arange(8) % 2).effect_size(1.0))
