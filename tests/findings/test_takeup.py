"""The effect of receipt, and the interval that inverts the test of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import open_pilot
from whoworks.findings.planned.takeup import FEW_RECORDS, UNBOUNDED, anderson_rubin, find_takeup, is_full
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import NO_ERROR

GRID = np.linspace(-60, 60, 240_001)


def accepted(effect, receipt, variance, critical):
    a, b, c = variance
    return (effect - GRID * receipt) ** 2 <= critical * (a - 2 * GRID * b + GRID**2 * c)


@pytest.mark.parametrize(
    ("effect", "receipt", "variance", "shape"),
    [
        (3.0, 0.8, (1.0, 0.02, 0.003), "interval"),
        (-2.0, 0.5, (0.3, -0.01, 0.002), "interval"),
        (0.1, 0.02, (1.0, 0.0, 0.01), "unbounded"),
        (6.0, 0.1, (1.0, 0.0, 0.01), "two rays"),
    ],
)
def test_limits_are_those_of_trying_every_value(effect, receipt, variance, shape):
    inside = accepted(effect, receipt, variance, 4.0)
    low, high, words = anderson_rubin(effect=effect, receipt=receipt, variance=variance, critical=4.0)
    if shape == "interval":
        np.testing.assert_allclose((low, high), (GRID[inside].min(), GRID[inside].max()), atol=1e-3)
        assert words == ""
        return
    assert np.isnan(low)
    assert np.isnan(high)
    if shape == "unbounded":
        assert inside.all()
        assert "unbounded" in words
    else:
        outside = GRID[~inside]
        assert inside[0]
        assert inside[-1]
        numbers = [float(w) for w in words.replace("remain possible", "").split() if w.lstrip("-")[0].isdigit()]
        np.testing.assert_allclose(numbers, (outside.min(), outside.max()), rtol=5e-3)


def test_a_take_up_that_nobody_shows_leaves_everything_possible():
    _, _, words = anderson_rubin(effect=1.0, receipt=0.0, variance=(1.0, 0.0, 0.0), critical=4.0)
    assert "unbounded" in words


@pytest.fixture(scope="module")
def opened():
    return open_pilot("partial-takeup", names=("frl",), students=400, classes=24, schools=6)


def test_the_estimate_is_the_ratio_of_two_effects_and_the_limits_invert_the_cluster_robust_t(opened):
    scores = opened.scores
    receipt, cace = find_takeup(opened.main)
    keep = ~np.isnan(scores.d)
    on_y, on_d = (
        fit_effects(replace(scores, y=v), keep=keep).effects([1.0]) for v in (scores.y, np.nan_to_num(scores.d))
    )
    assert cace.estimate == pytest.approx(on_y.estimate[0] / on_d.estimate[0], rel=1e-10)
    assert receipt.estimate == pytest.approx(100 * on_d.estimate[0], rel=1e-10)
    for limit in (cace.conf_low, cace.conf_high):
        found = fit_effects(replace(scores, y=scores.y - limit * np.nan_to_num(scores.d)), keep=keep).effects([1.0])
        assert abs(found.statistic[0]) == pytest.approx(stats.t.ppf(0.975, found.df[0]), rel=1e-6)
    assert cace.conf_low < cace.estimate < cace.conf_high
    assert cace.p_value == pytest.approx(on_y.p_value[0])


def test_where_all_took_up_the_offer_and_nobody_else_did_the_average_is_not_told_twice(opened):
    scores = opened.scores
    (receipt,) = find_takeup(replace(opened.main, scores=replace(scores, d=scores.z.copy())))
    assert is_full(receipt)
    assert receipt.estimate == pytest.approx(100.0, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_take_up_by_nobody_or_everybody_in_both_arms_gives_no_effect_per_taker_up(opened, share):
    receipt, cace = find_takeup(
        replace(opened.main, scores=replace(opened.scores, d=np.full(len(opened.scores.y), share)))
    )
    assert receipt.estimate == pytest.approx(0.0, abs=1e-9)
    assert receipt.notes == cace.notes == (NO_ERROR,)
    assert np.isnan([receipt.std_error, receipt.conf_low, cace.estimate, cace.conf_low, cace.conf_high]).all()


def test_an_outcome_without_spread_within_arms_gives_no_range_per_taker_up(opened):
    flat = replace(opened.scores, y=5 + 2 * opened.scores.z, h=None)
    receipt, cace = find_takeup(replace(opened.without_prognosis().main, scores=flat))
    assert np.isfinite(receipt.std_error)
    assert not receipt.notes
    assert np.isnan([cace.estimate, cace.conf_low, cace.conf_high, cace.p_value]).all()
    assert cace.notes == (NO_ERROR,)


def test_one_student_who_did_not_take_it_up_brings_its_own_estimate(opened):
    d = opened.scores.z.copy()
    d[np.flatnonzero(d)[0]] = 0.0
    receipt, cace = find_takeup(replace(opened.main, scores=replace(opened.scores, d=d)))
    assert not is_full(receipt)
    plain = fit_effects(opened.scores).effects([1.0])
    assert cace.estimate == pytest.approx(100 * plain.estimate[0] / receipt.estimate, rel=1e-10)


def test_units_without_a_record_of_take_up_are_left_out_of_both(opened):
    d = opened.scores.d.copy()
    d[::7] = np.nan
    receipt, cace = find_takeup(replace(opened.main, scores=replace(opened.scores, d=d)))
    assert receipt.n_units == cace.n_units == int((~np.isnan(d)).sum())


def test_under_four_degrees_of_freedom_there_is_no_p():
    opened = open_pilot("partial-takeup", names=("frl",), students=60, classes=6, schools=6, blocks="none")
    scores = opened.scores
    keep = scores.cluster < 6
    assert keep.all()
    setting = replace(opened.main, scores=replace(scores, block=scores.cluster // 2 * 0))
    receipt, cace = find_takeup(setting)
    assert np.isnan(cace.p_value) == (cace.df < 4)
    assert np.isnan(cace.p_value) == any("fewer than 4" in note for note in cace.notes)
    assert np.isnan(receipt.p_value)


def test_too_few_clusters_of_an_arm_with_records_are_said_to_be_so(opened):
    for known in (opened.scores.cluster < 3, opened.scores.z == 1):  # often nobody asks those not offered
        d = np.where(known, opened.scores.d, np.nan)
        (told,) = find_takeup(replace(opened.main, scores=replace(opened.scores, d=d)))
        assert (told.question, told.notes) == ("takeup", (FEW_RECORDS,))
        assert np.isnan(told.estimate)


def weakly(opened, seed):
    """Leave the offer next to no hold on take-up: half of all students take it up, a few more of those offered."""
    moved = 0.45 + 0.1 * opened.scores.z
    return (np.random.default_rng(seed).random(len(opened.scores.y)) < moved).astype(float)


def test_for_a_yes_or_no_outcome_every_limit_is_in_percentage_points_in_words_too(opened):
    passed = (opened.scores.y > np.median(opened.scores.y)).astype(float)
    shapes = set()
    for seed in range(20):
        scores = replace(opened.scores, d=weakly(opened, seed))
        scale = opened.main.scale
        binary = replace(opened.main, scores=replace(scores, y=passed), scale=replace(scale, binary=True, control=0.5))
        points = replace(opened.main, scores=replace(scores, y=100 * passed))
        one, other = find_takeup(binary)[1], find_takeup(points)[1]
        assert one.notes == other.notes
        np.testing.assert_allclose(
            (one.estimate, one.conf_low, one.conf_high), (other.estimate, other.conf_low, other.conf_high), rtol=1e-9
        )
        shapes |= {"rays" for note in one.notes if "remain possible" in note}
    assert shapes


def test_where_values_of_either_sign_remain_possible_no_estimate_is_told(opened):
    raised = replace(opened.scores, y=opened.scores.y + 20 * opened.scores.z)  # a sure effect, and little take-up
    told = [
        find_takeup(replace(opened.main, scores=replace(scores, d=weakly(opened, seed))))[1]
        for scores in (opened.scores, raised)
        for seed in range(20)
    ]
    rays = [cace for cace in told if any("remain possible" in note for note in cace.notes)]
    unbounded = [cace for cace in told if UNBOUNDED in cace.notes]
    assert unbounded
    assert rays
    for cace in told:
        open_ended = cace in unbounded or cace in rays
        assert np.isnan(cace.estimate) == np.isnan(cace.effect_size) == np.isnan(cace.conf_low) == open_ended
