"""How far claims move when clusters are dealt into other folds: measured, told, and able to lower a grade."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import of_classes, open_pilot, student_moderator, where
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.planned.average import find_average
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches.sequential import join_sequences, seed_error_of, spread_of_mean, steady_over
from whoworks.findings.sensitivity.stability import Refit, _summarise, measure_steadiness, refit_settings
from whoworks.findings.steadiness import Steadiness


@cache
def measured():
    """The pilot's average and its moderators' findings, with three other deals."""
    opened = of_classes(student_moderator(), "setting")
    rng = np.random.default_rng(0)
    found = [*find_average(opened.main, rng=rng)]
    for column in ("frl", "rit_fall", "setting"):
        found += find_moderation(opened.panel, opened.main, opened.moderator(column), rng=rng)
    refits = refit_settings(opened.panel, opened.main, seed=np.random.SeedSequence(5), n_refits=3)
    return refits, measure_steadiness(opened.panel, opened.main, adjust_families(found), {}, refits)


def test_every_deal_keeps_outcomes_and_arms_and_learns_another_prognosis():
    refits, _ = measured()
    own = student_moderator().main.scores
    assert len(refits) == 3
    for refit in refits:
        np.testing.assert_array_equal(refit.scores.y, own.y)
        np.testing.assert_array_equal(refit.scores.z, own.z)
        assert (refit.scores.fold != own.fold).any()
        assert not np.allclose(refit.scores.h, own.h)


def test_the_average_is_the_regression_on_each_deals_prognosis():
    refits, found = measured()
    average = where(found, question="average", weighting="student", estimand="itt")
    again = [float(fit_effects(refit.scores).effects([1.0]).estimate[0]) for refit in refits]
    steady = average.steadiness
    assert steady.estimate_low == pytest.approx(min([*again, average.estimate]))
    assert steady.estimate_high == pytest.approx(max([*again, average.estimate]))
    assert steady.shift == pytest.approx(max(abs(a - average.estimate) for a in again) / average.std_error)


def test_a_difference_in_another_deal_is_the_finding_of_that_deal():
    refits, found = measured()
    opened = student_moderator()
    told = [
        where(
            find_moderation(opened.panel, refit, opened.moderator("frl"), rng=np.random.default_rng(0)),
            question="difference",
        )
        for refit in refits
    ]
    own = where(found, question="difference", moderator="frl")
    every = [*(f.p_value for f in told), own.p_value]
    assert (own.steadiness.p_low, own.steadiness.p_high) == pytest.approx((min(every), max(every)))


def test_groups_that_share_a_joint_test_have_its_p_and_no_estimate():
    _, found = measured()
    joint = where(found, question="joint", moderator="setting").steadiness
    assert np.isnan(joint.shift)
    assert 0 <= joint.p_low <= joint.p_high <= 1
    assert all(f.steadiness is None for f in found if f.question == "difference" and f.moderator == "setting")


def test_p_is_adjusted_anew_in_each_deal_over_the_whole_family():
    refits, found = measured()
    own = where(found, question="difference", moderator="frl")
    assert len(own.steadiness.p_adjusted) == len(refits)
    assert min(own.steadiness.p_adjusted) >= own.steadiness.p_low - 1e-12


def test_the_same_folds_again_move_nothing():
    opened = student_moderator()
    found = adjust_families(find_average(opened.main, rng=np.random.default_rng(0)))
    told = measure_steadiness(opened.panel, opened.main, found, {}, [opened.main])
    assert where(told, question="average", weighting="student").steadiness.shift == pytest.approx(0.0, abs=1e-10)


def test_without_folds_there_is_nothing_to_deal_again():
    opened = open_pilot("no-effect", names=("frl",), students=120, classes=6, schools=3)
    assert opened.main.scores.fold.max() == 0
    assert refit_settings(opened.panel, opened.main, seed=np.random.SeedSequence(1), n_refits=2) == ()
    found = find_average(opened.main, rng=np.random.default_rng(0))
    assert measure_steadiness(opened.panel, opened.main, found, {}, ()) == found


def test_findings_on_other_outcomes_and_contrasts_are_left_alone():
    opened = student_moderator()
    other = replace(find_average(opened.main, rng=np.random.default_rng(0))[0], contrast="another")
    assert measure_steadiness(opened.panel, opened.main, [other], {}, [opened.main]) == (other,)


def test_the_summary_gives_the_ends_of_the_adjusted_p_and_survives_their_absence():
    told = Steadiness(over="folds", n=2, shift=0.1, p_adjusted=(0.04, 0.06)).tidy()
    assert (told["p_adjusted_low"], told["p_adjusted_high"]) == (0.04, 0.06)
    assert np.isnan(Steadiness(over="folds", n=2, shift=0.1).tidy()["p_adjusted_low"])


# ---- sequences of folds ------------------------------------------------------------------------------------------


def test_the_seed_error_is_how_far_means_of_as_many_sequences_spread():
    """Over 4,000 sets of 10: standard deviation within 4 % (three Monte-Carlo errors)."""
    t = np.random.default_rng(1).normal(1.0, 0.6, size=(4000, 10))
    told = np.sqrt(np.mean([seed_error_of(row) ** 2 for row in t]))
    assert told == pytest.approx(t.mean(axis=1).std(), rel=0.04)


def test_a_mean_t_knows_what_another_set_of_sequences_would_do():
    joined = join_sequences(estimate=np.array([1.0, 2.0, 3.0]), std_error=np.ones(3), df=np.full(3, 20.0))
    spread = spread_of_mean(np.array([1.0, 2.0, 3.0]), df=20.0)
    error = 1 / np.sqrt(3) / spread
    assert joined.seed_error == pytest.approx(error)
    low, high = (stats.t.sf(2.0 / spread + move, 20) for move in (2 * error, -2 * error))
    assert (joined.steadiness.p_low, joined.steadiness.p_high) == pytest.approx((low, high))
    assert joined.steadiness.p_low < joined.p_value < joined.steadiness.p_high


def test_a_silent_sequence_counts_as_a_t_of_zero_there_too():
    joined = join_sequences(estimate=np.array([2.0, np.nan]), std_error=np.ones(2), df=np.full(2, 20.0))
    assert joined.seed_error == pytest.approx(1.0 / spread_of_mean(np.array([2.0, 0.0]), df=20.0))


def test_one_sequence_tells_nothing_of_others_nor_do_few_degrees_of_freedom():
    assert np.isnan(seed_error_of(np.array([1.0])))
    assert np.isnan(steady_over(1.0, seed_error=np.nan, df=20.0, n=1).p_low)
    assert np.isnan(steady_over(1.0, seed_error=0.1, df=3.0, n=5).p_low)


def test_a_one_sided_p_keeps_its_side():
    steady = steady_over(-0.5, seed_error=0.1, df=30.0, n=10)
    assert 0.5 < steady.p_low < steady.p_high


def test_a_deal_without_a_p_leaves_the_range_to_the_others():
    told = Steadiness(over="folds", n=3, shift=0.1, p_adjusted=(np.nan, 0.06, 0.02))
    assert told.adjusted_ends() == (0.02, 0.06)
    assert told.adjusted_ends(0.07) == (0.02, 0.07)
    setting = student_moderator().main
    found = setting.finding(question="average", quantity="", estimate=1.0, std_error=0.5, p_value=0.04)
    values = [Refit(estimate=np.nan, p_value=np.nan), Refit(estimate=1.5, p_value=0.01)]
    steady = _summarise(found, setting, values, ())
    assert (steady.shift, steady.estimate_low, steady.estimate_high) == (1.0, 1.0, 1.5)
    assert (steady.p_low, steady.p_high) == (0.01, 0.04)
