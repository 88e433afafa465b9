"""CSV files that a spreadsheet opens harmlessly."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whoworks.report.spreadsheet import FORMULA_STARTS, harmless, write_csv


def flat(text: str) -> str:
    """Return the text with control characters as blanks."""
    return "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)


@pytest.mark.parametrize("text", ["=cmd()", "+1+cmd", "-cmd", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(text):
    assert harmless(text) == f"'{flat(text)}"


@pytest.mark.parametrize("text", ["grade 6", "*_#$", "1 - 0", "-1.5", "+3", "", "a=b"])
def test_a_harmless_text_stays_as_it_is(text):
    assert harmless(text) == text


@given(st.text())
def test_no_cell_starts_a_formula_and_every_text_can_be_read_back(text):
    written = write_csv(header=["a"], rows=[{"a": text}]).decode("utf-8")
    (cell,) = list(csv.reader(io.StringIO(written, newline="")))[1] or [""]
    assert cell.removeprefix("'") == flat(text).removeprefix("'")
    assert not cell.startswith(FORMULA_STARTS) or cell.strip("+-.0123456789eE") == ""


def test_numbers_keep_their_minus_sign():
    assert write_csv(header=["a", "b"], rows=[{"a": -0.5, "b": 3}]) == b"a,b\n-0.5,3\n"
