"""What is learned on other clusters, and what never is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whoworks.panel.panel import Kind, Role, Variable
from whoworks.scores.features import coded_columns, design_columns
from whoworks.scores.prognosis import cross_fit_prognosis
from whoworks.scores.splines import restricted_cubic_spline, spline_knots

PRE = Variable(name="pre", column="pre", roles=(Role.BASELINE,), kind=Kind.NUMBER)


def number(name):
    return Variable(name=name, column=name, roles=(Role.COVARIATE,), kind=Kind.NUMBER)


def category(name, levels):
    return Variable(name=name, column=name, roles=(Role.MODERATOR,), kind=Kind.CATEGORY, levels=tuple(levels))


def trial(seed=0, *, n_clusters=20, size=12, slope=1.0):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n_clusters), size)
    n = len(cluster)
    pre = rng.normal(size=n)
    y = slope * pre + 0.7 * rng.normal(size=n_clusters)[cluster] + rng.normal(size=n)
    return {
        "y": y, "values": pd.DataFrame({"pre": pre}), "variables": (PRE,), "cluster": cluster,
        "block": np.zeros(n, dtype=np.int64), "fold": cluster % 5,
    }  # fmt: skip


def test_a_useful_covariate_is_used_and_the_share_it_explains_is_told():
    found = cross_fit_prognosis(**trial())
    assert found.learner == "ridge regression"
    assert 0.2 < found.share_explained < 0.7


def test_noise_leaves_the_empty_model():
    """In 30 trials with three useless covariates the prognosis is used in few, and explains nearly nothing."""
    shares = []
    for seed in range(30):
        data = trial(seed, slope=0.0)
        rng = np.random.default_rng(seed + 100)
        names = ["pre", "a", "b"]
        data |= {"values": pd.DataFrame(rng.normal(size=(len(data["y"]), 3)), columns=names)}
        found = cross_fit_prognosis(**(data | {"variables": (PRE, number("a"), number("b"))}))
        assert (found.h is None) == (found.learner == "none") == (found.share_explained == 0)
        shares.append(found.share_explained)
    assert np.mean(np.array(shares) == 0) > 0.5
    assert max(shares) < 0.05


@pytest.mark.parametrize("telling", [0.0, 1.0])
def test_traits_of_whole_clusters_enter_where_they_foretell_and_cost_little_where_they_do_not(telling):
    """In 20 trials with four traits of classes: what is left of classes' means, beside the pre-test's alone."""
    ratios = []
    for seed in range(20):
        data = trial(seed, n_clusters=40)
        traits = np.random.default_rng(seed + 500).normal(size=(40, 4))[data["cluster"]]
        y = data["y"] + telling * traits[:, 0]
        values = data["values"].assign(**{f"t{k}": traits[:, k] for k in range(4)})
        some = cross_fit_prognosis(**(data | {"y": y}))
        every = cross_fit_prognosis(
            **(data | {"y": y, "values": values, "variables": (PRE, *(number(f"t{k}") for k in range(4)))})
        )
        spread = [np.bincount(data["cluster"], y - found.h).std() for found in (some, every)]
        ratios.append(spread[1] / spread[0])
    if telling:
        assert np.mean(ratios) < 0.7  # of variances .57 and 1.57 the root is .60, and four slopes cost some
    else:
        assert np.mean(ratios) < 1.02  # 1.07 if all four always entered


def test_without_covariates_or_with_one_fold_there_is_no_model():
    data = trial()
    for change in ({"variables": ()}, {"fold": np.zeros_like(data["fold"])}):
        found = cross_fit_prognosis(**(data | change))
        assert found.h is None
        assert found.learner == "none"


def test_a_folds_outcomes_never_enter_its_own_predictions():
    data = trial()
    own = data["fold"] == 2
    scrambled = data["y"].copy()
    scrambled[own] = np.random.default_rng(1).permutation(scrambled[own]) * 3
    first, second = (cross_fit_prognosis(**(data | {"y": y})).h for y in (data["y"], scrambled))
    np.testing.assert_array_equal(first[own], second[own])
    assert not np.allclose(first[~own], second[~own])


def test_shifting_one_folds_outcomes_by_a_constant_leaves_its_own_predictions_and_hardly_touches_others():
    """No training fold's constant enters: what is left is the shift's accidental slope on the covariate."""
    data = trial()
    own = data["fold"] == 2
    shifted = data["y"] + 5.0 * own
    first, second = (cross_fit_prognosis(**(data | {"y": y})).h for y in (data["y"], shifted))
    np.testing.assert_array_equal(first[own], second[own])
    for fold in (0, 1, 3, 4):
        place = data["fold"] == fold
        slope = np.polyfit(first[place], second[place], 1)
        moved = second[place] - np.polyval(slope, first[place])
        assert np.abs(moved).max() < 1e-8  # the same straight line in the covariate, rescaled
        assert abs(slope[1]) < 0.25  # a constant of the training folds would have moved it by 5 / 4


def test_predictions_are_centred_over_all_units_by_each_folds_model():
    data = trial()
    h, pre = cross_fit_prognosis(**data).h, data["values"]["pre"].to_numpy()
    for fold in range(5):
        place = data["fold"] == fold
        slope = np.polyfit(pre[place], h[place], 1)
        assert np.polyval(slope, pre).mean() == pytest.approx(0.0, abs=1e-9)


def test_shifting_all_outcomes_changes_nothing_and_scaling_them_scales():
    data = trial()
    h = cross_fit_prognosis(**data).h
    np.testing.assert_allclose(cross_fit_prognosis(**(data | {"y": data["y"] + 100})).h, h, atol=1e-8)
    np.testing.assert_allclose(cross_fit_prognosis(**(data | {"y": data["y"] * 3})).h, 3 * h, atol=1e-8)


def test_the_level_of_a_block_is_no_part_of_the_prognosis():
    data = trial() | {"block": np.repeat(np.arange(4), 60)}
    h = cross_fit_prognosis(**data).h
    raised = data["y"] + np.array([0.0, 10.0, -20.0, 30.0])[data["block"]]
    np.testing.assert_allclose(cross_fit_prognosis(**(data | {"y": raised})).h, h, atol=1e-8)


def named_rooms(size):
    """A covariate that names the cluster, where clusters' outcomes lie far apart."""
    data = trial(3, size=size, slope=0.0)
    far = 20 * np.random.default_rng(5).normal(size=20)[data["cluster"]]
    names = [f"class {code}" for code in range(20)]
    leak = pd.Series(pd.Categorical.from_codes(data["cluster"], names, ordered=True), name="room")
    return data | {"y": data["y"] + far, "values": leak.to_frame(), "variables": (category("room", names),)}


@pytest.mark.parametrize("size", [12, 30])  # 600 units bring the trees
def test_a_clusters_own_name_teaches_nothing_of_it(size):
    """Unseen clusters have unseen names: all of a fold are predicted alike."""
    data = named_rooms(size)
    found = cross_fit_prognosis(**data)
    if found.h is not None:
        assert max(np.ptp(found.h[data["fold"] == fold]) for fold in range(5)) < 1e-9
    assert found.share_explained < 0.2  # of what differs between five folds of four clusters, by chance


def test_folds_by_row_would_learn_the_clusters_own_name():
    data = named_rooms(12)
    assert cross_fit_prognosis(**(data | {"fold": np.arange(240) % 5})).share_explained > 0.9


def test_trees_compete_from_five_hundred_units_and_win_where_lines_do_not_fit():
    data = trial(1, n_clusters=50)
    bent = np.where(np.abs(data["values"]["pre"]) < 0.7, 3.0, 0.0)
    found = cross_fit_prognosis(**(data | {"y": data["y"] * 0.3 + bent, "variables": (number("pre"),)}))
    assert found.learner == "gradient boosting"
    again = cross_fit_prognosis(**(data | {"y": data["y"] * 0.3 + bent, "variables": (number("pre"),)}))
    np.testing.assert_array_equal(found.h, again.h)


@pytest.mark.parametrize(("n", "learner"), [(499, "ridge regression"), (500, "gradient boosting")])
def test_with_fewer_than_five_hundred_units_lines_alone_are_tried(n, learner):
    data = trial(1, n_clusters=50, size=10)
    pre = data["values"]["pre"].to_numpy()
    y = 0.3 * data["y"] + np.where(np.abs(pre) < 0.7, 3.0, 0.0) + pre
    few = {name: value[:n] for name, value in (data | {"y": y}).items() if name != "variables"}
    assert cross_fit_prognosis(**few, variables=(number("pre"),)).learner == learner


def test_predictions_are_rounded_so_that_reruns_agree_to_the_last_bit():
    h = cross_fit_prognosis(**trial()).h
    np.testing.assert_array_equal(h, np.round(h, 10))


def test_missing_values_are_filled_and_flagged_for_lines_and_left_to_trees():
    values = pd.DataFrame({"pre": [1.0, np.nan, 3.0, 8.0], "g": pd.Categorical(["a", "b", None, "a"], ["a", "b"])})
    variables = (number("pre"), category("g", "ab"))
    lines = design_columns(values, variables, splines=False)
    np.testing.assert_array_equal(lines[:, 0], [1, 4, 3, 8])
    np.testing.assert_array_equal(lines[:, 1], [0, 1, 0, 0])
    assert sorted(map(tuple, lines[:, 2:].T)) == [(0, 0, 1, 0), (0, 1, 0, 0)]
    trees = coded_columns(values, variables)
    np.testing.assert_array_equal(trees, [[1, 0], [np.nan, 1], [3, np.nan], [8, 0]])


def test_a_variable_without_spread_makes_no_column():
    values = pd.DataFrame({"pre": [2.0, 2.0, 2.0]})
    assert design_columns(values, (number("pre"),), splines=True).shape == (3, 0)


def test_a_restricted_cubic_spline_is_straight_beyond_its_knots_and_smooth_at_them():
    knots = np.array([1.0, 2.0, 4.0, 7.0])
    for outside in (np.linspace(-5, 1, 9), np.linspace(7, 20, 9)):
        np.testing.assert_allclose(np.diff(restricted_cubic_spline(outside, knots=knots), n=2, axis=0), 0, atol=1e-9)
    step = 1e-5
    for knot in knots:
        left, right = (
            restricted_cubic_spline(knot + s * np.array([0.0, step, 2 * step]), knots=knots) for s in (-1, 1)
        )
        np.testing.assert_allclose(left[0], right[0], atol=1e-12)
        np.testing.assert_allclose((right[1] - right[0]) / step, (left[0] - left[1]) / step, atol=1e-3)
    assert restricted_cubic_spline(np.arange(5.0), knots=knots[:2]).shape == (5, 0)


def test_knots_stand_at_harrells_quantiles_without_ties():
    np.testing.assert_allclose(spline_knots(np.arange(101.0)), [5, 35, 65, 95])
    assert len(spline_knots(np.array([0.0] * 90 + [1.0] * 10))) == 2
