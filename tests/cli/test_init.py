"""`whoworks init` drafts a plan that loads, asks five questions, and marks what it guessed."""

from __future__ import annotations

import io
import sys

import pytest

from tests.cli.pilots import PLANTED
from whoworks.plan.plan import Plan


@pytest.fixture
def answer_with(monkeypatch):
    """Answer the questions from a text."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_yes_takes_every_guess_and_the_draft_loads(pilot, whoworks):
    answer = whoworks("init", pilot.data, "--out", "drafted.toml", "--yes")
    assert answer.code == 0
    assert answer.err == ""
    plan = Plan.load(pilot.path / "drafted.toml")
    assert (plan.arms.column, plan.design.assigned, plan.design.blocks) == ("arm", "class", ("school",))
    assert plan.records[0].path == "pilot.csv"
    text = (pilot.path / "drafted.toml").read_text(encoding="utf-8")
    assert f"({text.count('# guess')})" in answer.out
    assert not [planted for planted in PLANTED if planted in text + answer.out]


def test_answers_go_into_the_plan_and_enter_takes_the_guess(pilot, whoworks, answer_with):
    answer_with("arm\nclass_id\n-\n\npretest\n")
    assert whoworks("init", pilot.data, "-o", "drafted.toml").code == 0
    plan = Plan.load(pilot.path / "drafted.toml")
    assert plan.design.blocks == ()
    assert [outcome.column for outcome in plan.outcomes] == ["reading"]


def test_an_answer_that_is_no_column_is_asked_again_with_the_nearest(pilot, whoworks, answer_with):
    answer_with("amr\narm\nclass_id\nschool_id\nreading\npretest\n")
    answer = whoworks("init", pilot.data, "-o", "drafted.toml")
    assert answer.code == 0
    assert "There is no column 'amr'. Did you mean 'arm'?" in answer.err


def test_questions_left_open_are_a_sentence_and_nothing_is_written(pilot, whoworks, answer_with):
    answer_with("arm\n")
    answer = whoworks("init", pilot.data, "-o", "drafted.toml")
    assert answer.code == 2
    assert "--yes" in answer.err
    assert not (pilot.path / "drafted.toml").exists()


def test_a_plan_that_is_there_is_never_overwritten(pilot, whoworks):
    before = pilot.plan.read_bytes()
    answer = whoworks("init", pilot.data, "-o", pilot.plan, "--yes")
    assert answer.code == 2
    assert "is there already" in answer.err
    assert pilot.plan.read_bytes() == before


def test_a_plan_cannot_be_written_below_a_file(pilot, whoworks):
    answer = whoworks("init", pilot.data, "-o", pilot.data / "plan.toml", "--yes")
    assert answer.code == 2
    assert "plan.toml" in answer.err


def test_columns_that_name_persons_are_not_shown_and_are_dropped_in_the_draft(pilot, whoworks, answer_with):
    pilot.change(lambda row: row | {"email": f"{row['student_id']}@Zebulon-Quux.example"})
    answer_with("\n\n\n\n\n")
    answer = whoworks("init", pilot.data, "-o", "drafted.toml")
    assert answer.code == 0
    assert "email" not in answer.err
    assert Plan.load(pilot.path / "drafted.toml").privacy.drop == ("email",)


def test_the_draft_finds_the_records_from_another_folder(pilot, whoworks):
    (pilot.path / "plans").mkdir()
    assert whoworks("init", pilot.data, "-o", "plans/plan.toml", "--yes").code == 0
    assert Plan.load(pilot.path / "plans" / "plan.toml").records[0].path == "../pilot.csv"


def test_students_in_several_rows_are_told_on_the_screen_and_refused_by_check(pilot, whoworks):
    pilot.change(lambda row: row | {"student_id": "PLANTED-ID-0001"} if row["student_id"].endswith("0002") else row)
    answer = whoworks("init", pilot.data, "--out", "drafted.toml", "--yes")
    assert answer.code == 0
    assert "Students that stand in more than one row: 1. The plan says under [levels] what to do." in answer.out
    checked = whoworks("check", "drafted.toml")
    assert checked.code == 2
    assert "stand in more than one row" in checked.err


def test_a_file_whose_name_is_no_unicode_is_refused_and_nothing_is_written(pilot, whoworks):
    data = pilot.data.rename(pilot.path / "caf\udce9.csv")
    answer = whoworks("init", data, "-o", "drafted.toml", "--yes")
    assert answer.code == 2
    assert answer.err.startswith("The name 'caf?.csv' is not in UTF-8")
    assert not (pilot.path / "drafted.toml").exists()


def test_nobody_there_to_answer_is_a_sentence(pilot, whoworks, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    answer = whoworks("init", pilot.data, "-o", "drafted.toml")
    assert answer.code == 2
    assert answer.err.endswith("To take every guess: --yes\n")


def test_the_keyboard_stops_the_questions_with_130(pilot, whoworks, monkeypatch):
    class Keyboard(io.StringIO):
        def readline(self, *_):
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert whoworks("init", pilot.data, "-o", "drafted.toml").code == 130
    assert not (pilot.path / "drafted.toml").exists()
