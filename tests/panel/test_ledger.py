"""The ledger adds up by arm, and says so when it does not."""

from __future__ import annotations

import pytest

from whoworks import columns
from whoworks.errors import PanelError
from whoworks.panel.ledger import ANALYSED, EXCLUDED, JOINED, RECEIVED, Entry, Ledger


def received():
    return Ledger(
        entries=(
            Entry(step=RECEIVED, reason="rows", arm="b", n_rows=5),
            Entry(step=RECEIVED, reason="rows", arm="a", n_rows=4),
            Entry(step=RECEIVED, reason="rows", arm="", n_rows=2),
            Entry(step=EXCLUDED, reason="no arm", arm="", n_rows=2),
            Entry(step=JOINED, reason="rows of 'tests'", n_rows=99),
        )
    )


def test_what_remains_is_what_was_received_less_what_left():
    assert received().remaining() == {"b": 5, "a": 4}


def test_counting_adds_one_entry_per_arm_in_the_order_received():
    ledger = received().counting(
        step=EXCLUDED, reason="outcome missing", outcome="maths", arm=["a", "b", "b"], cluster=[1, 2, 2]
    )
    added = ledger.entries[-2:]
    assert [(entry.arm, entry.n_rows, entry.n_units, entry.n_clusters) for entry in added] == [
        ("b", 2, 2, 1),
        ("a", 1, 1, 1),
    ]
    assert len(received().entries) == 5


def test_an_outcome_s_exclusions_are_its_own():
    ledger = received().counting(step=EXCLUDED, reason="outcome missing", outcome="maths", arm=["a"])
    assert ledger.remaining() == {"b": 5, "a": 4}
    assert ledger.remaining("maths") == {"b": 5, "a": 3}
    assert ledger.remaining("reading") == {"b": 5, "a": 4}


def test_counting_what_is_analysed_takes_nothing_away():
    ledger = received().counting(step=ANALYSED, reason="outcome observed", outcome="maths", arm=["a"] * 4 + ["b"] * 5)
    assert ledger.remaining("maths") == {"b": 5, "a": 4}
    ledger.require_sums(["a"] * 4 + ["b"] * 5, "maths")


def test_a_lost_row_is_refused():
    with pytest.raises(PanelError, match=r"does not add up for maths: .*Rows were lost"):
        received().require_sums(["a"] * 4 + ["b"] * 4, "maths")


def test_counting_nobody_adds_nothing():
    assert received().counting(step=EXCLUDED, reason="none", arm=[]) == received()


def test_the_tidy_frame_has_the_columns_of_the_file():
    assert tuple(received().tidy().columns) == columns.LEDGER
    assert tuple(Ledger().tidy().columns) == columns.LEDGER
