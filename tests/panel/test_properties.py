"""Over many spoiled pilots: no row is lost in silence, and no message says a student's value."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.panel.pilots import PLAN, make_roster, make_tests, read
from whoworks.errors import WhoworksError
from whoworks.panel.ledger import EXCLUDED, RECEIVED
from whoworks.plan.plan import Plan

LEAK = "STUDENT-LEAK-123"
CELLS = ("", "NA", "6", "7", "active", "usual", "adaptive", "both", "N", "Y", "S0", "C1", "0", "1.5")
PLACES = ("student_id", "class_id", "school_id", "arm", "grade", "status", "passed", "frl", "age", "sex")
EDIT = st.tuples(st.sampled_from(PLACES), st.integers(0, 79), st.sampled_from(CELLS))


def spoil(frame: pd.DataFrame, edits) -> pd.DataFrame:
    frame = frame.copy()
    for column, row, value in edits:
        frame.loc[row % len(frame), column] = value
    return frame


def outcome_of(roster, tests, *changes):
    """Return the panel, or the sentence that refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read(Path(folder), roster, tests, *changes), ""
        except WhoworksError as refused:
            return None, str(refused)


@settings(max_examples=40, deadline=None)
@given(edits=st.lists(EDIT, max_size=12), n_rows=st.integers(20, 80), drop=st.integers(0, 60))
def test_received_is_excluded_plus_remaining_in_every_arm(edits, n_rows, drop):
    roster = spoil(make_roster(), edits).iloc[:n_rows]
    tests = make_tests(make_roster()).iloc[drop:]
    panel, _ = outcome_of(roster, tests, ('key = ["student_id"]\n', ""), ('student = "student_id"\n', ""))
    if panel is None:
        return
    received, excluded = Counter(), Counter()
    for entry in panel.ledger.entries:
        (received if entry.step == RECEIVED else excluded if entry.step == EXCLUDED else Counter())[entry.arm] += (
            entry.n_rows
        )
    assert sum(received.values()) == n_rows
    assert received == excluded + Counter(panel.units["arm"])
    assert panel.position.is_unique
    kept = roster.iloc[panel.position]
    assert (kept["grade"] == "6").all()
    assert (kept["status"] == "active").all()
    assert set(panel.units["arm"]) <= {"usual", "adaptive"}
    assert panel.units.notna().all(axis=None)


PLANTS = st.tuples(
    st.sampled_from((*PLACES, "years", "logged_in", "minutes", "device")),
    st.lists(st.integers(0, 79), min_size=1, max_size=30),
    st.sampled_from(("same", "different", "among numbers")),
)
CHANGES = st.lists(
    st.sampled_from(
        [
            ('key = ["student", "term"]', 'key = ["student"]'),
            ('key = ["student_id"]\n', ""),
            ("grade == '6'", "grade >= 6"),
            ("status == 'active'", "age < 12"),
            ('level = "class"\nkind = "number"', 'level = "class"'),
            ('values = { N = "not eligible", Y = "eligible" }', ""),
            ('control = "usual"', 'control = "other"'),
            ('columns = ["age", "sex"]', 'columns = ["age", "sexe"]'),
            ('blocks = ["school"]\nprobability = "blocks"', 'probability = "minutes_share"'),
        ]
    ),
    max_size=2,
    unique=True,
)


def plant(frame, column, rows, how, name):
    frame = frame.copy()
    frame[column] = frame[column].astype(object)
    for place, row in enumerate(rows):
        frame.loc[row % len(frame), column] = {"same": LEAK, "different": f"{LEAK}-{name}-{place}"}.get(
            how, f"{row} {LEAK}"
        )
    return frame


@settings(max_examples=60, deadline=None)
@given(plants=st.lists(PLANTS, min_size=1, max_size=3), changes=CHANGES, in_tests=st.booleans())
def test_no_message_and_no_ledger_holds_a_planted_value(plants, changes, in_tests):
    roster, tests = make_roster(), make_tests(make_roster())
    for column, rows, how in plants:
        roster = plant(roster, column, rows, how, "roster")
    if in_tests:
        tests = plant(tests, "rit", [3, 90], "different", "tests")
        tests = plant(tests, "student", [4, 5], "same", "tests")
    panel, said = outcome_of(roster, tests, *changes)
    if panel is not None:
        said = panel.ledger.tidy().to_csv() + repr(panel.provenance)
    elif {"class_id", "school_id"} & {column for column, _, _ in plants}:
        return
    assert LEAK not in said


def test_the_plan_of_the_pilot_is_one(tmp_path):
    assert Plan.parse(PLAN, base=tmp_path).records[1].join == {"student": "roster.student_id"}
