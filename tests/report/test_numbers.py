"""Numbers as a reader meets them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from whoworks.checks.wording import EDGES, written_p
from whoworks.findings.grades.credibility import _by_p
from whoworks.report.numbers import (
    count,
    decimals,
    fixed,
    percent,
    percentile_points,
    rounded,
    signed,
    span,
    written,
)


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        (8.96, 1, "9.0"),
        (-0.04, 1, "0.0"),
        (-1234.5, 0, "−1,234"),
        (0.5, 2, "0.50"),
        (math.inf, 1, "unbounded above"),
        (-math.inf, 1, "unbounded below"),
        (math.nan, 1, "not known"),
    ],
)
def test_a_number_has_a_true_minus_and_no_negative_zero(value, places, said):
    assert fixed(value, places) == said


def test_a_plus_sign_stands_before_what_is_above_zero_once_rounded():
    assert [signed(value, 1) for value in (0.3, 0.01, -0.3)] == ["+0.3", "0.0", "−0.3"]


@pytest.mark.parametrize(("error", "places"), [(12.0, 0), (2.7, 1), (0.58, 2), (0.05, 3), (1e-9, 4), (math.nan, 2)])
def test_an_estimate_keeps_two_digits_of_its_standard_error(error, places):
    assert decimals(error) == places


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.0004, "p < .001"),
        (0.004, "p = .004"),
        (0.03, "p = .03"),
        (0.05, "p = .05"),
        (0.01 * 15 / 3, "p = .05"),
        (0.0523, "p = .052"),
        (0.0497, "p = .0497"),
        (0.01, "p = .01"),
        (0.0116, "p = .012"),
        (0.0104, "p = .0104"),
        (0.0096, "p = .0096"),
        (0.005, "p = .005"),
        (0.0052, "p = .0052"),
        (0.0048, "p = .0048"),
        (0.0061, "p = .006"),
        (0.996, "p > .99"),
        (math.nan, "p not assessable"),
    ],
)
def test_a_p_value_is_written_as_papers_write_it(p, said):
    assert written_p(p) == said


@pytest.mark.parametrize("expected", [True, False])
def test_a_p_as_written_has_the_grade_of_the_p_itself(expected):
    given = np.arange(0.00101, 0.99, 0.00007)
    near = np.abs(given[:, None] - np.array(EDGES)).min(axis=1) < 0.00005  # four decimals do not tell these apart
    for p in given[~near]:
        told = float(written_p(p).removeprefix("p = "))
        assert _by_p(told, expected=expected) == _by_p(p, expected=expected), p


def test_percentile_points_agree_with_the_published_table():
    assert [round(percentile_points(size)) for size in (0.05, 0.10, 0.20, 0.25)] == [2, 4, 8, 10]


def test_a_count_and_a_share_are_written_for_people():
    assert (count(12345), percent(0.95), percent(0.975, 1), span(-1.0, 2.0, 1)) == (
        "12,345",
        "95 %",
        "97.5 %",
        "−1.0 to 2.0",
    )


def test_files_for_machines_carry_ten_significant_digits_and_nothing_for_what_is_not_known():
    assert written(1 / 3) == "0.3333333333"
    assert written(math.nan) == ""
    assert written(True) == "true"
    assert rounded(math.nan) is None
    assert rounded(2 / 3) == 0.6666666667
