"""A mean or share whose students are not counted has no digits left from which they could be."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from whoworks.findings.finding import Finding, Findings
from whoworks.report.coarse import coarsen, find_coarse, read_means
from whoworks.report.disclosure import withhold

SHARE = Finding(
    question="site-profile", outcome="y", contrast="yes - no", moderator="frl", level="Y", quantity="share of students",
    unit="percentage points", estimate=100 * 72 / 183,
)  # fmt: skip


def test_a_share_is_a_whole_percentage_and_a_mean_has_two_decimals():
    assert coarsen(SHARE, {}).estimate == 39
    assert coarsen(replace(SHARE, unit="moderator", estimate=8042 / 183), {}).estimate == 43.95


def test_a_distance_from_the_target_moves_with_its_share_and_so_does_its_size():
    target = replace(SHARE, question="target", estimate=SHARE.estimate - 32.7, effect_size=(SHARE.estimate - 32.7) / 10)
    told = coarsen(target, read_means([SHARE]))
    assert told.estimate == pytest.approx(39 - 32.7)
    assert told.effect_size == 0.63


def test_all_that_stands_beside_a_share_of_sorted_students_is_coarse():
    row = replace(
        SHARE, question="profile", std_error=1.214, conf_low=36.91, conf_high=41.78, statistic=32.4123,
        effect_size=0.812345, effect_size_low=0.6123, effect_size_high=1.01,
    )  # fmt: skip
    told = coarsen(row, {})
    assert (told.estimate, told.std_error, told.conf_low, told.conf_high) == (39, 2, 37, 42)
    assert (told.statistic, told.effect_size, told.effect_size_low, told.effect_size_high) == (32.41, 0.81, 0.61, 1.02)


def test_an_error_is_never_rounded_to_nothing():
    assert coarsen(replace(SHARE, question="takeup", estimate=99.62, std_error=0.31), {}).std_error == 1
    assert coarsen(replace(SHARE, question="takeup", estimate=100.0, std_error=0.0), {}).std_error == 0


def test_effects_are_told_as_they_are():
    effect = replace(SHARE, question="subgroup", estimate=4.123456)
    assert coarsen(effect, {}) == effect


def test_an_index_is_coarse_where_any_of_what_is_compared_is_not_counted():
    compared, index = replace(SHARE, question="target"), replace(SHARE, question="target", moderator="", level="index")
    assert find_coarse([compared, index], ["frl"]) == {"frl", "target"}
    assert find_coarse([compared, index], ["sex"]) == {"sex"}
    assert coarsen(replace(index, unit="", estimate=0.9437123), {}).estimate == 0.94


def test_the_effect_of_receipt_counts_no_more_than_receipt_does(evidence):
    average = next(iter(evidence.findings.where(question="average", estimand="itt", weighting="student")))
    few = {"n_units": average.n_units - 4}
    receipt = replace(average, question="takeup", unit="percentage points", estimate=72.4390244, **few)
    cace = replace(average, estimand="cace", **few)
    given = replace(evidence, findings=Findings(items=(*evidence.findings, receipt, cace)))
    told = [f for f in withhold(given).evidence.findings if f.question == "takeup" or f.estimand == "cace"]
    assert [f.n_units for f in told] == [0, 0]
    assert told[0].estimate == 72
    assert math.isfinite(told[1].estimate)
