from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from whoworks.errors import PlanError
from whoworks.plan.arguments import plan_from_arguments
from whoworks.plan.plan import Plan

COLUMNS = [
    "arm_id",
    "student_id",
    "class_id",
    "school_id",
    "tch",
    "arm",
    "rit_spring",
    "rit_fall",
    "read",
    "frl",
    "years",
    "p",
]


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
    assert make().given["study"] == {"name": "Study"}
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


def test_a_level_is_not_given_the_name_of_a_column_of_ours():
    assert make(assigned="arm_id").levels == {"arm_id": "arm_id"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "label = ..."),
        (np.array([1, 2]), "label = ..."),
        (np.int64(3), "label = 3"),
        (np.float64(0.3), "label = 0.3"),
        ({"a": np.float64(0.3)}, "label = { a = 0.3 }"),
    ],
    ids=str,
)
def test_a_mistaken_key_is_told_whatever_its_value(value, said):
    with pytest.raises(PlanError) as refused:
        make(outcome={"column": "rit_spring", "lable": value})
    assert str(refused.value).endswith(f"Did you mean 'label'? Write: {said}")


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


def students(arm: list[Any]) -> pd.DataFrame:
    n = len(arm)
    numbers = {"class_id": range(n), "score": range(n), "years": np.arange(n) / 2, "frl": [0, 1] * (n // 2)}
    return pd.DataFrame({"arm": arm, **numbers})


def ask(frame: Any, **arguments: Any) -> Plan:
    given = {"outcome": "score", "arm": "arm", "control": "usual", "assigned": "class_id"}
    return plan_from_arguments(frame, **{**given, **arguments})


def test_a_frame_tells_its_other_arms_and_which_moderators_are_numbers():
    plan = ask(students(["usual", "b", None, "a", "", "NA"] * 4), moderators=["years", "frl"])
    assert plan.arms.codes == ("usual", "a", "b")
    assert [moderator.kind for moderator in plan.moderators] == ["number", "category"]
    named = ask(students(["usual", "a", "b"] * 8), treatments=["b"], moderators={"column": "years", "kind": "category"})
    assert named.arms.codes == ("usual", "b")
    assert named.moderators[0].kind == "category"


@pytest.mark.parametrize(
    ("arm", "control", "codes"),
    [
        ([0.0, 1.0], 0, ("0", "1")),
        (["0.0", "1"], "0", ("0", "1")),
        ([False, True], False, ("false", "true")),
        (["FALSE", "True"], "false", ("false", "true")),
    ],
)
def test_arms_are_the_same_codes_however_the_frame_holds_them(arm: list[Any], control: Any, codes: tuple[str, ...]):
    assert ask(students(arm * 6), control=control).arms.codes == codes


def test_any_frame_that_narwhals_reads_will_do():
    frame = students(["usual", "a"] * 12)
    assert ask(pa.Table.from_pandas(frame), moderators="years") == ask(frame, moderators="years")


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (students(["usul", "a"] * 6), "the column 'arm' has no arm 'usual': it has a, usul. Did you mean 'usul'?"),
        (students(["usual"] * 6), "the column 'arm' has 1 different values, and a study compares 2 to 20 arms."),
        (students([f"s{i}" for i in range(40)]), "the column 'arm' has 40 different values"),
        (3, "the records are of the type 'int', which is no frame. Give a pandas DataFrame."),
        (
            students(["usual", "a"] * 6).drop(columns="arm"),
            "the frame has no column 'arm', which the argument 'arm' names.",
        ),
    ],
)
def test_a_frame_that_cannot_be_meant_is_a_sentence(frame: Any, sentence: str):
    with pytest.raises(PlanError) as caught:
        ask(frame)
    assert sentence in str(caught.value)
    assert "s17" not in str(caught.value)


@pytest.mark.parametrize("nothing", [None, (), []])
def test_none_is_nothing_for_whatever_may_be_several(nothing: Any):
    assert make(blocks=nothing, baseline=nothing, moderators=nothing, covariates=nothing) == make()


@pytest.mark.parametrize("several", ["adaptive", ["adaptive"], pd.Index(["adaptive"])])
def test_one_treatment_may_stand_without_a_list(several: Any):
    assert make(treatments=several).arms.codes == ("usual", "adaptive")
    assert make(control=0, treatments=1).arms.codes == ("0", "1")


@pytest.mark.parametrize("other", ["Usual", "usual\u200b", "us ual"])
def test_two_spellings_of_one_arm_in_a_frame_are_not_taken_for_two_arms(other: str):
    frame = students(["usual", other, "a"] * 6)
    with pytest.raises(PlanError, match="the column 'arm' spells the arm 'usual' in several ways"):
        ask(frame)
    assert ask(frame, treatments=["a", other]).arms.codes == ("usual", "a", other)


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
        ({"outcome": None}, 'the plan has no [[outcomes]]. Under a line [[outcomes]], write: column = "score"'),
        ({"outcome": 3}, "the argument 'outcome' holds a value of the type 'int'. Give the name of a column"),
        ({"moderators": [["frl"]]}, "the argument 'moderators' holds a value of the type 'list'."),
        ({"blocks": [3]}, "the argument 'blocks' holds a value of the type 'int'. Give the name of a column."),
        ({"baseline": {"rit_fall": 1}}, "the argument 'baseline' holds a value of the type 'dict'."),
        ({"assigned": None}, "the argument 'assigned' holds a value of the type 'NoneType'."),
        ({"site": ["school_id"]}, "the argument 'site' holds a value of the type 'list'."),
        ({"arm": None}, "the argument 'arm' holds a value of the type 'NoneType'."),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: dict[str, Any], sentence: str):
    with pytest.raises(PlanError) as caught:
        make(**arguments)
    assert sentence in str(caught.value)
