"""Wrong input gives one sentence and the right exit code: never a trace, never a student's values."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.pilots import PLANTED, Folder


def require_refused(answer, *, code, words):
    """Hold an answer to the rules: exit code, the words that name the culprit, and nothing that must not be told."""
    said = answer.out + answer.err
    assert answer.code == code, said
    assert "Traceback" not in said
    assert all(word.lower() in answer.err.lower() for word in words), answer.err
    assert not [planted for planted in PLANTED if planted in said]
    assert answer.err.strip().count("\n") <= 2


def rename_outcome(pilot: Folder):
    pilot.edit('column = "reading"', 'column = "raeding"')


def misspell_moderator(pilot: Folder):
    pilot.edit('column = "lunch"', 'column = "lunhc"')


def write_text_among_numbers(pilot: Folder):
    pilot.change(lambda row: row | {"reading": "Zebulon-Quux"} if row["student_id"].endswith("17") else row)


def split_a_class_between_arms(pilot: Folder):
    pilot.change(lambda row: row | {"arm": "programme"} if row["student_id"].endswith("0003") else row)


def make_moderator_constant(pilot: Folder):
    pilot.change(lambda row: row | {"lunch": "yes"})


def make_moderator_an_essay(pilot: Folder):
    pilot.change(lambda row: row | {"lunch": "Zebulon-Quux " + row["student_id"]})
    pilot.edit('values = { no = "not eligible", yes = "eligible" }\n', "")


def list_moderator_under_implementation(pilot: Folder):
    pilot.edit('columns = ["minutes"]', 'columns = ["minutes", "lunch"]')


def repeat_students(pilot: Folder):
    pilot.change(lambda row: row | {"student_id": "PLANTED-ID-0001"} if row["student_id"].endswith("2") else row)


def empty_the_file(pilot: Folder):
    pilot.data.write_bytes(b"")


def keep_the_header_alone(pilot: Folder):
    pilot.data.write_text(pilot.data.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def name_text_a_workbook(pilot: Folder):
    shutil.copy(pilot.data, pilot.path / "pilot.xlsx")
    pilot.edit('path = "pilot.csv"', 'path = "pilot.xlsx"')


def name_bytes_a_table(pilot: Folder):
    pilot.data.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)


def misspell_a_key(pilot: Folder):
    pilot.edit('blocks = ["school"]', 'block = ["school"]')


def misspell_a_table(pilot: Folder):
    pilot.edit("[[moderators]]", "[[moderaters]]")


def keep_by_the_outcome(pilot: Folder):
    pilot.edit('key = ["student_id"]', 'key = ["student_id"]\nkeep = "reading > \'40\'"')


def break_the_plan(pilot: Folder):
    pilot.edit("schema = 1", "schema = ")


def lose_the_records(pilot: Folder):
    pilot.data.unlink()


def list_a_school_that_is_none(pilot: Folder):
    pilot.edit('blocks = ["school"]', 'blocks = ["district"]')


def bring_names(pilot: Folder):
    pilot.change(lambda row: row | {"email": f"{row['student_id']}@Zebulon-Quux.example"})


USER_ERRORS = [
    (rename_outcome, ["raeding", "reading"]),
    (misspell_moderator, ["lunhc", "lunch"]),
    (write_text_among_numbers, ["reading"]),
    (split_a_class_between_arms, ["class_id", "C00", "more than one arm"]),
    (make_moderator_constant, ["lunch"]),
    (make_moderator_an_essay, ["lunch"]),
    (list_moderator_under_implementation, ["lunch", "implementation"]),
    (repeat_students, ["student_id"]),
    (empty_the_file, ["pilot.csv", "empty"]),
    (keep_the_header_alone, ["pilot.csv"]),
    (name_text_a_workbook, ["pilot.xlsx"]),
    (name_bytes_a_table, ["pilot.csv"]),
    (misspell_a_key, ["block", "blocks"]),
    (misspell_a_table, ["moderaters", "moderators"]),
    (keep_by_the_outcome, ["keep", "reading"]),
    (break_the_plan, ["plan.toml"]),
    (lose_the_records, ["pilot.csv"]),
    (list_a_school_that_is_none, ["district"]),
    (bring_names, ["email", "privacy"]),
]


@pytest.mark.parametrize("command", ["check", "report"])
@pytest.mark.parametrize(("spoil", "words"), USER_ERRORS, ids=[spoil.__name__ for spoil, _ in USER_ERRORS])
def test_a_mistake_of_the_user_s_is_exit_2_and_nothing_is_written(pilot, whoworks, command, spoil, words):
    spoil(pilot)
    before = sorted(pilot.path.rglob("*"))
    require_refused(whoworks(command, pilot.plan), code=2, words=words)
    assert sorted(pilot.path.rglob("*")) == before


def leave_one_arm(pilot: Folder):
    pilot.change(lambda row: row | {"arm": "usual"})


def leave_one_cluster(pilot: Folder):
    pilot.edit('blocks = ["school"]\nprobability = "blocks"', "probability = 0.5")
    pilot.change(lambda row: row | {"arm": "programme" if row["class_id"] == "C01" else "usual"})


def lose_every_outcome(pilot: Folder):
    pilot.change(lambda row: row | {"reading": ""})


INFEASIBLE = [
    (leave_one_arm, ["programme"]),
    (leave_one_cluster, ["single class"]),
    (lose_every_outcome, ["reading"]),
]


@pytest.mark.parametrize(("spoil", "words"), INFEASIBLE, ids=[spoil.__name__ for spoil, _ in INFEASIBLE])
def test_a_design_that_cannot_carry_the_question_is_exit_3_with_ledger_and_checks(pilot, whoworks, spoil, words):
    spoil(pilot)
    require_refused(whoworks("report", pilot.plan, "--out", "out"), code=3, words=[*words, "out"])
    written = {file.name for file in (pilot.path / "out").iterdir()}
    assert {"ledger.csv", "checks.csv"} <= written
    assert not {"findings.csv", "findings.json", "report.pdf"} & written
    assert all(not_told not in (pilot.path / "out" / name).read_text() for name in written for not_told in PLANTED)


@pytest.mark.parametrize(("spoil", "words"), INFEASIBLE, ids=[spoil.__name__ for spoil, _ in INFEASIBLE])
def test_check_says_so_too_and_writes_nothing(pilot, whoworks, spoil, words):
    spoil(pilot)
    before = sorted(pilot.path.rglob("*"))
    require_refused(whoworks("check", pilot.plan), code=3, words=words)
    assert sorted(pilot.path.rglob("*")) == before


def test_a_plan_that_is_not_there_says_how_to_draft_one(whoworks):
    require_refused(whoworks("report", "nowhere.toml"), code=2, words=["nowhere.toml", "whoworks init"])


def test_an_output_folder_that_cannot_be_written_is_a_sentence(small, whoworks):
    require_refused(whoworks("report", small.plan, "--out", small.data / "out"), code=2, words=["pilot.csv"])


def test_a_folder_with_other_things_in_it_is_refused(pilot, whoworks):
    (pilot.path / "mine").mkdir()
    (pilot.path / "mine" / "thesis.txt").write_text("years of work")
    require_refused(whoworks("report", pilot.plan, "--out", "mine"), code=2, words=["mine"])
    assert [file.name for file in (pilot.path / "mine").iterdir()] == ["thesis.txt"]
