"""Records that cannot tell what the plan asks give "not assessable", and never stop the run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import where
from tests.study.designs import LUNCH, YEARS, make_classes, make_pairs, run_briefly
from whoworks.errors import ForestError
from whoworks.findings.planned.gap import BEFORE
from whoworks.findings.searches.exploration import TOO_FEW
from whoworks.findings.searches.variance_ratio import VARIANCE_RATIO
from whoworks.findings.setting import NO_ERROR, NOT_DETERMINED


def test_students_in_matched_pairs_have_one_control_each_and_no_gap_between_two_of_them():
    found = run_briefly(make_pairs(), assigned="student", moderators=[LUNCH]).findings
    before = where(found, question="gap", quantity=BEFORE)
    assert np.isnan(before.estimate)
    assert before.notes == (NOT_DETERMINED,)
    assert np.isfinite(where(found, question="average", weighting="student").estimate)
    assert np.isfinite(where(found, question="difference", moderator="frl").estimate)


def test_a_category_with_holes_and_as_many_levels_as_there_are_blocks_predicts_effects():
    frame = make_classes(schools=2, per_school=20, size=6, seed=5)
    frame["eth"] = frame["eth"].where(np.random.default_rng(0).random(len(frame)) > 0.15, None)
    run = run_briefly(frame, moderators=[LUNCH, "eth"])
    assert set(run.importance()["moderator"]) == {"frl", "eth", "pre"}


def test_a_moderator_that_differs_in_every_block_predicts_nothing_and_the_method_says_so():
    frame = make_classes(schools=3, per_school=8, size=6, seed=4)
    frame["setting"] = frame["school_id"].map({"h0": "city", "h1": "suburb", "h2": "town"})
    run = run_briefly(frame, moderators=[LUNCH, {"column": "setting", "level": "school"}])
    assert set(run.importance()["moderator"]) == {"frl", "pre"}
    assert run.evidence().ignores == (
        "It leaves out setting: no two schools share a value of it, so that it only names them.",
    )


@pytest.mark.parametrize("values", [(0, 1), (1, 0), (12.5, 40.0)])
def test_a_number_of_two_blocks_only_names_them(values):
    frame = make_classes(schools=2, per_school=12, size=6, seed=4)
    frame["poor"] = frame["school_id"].map(dict(zip(("h0", "h1"), values, strict=True)))
    run = run_briefly(frame, moderators=[LUNCH, {"column": "poor", "kind": "number", "level": "school"}])
    assert set(run.importance()["moderator"]) == {"frl", "pre"}


def test_where_all_that_could_predict_names_the_blocks_no_effects_are_predicted_and_the_report_says_why():
    frame = make_classes(schools=2, per_school=12, size=6, seed=4)
    frame["setting"] = frame["school_id"].map({"h0": "city", "h1": "town"})
    run = run_briefly(frame, baseline=(), moderators=[{"column": "setting", "level": "school"}])
    assert run.predicted == {}
    assert "only names the schools" in run.evidence().no_predictions


def test_a_category_that_names_the_classes_stops_the_run_with_a_sentence():
    frame = make_classes(schools=3, per_school=8, size=6, seed=4)
    frame["teacher"] = "t" + frame["class_id"]
    with pytest.raises(ForestError, match="'teacher' names the cluster"):
        run_briefly(frame, moderators=[{"column": "teacher", "level": "class"}])


@pytest.mark.parametrize(
    ("column", "outcome", "moderators"),
    [
        (50, "flat", [LUNCH, YEARS, "eth"]),
        (0, {"column": "flat", "kind": "binary"}, [LUNCH, YEARS, "eth"]),
        (50, "flat", [LUNCH, YEARS]),
        (50, [{"column": "y", "primary": True}, {"column": "flat"}], [LUNCH, "eth"]),
    ],
)
def test_an_outcome_that_is_the_same_for_everyone_has_no_p(column, outcome, moderators):
    found = run_briefly(make_classes().assign(flat=column), outcome=outcome, moderators=moderators).findings
    flat = found.where(outcome="flat")
    assert {"average", "subgroup", "difference"} <= {f.question for f in flat}
    assert not any(f.p_value < 1 for f in flat)
    assert where(flat, question="average", weighting="student").notes[:1] == (NO_ERROR,)


def test_an_outcome_that_is_the_arm_itself_has_an_effect_and_no_p():
    frame = make_classes()
    found = run_briefly(frame.assign(y=np.where(frame["arm"] == "T", 1.0, 0.0))).findings
    assert where(found, question="average", weighting="student").estimate == pytest.approx(1.0)
    assert np.isnan(where(found, question="joint", moderator="eth").p_value)


@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize("kind", ["number", "binary"])
def test_three_groups_of_which_no_block_holds_all_have_a_joint_test_that_cannot_be_told(kind, planned):
    """Pairs of neighbours, A with B and B with C: what differs from A to C is told through B, and one part by none."""
    frame = make_classes(schools=24, per_school=2)
    room = frame["class_id"].str[1:].astype(int)
    frame["exp"] = np.where(room < 24, np.where(room % 2, "B", "A"), np.where(room % 2, "C", "B"))
    frame["passed"] = (frame["y"] > 0).astype(int)
    outcome = {"column": "y"} if kind == "number" else {"column": "passed", "kind": "binary"}
    found = run_briefly(frame, outcome=outcome, moderators=[{"column": "exp", "level": "class", "planned": planned}])
    joint = where(found.findings, question="joint", moderator="exp")
    assert np.isnan(joint.p_value)
    assert joint.notes == (NOT_DETERMINED,)


def test_of_groups_that_no_block_compares_directly_only_what_the_data_tell_is_told():
    """A's own effect is told through B's alone, and B's through A's or C's: none of them. C's less A's is."""
    frame = make_classes(schools=24, per_school=2)
    room = frame["class_id"].str[1:].astype(int)
    frame["exp"] = np.where(room < 24, np.where(room % 2, "B", "A"), np.where(room % 2, "C", "B"))
    effect = frame["exp"].map({"A": 1.0, "B": 5.0, "C": 9.0})
    frame["y"] = 0.1 * frame["y"] + np.where(frame["arm"] == "T", effect, 0.0)
    found = run_briefly(frame, moderators=[{"column": "exp", "level": "class", "planned": True}]).findings
    groups = found.where(question="subgroup", moderator="exp")
    assert [np.isnan(f.estimate) for f in groups] == [True, True, True]
    assert all(f.notes == (NOT_DETERMINED,) for f in groups)
    assert where(found, question="difference", moderator="exp", level="C").estimate == pytest.approx(8.0, abs=0.2)


def test_three_schools_with_unequal_shares_of_arms_leave_the_calibration_slope_open():
    frame = make_classes(schools=1, per_school=8)
    room = frame["class_id"].str[1:].astype(int)
    frame["school_id"] = np.array(list("aaabbccc"))[room]
    frame["arm"] = np.array(list("TTCTCTCC"))[room]
    slope = where(run_briefly(frame).findings, quantity="calibration slope of predicted effects")
    assert np.isnan(slope.p_value)
    assert slope.notes == (TOO_FEW,)


def test_predictions_that_differ_by_rounding_alone_have_no_calibration_slope():
    found = run_briefly(make_pairs(), assigned="student", moderators=[LUNCH]).findings
    slope = where(found, quantity="calibration slope of predicted effects")
    assert np.isnan(slope.estimate) or abs(slope.estimate) < 1e6


def test_classes_that_are_copies_of_one_another_have_no_ratio_of_variances():
    frame = make_classes(schools=1, per_school=8, size=6)
    frame["y"], frame["frl"] = np.tile([1.0, 2.0, 4.0, 5.0, 7.0, 8.0], 8), np.tile(list("YNNYYN"), 8)
    found = run_briefly(frame, baseline=(), moderators=[{**LUNCH, "planned": False}]).findings
    ratio = where(found, moderator=VARIANCE_RATIO)
    assert np.isnan(ratio.estimate)
    assert "no spread" in ratio.notes[0]


def test_a_pretest_that_is_the_same_for_everyone_foretells_nothing():
    run = run_briefly(make_classes().assign(pre=7.0), moderators=[YEARS])
    assert run.settings[0].scores.h is None
    assert np.isfinite(where(run.findings, question="average", weighting="student").p_value)


def test_of_arms_under_which_all_outcomes_are_the_same_none_is_told_the_best():
    frame = make_classes(schools=6, per_school=6)
    frame["arm"] = np.array(list("CTUCTU"))[frame["class_id"].str[1:].astype(int) % 6]
    flat = run_briefly(frame.assign(y=50), moderators=[LUNCH]).findings
    assert where(flat, question="best-arm").notes == (NO_ERROR,)
