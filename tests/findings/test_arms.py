"""Several treatments: one fit of all arms, treatments against each other, and which arm may be the best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator, three_arms, where
from whoworks.findings.planned.average import find_average
from whoworks.findings.planned.best_arm import MAY_BE_BEST, PICKED, QUESTION, find_best_arm, fit_arms
from whoworks.findings.planned.between_arms import compare_treatments, find_between_arms
from whoworks.findings.regression import control_units, fit_effects
from whoworks.inference.cluster_robust import cluster_robust


def averages(opened):
    return [find_average(setting, rng=np.random.default_rng(0))[0] for setting in opened.settings]


def between(opened):
    return find_between_arms(opened.settings, rng=np.random.default_rng(0))


def test_every_contrast_is_of_one_fit_of_all_arms():
    opened = three_arms()
    told = [fit_effects(setting.scores) for setting in opened.settings]
    assert told[0].fit.residuals == pytest.approx(told[1].fit.residuals, abs=1e-9)
    both = fit_arms(opened.main).effects(np.array([[-1.0, 1, 0], [-1, 0, 1]]))
    single = [fit.effects([1.0]) for fit in told]
    for place, one in enumerate(single):
        assert both.estimate[place] == pytest.approx(one.estimate[0], rel=1e-9)
        assert (both.std_error[place], both.df[place]) == pytest.approx((one.std_error[0], one.df[0]), rel=1e-9)


def test_a_treatment_against_another_is_the_difference_of_their_effects_with_their_covariance():
    opened = three_arms()
    first, second = averages(opened)
    found = where(between(opened), contrast="coached - adaptive")
    joint = fit_arms(opened.main).effects(np.array([[-1.0, 1, 0], [-1, 0, 1]])).covariance
    assert found.estimate == pytest.approx(second.estimate - first.estimate, rel=1e-9)
    assert found.std_error == pytest.approx(np.sqrt(joint[0, 0] + joint[1, 1] - 2 * joint[0, 1]), rel=1e-9)
    assert (found.question, found.status) == ("average", "exploratory")


def test_the_other_treatment_takes_the_place_of_control():
    opened = three_arms()
    setting = compare_treatments(opened.settings[1], opened.settings[0])
    arm = opened.design.arm[np.searchsorted(opened.design.rows, setting.scores.rows)]
    assert (setting.treated == (arm == 2)).all()
    assert (control_units(setting.scores) == (arm == 1)).all()
    assert (setting.scores.other[:, 0] == (arm == 0)).all()
    hand = cluster_robust(
        X=np.column_stack([arm == 2, arm == 0, setting.scores.h]), y=setting.scores.y, cluster=setting.scores.cluster,
        weights=1 / setting.scores.own, absorb=setting.scores.block,
    )  # fmt: skip
    found = fit_effects(setting.scores).effects([1.0])
    assert found.estimate[0] == pytest.approx(hand.estimates.estimate[0], rel=1e-9)
    assert found.std_error[0] == pytest.approx(hand.estimates.std_error[0], rel=1e-9)


def test_the_mean_score_of_a_pair_is_its_difference():
    opened = three_arms()
    first, second = (s.scores.score for s in opened.settings)
    assert compare_treatments(opened.settings[1], opened.settings[0]).scores.score == pytest.approx(second - first)


def test_with_two_arms_there_is_nothing_to_choose():
    opened = student_moderator()
    assert find_between_arms(opened.settings, rng=np.random.default_rng(0)) == ()
    assert find_best_arm(opened.settings) == ()


def test_the_picked_arm_has_its_own_estimate_and_a_range_that_reaches_further_down():
    opened = three_arms()
    plain = max(averages(opened), key=lambda f: f.estimate)
    found = where(find_best_arm(opened.settings), quantity=PICKED)
    assert (found.question, found.contrast, found.level) == (QUESTION, plain.contrast, plain.contrast.split(" - ")[0])
    assert (found.estimate, found.std_error) == pytest.approx((plain.estimate, plain.std_error), rel=1e-9)
    assert found.conf_high == pytest.approx(plain.conf_high, rel=1e-9)
    assert found.conf_low < plain.conf_low
    assert np.isnan([found.p_value, found.mde]).all()


def test_every_arm_control_included_stands_against_the_best_of_the_others():
    opened = three_arms()
    effects = {"usual": 0.0} | {f.contrast.split(" - ")[0]: f.estimate for f in averages(opened)}
    for arm, value in effects.items():
        best = max(other for name, other in effects.items() if name != arm)
        found = where(find_best_arm(opened.settings), level=arm, status="descriptive")
        assert found.estimate == pytest.approx(value - best, rel=1e-9)
        assert found.conf_low <= found.estimate <= found.conf_high
        assert (found.quantity == MAY_BE_BEST) == (found.conf_high > 0)


def test_where_lower_is_better_the_lowest_is_picked():
    opened = three_arms()
    turned = [
        replace(
            s, scores=replace(s.scores, y=-s.scores.y, h=-s.scores.h),
            outcome=s.outcome.model_copy(update={"better": "lower"}),
        )
        for s in opened.settings
    ]  # fmt: skip
    for plain, found in zip(find_best_arm(opened.settings), find_best_arm(turned), strict=True):
        assert (found.quantity, found.level) == (plain.quantity, plain.level)
        assert found.estimate == pytest.approx(-plain.estimate)
        assert (found.conf_low, found.conf_high) == pytest.approx((-plain.conf_high, -plain.conf_low), abs=1e-12)


def test_arms_of_three_clusters_are_told_with_wide_ranges_and_no_p():
    opened = open_pilot("three-arms", names=("frl",), students=240, classes=12, schools=12, blocks="none")
    plain = where(between(opened), contrast="coached - adaptive")
    found = find_best_arm(opened.settings)
    assert len(found) == 4
    assert where(found, quantity=PICKED).n_treated_clusters == 3
    assert all(f.conf_low < f.conf_high for f in found)
    assert plain.p_randomization > 0
    assert not np.isfinite(plain.p_value) or plain.df >= 4


def test_a_block_that_lost_an_arms_outcomes_takes_no_arm_away():
    opened = three_arms()
    arm = opened.design.arm[np.searchsorted(opened.design.rows, opened.scores.rows)]
    lost = (opened.scores.block == 0) & (arm == 2)
    settings = []
    for setting in opened.settings:
        kept = {
            name: getattr(setting.scores, name)[~lost]
            for name in ("rows", "y", "z", "other", "d", "e", "own", "mu0", "mu1", "h", "score", "cluster", "block")
        }
        settings.append(replace(setting, scores=replace(setting.scores, **kept)))
    found = find_best_arm(settings)
    assert {f.level for f in found} == {"usual", "adaptive", "coached"}
    assert all(np.isfinite([f.estimate, f.conf_low, f.conf_high]).all() for f in found)


def test_a_yes_or_no_outcome_is_counted_in_percentage_points():
    opened = three_arms()
    binary = [
        replace(s, scale=replace(s.scale, binary=True, control=0.4), scores=replace(s.scores, y=s.scores.y / 1000))
        for s in opened.settings
    ]
    found = find_best_arm(binary)
    assert {f.unit for f in found} == {"percentage points"}
    picked = where(found, quantity=PICKED)
    assert picked.estimate == pytest.approx(100 * fit_effects(binary[1].scores).effects([1.0]).estimate[0])


@pytest.mark.truth
def test_where_arms_are_equal_the_picked_effects_range_holds_nought_with_few_classes():
    # twelve classes, three in each treatment, 200 draws, Monte-Carlo error .015: below .89 has
    # chance 1e-4
    opened = open_pilot(
        "three-arms", names=("frl",), students=240, classes=12, schools=12, blocks="none"
    ).without_prognosis()
    rng, held = np.random.default_rng(8), 0
    code = opened.scores.cluster
    for _ in range(200):
        y = rng.standard_normal(code.max() + 1)[code] + rng.standard_normal(len(code))
        drawn = [replace(s, scores=replace(s.scores, y=y)) for s in opened.settings]
        found = where(find_best_arm(drawn), quantity=PICKED)
        held += found.conf_low <= 0 <= found.conf_high
    assert held / 200 > 0.89
