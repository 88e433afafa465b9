"""The largest of several estimates: R's quantiles, Hsu's intervals by hand, and coverage after picking."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from whoworks.inference.winner import compare_with_best, largest_t_quantile, picked_limits

# mvtnorm 1.3: qmvt(level, df, corr, tail = "lower.tail"), absolute error 1e-6, common correlation one half
MVTNORM = {(2, 10, 0.95): 2.150945, (3, 20, 0.95): 2.192372, (2, 5, 0.95): 2.440308, (4, 60, 0.95): 2.206576}


def common(n, rho):
    return np.full((n, n), rho) + (1 - rho) * np.eye(n)


@pytest.mark.parametrize(("n", "df", "level"), MVTNORM)
def test_the_quantile_of_the_largest_t_is_rs(n, df, level):
    assert largest_t_quantile(correlation=common(n, 0.5), df=df, level=level) == pytest.approx(
        MVTNORM[n, df, level], abs=0.002
    )


def test_one_value_has_students_quantile_and_equal_values_count_once():
    assert largest_t_quantile(correlation=[[1.0]], df=7, level=0.975) == pytest.approx(stats.t.ppf(0.975, 7))
    twins = largest_t_quantile(correlation=common(3, 1.0), df=7, level=0.975)
    assert twins == pytest.approx(stats.t.ppf(0.975, 7), abs=0.002)


def test_unrelated_normal_values_have_the_quantile_of_their_product():
    found = largest_t_quantile(correlation=np.eye(3), df=np.inf, level=0.95)
    assert found == pytest.approx(stats.norm.ppf(0.95 ** (1 / 3)), abs=0.002)


def test_the_picked_estimate_has_a_simultaneous_lower_and_students_upper_limit():
    estimate, covariance, df = [1.0, 3.0], [[1.0, 0.5], [0.5, 1.0]], [9.0, 12.0]
    found = picked_limits(estimate=estimate, covariance=covariance, df=df)
    assert found.place == 1
    assert found.high == pytest.approx(3 + stats.t.ppf(0.975, 12))
    joint = largest_t_quantile(correlation=common(2, 0.5), df=9, level=0.975)
    assert found.low == pytest.approx(3 - joint)
    assert joint > stats.t.ppf(0.975, 9)


def test_one_estimate_is_not_picked_and_keeps_its_own_interval():
    found = picked_limits(estimate=[2.0], covariance=[[4.0]], df=[11.0])
    half = 2 * stats.t.ppf(0.975, 11)
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))


def equal_errors(means, variance):
    """Differences of independent means with one variance: the design of Hsu's paper."""
    means = np.asarray(means, dtype=float)
    n = len(means)
    difference = means[:, None] - means[None, :]
    covariance = np.array([variance * (np.ones((n, n)) + np.eye(n))] * n)
    return difference, covariance


def test_with_equal_errors_the_intervals_are_hsus():
    # [-(m_i - max_j m_j - d s sqrt 2)^-, (m_i - max_j m_j + d s sqrt 2)^+], d the one-sided quantile
    means, variance, df = np.array([1.0, 2.6, 3.4, 3.5]), 0.4, 24
    difference, covariance = equal_errors(means, variance)
    found = compare_with_best(difference=difference, covariance=covariance, df=np.full((4, 4), df))
    reach = largest_t_quantile(correlation=common(3, 0.5), df=df, level=0.95) * np.sqrt(2 * variance)
    apart = np.array([m - max(np.delete(means, i)) for i, m in enumerate(means)])
    assert found.estimate == pytest.approx(apart)
    assert found.high == pytest.approx(np.maximum(apart + reach, 0))
    assert list(found.may_be_best) == [False, True, True, True]
    best = found.may_be_best
    assert found.low[best] == pytest.approx(np.minimum(apart - reach, 0)[best])


def test_one_value_far_above_the_others_is_the_only_one_that_may_be_best():
    difference, covariance = equal_errors([0.0, 0.1, 9.0], 1.0)
    found = compare_with_best(difference=difference, covariance=covariance, df=np.full((3, 3), 12.0))
    assert list(found.may_be_best) == [False, False, True]
    assert (found.low[2], found.high[0], found.high[1]) == (0, 0, 0)
    assert found.high[2] > 9


def drawn(theta, *, n_clusters, rng, size):
    """Draw means of `n_clusters` cluster means an arm, with their own variances: (size, arms) of each."""
    values = rng.standard_normal((size, len(theta), n_clusters)) + np.asarray(theta)[None, :, None]
    return values.mean(axis=2), values.var(axis=2, ddof=1).mean(axis=1) / n_clusters


@pytest.mark.truth
@pytest.mark.parametrize("theta", [(0, 0, 0), (0, 0.3, 0.6), (0, 2.0, 0.0)])
def test_after_picking_the_interval_holds_its_truth_and_the_naive_one_does_not_when_arms_are_equal(theta):
    # control and two treatments, four clusters each; 4,000 draws, Monte-Carlo error .0034: below .937 has chance 1e-4
    rng, size = np.random.default_rng(3), 4000
    means, variance = drawn(theta, n_clusters=4, rng=rng, size=size)
    df, effects = 3 * 3, means[:, 1:] - means[:, :1]
    held = kept = 0
    for effect, each in zip(effects, variance, strict=True):
        found = picked_limits(estimate=effect, covariance=each * (1 + np.eye(2)), df=[df, df])
        truth, half = theta[1 + found.place], stats.t.ppf(0.975, df) * np.sqrt(2 * each)
        held += found.low <= truth <= found.high
        kept += abs(effect[found.place] - truth) <= half
    assert held / size > 0.937
    if theta == (0, 0, 0):
        assert kept / size < 0.95


@pytest.mark.truth
@pytest.mark.parametrize("theta", [(0, 0, 0), (0, 0.3, 0.6)])
def test_the_true_best_is_kept_as_often_as_promised(theta):
    # 2,000 draws, Monte-Carlo error .005: below .932 has chance 1e-4
    means, variance = drawn(theta, n_clusters=5, rng=np.random.default_rng(4), size=2000)
    best = int(np.argmax(theta))
    kept = 0
    for row, each in zip(means, variance, strict=True):
        difference, covariance = equal_errors(row, each)
        found = compare_with_best(difference=difference, covariance=covariance, df=np.full((3, 3), 12.0))
        kept += found.may_be_best[best]
    assert kept / 2000 > 0.932


@pytest.mark.parametrize("df", [3, 8, np.inf])
@pytest.mark.parametrize("apart", [0.0, 0.5, 2.0, -1.0])
def test_what_was_picked_errs_downwards_no_more_often_than_one_that_was_not(apart, df):
    # two treatments and a control with unit variances: P(picked error below -q) by numerical integration, normal
    # errors given their scale, against Student's tail; `apart` is the true distance of the two treatments
    q = stats.t.ppf(0.975, df)

    def below(scale):
        def density(u):
            # treatment k's standardised error is u; the other's given u has mean u / 2 and variance 3/4 in units
            # of sqrt 2: k is picked where theirs is below u + distance
            wins = sum(stats.norm.cdf((u / 2 + sign * apart / np.sqrt(2)) / np.sqrt(0.75)) for sign in (1, -1))
            return stats.norm.pdf(u) * wins

        return integrate.quad(density, -np.inf, -q * scale)[0]

    for scale in (0.3, 1.0, 1.7):
        assert below(scale) <= stats.norm.cdf(-q * scale) + 1e-9
