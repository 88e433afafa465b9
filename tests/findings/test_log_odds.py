"""Differences on log odds: by hand, by a logistic regression that we did not write, and where points mislead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Logit

from tests.findings.pilots import student_moderator, three_arms
from whoworks.findings.moderation import Moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.sensitivity.fragility import dies_on_log_odds, dies_on_ranks, lost_scale
from whoworks.findings.sensitivity.log_odds import on_log_odds


def moderation(opened, chance, *, columns, seed=1, h=None, blocks=False, binary=True):
    """Draw a yes-or-no outcome with a chance, (n,), and return its regression along columns."""
    scores = opened.scores
    y = (np.random.default_rng(seed).uniform(size=len(scores.y)) < chance).astype(float)
    block = scores.block if blocks else np.zeros_like(scores.block)
    setting = replace(
        opened.main, scores=replace(scores, y=y, h=h, block=block), scale=replace(opened.main.scale, binary=binary)
    )
    width = columns.shape[1]
    return Moderation(
        setting=setting, basis=np.column_stack([np.ones(len(y)), columns]), keep=np.ones(len(y), dtype=bool),
        contrasts=np.eye(width + 1)[1:],
    )  # fmt: skip


def halves(opened, seed=0):
    return np.random.default_rng(seed).integers(0, 2, len(opened.scores.y)).astype(float)[:, None]


def cell_logit(opened, found, group, treated):
    scores = found.setting.scores
    member = (found.basis[:, 1] == group) & (scores.z == treated)
    p = np.average(scores.y[member], weights=1 / scores.own[member])
    return np.log(p / (1 - p))


def test_with_two_groups_it_is_the_ratio_of_the_two_odds_ratios_by_hand():
    opened = student_moderator()
    found = moderation(opened, 0.4, columns=halves(opened))
    hand = [cell_logit(opened, found, g, 1) - cell_logit(opened, found, g, 0) for g in (0, 1)]
    assert on_log_odds(found).estimate == pytest.approx([hand[1] - hand[0]], rel=1e-9)


def test_it_is_the_interaction_of_a_logistic_regression():
    opened = student_moderator()
    three = np.random.default_rng(2).integers(0, 3, len(opened.scores.y))
    found = moderation(opened, 0.3, columns=np.column_stack([three == 1, three == 2]).astype(float))
    found = replace(
        found, setting=replace(found.setting, scores=replace(found.setting.scores, own=np.full(len(three), 0.5)))
    )
    x, z = found.basis, found.setting.scores.z[:, None]
    fit = Logit(found.setting.scores.y, np.hstack([x, x * z])).fit(disp=0, tol=1e-12)
    assert on_log_odds(found).estimate == pytest.approx(fit.params[4:], rel=1e-6)


def test_its_error_is_what_leaving_out_one_cluster_at_a_time_shows():
    opened = student_moderator()
    found = moderation(opened, 0.4, columns=halves(opened))
    told = on_log_odds(found)
    cluster = found.setting.scores.cluster
    left = [on_log_odds(replace(found, keep=cluster != c)).estimate[0] for c in np.unique(cluster)]
    g = len(left)
    jackknife = np.sqrt((g - 1) / g * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert told.std_error[0] == pytest.approx(jackknife, rel=0.08)


def test_blocks_and_prognosis_enter_through_the_effect():
    opened = student_moderator()
    found = moderation(opened, 0.4, columns=halves(opened), h=opened.scores.h / 40, blocks=True)
    told = on_log_odds(found)
    effects = fit_effects(found.setting.scores, basis=found.basis).effects(np.array([[1.0, 0.0], [1.0, 1.0]])).estimate
    hand = []
    for group, effect in enumerate(effects):
        cells = [1 / (1 + np.exp(-cell_logit(opened, found, group, treated))) for treated in (0, 1)]
        p = np.mean(cells) + np.array([0.5, -0.5]) * effect
        hand.append(np.diff(np.log(p / (1 - p))[::-1])[0])
    assert told.estimate[0] == pytest.approx(hand[1] - hand[0], rel=1e-9)


def test_a_cell_where_everyone_or_nobody_succeeds_has_no_log_odds():
    opened = student_moderator()
    columns = halves(opened)
    found = moderation(opened, np.where((columns[:, 0] == 1) & (opened.scores.z == 1), 2.0, 0.4), columns=columns)
    told = on_log_odds(found)
    assert np.isnan([told.estimate[0], told.p_value[0]]).all()
    assert dies_on_log_odds(found)


def logistic(value):
    return 1 / (1 + np.exp(-value))


def test_a_difference_in_points_that_only_the_ceiling_made_dies_on_log_odds():
    # the same odds ratio in both groups, one near the ceiling: 400 students, so many that points differ surely
    opened = student_moderator()
    columns = halves(opened)
    chance = logistic(np.where(columns[:, 0] == 1, 3.5, 0.0) + 1.6 * opened.scores.z)
    found = moderation(opened, chance, columns=columns, seed=3)
    points = fit_effects(found.setting.scores, basis=found.basis).effects([0.0, 1.0])
    assert points.p_value[0] < 0.01
    assert lost_scale(found) == "counting on log odds"
    real = logistic(np.where(columns[:, 0] == 1, 0.2, 0.0) + np.where(columns[:, 0] == 1, 2.5, -0.5) * opened.scores.z)
    assert lost_scale(moderation(opened, real, columns=columns, seed=3)) == ""


def test_a_difference_in_points_that_log_odds_turn_round_does_not_survive_them():
    """From .50 to .75, and from .95 to .997: fewer points, and larger odds."""
    opened = student_moderator()
    columns = halves(opened)
    second = columns[:, 0] == 1
    chance = logistic(np.where(second, 3.0, 0.0) + np.where(second, 2.9, 1.1) * opened.scores.z)
    turned = 0
    for seed in range(30):
        found = moderation(opened, chance, columns=columns, seed=seed)
        points = fit_effects(found.setting.scores, basis=found.basis).effects([0.0, 1.0])
        odds = on_log_odds(found)
        turned += points.estimate[0] < 0 < odds.estimate[0] and odds.joint_p <= 0.05
        assert dies_on_log_odds(found) == (not odds.joint_p <= 0.05 or points.estimate[0] < 0 < odds.estimate[0])
    assert turned > 0


def test_ranks_of_a_yes_or_no_outcome_are_the_outcome():
    opened = student_moderator()
    found = moderation(opened, 0.4, columns=halves(opened), binary=False)
    points = fit_effects(found.setting.scores, basis=found.basis).effects([0.0, 1.0])
    assert dies_on_ranks(found) == (points.p_value[0] > 0.05)


def test_other_arms_leave_two_arms_cells_alone():
    opened = three_arms()
    found = moderation(opened, 0.4, columns=halves(opened))
    assert np.isfinite(on_log_odds(found).std_error).all()


@pytest.mark.truth
def test_along_a_number_a_constant_odds_ratio_has_no_slope():
    # the odds ratio is 2 everywhere, its points differ along the number; the slope on log odds is 0 up to curvature:
    # 150 draws, one in twenty rejected within 4 Monte-Carlo errors of .018
    opened = student_moderator()
    rejected = {"log odds": 0, "estimate": []}
    for seed in range(150):
        x = np.random.default_rng(1000 + seed).standard_normal(len(opened.scores.y))[:, None]
        chance = logistic(0.8 + 0.5 * x[:, 0] + 0.7 * opened.scores.z)
        told = on_log_odds(moderation(opened, chance, columns=x, seed=seed))
        rejected["log odds"] += told.p_value[0] <= 0.05
        rejected["estimate"].append(told.estimate[0])
    assert rejected["log odds"] / 150 < 0.05 + 4 * 0.018
    error = np.std(rejected["estimate"]) / np.sqrt(150)
    assert abs(np.mean(rejected["estimate"])) < 4 * error + 0.03


def test_a_score_between_bounds_is_the_share_of_the_scale_that_was_reached():
    """The same answers counted 0 and 1, and 10 and 50 between bounds of 10 and 50."""
    opened = student_moderator()
    columns = halves(opened)
    found = moderation(opened, np.where(columns[:, 0] == 1, 0.7, 0.4), columns=columns)
    setting = found.setting
    bounded = replace(
        setting, scores=replace(setting.scores, y=10 + 40 * setting.scores.y),
        scale=replace(setting.scale, binary=False), outcome=setting.outcome.model_copy(update={"bounds": (10.0, 50.0)}),
    )  # fmt: skip
    told, again = on_log_odds(found), on_log_odds(replace(found, setting=bounded))
    assert again.estimate == pytest.approx(told.estimate, rel=1e-9)
    assert again.std_error == pytest.approx(told.std_error, rel=1e-9)


def test_a_difference_in_scores_that_only_the_ceiling_made_dies_on_log_odds():
    """Forty questions each, the same odds ratio of a right answer in both groups, one of them near the ceiling."""
    opened = student_moderator()
    columns = halves(opened)
    chance = logistic(np.where(columns[:, 0] == 1, 3.0, 0.0) + 1.0 * opened.scores.z)
    found = moderation(opened, chance, columns=columns, binary=False)
    y = np.random.default_rng(2).binomial(40, chance).astype(float)
    outcome = found.setting.outcome.model_copy(update={"bounds": (0.0, 40.0)})
    setting = replace(found.setting, scores=replace(found.setting.scores, y=y), outcome=outcome)
    points = fit_effects(setting.scores, basis=found.basis).effects([0.0, 1.0])
    assert points.p_value[0] < 0.01
    assert lost_scale(replace(found, setting=setting)) == "counting on log odds"
