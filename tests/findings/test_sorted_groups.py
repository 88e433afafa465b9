"""Sorted groups, who is in them, and the ranking's worth: pooled folds describe, sequences of folds test."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import optimize, stats

from tests.findings.redrawn import Replicate, classrooms, predict, redraw
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches.exploration import (
    ALL_THE_SAME,
    TOO_FEW,
    find_heterogeneity,
    find_sorted_groups,
    rank_groups,
)
from whoworks.findings.searches.profiles import Trait, find_profiles
from whoworks.findings.searches.ranking import AREA, SHARES, TOP_THIRD, find_ranking
from whoworks.findings.searches.sequential import spread_of_mean
from whoworks.findings.searches.targeting import targeting_curve
from whoworks.forests.protocol import Predictions


@cache
def forty(repeats: int = 4) -> tuple[Replicate, Predictions]:
    """Forty classes; students with free lunch gain half an SD more."""
    drawn = redraw(classrooms(40), seed=3, by_lunch=0.5)
    return drawn, predict(classrooms(40), drawn.setting, repeats=repeats)


def ranking(drawn: Replicate, predictions: Predictions, seed: int):
    return find_ranking(drawn.setting, predictions, seed=np.random.SeedSequence(seed))


def no_better_than_before(predictions: Predictions, rng: np.random.Generator) -> Predictions:
    """Return predictions whose pooled folds say something else altogether."""
    return replace(predictions, tau=rng.normal(size=len(predictions.tau)))


def test_where_lower_is_better_those_with_the_lowest_predicted_effect_come_first():
    """The same trial told upside down: outcome, prognosis and predictions with the other sign."""
    drawn, predictions = forty()
    scores = drawn.setting.scores
    down = replace(
        drawn.setting, scores=replace(scores, y=-scores.y, h=-scores.h, score=-scores.score),
        outcome=drawn.setting.outcome.model_copy(update={"better": "lower"}),
    )  # fmt: skip
    other = replace(predictions, tau=-predictions.tau, forward=[-tau for tau in predictions.forward])
    told = ranking(drawn, predictions, seed=5)
    turned = find_ranking(down, other, seed=np.random.SeedSequence(5))
    assert told[0].estimate > 0
    for up, lower in zip(told, turned, strict=True):
        assert (lower.estimate, lower.conf_low, lower.conf_high) == pytest.approx(
            (-up.estimate, -up.conf_high, -up.conf_low)
        )
        assert (lower.effect_size_low, lower.effect_size_high) == pytest.approx(
            (-up.effect_size_high, -up.effect_size_low)
        )
        assert (lower.p_value, lower.std_error) == pytest.approx((up.p_value, up.std_error), nan_ok=True)


def test_groups_are_thirds_of_each_fold():
    _, predictions = forty()
    groups = rank_groups(predictions.tau, predictions.fold, 3)
    for k in np.unique(predictions.fold):
        inside = predictions.fold == k
        sizes = np.bincount(groups.code[inside], minlength=3)
        assert sizes.max() - sizes.min() <= 1
        for level in range(2):
            here, above = (predictions.tau[inside & (groups.code == level + step)] for step in (0, 1))
            assert here.max() <= above.min()


def test_without_a_calibration_slope_the_reason_that_holds_is_told():
    drawn, predictions = forty()
    flat = replace(predictions, forward=np.where(np.isnan(predictions.forward), np.nan, 1.0))
    assert find_heterogeneity(drawn.setting, flat).notes == (ALL_THE_SAME,)
    nothing = replace(predictions, forward=np.full_like(predictions.forward, np.nan))
    assert find_heterogeneity(drawn.setting, nothing).notes == (TOO_FEW,)


def test_a_unit_without_a_prediction_is_in_no_group():
    _, predictions = forty()
    tau, fold = predictions.forward[0], predictions.forward_fold[0]
    assert ((rank_groups(tau, fold, 5).code == -1) == (fold == 0)).all()


def test_the_groups_are_those_of_the_one_regression_on_pooled_folds():
    drawn, predictions = forty()
    found = find_sorted_groups(drawn.setting, predictions)
    groups = rank_groups(predictions.tau, predictions.fold, 3)
    basis = np.column_stack([groups.code == level for level in range(3)]).astype(float)
    scores = drawn.setting.scores
    blocks = (scores.block[:, None] == np.unique(scores.block)[1:]).astype(float)
    design = np.column_stack([basis, scores.z[:, None] * basis, cluster_split(scores.h, scores.cluster), blocks])
    root = np.sqrt(1 / scores.own)
    effects = np.linalg.lstsq(design * root[:, None], scores.y * root, rcond=None)[0][3:6]
    np.testing.assert_allclose([f.estimate for f in found[:3]], effects, rtol=1e-9)


def cluster_split(h: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Return h's cluster mean and the deviation from it."""
    mean = (np.bincount(cluster, h) / np.bincount(cluster))[cluster]
    return np.column_stack([mean, h - mean])


def test_the_difference_and_its_range_are_the_mean_t_of_the_sequences_turned_round():
    drawn, predictions = forty()
    told = []
    for tau, fold in zip(predictions.forward, predictions.forward_fold, strict=True):
        groups = rank_groups(tau, fold, 3)
        fit = fit_effects(drawn.setting.scores, basis=groups.indicators(tuple(range(3))), keep=groups.code >= 0)
        told.append(fit.effects([0, 0, 1.0]))
    df = np.mean([t.df[0] for t in told])
    spread = spread_of_mean(np.array([t.statistic[0] for t in told]), df=df)

    def mean_t(value: float) -> float:
        return float(np.mean([(t.estimate[0] - value) / t.std_error[0] for t in told])) / spread

    found = find_sorted_groups(drawn.setting, predictions)[-1]
    critical = stats.t.ppf(0.975, df)
    assert np.isclose(found.estimate, optimize.brentq(mean_t, -50, 50))
    assert np.isclose(found.conf_low, optimize.brentq(lambda v: mean_t(v) - critical, -50, 50))
    assert np.isclose(found.conf_high, optimize.brentq(lambda v: mean_t(v) + critical, -50, 50))
    assert np.isclose(found.p_value, stats.t.sf(mean_t(0.0), df))


def test_pooled_folds_lend_nothing_to_the_difference():
    """Break on purpose: what pooled folds predict must reach the groups alone."""
    drawn, predictions = forty()
    other = no_better_than_before(predictions, np.random.default_rng(1))
    first, second = (find_sorted_groups(drawn.setting, p) for p in (predictions, other))
    assert first[0].estimate != second[0].estimate
    for name in ("estimate", "p_value", "statistic", "std_error", "conf_low", "conf_high", "df"):
        assert getattr(first[-1], name) == getattr(second[-1], name)
    assert repr(ranking(drawn, predictions, 1)) == repr(ranking(drawn, other, 1))


def test_the_groups_themselves_carry_no_test():
    found = find_sorted_groups(forty()[0].setting, forty()[1])
    assert all(np.isnan(f.p_value) and np.isnan(f.conf_low) and f.status == "descriptive" for f in found[:-1])
    assert found[-1].status == "exploratory"


def test_too_few_clusters_are_said_to_be_too_few():
    drawn = redraw(classrooms(8), seed=1)
    found = find_sorted_groups(drawn.setting, predict(classrooms(8), drawn.setting, repeats=2))
    few = replace(predict(classrooms(8), drawn.setting, repeats=2), forward=np.full((2, 80), np.nan))
    assert len(found) in (1, 3)  # halves at most, never thirds
    (lost,) = find_sorted_groups(drawn.setting, few)
    assert lost.level == "2 - 1"
    assert np.isnan(lost.estimate)
    assert lost.notes[0].startswith("not assessable")
    assert find_profiles(drawn.panel, drawn.setting, few, n_groups=0) == ()
    assert all(f.notes[0].startswith("not assessable") for f in ranking(drawn, few, 4))


def test_a_profile_is_the_groups_own_means():
    drawn, predictions = forty()
    found = {(f.moderator, f.level): f for f in find_profiles(drawn.panel, drawn.setting, predictions, n_groups=5)}
    code = rank_groups(predictions.tau, predictions.fold, 5).code
    values = drawn.panel.values.iloc[drawn.setting.scores.rows]
    fall, lunch = values["rit_fall"].to_numpy(), (values["frl"].astype(object) == "Y").to_numpy()
    assert np.isclose(found["rit_fall", "5"].estimate, fall[code == 4].mean())
    assert np.isclose(found["frl", "Y: 1"].estimate, 100 * lunch[code == 0].mean())
    assert np.isclose(found["rit_fall", "5 - 1"].estimate, fall[code == 4].mean() - fall[code == 0].mean())
    assert ("frl", "N: 5") not in found  # of two groups one share says all


def test_a_share_is_as_small_a_cell_as_the_students_it_counts():
    drawn, predictions = forty()
    found = {(f.moderator, f.level): f for f in find_profiles(drawn.panel, drawn.setting, predictions, n_groups=5)}
    code = rank_groups(predictions.tau, predictions.fold, 5).code
    eligible = (drawn.panel.values["frl"].astype(object) == "Y").to_numpy()[drawn.setting.scores.rows]
    for level, place in (("1", 0), ("5", 4)):
        split = np.bincount(eligible[code == place].astype(int), minlength=2)
        assert found["frl", f"Y: {level}"].smallest_cell <= split.min()
    both = [found["frl", f"Y: {level}"].smallest_cell for level in ("1", "5")]
    assert found["frl", "Y: 5 - 1"].smallest_cell == min(both)


def test_a_profiles_error_is_welchs_where_students_are_their_own_clusters():
    drawn, predictions = forty()
    n = len(drawn.setting.scores.y)
    alone = replace(drawn.setting, scores=replace(drawn.setting.scores, cluster=np.arange(n)))
    found = {(f.moderator, f.level): f for f in find_profiles(drawn.panel, alone, predictions, n_groups=5)}
    code = rank_groups(predictions.tau, predictions.fold, 5).code
    fall = drawn.panel.values["rit_fall"].to_numpy()[alone.scores.rows]
    welch = stats.ttest_ind(fall[code == 4], fall[code == 0], equal_var=False)
    assert np.isclose(found["rit_fall", "5 - 1"].statistic, welch.statistic)


def test_profiles_are_adjusted_among_themselves():
    drawn, predictions = forty()
    profiles = find_profiles(drawn.panel, drawn.setting, predictions, n_groups=5)
    adjusted = adjust_families([*profiles, *ranking(drawn, predictions, 4)])
    assert {f.family for f in adjusted if f.question == "profile"} == {"", "profiles"}
    assert {f.level for f in adjusted if f.family == "exploratory"} == {AREA, TOP_THIRD}
    assert all(f.n_tests == 2 for f in adjusted if f.family == "exploratory")


def test_the_rankings_estimates_are_those_of_the_curve():
    drawn, predictions = forty(1)
    found = {f.level: f for f in ranking(drawn, predictions, 4)}
    keep = ~np.isnan(predictions.forward[0])
    curve = targeting_curve(
        score=drawn.setting.scores.score[keep], priority=predictions.forward[0][keep],
        fold=predictions.forward_fold[0][keep], shares=np.array([*SHARES, 1 / 3]),
        held=np.ones((1, keep.sum()), dtype=bool),
    )[0]  # fmt: skip
    np.testing.assert_allclose([found[f"{share:g}"].estimate for share in SHARES], curve[:9])
    assert np.isclose(found[TOP_THIRD].estimate, curve[9])
    assert np.isclose(found[AREA].estimate, curve[10])
    assert found[AREA].df == len(np.unique(drawn.setting.scores.cluster[keep])) - 2


def test_the_curves_points_are_for_the_picture():
    drawn, predictions = forty()
    found = ranking(drawn, predictions, 4)
    points = [f for f in found if f.level not in (AREA, TOP_THIRD)]
    assert [f.level for f in points] == [f"{share:g}" for share in SHARES]
    assert all(f.status == "descriptive" and np.isnan(f.p_value) and f.conf_low < f.conf_high for f in points)


def test_the_same_seed_gives_the_same_ranking():
    drawn, predictions = forty()
    assert repr(ranking(drawn, predictions, 8)) == repr(ranking(drawn, predictions, 8))


@pytest.mark.parametrize("binary", [False, True])
def test_estimates_are_in_the_outcomes_units_or_in_percentage_points(binary):
    drawn, predictions = forty()
    setting = replace(drawn.setting, scale=replace(drawn.setting.scale, binary=binary))
    plain = ranking(drawn, predictions, 4)[0]
    told = find_ranking(setting, predictions, seed=np.random.SeedSequence(4))[0]
    assert np.isclose(told.estimate, (100 if binary else 1) * plain.estimate)
    assert np.isclose(told.conf_high, (100 if binary else 1) * plain.conf_high)


def test_a_category_that_no_analysed_unit_has_counts_nobody():
    trait = Trait(moderator="frl", code="Y", values=np.full(6, np.nan), codes=np.full(6, -1))
    assert trait.smallest_group(np.ones(6, dtype=bool)) == 0
