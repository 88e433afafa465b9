"""Groups, differences, joint tests, slopes and curves along one moderator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import (
    of_classes,
    open_pilot,
    open_study,
    student_moderator,
    three_arms,
    trim,
    unhurried,
    where,
)
from tests.reference.cases import read_pilot
from whoworks.findings.groups import group_numbers, own_level_values
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test
from whoworks.plan.plan import Plan
from whoworks.simulate.pilot import make_pilot
from whoworks.simulate.worlds import WORLDS


def moderation(opened, column, *, place=0, **changes):
    moderator = opened.moderator(column).model_copy(update=changes)
    return find_moderation(opened.panel, opened.settings[place], moderator, rng=np.random.default_rng(0))


def interaction(scores, *columns, keep=None):
    """The regression as R would write it: dummies, products, weights, blocks absorbed, no prognosis."""
    keep = slice(None) if keep is None else keep
    m = np.column_stack(columns)[keep]
    z = scores.z[keep]
    X = np.column_stack([m, z, z[:, None] * m])
    return cluster_robust(
        X=X, y=scores.y[keep], cluster=scores.cluster[keep], weights=1 / scores.own[keep], absorb=scores.block[keep]
    )


@pytest.fixture(scope="module")
def bare():
    return student_moderator().without_prognosis()


def values(opened, column):
    return opened.panel.values[column].iloc[opened.scores.rows].reset_index(drop=True)


def test_a_difference_is_the_interaction_of_the_plain_regression(bare):
    member = (values(bare, "frl") == "Y").to_numpy(float)
    keep = values(bare, "frl").notna().to_numpy()
    fit = interaction(bare.scores, member, keep=keep)
    found = where(moderation(bare, "frl"), question="difference")
    expected = fit.linear([0, 0, 1])
    assert found.estimate == pytest.approx(expected.estimate[0], rel=1e-9)
    assert found.std_error == pytest.approx(expected.std_error[0], rel=1e-9)
    assert found.df == pytest.approx(expected.df[0], rel=1e-9)
    assert found.p_value == pytest.approx(expected.p_value[0], rel=1e-8)
    assert (found.level, found.reference, found.status) == ("Y", "N", "confirmatory")


def test_groups_are_consistent_with_their_difference(bare):
    found = moderation(bare, "frl")
    first, second = (where(found, question="subgroup", level=level).estimate for level in "NY")
    assert where(found, question="difference").estimate == pytest.approx(second - first, rel=1e-9)
    member = (values(bare, "frl") == "Y").to_numpy(float)
    fit = interaction(bare.scores, member, keep=values(bare, "frl").notna().to_numpy())
    expected = fit.linear([[0, 1, 0], [0, 1, 1]])
    errors = [where(found, question="subgroup", level=level).std_error for level in "NY"]
    np.testing.assert_allclose((first, second), expected.estimate, rtol=1e-9)
    np.testing.assert_allclose(errors, expected.std_error, rtol=1e-9)


def test_three_groups_have_two_differences_and_one_joint_test_that_is_htz(bare):
    settings = values(bare, "setting")
    fit = interaction(bare.scores, *((settings == s).to_numpy(float) for s in ("suburb", "town")))
    found = moderation(bare, "setting", level="class")
    joint = where(found, question="joint")
    kept = ~fit.aliased
    rows = np.eye(5)[-2:]
    assert kept.tolist() == [False, False, True, True, True]  # schools are blocks: their settings are swallowed
    expected = joint_test(fit=fit, contrasts=rows)
    assert (joint.statistic, joint.df_num, joint.df) == pytest.approx(
        (expected.statistic, expected.df_num, expected.df), rel=1e-8
    )
    assert [f.level for f in found if f.question == "difference"] == ["suburb", "town"]
    np.testing.assert_allclose(
        [f.estimate for f in found if f.question == "difference"], fit.coefficients[-2:], rtol=1e-9
    )


def test_the_shipped_pilots_case_is_clubsandwichs_number():
    """`z*frl + factor(school_id), weights z/e + (1-z)/(1-e)` of the reference, found through plan and panel."""
    numbers = pd.read_csv("tests/reference/synthetic/cluster_robust.csv")
    name = ("shares, e = share of classes in school: rit_spring ~ z*frl + factor(school_id), "
            "weights z/e + (1-z)/(1-e) | cluster class_id")  # fmt: skip
    row = numbers[(numbers["case"] == name) & (numbers["vcov"] == "CR2") & (numbers["term"] == "z:frl")].iloc[0]
    units = read_pilot("shares")
    plan = Plan.parse(
        """
        schema = 1
        [study]
        name = "Shares"
        question = "For whom?"
        [levels]
        student = "student_id"
        class = "class_id"
        school = "school_id"
        [arms]
        column = "arm"
        control = "usual"
        treatments = ["adaptive"]
        [design]
        assigned = "class"
        blocks = ["school"]
        probability = "blocks"
        [[outcomes]]
        column = "rit_spring"
        [[moderators]]
        column = "frl"
        level = "student"
        planned = true
        values = { N = "no", Y = "yes" }
        """.replace("\n        ", "\n")
    )
    records = pd.read_csv("tests/reference/synthetic/shares.csv", dtype=str, keep_default_na=False)
    opened = open_study(plan, records).without_prognosis()
    found = where(moderation(opened, "frl"), question="difference")
    assert len(units) == len(opened.scores.y)
    assert found.estimate == pytest.approx(row["estimate"], rel=1e-8)
    assert found.std_error == pytest.approx(row["std_error"], rel=1e-6)
    assert found.df == pytest.approx(row["df"], rel=1e-6)


# ---- numbers -----------------------------------------------------------------------------------------------------


def test_a_numbers_difference_is_its_slope_per_sd_of_its_own_level(bare):
    for column, level in (("rit_fall", "student_id"), ("teacher_years", "class_id")):
        x = values(bare, column).to_numpy()
        keep = ~np.isnan(x)
        fit = interaction(bare.scores, np.nan_to_num(x), keep=keep)
        units = bare.panel.values[column].groupby(bare.panel.units[level.removesuffix("_id")]).first().dropna()
        found = where(moderation(bare, column), question="difference")
        assert found.unit == "per SD"
        assert found.estimate == pytest.approx(fit.coefficients[2] * units.std(ddof=1), rel=1e-8)
        assert found.p_value == pytest.approx(fit.estimates.p_value[2], rel=1e-7)


def test_a_number_and_its_multiple_give_the_same_slope_per_sd(bare):
    panel = replace(bare.panel, values=bare.panel.values.assign(rit_fall=bare.panel.values["rit_fall"] * 1000 + 7))
    first = where(moderation(bare, "rit_fall"), question="difference")
    second = where(moderation(replace(bare, panel=panel), "rit_fall"), question="difference")
    assert second.estimate == pytest.approx(first.estimate, rel=1e-8)
    assert second.p_value == pytest.approx(first.p_value, rel=1e-6)


def test_where_clusters_are_few_the_curve_is_the_straight_line_of_the_slope():
    few = open_pilot("no-effect", names=("rit_fall",), students=300, classes=12, schools=3)
    found = find_moderation(few.panel, unhurried(few.main), few.moderator("rit_fall"), rng=np.random.default_rng(0))
    curve = [(float(f.level), f.estimate) for f in found if f.question == "curve"]
    sd = own_level_values(few.panel, few.moderator("rit_fall")).std(ddof=1)
    slope = where(found, question="difference").estimate / sd
    x, effect = np.array(curve).T
    np.testing.assert_allclose(np.diff(effect) / np.diff(x), slope, rtol=1e-4)  # levels are written with six digits
    assert len(curve) == 11


def test_a_curve_passes_through_a_bent_truth_that_the_slope_does_not_see(bare):
    scores, x = bare.scores, values(bare, "rit_fall").to_numpy()
    standard = np.nan_to_num((x - np.nanmean(x)) / np.nanstd(x))
    bent = replace(bare.main, scores=replace(scores, y=10 * scores.z * standard**2))
    found = find_moderation(bare.panel, bent, bare.moderator("rit_fall"), rng=np.random.default_rng(0))
    curve = np.array([(float(f.level), f.estimate) for f in found if f.question == "curve"])
    truth = 10 * ((curve[:, 0] - np.nanmean(x)) / np.nanstd(x)) ** 2
    assert np.corrcoef(curve[:, 1], truth)[0, 1] > 0.98
    assert abs(where(found, question="difference").estimate) < 3
    assert all(np.isnan(f.p_value) and f.status == "descriptive" for f in found if f.question == "curve")


def test_cuts_go_where_the_plan_says_over_units_of_the_own_level_and_ties_go_down(bare):
    years = own_level_values(bare.panel, bare.moderator("teacher_years"))
    assert (
        len(years) == bare.panel.values["teacher_years"].groupby(bare.panel.units["class"]).first().notna().sum() < 41
    )
    cut = bare.moderator("teacher_years").model_copy(update={"cut": "median"})
    groups = group_numbers(bare.panel, bare.scores, cut)
    edge = np.sort(years)[(len(years) + 1) // 2 - 1]
    x = values(bare, "teacher_years").to_numpy()
    np.testing.assert_array_equal(groups.code == 0, x <= edge)
    np.testing.assert_array_equal(groups.code == 1, x > edge)
    np.testing.assert_array_equal(groups.code == -1, np.isnan(x))
    assert groups.levels == (f"up to {edge:.6g}", f"above {edge:.6g}")


def test_terciles_and_given_edges_cut_into_ranges_that_name_their_limits(bare):
    fall = bare.moderator("rit_fall")
    thirds = group_numbers(bare.panel, bare.scores, fall.model_copy(update={"cut": "terciles"}))
    assert len(thirds.levels) == 3
    np.testing.assert_allclose([thirds.member(i).mean() for i in range(3)], 1 / 3, atol=0.05)
    given = group_numbers(bare.panel, bare.scores, fall.model_copy(update={"cut": (200.0, 210.0, 220.0)}))
    assert given.levels == ("up to 200", "above 200 to 210", "above 210 to 220", "above 220")
    x = values(bare, "rit_fall").to_numpy()
    np.testing.assert_array_equal(given.code == 1, (x > 200) & (x <= 210))


def test_a_cut_shows_groups_and_adds_no_test(bare):
    found = moderation(bare, "rit_fall", cut="terciles")
    shown = [f for f in found if f.question == "subgroup"]
    assert len(shown) == 3
    assert all(f.status == "descriptive" and np.isnan(f.p_value) for f in shown)
    assert len([f for f in found if f.question == "difference"]) == 1


def test_cuts_do_not_depend_on_whose_outcome_was_observed(bare):
    cut = bare.moderator("rit_fall").model_copy(update={"cut": "median"})
    half = replace(bare.scores, rows=bare.scores.rows[::2])
    assert group_numbers(bare.panel, half, cut).levels == group_numbers(bare.panel, bare.scores, cut).levels


# ---- what cannot be assessed -------------------------------------------------------------------------------------


def rare(n_clusters):
    """One group, "rare", that lives in so many classes of each arm."""
    opened = student_moderator()
    scores, panel = opened.scores, opened.panel
    chosen = [np.unique(scores.cluster[scores.z == arm])[:n_clusters] for arm in (0, 1)]
    member = np.isin(scores.cluster, np.concatenate(chosen))
    code = np.zeros(len(panel.values), dtype=int)
    code[scores.rows[member]] = 1
    column = pd.Categorical.from_codes(code, panel.variable("frl").levels, ordered=True)
    return replace(opened, panel=replace(panel, values=panel.values.assign(frl=column)))


def test_a_group_in_fewer_than_three_clusters_of_an_arm_has_no_estimate_and_says_why():
    found = moderation(rare(2), "frl")
    group, difference = where(found, question="subgroup", level="Y"), where(found, question="difference")
    for each in (group, difference):
        assert np.isnan(each.estimate)
        assert "fewer than three clusters" in each.notes[0]
    assert not group.credibility  # as no group has a grade: its estimate says that there is none
    assert (group.n_treated_clusters, group.n_control_clusters) == (2, 2)
    assert np.isfinite(where(found, question="subgroup", level="N").estimate)


def test_three_clusters_of_each_arm_are_enough_to_estimate():
    found = where(moderation(rare(3), "frl"), question="difference")
    assert np.isfinite(found.estimate)
    assert found.smallest_cell_clusters == 3


def test_a_planned_group_too_rare_in_a_small_trial_leaves_the_report_standing():
    small = trim(make_pilot(replace(WORLDS["no-effect"], planned=("el",)), students=128, classes=8, schools=2), ("el",))
    opened = open_study(small.plan, small.records)
    found = moderation(opened, "el")
    difference = where(found, question="difference")
    assert opened.main.has_few_clusters
    assert np.isnan(difference.estimate)
    assert np.isnan(difference.p_randomization)


def test_a_moderator_none_of_whose_groups_can_be_assessed_still_has_its_rows():
    opened = student_moderator()
    everyone_missing = opened.panel.values["frl"].where(np.zeros(len(opened.panel.values), dtype=bool))
    panel = replace(opened.panel, values=opened.panel.values.assign(frl=everyone_missing))
    found = moderation(replace(opened, panel=panel), "frl")
    assert [f.question for f in found] == ["subgroup", "subgroup", "difference"]
    assert all(np.isnan(f.estimate) for f in found)


@pytest.mark.parametrize("value", [5.0, np.nan])
def test_a_number_without_spread_or_without_values_is_not_assessable_and_says_so(value):
    opened = student_moderator()
    panel = replace(opened.panel, values=opened.panel.values.assign(rit_fall=value))
    (found,) = moderation(replace(opened, panel=panel), "rit_fall")
    assert np.isnan(found.estimate)
    assert found.notes[0].startswith("not assessable")


def test_a_group_whose_blocks_hold_one_arm_each_is_not_determined_and_the_joint_test_does_not_fail(bare):
    """Units are lost so that each suburban school keeps one arm: the offer there cannot be told from the school."""
    level, other = "suburb", "town"
    levels = bare.panel.variable("setting").levels
    school = np.unique(bare.panel.units["school"], return_inverse=True)[1]
    code = np.where(school < 4, levels.index(level), np.where(school < 7, levels.index(other), levels.index("city")))
    column = pd.Categorical.from_codes(code, levels, ordered=True)
    panel, scores = replace(bare.panel, values=bare.panel.values.assign(setting=column)), bare.scores
    lost = (code == levels.index(level))[scores.rows] & (school[scores.rows] % 2 != scores.z)
    arrays = ("rows", "y", "z", "other", "e", "own", "mu0", "mu1", "score", "cluster", "block", "fold", "id", "site")
    fewer = replace(scores, d=None, **{name: getattr(scores, name)[~lost] for name in arrays})
    moderator = of_classes(bare, "setting").moderator("setting")
    found = find_moderation(panel, replace(bare.main, scores=fewer), moderator, rng=np.random.default_rng(0))
    group = where(found, question="subgroup", level=level)
    assert min(group.n_treated_clusters, group.n_control_clusters) >= 3
    for each in (group, where(found, question="joint"), where(found, question="difference", level=level)):
        assert np.isnan(each.p_value)
        assert "cannot tell it from" in each.notes[0]
    assert np.isfinite(where(found, question="difference", level=other).estimate)


def test_under_four_degrees_of_freedom_a_difference_keeps_its_range_and_loses_its_p():
    opened = open_pilot("no-effect", names=("devices",), students=300, classes=12, schools=3, seed=21)
    for seed in range(22, 40):
        found = where(moderation(opened, "devices", planned=False), question="difference")
        if found.df < 4:
            break
        opened = open_pilot("no-effect", names=("devices",), students=300, classes=12, schools=3, seed=seed)
    assert found.df < 4
    assert np.isfinite([found.conf_low, found.conf_high]).all()
    assert np.isnan(found.p_value)
    assert found.notes == ("p not assessable: fewer than 4 degrees of freedom",)


# ---- status, counts, several arms --------------------------------------------------------------------------------


def test_only_planned_moderators_of_the_primary_contrast_are_confirmatory():
    arms = three_arms()
    assert {f.status for f in moderation(arms, "frl")} == {"confirmatory"}
    assert {f.status for f in moderation(arms, "frl", place=1)} == {"exploratory"}
    assert {f.status for f in moderation(arms, "sex")} == {"exploratory"}
    secondary = replace(arms.main, is_primary=False)
    found = find_moderation(arms.panel, secondary, arms.moderator("frl"), rng=np.random.default_rng(0))
    assert {f.status for f in found} == {"exploratory"}


def test_counts_are_of_the_groups_compared_and_their_smallest_cell(bare):
    scores, member = bare.scores, (values(bare, "frl") == "Y").to_numpy()
    found = where(moderation(bare, "frl"), question="subgroup", level="Y")
    assert found.n_units == member.sum()
    assert found.n_treated_clusters == len(np.unique(scores.cluster[member & (scores.z == 1)]))
    difference = where(moderation(bare, "frl"), question="difference")
    other = (values(bare, "frl") == "N").to_numpy()
    assert difference.n_units == (member | other).sum()
    cells = [(g & (scores.z == z)).sum() for g in (member, other) for z in (0, 1)]
    assert difference.smallest_cell == min(cells)


def test_third_arms_are_in_the_fit_and_not_in_the_counts():
    arms = three_arms()
    scores = arms.scores
    found = where(moderation(arms, "sex"), question="subgroup", level="F")
    member = (values(arms, "sex") == "F").to_numpy()
    assert found.n_units == (member & (scores.other.sum(axis=1) == 0)).sum()


def test_a_randomisation_p_stands_beside_a_planned_difference_where_clusters_are_few():
    few = open_pilot("student-moderator", names=("frl", "sex"), students=240, classes=12, schools=3)
    planned = where(moderation(few, "frl"), question="difference")
    explored = where(moderation(few, "sex"), question="difference")
    assert 0 < planned.p_randomization <= 1
    assert np.isnan(explored.p_randomization)
    assert "re-drawn assignments" in planned.notes[-1] or "all " in planned.notes[-1]
