from __future__ import annotations

from typing import Any

import pytest

from whoworks.errors import PlanError
from whoworks.plan.arguments import plan_from_arguments
from whoworks.plan.plan import Plan

COLUMNS = ["student_id", "class_id", "school_id", "tch", "arm", "rit_spring", "rit_fall", "read", "frl", "years", "p"]


def make(**arguments: Any) -> Plan:
    given = {
        "outcome": "rit_spring",
        "arm": "arm",
        "control": "usual",
        "treatments": ["adaptive"],
        "assigned": "class_id",
    }
    return plan_from_arguments(COLUMNS, **{**given, **arguments})


def test_the_call_of_a_notebook_is_a_plan():
    plan = make(blocks=["school_id"], baseline=["rit_fall"], moderators=["frl"])
    assert plan.levels == {"class": "class_id", "school": "school_id"}
    assert (plan.design.assigned, plan.design.blocks, plan.design.probability) == ("class", ("school",), "blocks")
    assert plan.outcomes[0].baseline[0].column == "rit_fall"
    assert [moderator.column for moderator in plan.moderators] == ["frl"]
    assert plan.records[0].path is None


def test_what_is_not_said_is_not_in_the_plan():
    assert set(make().given) == {"schema", "study", "levels", "arms", "design", "outcomes"}
    assert make().design.probability is None


def test_a_plan_from_arguments_is_the_same_when_read_back():
    plan = make(seed=5, student="student_id", site="school_id", covariates="years", name="A", question="B?")
    assert Plan.parse(plan.to_toml()) == plan
    assert plan.analysis.seed == 5
    assert list(plan.levels) == ["student", "class", "school"]


def test_levels_stand_smallest_first_however_they_are_named():
    plan = make(assigned="tch", blocks="school_id", student="student_id", cluster="tch")
    assert plan.levels == {"student": "student_id", "tch": "tch", "school": "school_id"}
    assert list(make(cluster="school_id", site="class_id", assigned="class_id").levels) == ["class", "school"]


def test_students_may_be_assigned_without_a_column_that_names_them():
    plan = make(assigned="student", blocks="school_id")
    assert (plan.design.assigned, plan.levels) == ("student", {"school": "school_id"})
    assert make(assigned="student_id").design.assigned == "student"
    assert make(assigned="class_id", drawn="student").design.drawn == "student"


def test_outcomes_and_moderators_may_be_tables_of_the_plan():
    plan = make(
        outcome=[{"column": "read", "label": "reading"}, {"column": "rit_spring", "baseline": []}],
        baseline="rit_fall",
        moderators={"column": "frl", "values": {"N": "no", "Y": "yes"}, "level": "student"},
    )
    assert [len(outcome.baseline) for outcome in plan.outcomes] == [1, 0]
    assert plan.moderators[0].values == {"N": "no", "Y": "yes"}


def test_columns_of_numbers_are_moderators_of_that_kind_unless_said_otherwise():
    plan = make(moderators=["years", {"column": "frl", "kind": "category"}], numbers=("years", "frl"))
    assert [moderator.kind for moderator in plan.moderators] == ["number", "category"]


def test_arms_may_be_numbers():
    plan = make(control=0, treatments=[1.0], probability={"0": 0.25, "1": 0.75})
    assert plan.arms.codes == ("0", "1")
    assert plan.design.probability == {"0": 0.25, "1": 0.75}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"outcome": "rit_sprng"},
            "the frame has no column 'rit_sprng', which the argument 'outcome' names. Did you mean",
        ),
        ({"arm": "group"}, "the frame has no column 'group', which the argument 'arm' names."),
        ({"assigned": "clas_id"}, "the argument 'assigned' names. Did you mean 'class_id'?"),
        ({"blocks": ["schol_id"]}, "the argument 'blocks' names. Did you mean 'school_id'?"),
        ({"blocks": ["student"]}, "the frame has no column 'student', which the argument 'blocks' names."),
        ({"baseline": "rit_autumn"}, "the argument 'baseline' names."),
        ({"covariates": ["age"]}, "the argument 'covariates' names."),
        ({"moderators": [{"column": "lunch"}]}, "the argument 'moderators' names."),
        ({"moderators": [{"colum": "frl"}]}, "there is no such key. Did you mean 'column'?"),
        ({"moderators": ["rit_spring"]}, "'rit_spring' is also under [[outcomes]]"),
        ({"treatments": None}, "the arms compared with 'usual' are not named. Say: treatments=[...]"),
        ({"assigned": "school_id", "site": "class_id"}, "[design], 'site': 'class' lies below 'school'"),
        ({"probability": "blocks"}, 'it is "blocks", and the design names no blocks.'),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: dict[str, Any], sentence: str):
    with pytest.raises(PlanError) as caught:
        make(**arguments)
    assert sentence in str(caught.value)
