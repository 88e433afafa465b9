"""The forest's page marks ratios of forests that are not alike, and holds the results as they are stored."""

from __future__ import annotations

import json

import pytest
from benchmarks.forest import STORE
from benchmarks.forest_page import PAGE, UNLIKE, is_alike, speed_table, tell_unlike

ALIKE = {"whoworks_leaves": 100, "econml_leaves": 100, "whoworks_r_loss": 1.0, "econml_r_loss": 1.0}


@pytest.mark.parametrize(
    ("moved", "counts"),
    [
        ({}, True),
        ({"whoworks_leaves": 91}, True),
        ({"whoworks_leaves": 89}, False),
        ({"whoworks_r_loss": 1.009}, True),
        ({"whoworks_r_loss": 1.011}, False),
        ({"whoworks_r_loss": 0.989}, False),
    ],
)
def test_a_ratio_counts_where_leaves_and_r_losses_agree(moved, counts):
    assert is_alike(ALIKE | moved) == counts


def test_the_page_holds_the_stored_results_and_marks_what_does_not_count():
    rows, page = json.loads(STORE.read_text())["speed"], PAGE.read_text(encoding="utf-8")
    for line in (*speed_table(rows), *tell_unlike(rows)):
        assert line in page
    unlike = sum("ratio" in row and not is_alike(row) for row in rows)
    assert page.count(UNLIKE) == unlike + bool(unlike)


def test_nothing_is_said_where_all_ratios_count():
    assert tell_unlike([ALIKE | {"ratio": 2.0}, {"name": "no clusters there"}]) == []
