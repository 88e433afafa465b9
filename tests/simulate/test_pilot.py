"""A pilot's records look like a district's, its plan reads them, and nothing in them gives the truth away."""

from __future__ import annotations

import dataclasses
import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whoworks.design.build import build_design
from whoworks.errors import DesignError, WhoworksError
from whoworks.findings.finding import Finding
from whoworks.panel.build import build_panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.simulate.layout import Layout
from whoworks.simulate.pilot import SEED, draw_pilot, example, make_pilot
from whoworks.simulate.worlds import WORLDS, find_world

ROOT = Path(__file__).resolve().parents[2]
FILES = ("pilot.csv", "plan.toml", "truth.json")
WAYS = [("class", ""), ("class", "pair"), ("class", "none"), ("student", ""), ("student", "pair"), ("school", "pair")]
PLAIN = "student-moderator"
SMALL = {"students": 80, "classes": 8, "schools": 4}


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    one, other = (make_pilot(PLAIN, seed=7).write(tmp_path / name) for name in ("one", "other"))
    assert [(one / name).read_bytes() for name in FILES] == [(other / name).read_bytes() for name in FILES]


def test_another_seed_draws_another_pilot() -> None:
    assert not make_pilot(PLAIN, seed=7).records.equals(make_pilot(PLAIN, seed=8).records)


def test_the_shipped_pilots_are_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    shipped = ROOT / "data" / "synthetic"
    for folder in runpy.run_path(str(shipped / "make.py"))["build"](tmp_path):
        for name in FILES:
            assert (folder / name).read_bytes() == (shipped / folder.name / name).read_bytes(), (folder.name, name)


def test_the_example_is_the_lakeside_pilot() -> None:
    written = pd.read_csv(ROOT / "data" / "synthetic" / "lakeside" / "pilot.csv")
    pd.testing.assert_frame_equal(example(), written, check_dtype=False)


def test_the_datasheet_names_every_column_and_the_seed() -> None:
    sheet = (ROOT / "data" / "synthetic" / "lakeside" / "README.md").read_text(encoding="utf-8")
    assert [column for column in example() if f"| `{column}` |" not in sheet] == []
    assert str(SEED) in sheet


def test_worlds_with_one_seed_share_students_places_and_draw() -> None:
    shared = ["student_id", "class_id", "school_id", "arm", "rit_fall", "frl", "devices", "teacher_years"]
    pilots = [make_pilot(name, seed=3).records[shared] for name in ("no-effect", PLAIN, "heavy-tails", "lakeside")]
    assert all(pilot.equals(pilots[0]) for pilot in pilots[1:])


def test_the_effect_is_all_that_a_constant_effect_adds() -> None:
    none = draw_pilot(find_world("no-effect"), Layout(), seed=3)[1].outcome
    some = draw_pilot(find_world("constant-effect"), Layout(), seed=3)[1].outcome
    np.testing.assert_allclose(some - none, np.column_stack([np.zeros(1200), np.full(1200, 3.75)]), atol=1e-12)


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "no-effect"])
def test_no_column_holds_a_potential_outcome(name: str) -> None:
    pilot, potential = draw_pilot(find_world(name), Layout(), seed=5)
    for column in pilot.records.select_dtypes("number"):
        for outcome in np.column_stack([potential.outcome, np.round(potential.outcome), potential.effects]).T:
            assert not np.array_equal(pilot.records[column].to_numpy(), outcome), column


def test_the_observed_outcome_is_that_of_the_arm_rounded_to_points() -> None:
    pilot, potential = draw_pilot(find_world(PLAIN), Layout(), seed=5)
    offered = (pilot.records["arm"] == "adaptive").to_numpy()
    own = np.where(offered, potential.outcome[:, 1], potential.outcome[:, 0])
    observed = pilot.records["rit_spring"].to_numpy()
    assert np.nanmax(np.abs(observed - own)) <= 0.5


def test_neither_rows_nor_student_codes_say_where_a_student_sits() -> None:
    """Correlations of 1,200 independent ranks: beyond 0.13 once in 100,000."""
    records = make_pilot(PLAIN).records
    place = records["class_id"].astype("category").cat.codes
    assert abs(np.corrcoef(np.arange(1200), place)[0, 1]) < 0.13
    assert records["student_id"].is_monotonic_increasing
    assert records["student_id"].is_unique


@pytest.mark.parametrize("name", WORLDS)
def test_every_plan_reads_its_records(name: str, tmp_path: Path) -> None:
    pilot = make_pilot(name)
    plan = Plan.load(pilot.write(tmp_path) / "plan.toml")
    assert plan.hash == pilot.plan.hash
    design = build_design(build_panel(plan, read_records(plan)))
    assert design.arms == WORLDS[name].arms
    assert len(design.rows) == 1200
    assert design.cluster_level == pilot.truth["layout"]["cluster"]


@pytest.mark.parametrize(("assigned", "blocks"), WAYS)
def test_every_layout_is_read_as_it_was_drawn(assigned: str, blocks: str) -> None:
    pilot = make_pilot(PLAIN, assigned=assigned, blocks=blocks)
    records = read_records(pilot.plan, frame=pilot.records)
    design = build_design(build_panel(pilot.plan, records))
    assert design.assigned_level == assigned
    assert design.cluster_level == pilot.truth["layout"]["cluster"]
    assert np.allclose(design.probability.sum(axis=1), 1)


def test_the_file_and_the_frame_are_the_same_pilot(tmp_path: Path) -> None:
    pilot = make_pilot(PLAIN)
    filed = Plan.load(pilot.write(tmp_path) / "plan.toml")
    one = build_panel(filed, read_records(filed))
    other = build_panel(pilot.plan, read_records(pilot.plan, frame=pilot.records))
    pd.testing.assert_frame_equal(one.frame, other.frame)


@pytest.mark.parametrize("name", WORLDS)
def test_truth_speaks_of_findings_by_their_names(name: str) -> None:
    world, fields = WORLDS[name], [field.name for field in dataclasses.fields(Finding)]
    for entry in make_pilot(name).truth["estimands"]:
        parts = {key: value for key, value in entry.items() if key in fields and key != "effect_size"}
        finding = Finding(outcome=world.outcome, quantity="", **parts)
        assert entry["finding_id"] == finding.finding_id


def test_truth_covers_every_moderator_of_the_plan() -> None:
    for name in WORLDS:
        pilot = make_pilot(name, students=400, classes=16, schools=4)
        told = {entry["moderator"] for entry in pilot.truth["estimands"] if entry["question"] == "difference"}
        assert told == {moderator.name for moderator in pilot.plan.moderators}


def test_truth_is_plain_json() -> None:
    truth = make_pilot("three-arms").truth
    assert json.loads(json.dumps(truth, allow_nan=False)) == truth


def test_an_unknown_world_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(DesignError, match="Did you mean 'student-moderator'"):
        make_pilot("student-moderators")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"classes": 6, "schools": 12}, "each school needs a class"),
        ({"classes": 12, "schools": 12}, "schools with one class"),
        ({"assigned": "school", "blocks": "school"}, "Schools can be assigned"),
        ({"assigned": "district"}, "assigned is 'district'"),
        ({"blocks": "room"}, "blocks is 'room'"),
        ({"share": 1.0}, "share lies in"),
        ({"world": "size-by-arm", "assigned": "student"}, "needs assigned='class'"),
        ({"world": "unequal-shares", "blocks": "none"}, "needs schools as blocks"),
        ({"world": "three-arms", "blocks": "pair"}, "pairs hold two"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_in_a_sentence(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        make_pilot(**arguments)


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_pilot_replaces_one_that_was_written_before(tmp_path: Path) -> None:
    make_pilot(PLAIN, seed=1, **SMALL).write(tmp_path)
    again = make_pilot("no-effect", seed=2, **SMALL)
    again.write(tmp_path)
    assert read_all(tmp_path) == read_all(again.write(tmp_path / "beside"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_somebody_s_own_is_not_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"mine": [1, 2]}')
    with pytest.raises(WhoworksError, match=f"already holds {name}, not written by whoworks or changed since"):
        make_pilot(PLAIN, **SMALL).write(tmp_path)
    assert read_all(tmp_path) == {name: b'{"mine": [1, 2]}'}


@pytest.mark.parametrize("name", ["pilot.csv", "plan.toml"])
def test_a_file_changed_since_it_was_written_is_not_replaced(name: str, tmp_path: Path) -> None:
    pilot = make_pilot(PLAIN, **SMALL)
    pilot.write(tmp_path)
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    before = read_all(tmp_path)
    with pytest.raises(WhoworksError, match=f"already holds {name}, "):
        pilot.write(tmp_path)
    assert read_all(tmp_path) == before


def test_a_pilot_whose_truth_names_no_files_may_be_written_again(tmp_path: Path) -> None:
    pilot = make_pilot(PLAIN, **SMALL)
    pilot.write(tmp_path)
    (tmp_path / "truth.json").write_text(json.dumps(pilot.truth))
    assert json.loads((pilot.write(tmp_path) / "truth.json").read_text())["files"].keys() == {"pilot.csv", "plan.toml"}
