"""`whoworks simulate` writes a pilot with its plan and truth, the same for the same seed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from whoworks.plan.plan import Plan
from whoworks.simulate.worlds import WORLDS


def test_a_pilot_is_written_with_plan_and_truth(whoworks, tmp_path):
    answer = whoworks("simulate", "classroom-moderator", "-o", "made", "--students", 600, "--seed", 5)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("600 students")
    assert answer.out.endswith("Pilot: made\n")
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert len((tmp_path / "made" / "pilot.csv").read_text(encoding="utf-8").splitlines()) == 601
    assert Plan.load(tmp_path / "made" / "plan.toml").design.assigned == "class"
    assert json.loads((tmp_path / "made" / "truth.json").read_text(encoding="utf-8"))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(whoworks, tmp_path):
    for folder, seed in (("one", 5), ("two", 5), ("three", 6)):
        assert whoworks("simulate", "no-effect", "-o", folder, "--students", 400, "--seed", seed).code == 0
    one, two, three = ((tmp_path / name / "pilot.csv").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_schools_can_be_assigned(whoworks, tmp_path):
    assert whoworks("simulate", "no-effect", "-o", "made", "--assigned", "school").code == 0
    assert Plan.load(tmp_path / "made" / "plan.toml").design.assigned == "school"


def test_the_worlds_can_be_listed(whoworks):
    answer = whoworks("simulate", "--list")
    assert answer.code == 0
    assert set(WORLDS) <= set(answer.out.split())


def test_an_unknown_world_names_the_nearest(whoworks):
    answer = whoworks("simulate", "student-moderater")
    assert answer.code == 2
    assert "Did you mean 'student-moderator'?" in answer.err


def test_a_layout_that_cannot_be_is_a_sentence(whoworks, tmp_path):
    answer = whoworks("simulate", "no-effect", "--students", 5)
    assert answer.code == 2
    assert answer.err.startswith("5 students, 48 classes")
    assert not list(tmp_path.iterdir())


def test_schools_with_one_class_are_told_what_the_command_offers(whoworks):
    answer = whoworks("simulate", "no-effect", "--classes", 12)
    assert answer.code == 2
    assert "24 or more classes, for fewer schools, or for students" in answer.err
    assert "blocks" not in answer.err


def test_a_pilot_cannot_be_written_below_a_file(whoworks, tmp_path):
    (tmp_path / "file").write_text("")
    answer = whoworks("simulate", "no-effect", "-o", tmp_path / "file" / "made")
    assert answer.code == 2
    assert "cannot be read or written" in answer.err


def test_files_of_the_user_s_own_are_not_replaced(whoworks, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "pilot.csv").write_text("mine")
    answer = whoworks("simulate", "no-effect", "-o", "made")
    assert answer.code == 2
    assert "made already holds pilot.csv, not written by whoworks" in answer.err
    assert {path.name: path.read_text() for path in (tmp_path / "made").iterdir()} == {"pilot.csv": "mine"}


@pytest.mark.parametrize("theirs", ["pilot/plan.toml", "report/thesis.txt"])
def test_the_demo_looks_at_both_of_its_folders_before_it_writes(whoworks, tmp_path, theirs):
    file = tmp_path / "demo" / theirs
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    answer = whoworks("demo", "-o", "demo")
    assert (answer.code, answer.out) == (2, "")
    assert "Nothing was touched" in answer.err
    assert [path for path in (tmp_path / "demo").rglob("*") if path.is_file()] == [file]


FULL = """
import resource, sys
from whoworks.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.argv = ["whoworks", *sys.argv[1:]]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit there on the size of files")
def test_a_full_disk_leaves_no_half_file_and_is_named(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", FULL, "simulate", "no-effect", "-o", "made"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stderr.startswith("'pilot.csv' cannot be read or written: file too large.")
    assert "make room" in answer.stderr
    assert not list((tmp_path / "made").iterdir())
