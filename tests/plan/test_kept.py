"""Conditions of `keep` are told in the plan's words, but for students' codes, which are counted."""

from __future__ import annotations

import pytest

from tests.plan.lakeside import parse
from whoworks.plan.describe import describe_plan
from whoworks.plan.kept import names_students, phrase_kept, say_kept

KEEP = "keep = \"grade == '6'\""
JOIN = 'join = { student = "roster.student_id" }'


def told(plan) -> list[tuple[str, str]]:
    """Return every condition of a plan as the ledger and as a sentence tell it."""
    pairs = [(table, condition) for table in plan.records for condition in table.conditions]
    return [(phrase_kept(plan, *pair), say_kept(plan, *pair)) for pair in pairs]


def test_what_is_known_of_many_is_told_as_the_plan_writes_it():
    assert told(parse()) == [("grade == '6'", "grade is \u201c6\u201d")]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ((KEEP, "keep = \"student_id != 'S-1'\""), "student_id"),
        ((KEEP, "keep = \"roster.student_id != 'S-1'\""), "roster.student_id"),
        ((KEEP, "keep = \"pupil_no == 'S-1'\""), "pupil_no"),
        ((KEEP, 'keep = "StudentID > 1"'), "StudentID"),
        (('key = ["student_id"]\n' + KEEP, 'key = ["person"]\nkeep = "person != \'S-1\'"'), "person"),
        ((JOIN, f"{JOIN}\nkeep = \"student != 'S-1'\""), "student"),
        ((JOIN, 'join = { who = "roster.student_id" }\nkeep = "who != \'S-1\'"'), "who"),
    ],
)
def test_a_student_s_code_is_counted_and_not_repeated(change, column):
    plan = parse(change)
    assert told(plan)[-1] == (f"a condition on {column} (1 code)", f"{column} meets a condition on 1 code")
    assert "S-1" not in " ".join(describe_plan(plan))


@pytest.mark.parametrize("keep", ["class_id != 'C-1'", "school_id in ['S1', 'S2']", "grade in (5, 6)"])
def test_places_and_groups_are_no_students(keep):
    assert told(parse((KEEP, f'keep = "{keep}"')))[0][0] == keep.replace("(5, 6)", "[5, 6]")


def test_a_key_of_two_columns_and_a_table_of_places_name_no_student():
    plan = parse((JOIN, JOIN + "\nkeep = \"term == 'Fall 2026'\""))
    assert told(plan)[-1][0] == "term == 'Fall 2026'"
    places = '[[records]]\nname = "places"\npath = "p.csv"\nkey = ["place"]\njoin = { place = "roster.school_id" }\n'
    plan = parse(("[waves]", f"{places}keep = \"place != 'S1'\"\n\n[waves]"))
    assert not names_students(plan, plan.records[-1], "place")


def test_several_codes_are_counted():
    plan = parse((KEEP, "keep = \"student_id in ['a', 'b', 'c']\""))
    assert told(plan)[0][0] == "a condition on student_id (3 codes)"
