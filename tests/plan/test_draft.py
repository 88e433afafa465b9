from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whoworks.errors import PlanError
from whoworks.plan.draft import QUESTIONS, draft_plan
from whoworks.plan.guesses import Answers, guess_answers
from whoworks.plan.plan import Plan


def classrooms() -> pd.DataFrame:
    """Eight schools of two classes of five students, one class of each arm; every value is text."""
    rng = np.random.default_rng(1)
    rows = np.arange(80)
    classes = rows // 5
    return pd.DataFrame(
        {
            "student_id": [f"s{row:03d}" for row in rows],
            "StudentLastName": [f"Name{row}" for row in rows],
            "e-mail": [f"a{row}@b.org" for row in rows],
            "class_id": [f"c{code:02d}" for code in classes],
            "school_id": [f"k{code:02d}" for code in classes // 2],
            "arm": np.where(classes % 2 == 0, "usual", "adaptive"),
            "rit_fall": rng.normal(200, 10, 80).round(1).astype(str),
            "rit_spring": rng.normal(205, 10, 80).round(1).astype(str),
            "frl": rng.choice(["N", "Y", "NA"], 80),
            "teacher_years": (classes * 2).astype(str),
            "logged_in": rng.choice(["0", "1"], 80),
            "minutes_used": rng.integers(0, 500, 80).astype(str),
        }
    )


def test_guesses_are_taken_from_names_and_counts():
    assert guess_answers(classrooms()) == Answers(
        arm="arm", assigned="class_id", blocks="school_id", outcome="rit_spring", baseline="rit_fall"
    )


def test_a_drafted_plan_loads_and_says_what_was_guessed():
    plan = Plan.parse(draft_plan(classrooms(), "pilot.csv"))
    assert plan.records[0].path == "pilot.csv"
    assert plan.levels == {"student": "student_id", "class": "class_id", "school": "school_id"}
    assert plan.arms.codes == ("usual", "adaptive")
    assert (plan.design.assigned, plan.design.blocks, plan.design.site) == ("class", ("school",), "school")
    assert [(moderator.column, moderator.level, moderator.kind) for moderator in plan.moderators] == [
        ("rit_fall", "student", "number"),
        ("frl", "student", "category"),
        ("teacher_years", "class", "number"),
    ]
    assert plan.moderators[1].values == {"N": "N", "Y": "Y"}
    assert plan.takeup.column == "logged_in"
    assert plan.implementation.columns == ("minutes_used",)
    assert plan.privacy.drop == ("StudentLastName", "e-mail")


def test_every_guess_is_marked():
    lines = draft_plan(classrooms(), "pilot.csv").splitlines()
    for key in ("column", "control", "treatments", "assigned", "blocks", "site", "drop", "baseline", "class", "values"):
        assert all("# guess: " in line for line in lines if line.startswith(f"{key} = ")), key


def test_what_was_answered_is_not_marked_as_a_guess():
    answers = Answers(arm="arm", assigned="student", blocks="", outcome="rit_spring", baseline="")
    text = draft_plan(classrooms(), "pilot.csv", answers)
    plan = Plan.parse(text)
    assert (plan.design.assigned, plan.design.blocks, plan.outcomes[0].baseline) == ("student", (), ())
    assert 'assigned = "student"\n' in text
    assert 'column = "rit_spring"\n' in text


def test_columns_known_to_name_persons_are_dropped_too():
    assert "logged_in" in Plan.parse(draft_plan(classrooms(), "p.csv", identifiers=["logged_in"])).privacy.drop


def test_whole_schools_and_single_students_are_recognised():
    frame = classrooms()
    school = frame["school_id"].str[1:].astype(int)
    whole = frame.assign(arm=np.where(school % 2 == 0, "0", "1"))
    assert (guess_answers(whole).assigned, guess_answers(whole).blocks) == ("school_id", "")
    single = frame.assign(arm=np.where(np.arange(80) % 2 == 0, "0", "1"))
    assert (guess_answers(single).assigned, guess_answers(single).blocks) == ("student", "class_id")
    assert Plan.parse(draft_plan(single, "p.csv")).arms.codes == ("0", "1")


def test_a_level_that_is_answered_and_not_recognised_is_named_after_its_column():
    frame = classrooms().rename(columns={"class_id": "room", "school_id": "place_id"})
    answers = Answers(arm="arm", assigned="room", blocks="place_id", outcome="rit_spring", baseline="")
    plan = Plan.parse(draft_plan(frame, "p.csv", answers))
    assert plan.levels == {"student": "student_id", "room": "room", "place": "place_id"}


def test_a_binary_outcome_is_recognised():
    frame = classrooms().rename(columns={"logged_in": "passed_final"}).drop(columns=["rit_spring", "rit_fall"])
    outcome = Plan.parse(draft_plan(frame, "p.csv")).outcomes[0]
    assert (outcome.column, outcome.kind, outcome.values) == ("passed_final", "binary", {"1": "yes", "0": "no"})


def test_where_nothing_can_be_guessed_the_draft_says_what_to_fill_in():
    text = draft_plan(pd.DataFrame({"a": ["x", "y", "z"], "b": ["u", "v", "w"]}), "p.csv")
    assert '# fill in: column = "score"' in text
    with pytest.raises(PlanError, match=r"\[arms\], 'column': it is not there"):
        Plan.parse(text)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_a_file_of_hardly_any_rows_can_be_drafted(n_rows: int):
    assert "fill in" in draft_plan(classrooms().head(n_rows), "p.csv")


def test_an_answer_that_is_no_column_is_refused():
    answers = Answers(arm="arn", assigned="student", blocks="", outcome="rit_spring", baseline="")
    with pytest.raises(PlanError, match=r"the records have no column 'arn'\. Did you mean 'arm'\?"):
        draft_plan(classrooms(), "p.csv", answers)


def test_a_column_of_many_values_is_refused_as_the_arm_without_listing_them():
    answers = Answers(arm="student_id", assigned="student", blocks="", outcome="rit_spring", baseline="")
    with pytest.raises(
        PlanError, match=r"the column 'student_id' has 80 different values, and a study compares 2 to 20"
    ):
        draft_plan(classrooms(), "p.csv", answers)


def test_strange_names_are_written_so_that_they_load():
    strange = '=cmd("a")\n#x'
    frame = classrooms().rename(columns={"class_id": strange, "rit_spring": 'rit "spring" \\ end'})
    answers = Answers(arm="arm", assigned=strange, blocks="", outcome='rit "spring" \\ end', baseline="")
    plan = Plan.parse(draft_plan(frame, "folder\\p.csv", answers))
    assert strange in plan.levels.values()
    assert plan.outcomes[0].column == 'rit "spring" \\ end'
    assert plan.records[0].path == "folder\\p.csv"


def test_what_the_draft_does_not_use_is_named():
    frame = classrooms()
    assert "Not in this draft" not in draft_plan(frame, "p.csv")
    text = draft_plan(frame.assign(devices="shared", **{"odd\nname": "1"}), "p.csv")
    assert text.endswith("may matter.\n# devices, odd name\n")
    assert Plan.parse(text).moderators == Plan.parse(draft_plan(frame, "p.csv")).moderators


def test_every_question_is_answered_by_a_field():
    assert [question.key for question in QUESTIONS] == list(Answers.__dataclass_fields__)
    assert [question.key for question in QUESTIONS if question.may_be_empty] == ["blocks", "baseline"]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "answers"),
    [
        (
            "eef_crt.csv",
            Answers(arm="Intervention", assigned="School", blocks="", outcome="Posttest", baseline="Prettest"),
        ),
        (
            "eef_mst.csv",
            Answers(arm="Intervention", assigned="student", blocks="School", outcome="Posttest", baseline="Prettest"),
        ),
        (
            "schoolrct.csv.gz",
            Answers(arm="treatment", assigned="school", blocks="", outcome="outcome.test.score", baseline=""),
        ),
    ],
)
def test_real_trials_are_guessed_as_their_plans_say(shared: Path, file: str, answers: Answers):
    frame = pd.read_csv(shared / "data" / file, dtype=str, keep_default_na=False)
    assert guess_answers(frame) == answers
    Plan.parse(draft_plan(frame, file))


def test_students_in_several_rows_keep_their_level_and_are_told():
    frame = classrooms()
    frame.loc[[1, 2], "student_id"] = "s000"
    text = draft_plan(frame, "p.csv")
    assert Plan.parse(text).levels["student"] == "student_id"
    assert "\n# Students that stand in more than one row: 1. " in text
    assert "s000" not in text
    assert "stand in more than one row" not in draft_plan(classrooms(), "p.csv")


def test_one_row_per_student_and_term_can_be_drafted_and_its_waves_pasted():
    long = pd.concat([classrooms().assign(term=term) for term in ("Fall 2026", "Spring 2027")], ignore_index=True)
    text = draft_plan(long, "p.csv")
    assert "\n# Students that stand in more than one row: 80. " in text
    waves = [line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# [", "# column", "# order"))]
    assert Plan.parse(text + "\n".join(waves)).waves.column == "term"


def test_a_bare_id_names_students_where_nearly_every_row_has_its_own():
    frame = classrooms().rename(columns={"student_id": "id"})
    assert Plan.parse(draft_plan(frame, "p.csv")).levels["student"] == "id"
    frame["id"] = frame["class_id"]
    assert "student" not in Plan.parse(draft_plan(frame, "p.csv")).levels
    both = classrooms().assign(id=[str(row) for row in range(80)])[["id", *classrooms().columns]]
    assert Plan.parse(draft_plan(both, "p.csv")).levels["student"] == "student_id"


@pytest.mark.parametrize(("column", "table"), [("frl", "moderators"), ("arm", "arms")])
def test_what_went_astray_among_groups_is_counted_and_not_repeated(column: str, table: str):
    frame = classrooms()
    frame.loc[:1, column] = "Zebulon Quux"
    frame.loc[2:4, column] = "s007"
    text = draft_plan(frame, "p.csv")
    plan = Plan.parse(text)
    codes = plan.arms.codes if table == "arms" else tuple(plan.moderators[1].values)
    assert codes == {"arms": ("usual", "adaptive"), "moderators": ("N", "Y")}[table]
    assert "# left out: 2 more code(s)" in text
    assert not [stray for stray in ("Zebulon", "s007") if stray in text]


def test_groups_that_are_numbers_are_not_taken_for_students():
    frame = classrooms().assign(student_id=[str(row) for row in range(80)])
    frame["frl"] = np.where(np.arange(80) % 2 == 0, "0", "1")
    text = draft_plan(frame, "p.csv")
    assert Plan.parse(text).moderators[1].values == {"0": "0", "1": "1"}
    assert "left out" not in text
