"""The variance ratio of two arms: brute force, relations, and its size where effects are the same for all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from whoworks.inference.variance_ratio import variance_ratio


def draw(rng, *, n_clusters=20, n_treated=10, varying=0.0, by_arm=1.0, tails=False):
    """Classes of 8 to 24 (treated ones `by_arm` times as large), intraclass correlation .2, constant effect .3."""
    treated = np.arange(n_clusters) < n_treated
    size = np.maximum((rng.integers(8, 25, n_clusters) * np.where(treated, by_arm, 1)).astype(int), 3)
    cluster = np.repeat(np.arange(n_clusters), size)
    z = treated[cluster].astype(float)
    noise = rng.standard_t(5, len(z)) / np.sqrt(5 / 3) if tails else rng.standard_normal(len(z))
    effect = 0.3 + varying * rng.standard_normal(n_clusters)[cluster]
    y = np.sqrt(0.2) * rng.standard_normal(n_clusters)[cluster] + np.sqrt(0.8) * noise + effect * z
    share = n_treated / n_clusters
    return {"y": y, "z": z, "cluster": cluster, "weights": np.where(z == 1, 1 / share, 1 / (1 - share))}


def log_variance(y, w, cluster):
    """The arm's variance as the formula has it, from its students."""
    r = y - np.average(y, weights=w)
    sums = np.array([(w * r)[cluster == c].sum() for c in np.unique(cluster)])
    of_mean = len(sums) / (len(sums) - 1) * (sums**2).sum() / w.sum() ** 2
    return np.log(np.average(r**2, weights=w) + of_mean)


def jackknife(y, w, cluster):
    """Variance of the log variance, every cluster left out in turn and everything computed again."""
    names = np.unique(cluster)
    left_out = np.array([log_variance(y[cluster != c], w[cluster != c], cluster[cluster != c]) for c in names])
    return (len(names) - 1) / len(names) * ((left_out - left_out.mean()) ** 2).sum()


def test_it_is_the_jackknife_done_the_long_way():
    rng = np.random.default_rng(3)
    data = draw(rng)
    data["weights"] = data["weights"] * rng.uniform(0.5, 2, len(data["y"]))
    found = variance_ratio(**data)
    arms = [data["z"] == value for value in (1, 0)]
    logs = [log_variance(data["y"][a], data["weights"][a], data["cluster"][a]) for a in arms]
    parts = [jackknife(data["y"][a], data["weights"][a], data["cluster"][a]) for a in arms]
    assert found.log_ratio == pytest.approx(logs[0] - logs[1], rel=1e-9)
    assert found.std_error == pytest.approx(np.sqrt(sum(parts)), rel=1e-9)
    assert found.df == pytest.approx(sum(parts) ** 2 / sum(p**2 / 9 for p in parts), rel=1e-9)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.statistic), found.df), rel=1e-12)


def test_clusters_that_hold_both_arms_leave_both_at_once():
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(12), 20)
    z = np.tile([0.0, 1.0], 120)
    y = rng.standard_normal(12)[cluster] + rng.standard_normal(240) * (1 + z)
    found = variance_ratio(y=y, z=z, cluster=cluster)

    def ratio(keep):
        arms = [keep & (z == value) for value in (1, 0)]
        return np.subtract(*(log_variance(y[a], np.ones(a.sum()), cluster[a]) for a in arms))

    left_out = np.array([ratio(cluster != c) for c in range(12)])
    assert found.std_error == pytest.approx(np.sqrt(11 / 12 * ((left_out - left_out.mean()) ** 2).sum()), rel=1e-9)
    assert found.df == pytest.approx(11)


def test_independent_units_with_one_each_give_the_ratio_of_sample_variances():
    rng = np.random.default_rng(5)
    z = np.tile([0.0, 1.0], 60)
    y = rng.standard_normal(120)
    found = variance_ratio(y=y, z=z, cluster=np.arange(120))
    assert found.ratio == pytest.approx(y[z == 1].var(ddof=1) / y[z == 0].var(ddof=1), rel=1e-12)


def test_a_constant_effect_a_shift_and_a_change_of_unit_change_nothing():
    data = draw(np.random.default_rng(6))
    moved = data | {"y": 100 - 7 * (data["y"] + 5 * data["z"])}
    before, after = variance_ratio(**data), variance_ratio(**moved)
    assert (after.log_ratio, after.std_error) == pytest.approx((before.log_ratio, before.std_error), rel=1e-9)


def test_swapping_the_arms_turns_the_sign():
    data = draw(np.random.default_rng(7))
    assert variance_ratio(**data).log_ratio == pytest.approx(-variance_ratio(**data | {"z": 1 - data["z"]}).log_ratio)


def test_what_was_foreseen_is_taken_out_with_one_slope_for_both_arms():
    rng = np.random.default_rng(8)
    data = draw(rng)
    h = rng.standard_normal(len(data["y"]))
    with_h = variance_ratio(**data | {"y": data["y"] + 4 * h}, h=h)
    assert with_h.log_ratio == pytest.approx(variance_ratio(**data, h=h).log_ratio, rel=1e-9)


def test_two_clusters_in_an_arm_and_no_spread_are_not_assessable():
    data = draw(np.random.default_rng(9), n_clusters=12, n_treated=2)
    assert np.isnan(variance_ratio(**data).p_value)
    flat = draw(np.random.default_rng(9))
    assert np.isnan(variance_ratio(**flat | {"y": flat["z"]}).p_value)


@pytest.mark.truth
@pytest.mark.parametrize(
    "world",
    [
        {"n_clusters": 12, "n_treated": 6},
        {"n_clusters": 20, "n_treated": 10},
        {"n_clusters": 40, "n_treated": 12},
        {"n_clusters": 60, "n_treated": 30, "tails": True},
        {"n_clusters": 40, "n_treated": 20, "by_arm": 0.65},
    ],
    ids=["6 v 6", "10 v 10", "12 v 28", "heavy tails", "smaller classes in one arm"],
)
def test_a_constant_effect_is_called_different_in_at_most_one_in_twenty(world):
    # 600 replicates: at a size of .05 a rejection count above 49 has a chance of 1 in 1,000
    rng = np.random.default_rng(20)
    p = np.array([variance_ratio(**draw(rng, **world)).p_value for _ in range(600)])
    assert (p < 0.05).sum() <= stats.binom.ppf(0.999, 600, 0.05)


@pytest.mark.truth
def test_effects_that_vary_widely_between_classes_are_noticed():
    rng = np.random.default_rng(21)
    p = np.array([variance_ratio(**draw(rng, n_clusters=60, n_treated=30, varying=0.8)).p_value for _ in range(150)])
    assert (p < 0.05).mean() > 0.6


ROOM = np.repeat(np.arange(8), 4)


@pytest.mark.parametrize("offset", [0.0, 51.3, 1e6])
@pytest.mark.parametrize(
    "y",
    [
        np.tile([1.0, 2.0, 4.0, 7.0], 8),  # clusters that are copies of one another
        np.where(ROOM % 2 == 1, np.tile([1.0, 2.0, 4.0, 7.0], 8) * ROOM, 3.0),  # an arm without spread
        np.where((ROOM % 2 == 1) | (ROOM == 2), np.tile([1.0, 2.0, 4.0, 7.0], 8) * ROOM, 3.0),  # one cluster's alone
    ],
)
def test_a_ratio_that_no_spread_between_clusters_tells_is_nan_without_a_warning(y, offset):
    found = variance_ratio(y=y + offset, z=(ROOM % 2).astype(float), cluster=ROOM)
    for name in ("log_ratio", "std_error", "df", "statistic", "p_value"):
        assert np.isnan(getattr(found, name)), name
