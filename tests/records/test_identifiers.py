"""Direct identifiers stop the run unless the plan drops or allows them; scores, codes and dates of tests do not."""

from __future__ import annotations

import datetime
import tomllib

import numpy as np
import pandas as pd
import pytest

from tests.records.pilots import make_frame, make_plan
from whoworks.errors import PrivacyError
from whoworks.records.identifiers import SAMPLE, identifier_kind
from whoworks.records.read import read_records
from whoworks.records.text import texts_of

FIRST = ["Ana", "Bo", "Chloé", "Dmitri", "Esi", "Farid", "Grace", "Hana"]
LAST = ["O'Neil", "Nguyen", "Smith-Jones", "García", "Li", "Okafor", "Ivanov", "Park"]
NAMES = [f"{last}, {first}" for last in LAST for first in FIRST]

PERSONAL = {
    "name": ("name", FIRST),
    "StudentLastName": ("name", LAST),
    "student_first_name": ("name", FIRST),
    "Teacher Name": ("name", FIRST),
    "surname": ("name", LAST),
    "lname": ("name", LAST),
    "givenName": ("name", FIRST),
    "column_7": ("name", NAMES),
    "email": ("e-mail address", ["a.b@school.example", None]),
    "notes": ("e-mail address", ["fine", "write to mum.x@mail.example please", "ok"]),
    "parent_phone": ("telephone number", ["555 123 4567"]),
    "contact": ("telephone number", ["(555) 123-4567", "n/a"]),
    "contact2": ("telephone number", ["+44 20 7946 0958"]),
    "ssn": ("social security number", ["123456789"]),
    "code": ("social security number", ["123-45-6789", "223-45-6780"]),
    "dob": ("birth date", ["2015-03-02"]),
    "StudentDateOfBirth": ("birth date", ["03/02/2015"]),
    "birth_date": ("birth date", [datetime.date(2015, 3, 2)]),
    "birthq": ("birth date", ["1980:1", "1980:2"]),
    "birth": ("birth date", ["1980 Q1"]),
}

HARMLESS = {
    "birthy": [1980, 1979],
    "birth_year": ["2015", "2016"],
    "birth_weight": [3210.5, 2899.25],
    "birth_order": [1, 2],
    "CountryOfBirthCode": ["US", "MX"],
    "name_of_test": ["MAP", "STAR"],
    "SchoolName": ["Lincoln Elementary", "Hill Academy"],
    "TermName": ["Fall 2026-2027"],
    "TestName": ["Growth: Math 6+"],
    "Goal1Name": ["Number Sense"],
    "condition_name": ["usual practice"],
    "TestStartDate": ["09/14/2026", "2026-09-15"],
    "mother_attended_secondary": [0, 1],
    "has.computer.with.internet": [0, 1],
    "owns_mobile": [0, 1],
    "email_consent": ["yes", "no"],
    "sch": ["28", "52"],
    "tch": ["478", "893"],
    "student_id": [100017, 100028],
    "section": ["101-02-2026"] * 30 + ["102-02-2026"] * 30,
    "rit": [203.5, 198.25],
    "share": [0.123456789, 0.987654321],
    "minutes": [1234567890, 5551234567],
    "timestamp": ["2026-11-04 21:07:47.0"],
    "setting": ["suburb", "inner city"],
    "hdeg": ["MS/MA/MEd", "BS/BA"],
    "place": ["Springfield, North"] * 40 + ["Springfield, South"] * 40,
    "nothing": [None, None],
}


@pytest.mark.parametrize("column", PERSONAL)
def test_a_direct_identifier_is_recognised(column):
    kind, values = PERSONAL[column]
    assert identifier_kind(column, texts_of(values)) == kind


@pytest.mark.parametrize("column", HARMLESS)
def test_scores_codes_and_dates_of_tests_raise_no_alarm(column):
    assert identifier_kind(column, texts_of(HARMLESS[column])) == ""


def test_two_thousand_values_over_all_rows_are_looked_at():
    texts = texts_of(["quiet"] * 5 * SAMPLE)
    texts[5 * SAMPLE // 2 :: 50] = "a.b@school.example"
    assert identifier_kind("notes", texts) == "e-mail address"


def with_email(folder, *changes):
    frame = make_frame()
    frame["student_email"] = [f"STUDENT-LEAK-{row}@school.example" for row in range(len(frame))]
    frame["dob"] = "2015-03-02"
    return frame, make_plan(folder, "pilot.csv", *changes)


def test_the_columns_are_named_with_the_lines_to_paste_and_no_value(tmp_path):
    frame, plan = with_email(tmp_path)
    with pytest.raises(PrivacyError) as told:
        read_records(plan, frame=frame)
    said = str(told.value)
    assert "2 column(s)" in said
    assert "'student_email' (e-mail address), 'dob' (birth date)" in said
    assert '\ndrop = ["student_email", "dob"]\nallow = ["student_email", "dob"]' in said
    assert "STUDENT-LEAK" not in said
    assert "2015" not in said


def test_the_lines_to_paste_are_toml_whatever_a_column_is_called(tmp_path):
    frame, plan = with_email(tmp_path)
    odd = 'e-mail "home"'
    with pytest.raises(PrivacyError) as told:
        read_records(plan, frame=frame.rename(columns={"student_email": odd}))
    lines = str(told.value).split("\n", 1)[1]
    assert tomllib.loads(lines) == {"drop": [odd, "dob"], "allow": [odd, "dob"]}


def test_a_dropped_column_is_nowhere_in_the_records(tmp_path):
    frame, plan = with_email(tmp_path, ("[covariates]", '[privacy]\ndrop = ["student_email", "dob"]\n[covariates]'))
    records = read_records(plan, frame=frame)
    assert not {"student_email", "dob"} & set(records.spine.frame.columns)
    assert not records.spine.frame.astype(str).apply(lambda column: column.str.contains("STUDENT-LEAK")).any(axis=None)


def test_a_column_may_be_dropped_or_allowed_under_its_table_s_name(tmp_path):
    privacy = '[privacy]\ndrop = ["records.student_email"]\nallow = ["records.dob"]\n[covariates]'
    frame, plan = with_email(tmp_path, ("[covariates]", privacy))
    assert list(read_records(plan, frame=frame).spine.frame.columns) == [*make_frame().columns, "dob"]


def test_allowing_one_column_does_not_allow_the_other(tmp_path):
    frame, plan = with_email(tmp_path, ("[covariates]", '[privacy]\nallow = ["dob"]\n[covariates]'))
    with pytest.raises(PrivacyError, match=r"1 column.*'student_email'"):
        read_records(plan, frame=frame)


def test_ordinary_numbers_of_every_size_raise_no_alarm():
    rng = np.random.default_rng(5)
    for scale in (1e-6, 1, 1e3, 1e9):
        assert identifier_kind("x", texts_of(pd.Series(rng.normal(size=2_000) * scale))) == ""
        assert identifier_kind("x", texts_of(pd.Series(rng.integers(0, max(2, int(scale)), 2_000)))) == ""


@pytest.mark.shared
def test_the_birth_quarter_of_star_is_flagged_and_nothing_else(shared):
    from whoworks.records.delimited import read_delimited
    from whoworks.records.read import unpack

    reading = read_delimited(unpack((shared / "data/star.csv.gz").read_bytes(), "star"), delimiter=",", file="star")
    kinds = {name: identifier_kind(name, column) for name, column in zip(reading.names, reading.columns, strict=True)}
    assert {name: kind for name, kind in kinds.items() if kind} == {"birthq": "birth date"}
