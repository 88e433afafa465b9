"""From a panel to scores: who is in, what is known, and what the same seed gives."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, open_study, student_moderator, three_arms, trim
from whoworks.design.build import build_design
from whoworks.errors import InfeasibleError
from whoworks.panel.build import build_panel
from whoworks.records.read import read_records
from whoworks.scores.analysed import ALONE, count_analysed, find_analysed, require_outcome
from whoworks.scores.build import build_scores, deal_scores
from whoworks.scores.covariates import affordable
from whoworks.simulate.pilot import make_pilot
from whoworks.study import Study

ARRAYS = ("y", "z", "e", "own", "mu0", "mu1", "h", "score", "cluster", "block", "fold")


def open_records(frame, plan, seed=1):
    panel = build_panel(plan, read_records(plan, frame=frame))
    design = build_design(panel)
    return panel, build_scores(panel, design, outcome="rit_spring", seed=np.random.SeedSequence(seed))[0]


@pytest.fixture(scope="module")
def pilot():
    return trim(make_pilot("student-moderator", students=400, classes=24, schools=6), ("frl", "sex", "rit_fall"))


def test_rows_in_another_order_give_the_same_scores(pilot):
    shuffled = pilot.records.sample(frac=1, random_state=3)
    first, second = (open_records(frame, pilot.plan)[1] for frame in (pilot.records, shuffled))
    assert first.id.tolist() == second.id.tolist()
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def test_the_same_seed_gives_the_same_scores_and_another_gives_others(pilot):
    scores = [open_records(pilot.records, pilot.plan, seed)[1] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(scores[0].score, scores[1].score)
    assert not np.array_equal(scores[0].fold, scores[2].fold)


def test_units_without_the_outcome_are_left_out_and_nobody_else(pilot):
    _, scores = open_records(pilot.records, pilot.plan)
    assert set(scores.id) == set(pilot.records.loc[pilot.records["rit_spring"].notna(), "student_id"])
    assert not np.isnan(scores.y).any()


def test_what_is_left_of_a_block_with_one_arm_leaves_too_and_is_counted(pilot):
    """Two schools lose the outcome in every class that was offered the programme, or in all of their classes."""
    records, schools = pilot.records, pilot.records["school_id"].unique()[:2]
    there = records["school_id"].isin(schools)
    lost = [there & (records["arm"] == "adaptive"), there]
    half, whole = (records.assign(rit_spring=records["rit_spring"].mask(gone)) for gone in lost)
    panel, scores = open_records(half, pilot.plan)
    same = open_records(whole, pilot.plan)[1]
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(scores, name), getattr(same, name), err_msg=name)
    entries = [e for e in count_analysed(panel, build_design(panel)).entries if e.outcome == "rit_spring"]
    assert {e.reason for e in entries if e.step == "excluded"} == {ALONE}
    assert sum(e.n_units for e in entries if e.step == "analysed") == len(scores.y)
    assert sum(e.n_units for e in entries) == len(records)


def test_checks_and_findings_speak_of_the_same_students_where_a_block_lost_an_arm(pilot):
    there = pilot.records["school_id"] == pilot.records["school_id"].iloc[0]
    lost = there & (pilot.records["arm"] == "adaptive")
    study = Study.from_plan(pilot.plan, frame=pilot.records.assign(rit_spring=pilot.records["rit_spring"].mask(lost)))
    (scores,) = build_scores(study.panel, study.design, outcome="rit_spring", seed=np.random.SeedSequence(1))
    told = {(check.check_id, check.subject): check.n_units for check in study.checks()}
    assert told["balance", "rit_spring"] == told["distinct_values", "rit_spring"] == len(scores.y)
    assert not there[pilot.records["student_id"].isin(scores.id)].any()


def test_a_block_that_lost_one_of_three_arms_still_compares_the_others():
    opened = three_arms()
    design, outcome = opened.design, opened.panel.plan.outcomes[0].name
    gone = (design.block == design.block[0]) & (design.arm == len(design.arms) - 1)
    values = opened.panel.values.copy()
    values.iloc[design.rows[gone], values.columns.get_loc(outcome)] = np.nan
    kept = find_analysed(replace(opened.panel, values=values), design, outcome)
    before = find_analysed(opened.panel, design, outcome)
    np.testing.assert_array_equal(kept, before & ~gone)


def test_arms_and_outcomes_are_those_of_the_records(pilot):
    _, scores = open_records(pilot.records, pilot.plan)
    records = pilot.records.set_index("student_id").loc[scores.id]
    np.testing.assert_array_equal(scores.z, (records["arm"] == "adaptive").astype(float))
    np.testing.assert_allclose(scores.y, records["rit_spring"].astype(float))


def check_whole_folds(scores):
    for code in np.unique(scores.cluster):
        assert len(np.unique(scores.fold[scores.cluster == code])) == 1
    for fold in np.unique(scores.fold):
        assert set(scores.z[scores.fold != fold]) == {0.0, 1.0}


def test_folds_hold_whole_clusters_and_both_arms_elsewhere():
    check_whole_folds(student_moderator().scores)


def check_known_probability(opened):
    scores, design = opened.scores, opened.design
    for block in np.unique(design.block):
        inside = design.block == block
        classes = np.unique(design.assigned[inside])
        share = np.mean([design.arm[design.assigned == c][0] == 1 for c in classes])
        np.testing.assert_allclose(scores.e[np.isin(scores.rows, design.rows[inside])], share)


def test_the_probability_is_the_share_of_what_was_drawn_and_never_learned():
    check_known_probability(student_moderator())


def test_the_score_is_that_of_its_own_parts():
    scores = student_moderator().scores
    rest = scores.y - scores.mu0
    np.testing.assert_array_equal(scores.mu0, scores.mu1)
    treated, control = scores.z / scores.e, (1 - scores.z) / (1 - scores.e)
    drawn = [(np.bincount(scores.block, arm) / np.bincount(scores.block))[scores.block] for arm in (treated, control)]
    assert max(np.abs(share - 1).max() for share in drawn) > 0.01  # outcomes are missing: arms are not as drawn
    expected = treated / drawn[0] * rest - control / drawn[1] * rest
    np.testing.assert_allclose(scores.score, expected, rtol=1e-10)
    np.testing.assert_allclose(scores.own, np.where(scores.z == 1, scores.e, 1 - scores.e))


def test_the_mean_score_of_a_block_is_the_difference_of_its_arms_weighted_means():
    pilot = make_pilot("unequal-shares", students=600, classes=48, schools=12, seed=3)
    _, scores = open_records(pilot.records, pilot.plan)
    assert len(np.unique(scores.e.round(6))) > 1
    rest = scores.y - scores.h
    for block in np.unique(scores.block):
        of = scores.block == block
        treated, control = scores.z[of] / scores.e[of], (1 - scores.z[of]) / (1 - scores.e[of])
        difference = np.average(rest[of], weights=treated) - np.average(rest[of], weights=control)
        np.testing.assert_allclose(scores.score[of].mean(), difference, atol=1e-8)


def test_swapping_control_and_treatment_flips_the_sign_of_every_score(pilot):
    arms = {"control": "adaptive", "treatments": ("usual",)}
    swapped = pilot.plan.model_copy(update={"arms": pilot.plan.arms.model_copy(update=arms)})
    first, second = (open_records(pilot.records, plan)[1] for plan in (pilot.plan, swapped))
    np.testing.assert_array_equal(first.z, 1 - second.z)
    np.testing.assert_allclose(first.e, 1 - second.e)
    # folds are dealt arm by arm, so that swapped arms meet other folds: the prognosis moves a little, the sign wholly
    assert np.corrcoef(first.score, second.score)[0, 1] < -0.99


def test_with_three_arms_each_treatment_has_its_scores_and_one_prognosis_serves_all():
    first, second = (setting.scores for setting in three_arms().settings)
    assert (first.contrast, second.contrast) == ("adaptive - usual", "coached - usual")
    np.testing.assert_array_equal(first.h, second.h)
    np.testing.assert_array_equal(first.other[:, 0], second.z)
    np.testing.assert_array_equal(second.other[:, 0], first.z)
    neither = (first.z == 0) & (first.other[:, 0] == 1)
    np.testing.assert_allclose(first.score[neither], 0.0, atol=1e-12)
    np.testing.assert_allclose(first.own[first.z == 1], first.e[first.z == 1])


def test_the_frame_is_a_copy_with_one_row_a_unit():
    scores = student_moderator().scores
    frame = scores.frame
    frame["y"] = 0.0
    assert len(frame) == len(scores.y)
    assert scores.y.any()
    assert {"id", "y", "z", "e", "h", "score", "cluster", "block", "fold"} <= set(frame)


def names_afforded(opened, cluster=None):
    scores, panel = opened.scores, opened.panel
    cluster = scores.cluster if cluster is None else cluster
    return [v.name for v in affordable(panel, outcome=panel.variable("rit_spring"), rows=scores.rows, cluster=cluster)]


def test_parameters_are_paid_for_in_clusters():
    """Under 40 clusters nothing constant within them; from 40 on one column for every ten."""
    names = ("frl", "devices", "rit_fall", "teacher_years", "setting")
    few = open_pilot("no-effect", names=names, students=400, classes=36, schools=6)
    many = open_pilot("no-effect", names=names, students=480, classes=40, schools=10)
    assert names_afforded(few) == ["rit_fall", "frl"]
    assert names_afforded(many)[0] == "rit_fall"
    assert set(names_afforded(many)) == set(names)  # devices, years and three settings: 1 + 1 + 2 columns of 4


def test_from_forty_clusters_on_every_ten_pay_for_one_column_in_the_plans_order():
    """Devices and years are a column each, three settings are two, six would be five."""
    names = ("frl", "devices", "rit_fall", "teacher_years", "setting")
    opened = open_pilot("no-effect", names=names, students=480, classes=40, schools=10)
    order = [name for name in names_afforded(opened) if name in ("devices", "teacher_years", "setting")]
    assert order == ["devices", "teacher_years", "setting"]
    codes = np.unique(opened.scores.cluster, return_inverse=True)[1]
    for n_clusters, afforded in ((40, order), (39, [])):
        kept = opened.scores.rows[codes < n_clusters]
        found = affordable(
            opened.panel, outcome=opened.panel.variable("rit_spring"), rows=kept, cluster=codes[codes < n_clusters]
        )
        assert [v.name for v in found if v.name in order] == afforded
    wide = replace(opened.panel.variable("setting"), levels=tuple("abcdef"))
    variables = tuple(wide if v.name == "setting" else v for v in opened.panel.variables)
    dear = replace(opened, panel=replace(opened.panel, variables=variables))
    assert "setting" not in names_afforded(dear)  # 1 + 1 + 5 columns of 4
    assert {"devices", "teacher_years"} <= set(names_afforded(dear))


def test_a_units_weight_is_that_of_the_arm_it_was_assigned(pilot):
    """Without one class the shares of its school are one and two thirds: the rarer arm's students count for more."""
    gone = pilot.records["class_id"] == pilot.records["class_id"].iloc[0]
    scores = open_study(pilot.plan, pilot.records[~gone]).scores
    assert len(np.unique(np.round(scores.e, 6))) > 1
    np.testing.assert_allclose(scores.own, np.where(scores.z == 1, scores.e, 1 - scores.e))


@pytest.mark.parametrize("left", [0, 1, 2])
def test_an_outcome_of_fewer_than_two_clusters_of_an_arm_is_refused(left):
    opened = open_pilot("no-effect", names=("rit_fall",), students=160, classes=16, schools=4)
    scores, values = opened.scores, opened.panel.values.copy()
    lost = (scores.z == 1) & ~np.isin(scores.cluster, np.unique(scores.cluster[scores.z == 1])[:left])
    values.iloc[scores.rows[lost], values.columns.get_loc("rit_spring")] = np.nan
    panel = replace(opened.panel, values=values)
    with nullcontext() if left == 2 else pytest.raises(InfeasibleError, match="at least two"):
        require_outcome(panel, opened.design, "rit_spring")


def test_a_pre_test_comes_first_and_what_was_measured_after_never_comes():
    opened = student_moderator()
    names = names_afforded(opened, cluster=np.arange(len(opened.scores.y)))
    assert names[0] == "rit_fall"
    assert not {"logged_in", "minutes_used", "rit_spring"} & set(names)


def test_a_covariate_without_spread_is_not_afforded():
    opened = student_moderator()
    values = opened.panel.values.assign(teacher_years=7.0)
    assert "teacher_years" not in names_afforded(replace(opened, panel=replace(opened.panel, values=values)))


def test_other_deals_share_units_and_covariates_and_are_what_each_seed_alone_gives(pilot):
    panel, _ = open_records(pilot.records, pilot.plan)
    design = build_design(panel)
    seeds = [np.random.SeedSequence(place) for place in (1, 2)]
    dealt = list(deal_scores(panel, design, outcome="rit_spring", seeds=seeds))
    for seed, (scores,) in zip((1, 2), dealt, strict=True):
        (alone,) = build_scores(panel, design, outcome="rit_spring", seed=np.random.SeedSequence(seed))
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(scores, name), getattr(alone, name), err_msg=name)
    assert (dealt[0][0].fold != dealt[1][0].fold).any()


def test_what_the_plan_lists_first_does_not_spend_what_it_cannot_have():
    """A setting of six groups costs five columns of the four that forty clusters pay for: years still cost one."""
    names = ("setting", "devices", "rit_fall", "teacher_years")
    opened = open_pilot("no-effect", names=names, students=480, classes=40, schools=10)
    wide = replace(opened.panel.variable("setting"), levels=tuple("abcdef"))
    rest = tuple(v for v in opened.panel.variables if v.name != "setting")
    for variables in ((wide, *rest), (*rest, wide)):
        dear = replace(opened, panel=replace(opened.panel, variables=variables))
        assert set(names_afforded(dear)) == {"rit_fall", "devices", "teacher_years"}


def test_a_pre_test_that_only_the_lost_have_is_no_covariate():
    """Forty clusters and more make splines of a pre-test, whose knots are quantiles of nothing here."""
    pilot = make_pilot("no-effect", students=480, classes=40, schools=10)
    records = pilot.records.astype({"rit_spring": object, "rit_fall": object})
    lost = records.index % 12 == 0
    records.loc[lost, "rit_spring"] = ""
    records.loc[~lost, "rit_fall"] = ""
    opened = open_study(trim(pilot, ("frl", "rit_fall")).plan, records)
    assert names_afforded(opened) == ["frl"]
    assert opened.panel.values["rit_fall"].iloc[opened.scores.rows].isna().all()
