"""Every value is text first, the same text from every kind of file."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whoworks.records.text import canonical, text_of, texts_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1980.0", "1980"),
        (28.0, "28"),
        (28, "28"),
        (np.int16(28), "28"),
        ("007", "007"),
        ("1.10", "1.10"),
        (0.1, "0.1"),
        (np.float32(0.1), "0.1"),
        (1e-7, "1e-07"),
        (Decimal("2.50"), "2.50"),
        (Decimal("3.0"), "3"),
        ("  reg ", "reg"),
        ("", None),
        ("   ", None),
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (True, "true"),
        (np.False_, "false"),
        ("TRUE", "true"),
        ("False", "false"),
        ("Truth", "Truth"),
        (datetime.date(2026, 9, 4), "2026-09-04"),
        (datetime.datetime(2026, 9, 4), "2026-09-04"),
        (pd.Timestamp("2026-09-04 10:30"), "2026-09-04 10:30:00"),
        ("NA:NA", "NA:NA"),
    ],
)
def test_a_value_is_written_the_same_whatever_type_holds_it(value, text):
    assert text_of(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_and_its_csv_spelling_read_as_the_same_number(number):
    from_number, from_text = text_of(number), canonical(repr(number))
    assert float(from_number) == float(from_text) == number


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_is_one_code_as_integer_float_and_text(number):
    assert {text_of(number), text_of(float(number)), canonical(f"{number}.0"), canonical(str(number))} == {str(number)}


@given(st.text())
def test_text_read_twice_does_not_change_again(text):
    once = canonical(text)
    assert once is None or canonical(once) == once


def test_one_and_true_in_a_column_of_both_stay_apart():
    mixed = np.array([True, 1, 1.0, "1", None], dtype=object)
    assert texts_of(mixed).tolist() == ["true", "1", "1", "1", None]


def test_every_storage_of_a_column_reads_alike():
    expected = ["b", None, "a", "b"]
    values = ["b", None, "a", "b"]
    for column in (values, tuple(values), pd.Series(values), pd.Series(values, dtype="category"), np.array(values)):
        assert texts_of(column).tolist() == expected


def test_masked_values_are_missing():
    assert texts_of(np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])).tolist() == ["1", None, "3"]
