"""A plan may ask for less: no predicted effects, no further deals of the folds; all else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import trim
from whoworks.run import Run
from whoworks.simulate.pilot import make_pilot
from whoworks.study import Study

PILOT = trim(make_pilot("student-moderator", students=240, classes=16, schools=4, seed=3), ("frl", "rit_fall"))


def run(**analysis) -> Run:
    plan = PILOT.plan.model_copy(update={"analysis": PILOT.plan.analysis.model_copy(update=analysis)})
    return Study.from_plan(plan, frame=PILOT.records).run()


@pytest.fixture(scope="module")
def less() -> Run:
    return run(engine="none", refits=0)


def test_no_effects_are_predicted_and_the_report_can_say_why(less):
    assert less.predicted == {}
    assert less.evidence().no_predictions == "The plan asks for no predicted effects."
    assert not [f for f in less.findings if f.question in ("sorted-group", "ranking", "profile")]


def test_claims_are_not_estimated_again(less):
    assert all(finding.steadiness is None for finding in less.findings)


def test_what_is_planned_is_answered_the_same(less):
    whole = run(trees=50)
    for question in ("average", "subgroup", "difference"):
        left, right = (tuple(each.findings.where(question=question)) for each in (less, whole))
        assert [f.finding_id for f in left] == [f.finding_id for f in right]
        for field in ("estimate", "std_error"):
            np.testing.assert_array_equal([getattr(f, field) for f in left], [getattr(f, field) for f in right])


def test_a_plan_and_a_frame_are_as_good_as_their_files(less, tmp_path):
    folder = PILOT.write(tmp_path)
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    assert "rit_spring" in text
    again = Study.from_plan(folder / "plan.toml")
    assert again.plan.outcomes == less.plan.outcomes
    assert len(again.panel.units) == len(less.panel.units)
