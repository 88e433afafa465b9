"""Records that cannot tell what the plan asks give "not assessable", and never stop the run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import where
from tests.study.designs import LUNCH, make_classes, make_pairs, run_briefly
from whoworks.errors import ForestError
from whoworks.findings.gap import BEFORE
from whoworks.findings.setting import NOT_DETERMINED


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
