"""A frame in memory takes the spine's place."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.records.pilots import make_frame, make_plan
from tests.records.test_kinds_of_file import require_same
from whoworks.errors import RecordsError
from whoworks.panel.build import build_panel
from whoworks.records.read import read_records


def test_any_frame_that_narwhals_reads_gives_the_same_panel(tmp_path):
    frame = make_frame()
    plan = make_plan(tmp_path)
    expected = build_panel(plan, read_records(plan, frame=frame))
    with duckdb.connect() as connection:
        for other in (pa.Table.from_pandas(frame), connection.from_df(frame)):
            require_same(build_panel(plan, read_records(plan, frame=other)), expected)


def test_the_caller_s_index_comes_back_and_the_frame_is_not_changed(tmp_path):
    frame = make_frame().set_index(pd.Index([f"row-{row}" for row in range(96)]))
    before = frame.copy(deep=True)
    plan = make_plan(tmp_path)
    records = read_records(plan, frame=frame)
    panel = build_panel(plan, records)
    labels = records.index[panel.position]
    assert list(frame.loc[labels, "student"]) == list(panel.units["student"])
    pd.testing.assert_frame_equal(frame, before)


def test_the_hash_of_a_frame_is_that_of_its_values(tmp_path):
    frame, plan = make_frame(), make_plan(tmp_path)
    hashes = {
        read_records(plan, frame=other).spine.provenance.sha256
        for other in (frame, pa.Table.from_pandas(frame), frame.set_index(np.arange(96) + 5))
    }
    assert len(hashes) == 1
    assert read_records(plan, frame=frame.assign(reading=0)).spine.provenance.sha256 not in hashes


def test_what_is_no_frame_is_refused_by_its_type(tmp_path):
    with pytest.raises(RecordsError, match="handed in as list"):
        read_records(make_plan(tmp_path), frame=[1, 2])


def test_a_plan_without_a_path_needs_a_frame(tmp_path):
    plan = make_plan(tmp_path, "pilot.csv", ('path = "pilot.csv"\n', 'name = "roster"\n'))
    with pytest.raises(RecordsError, match=r"no path for the table 'roster'"):
        read_records(plan)
    assert read_records(plan, frame=make_frame()).spine.provenance.file == ""


@pytest.mark.parametrize(
    "value", [[1, 2], {"a": 1}, {1}, np.array([1, 2]), (1, [2])], ids=lambda value: repr(type(value))
)
def test_a_column_of_lists_that_no_one_uses_costs_nothing(tmp_path, value):
    frame, plan = make_frame(), make_plan(tmp_path)
    notes = pd.Series([value] * len(frame), index=frame.index)
    panel = build_panel(plan, read_records(plan, frame=frame.assign(notes=notes)))
    require_same(panel, build_panel(plan, read_records(plan, frame=frame)))
