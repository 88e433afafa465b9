"""Neither the order of rows nor the names of columns and arms change anything but names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.panel.pilots import make_roster, make_tests, read
from tests.records.pilots import PLAN, make_frame, make_plan
from whoworks.panel.build import build_panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_shuffled_rows_give_the_same_panel(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("shuffled")
    roster = make_roster()
    panel = read(folder, roster, make_tests(roster))
    shuffled = read(
        folder, roster.sample(frac=1, random_state=seed), make_tests(roster).sample(frac=1, random_state=seed + 1 >> 1)
    )
    pd.testing.assert_frame_equal(panel.frame, shuffled.frame, check_exact=True)
    assert panel.variables == shuffled.variables
    assert panel.ledger == shuffled.ledger


def renamed(frame):
    names = {column: f"z{place}_{column[::-1]}" for place, column in enumerate(reversed(frame.columns))}
    text = PLAN
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    text = text.replace('assigned = "' + names["klass"] + '"', 'assigned = "class"')
    text = text.replace(f'blocks = ["{names["school"]}"]', 'blocks = ["school"]')
    text = text.replace(f'level = "{names["student"]}"', 'level = "student"')
    text = text.replace(f'level = "{names["school"]}"', 'level = "school"')
    text = text.replace('control = "0"', 'control = "zebra"').replace('["1"]', '["ant"]')
    again = frame.assign(arm=frame["arm"].map({0: "zebra", 1: "ant"})).rename(columns=names)
    return again, Plan.parse(text), names


def test_renamed_columns_and_arms_give_the_same_numbers_in_the_same_order(tmp_path):
    frame = make_frame()
    plan = make_plan(tmp_path)
    panel = build_panel(plan, read_records(plan, frame=frame))
    again, other_plan, names = renamed(frame)
    other = build_panel(other_plan, read_records(other_plan, frame=again))
    assert np.array_equal(panel.position, other.position)
    columns = panel.values.rename(columns=names)
    pd.testing.assert_frame_equal(columns, other.values, check_exact=True)
    assert list(panel.units["arm"].map({"0": "zebra", "1": "ant"})) == list(other.units["arm"])


@pytest.mark.parametrize("seed", [3, 4])
def test_without_student_ids_shuffled_rows_give_the_same_values(tmp_path, seed):
    plan = make_plan(tmp_path, "pilot.csv", ('student = "student"\n', ""))
    frame = make_frame()
    frame.loc[:40, "reading"] = 500.0
    frame.loc[:40, ["pretest", "lunch", "age"]] = 1.0
    panel = build_panel(plan, read_records(plan, frame=frame))
    shuffled = build_panel(plan, read_records(plan, frame=frame.sample(frac=1, random_state=seed)))
    pd.testing.assert_frame_equal(panel.values, shuffled.values, check_exact=True)
    pd.testing.assert_frame_equal(
        panel.units.drop(columns="unit_id"), shuffled.units.drop(columns="unit_id"), check_exact=True
    )


def test_units_are_sorted_by_school_then_class_then_student(tmp_path):
    roster = make_roster()
    units = read(tmp_path, roster, make_tests(roster)).units
    keys = list(zip(units["school"], units["class"], units["student"], strict=True))
    assert keys == sorted(keys)


def test_the_position_leads_back_to_the_row_received(tmp_path):
    roster = make_roster()
    roster.loc[5, "grade"] = "7"
    panel = read(tmp_path, roster, make_tests(roster))
    assert list(roster["student_id"].iloc[panel.position]) == list(panel.units["unit_id"])
    assert panel.units.index.equals(panel.values.index)
    assert panel.units.index.equals(panel.position.index)
    assert panel.units.index.equals(pd.RangeIndex(79))
