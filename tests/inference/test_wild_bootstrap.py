"""The wild cluster bootstrap from sums over clusters: the long way round, its adjustment, and its size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.wild_bootstrap import WEBB, Hypothesis, adjust_min_p, statistics, step_down_min_p


def draw(rng, *, n_clusters=24, n_blocks=6, per=10, q=1, moderators=1, icc=0.2, varying=0.0):
    """Classes in blocks, half of each block treated, and hypotheses that each moderator's interaction is zero."""
    cluster = np.repeat(np.arange(n_clusters), per)
    block = cluster % n_blocks
    z = ((cluster // n_blocks) % 2).astype(float)
    y = np.sqrt(icc) * rng.standard_normal(n_clusters)[cluster] + rng.standard_normal(len(z))
    y = y + varying * rng.standard_normal(n_clusters)[cluster] * z + block
    weights = rng.uniform(0.5, 2.0, len(z))
    found = []
    for _ in range(moderators):
        m = rng.standard_normal((len(z), q)) + 0.5 * rng.standard_normal((n_clusters, q))[cluster]
        X = np.column_stack([m, z, z[:, None] * m])
        tested = tuple(range(q + 1, 2 * q + 1))
        found.append(Hypothesis(X=X, y=y, weights=weights, cluster=cluster, tested=tested, absorb=block))
    return found


def long_way(hypothesis, y):
    """The Wald statistic by a fit with all block indicators, CR1 without its factor."""
    blocks = [] if hypothesis.absorb is None else [hypothesis.absorb == b for b in np.unique(hypothesis.absorb)]
    X = np.column_stack([hypothesis.X, *blocks]).astype(float)
    W = hypothesis.weights
    M = np.linalg.inv(X.T @ (W[:, None] * X))
    beta = M @ X.T @ (W * y)
    r = y - X @ beta
    names = np.unique(hypothesis.cluster)
    s = np.array([M @ X[hypothesis.cluster == c].T @ (W * r)[hypothesis.cluster == c] for c in names])
    t = list(hypothesis.tested)
    return float(beta[t] @ np.linalg.inv((s.T @ s)[np.ix_(t, t)]) @ beta[t])


def restricted(hypothesis):
    """Fitted values and residuals of the regression without the tested columns."""
    blocks = [] if hypothesis.absorb is None else [hypothesis.absorb == b for b in np.unique(hypothesis.absorb)]
    X = np.column_stack([np.delete(hypothesis.X, list(hypothesis.tested), axis=1), *blocks]).astype(float)
    root = np.sqrt(hypothesis.weights)
    fitted = X @ np.linalg.lstsq(X * root[:, None], hypothesis.y * root)[0]
    return fitted, hypothesis.y - fitted


@pytest.mark.parametrize("q", [1, 2])
def test_sums_over_clusters_give_what_refitting_gives(q):
    rng = np.random.default_rng(1)
    (one,) = draw(rng, q=q)
    draws = WEBB[rng.integers(0, 6, (5, 24))]
    fitted, rest = restricted(one)
    expected = [long_way(one, fitted + v[one.cluster] * rest) for v in draws]
    assert statistics(one, draws) == pytest.approx(expected, rel=1e-8)
    assert statistics(one, None) == pytest.approx([long_way(one, one.y)], rel=1e-8)


def test_clusters_that_meet_several_blocks_are_no_exception():
    rng = np.random.default_rng(2)
    (one,) = draw(rng)
    spread = Hypothesis(
        X=one.X, y=one.y, weights=one.weights, cluster=one.cluster, tested=one.tested,
        absorb=rng.integers(0, 4, len(one.y)),
    )  # fmt: skip
    draws = WEBB[rng.integers(0, 6, (4, 24))]
    fitted, rest = restricted(spread)
    expected = [long_way(spread, fitted + v[spread.cluster] * rest) for v in draws]
    assert statistics(spread, draws) == pytest.approx(expected, rel=1e-8)


def test_the_statistic_of_the_data_is_the_cluster_robust_t_squared():
    (one,) = draw(np.random.default_rng(3))
    fit = cluster_robust(X=one.X, y=one.y, cluster=one.cluster, weights=one.weights, absorb=one.absorb, kind="CR0")
    assert statistics(one, None)[0] == pytest.approx(fit.estimates.statistic[one.tested[0]] ** 2, rel=1e-8)


def test_webbs_weights_have_mean_zero_and_variance_one():
    assert WEBB.mean() == pytest.approx(0)
    assert (WEBB**2).mean() == pytest.approx(1)
    assert len(set(np.round(WEBB, 12))) == 6


def test_min_p_is_westfall_and_young_done_by_hand():
    drawn = np.array([[1.0, 4.0, 2.0, 3.0], [4.0, 1.0, 2.0, 3.0]])
    p, adjusted = adjust_min_p(observed=[5.0, 2.5], drawn=drawn)
    assert p == pytest.approx([1 / 5, 3 / 5])
    # draws' own p: [5,2,4,3]/5 and [2,5,4,3]/5; least [2,2,4,3]/5: none at or below 1/5, then one's own two of four
    assert adjusted == pytest.approx([1 / 5, 3 / 5])


@pytest.mark.parametrize("seed", range(30))
def test_it_is_algorithm_2_8_of_westfall_and_young_with_the_data_among_the_draws(seed):
    """Of the hypotheses still standing the smallest p of each draw, step by step; no later p below an earlier one."""
    rng = np.random.default_rng(seed)
    m, n_draws = 4, 19
    null = np.round(rng.chisquare(1, (m, n_draws)) + rng.chisquare(1, n_draws), 1)  # with ties, and going together
    t = np.round(2 * rng.chisquare(1, m), 1)
    own = [(1 + sum(draw >= t[i] for draw in null[i])) / (n_draws + 1) for i in range(m)]
    of_draw = [[(1 + sum(null[i] >= null[i, b])) / (n_draws + 1) for b in range(n_draws)] for i in range(m)]
    expected, last = [0.0] * m, 0.0
    for step, i in enumerate(order := sorted(range(m), key=lambda i: own[i])):
        least = [min(of_draw[j][b] for j in order[step:]) for b in range(n_draws)]
        last = max(last, (1 + sum(each <= own[i] for each in least)) / (n_draws + 1))
        expected[i] = max(min(last, 1.0), own[i])
    p, adjusted = adjust_min_p(observed=t, drawn=null)
    np.testing.assert_allclose(p, own)
    np.testing.assert_allclose(adjusted, expected)


def test_an_adjusted_p_is_never_below_its_own_and_one_test_needs_no_adjustment():
    rng = np.random.default_rng(4)
    p, adjusted = adjust_min_p(observed=rng.chisquare(1, 5), drawn=rng.chisquare(1, (5, 999)))
    assert (adjusted >= p).all()
    single, same = adjust_min_p(observed=[2.0], drawn=rng.chisquare(1, (1, 999)))
    assert single == same


def test_tests_that_are_the_same_cost_nothing():
    rng = np.random.default_rng(5)
    null = rng.chisquare(1, 1999)
    p, adjusted = adjust_min_p(observed=[6.0, 6.0, 6.0], drawn=np.array([null, null, null]))
    assert adjusted == pytest.approx(p)


@pytest.mark.truth
@pytest.mark.parametrize("world", [{"varying": 0.0}, {"varying": 0.5}], ids=["no effect", "varies by class"])
def test_any_false_claim_among_three_is_made_in_one_run_in_twenty(world):
    # 250 replicates of 199 draws: at a rate of .05 a count above 24 has a chance of 1 in 1,000
    rng = np.random.default_rng(6)
    any_claim = 0
    for _ in range(250):
        three = draw(rng, n_clusters=24, n_blocks=6, moderators=3, **world)
        any_claim += step_down_min_p(three, n_draws=199, rng=rng)[1].min() <= 0.05
    assert any_claim <= stats.binom.ppf(0.999, 250, 0.05)
