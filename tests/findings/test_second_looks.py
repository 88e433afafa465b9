"""Second looks at a difference: ranks, wrong signs, measurement error, and whether it could matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.findings.pilots import open_pilot, student_moderator, three_arms, unhurried, where
from whoworks.findings.groups import group_categories
from whoworks.findings.moderation import open_moderation
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.sensitivity.fragility import dies_on_ranks
from whoworks.findings.sensitivity.log_odds import on_log_odds
from whoworks.findings.sensitivity.second_looks import look_again, on_ranks
from whoworks.inference.wrong_sign import error_rates


def looked_at(opened, column, *, setting=None, **changes):
    moderator = opened.moderator(column).model_copy(update=changes)
    setting = opened.main if setting is None else setting
    found = find_moderation(opened.panel, setting, moderator, rng=np.random.default_rng(0))
    return look_again(opened.panel, setting, moderator, found)


def with_outcome(opened, **changes):
    return replace(opened.main, outcome=opened.main.outcome.model_copy(update=changes))


def test_ranks_take_the_outcomes_place_in_the_same_regression():
    opened = student_moderator()
    scores = opened.scores
    groups = group_categories(opened.panel, scores, opened.moderator("frl"))
    ranked = replace(scores, y=100 * (stats.rankdata(scores.y) - 0.5) / len(scores.y))
    fit = fit_effects(ranked, basis=groups.indicators((0, 1)), keep=groups.code >= 0).effects([0.0, 1.0])
    looks = where(looked_at(opened, "frl"), question="difference").robustness
    assert (looks.rank_estimate, looks.rank_p) == pytest.approx((fit.estimate[0], fit.p_value[0]), rel=1e-9)
    assert (looks.rank_p > 0.05) == dies_on_ranks(open_moderation(opened.panel, opened.main, opened.moderator("frl")))


def test_ranks_do_not_notice_a_monotone_rescale():
    opened = student_moderator()
    moderation = open_moderation(opened.panel, opened.main, opened.moderator("frl"))
    stretched = replace(opened.scores, y=np.exp(opened.scores.y / 20))
    rescaled = replace(moderation, setting=replace(opened.main, scores=stretched))
    assert on_ranks(rescaled).p_value == pytest.approx(on_ranks(moderation).p_value, rel=1e-9)


def test_each_group_has_the_ranks_of_its_own_difference():
    opened = student_moderator()
    found = [f for f in looked_at(opened, "setting") if f.question == "difference"]
    moderation = open_moderation(opened.panel, opened.main, opened.moderator("setting"))
    assert [f.robustness.rank_estimate for f in found] == pytest.approx(list(on_ranks(moderation).estimate), rel=1e-9)


def test_only_differences_have_second_looks():
    found = looked_at(student_moderator(), "setting")
    assert {f.question for f in found if f.robustness is not None} == {"difference"}
    assert {f.question for f in found} == {"subgroup", "difference", "joint"}


def test_a_binary_outcome_is_looked_at_on_log_odds_and_not_on_ranks():
    opened = open_pilot("binary-outcome", students=480, classes=40, schools=10)
    looks = where(looked_at(opened, "frl"), question="difference").robustness
    told = on_log_odds(open_moderation(opened.panel, opened.main, opened.moderator("frl")))
    assert np.isnan([looks.rank_estimate, looks.rank_p]).all()
    assert (looks.logit_estimate, looks.logit_p) == (told.estimate[0], told.p_value[0])
    assert looks.logit_low < looks.logit_estimate < looks.logit_high
    assert 0 < looks.wrong_sign < 0.5


def test_wrong_signs_are_counted_for_what_the_plan_calls_meaningful():
    opened = student_moderator()
    setting = with_outcome(opened, meaningful=3.0, meaningful_in="units")
    found = where(looked_at(opened, "frl", setting=setting), question="difference")
    rates = error_rates(true=3.0, std_error=found.std_error, df=found.df)
    looks = found.robustness
    assert (looks.assumed, looks.assumed_from) == (3.0, "plan")
    assert (looks.wrong_sign, looks.exaggeration) == (rates.wrong_sign, rates.exaggeration)


def test_without_a_meaningful_difference_half_the_estimate_is_assumed():
    opened = student_moderator()
    setting = with_outcome(opened, meaningful=None)
    found = where(looked_at(opened, "frl", setting=setting), question="difference")
    assert found.robustness.assumed == pytest.approx(abs(found.estimate) / 2)
    assert found.robustness.assumed_from == "half"
    assert not found.robustness.is_negligible


def test_a_slope_is_freed_of_measurement_error_by_the_reliability():
    opened = student_moderator()
    found = where(looked_at(opened, "rit_fall", reliability=0.8), question="difference")
    looks = found.robustness
    assert looks.reliability == 0.8
    assert (looks.corrected, looks.corrected_low) == pytest.approx((found.estimate / 0.8, found.conf_low / 0.8))
    assert np.isnan(where(looked_at(opened, "frl", reliability=0.8), question="difference").robustness.corrected)
    assert np.isnan(where(looked_at(opened, "rit_fall"), question="difference").robustness.corrected)


@pytest.mark.truth
def test_the_corrected_slope_is_the_slope_along_what_was_meant_to_be_measured():
    # effect 2 per unit of the true value, observed with reliability .6 in classes that differ in it; over 60
    # draws the mean of the corrected slopes is within 4 standard errors of the truth
    opened = student_moderator().without_prognosis()
    scores, rng = opened.scores, np.random.default_rng(5)
    truth = rng.standard_normal(len(opened.panel.values))
    slopes = []
    for _ in range(60):
        observed = truth + np.sqrt(1 / 0.6 - 1) * rng.standard_normal(len(truth))
        panel = replace(opened.panel, values=opened.panel.values.assign(rit_fall=observed))
        y = 3 * truth[scores.rows] + 2 * scores.z * truth[scores.rows] + rng.standard_normal(len(scores.y))
        setting = replace(opened.main, scores=replace(scores, y=y))
        drawn = replace(opened, panel=panel)
        found = where(looked_at(drawn, "rit_fall", setting=setting, reliability=0.6), question="difference")
        slopes.append(found.robustness.corrected / np.std(observed, ddof=1))
    assert np.mean(slopes) == pytest.approx(2, abs=4 * np.std(slopes) / np.sqrt(60))


@pytest.mark.parametrize(
    ("low", "high", "negligible"),
    [
        (-0.9, 0.9, True), (-1.0, 0.9, False), (-0.9, 1.0, False), (-2.0, 0.9, False), (-0.9, 2.0, False),
        (0.2, 0.9, True), (-3.0, -2.0, False), (np.nan, np.nan, False),
    ],
)  # fmt: skip
def test_an_interval_that_reaches_what_matters_on_either_side_is_not_negligible(low, high, negligible):
    """Two one-sided tests: both have to reject (Schuirmann 1987)."""
    found = where(looked_at(student_moderator(), "frl"), question="difference")
    assert replace(found, meaningful=1.0, conf_low=low, conf_high=high).is_negligible == negligible
    assert not replace(found, meaningful=np.nan, conf_low=low, conf_high=high).is_negligible
    assert isinstance(replace(found, meaningful=np.float64(1.0), conf_low=low).is_negligible, bool)  # of JSON


def test_wrong_signs_are_counted_at_the_studys_own_confidence():
    """At 80 % more estimates leave nought out, and more of them on the wrong side."""
    opened = student_moderator()
    moderate = replace(opened.main, confidence=0.80)
    found = where(looked_at(opened, "frl", setting=moderate), question="difference")
    rng, looks = np.random.default_rng(3), found.robustness
    drawn = looks.assumed + found.std_error * rng.standard_t(found.df, size=400_000)
    told = np.abs(drawn) > stats.t.ppf(0.9, found.df) * found.std_error
    share = (drawn[told] < 0).mean()
    assert looks.wrong_sign == pytest.approx(share, abs=5 * np.sqrt(share / told.sum()))
    assert looks.exaggeration == pytest.approx(np.abs(drawn[told]).mean() / looks.assumed, rel=0.01)


def test_a_group_too_thin_to_compare_does_not_lend_its_looks_to_another():
    """The middle group has two classes of an arm: the last is compared with the first, and its ranks are its own."""
    opened = student_moderator()
    moderator, column = opened.moderator("setting"), opened.panel.values["setting"]
    codes = np.random.default_rng(2).integers(2, size=len(column)) * 2
    scores = opened.scores
    few = np.unique(scores.cluster[scores.z == 1])[:2]
    codes[scores.rows[np.isin(scores.cluster, few)][::2]] = 1
    thin = column.cat.categories[1]
    values = opened.panel.values.assign(
        setting=pd.Categorical.from_codes(codes, column.cat.categories, ordered=column.cat.ordered)
    )
    drawn = replace(opened, panel=replace(opened.panel, values=values))
    found = [f for f in looked_at(drawn, "setting") if f.question == "difference"]
    assert {f.level: f.robustness is None for f in found} == {thin: True, column.cat.categories[2]: False}
    told = on_ranks(open_moderation(drawn.panel, drawn.main, moderator))
    assert found[-1].robustness.rank_estimate == pytest.approx(float(told.estimate[0]), rel=1e-9)


@pytest.mark.parametrize("classes", [6, 40])
def test_a_difference_on_ranks_has_a_p_from_four_degrees_of_freedom_on(classes):
    opened = open_pilot("student-moderator", students=20 * classes, classes=classes, schools=max(1, classes // 4))
    looks = where(looked_at(opened, "frl", setting=unhurried(opened.main)), question="difference").robustness
    df = on_ranks(open_moderation(opened.panel, opened.main, opened.moderator("frl"))).df[0]
    assert (df < 4) == (classes == 6)
    assert np.isnan(looks.rank_p) == (df < 4)
    assert np.isfinite(looks.rank_estimate)


def test_every_arm_has_second_looks_of_its_own():
    opened = three_arms()
    looks = [
        where(looked_at(opened, "frl", setting=setting), question="difference").robustness
        for setting in opened.settings
    ]
    assert len({each.rank_estimate for each in looks}) == len(opened.settings)
