from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.design.panels import classrooms
from whoworks.checks.far_values import check_far_characteristics, check_far_outcomes, count_apart, find_far
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design
from whoworks.panel.panel import Kind, Role, Variable
from whoworks.simulate.pilot import make_pilot

N = 400
CLUSTER = np.repeat(np.arange(40), 10)
SCORES = np.random.default_rng(1).normal(200, 15, N).round()
PRE = Variable(name="pre", column="pre", roles=(Role.BASELINE,), kind=Kind.NUMBER, label="pre-test")
MATHS = Variable(name="maths", column="maths", roles=(Role.OUTCOME,), kind=Kind.NUMBER, label="mathematics")


def far(values) -> int:
    return int(find_far(np.asarray(values, dtype=float), CLUSTER[: len(values)]).sum())


def coded(values, code, every=20):
    changed = np.asarray(values, dtype=float).copy()
    changed[::every] = code
    return changed


@pytest.mark.parametrize("code", [-999, -99, -9, 999, 9999])
def test_a_code_for_missing_among_scores_lies_far_from_all_others(code):
    assert far(coded(SCORES, code)) == 20
    assert far(coded(SCORES, code, every=2)) == 200


def test_zeros_of_the_absent_lie_far_from_scores_that_begin_at_a_hundred():
    assert far(coded(np.clip(SCORES, 150, 250), 0)) == 20


def test_ninety_nine_on_a_scale_of_five_and_two_codes_beside_each_other_are_found():
    scale = 1 + np.arange(N) % 5
    assert far(coded(scale, 99)) == 20
    assert far(coded(coded(scale, -9), -8, every=30)) == np.isin(coded(coded(scale, -9), -8, every=30), (-9, -8)).sum()


@pytest.mark.parametrize("value", [1_500.0, 20_000.0])
def test_one_value_is_far_from_a_hundred_ranges_between_quartiles_on(value):
    values = SCORES.copy()
    values[3] = value
    assert far(values) == (value == 20_000.0)


@pytest.mark.parametrize(("n", "found"), [(1, 0), (2, 0), (3, 3), (4, 4)])
def test_three_students_values_are_far_from_twenty_ranges_between_quartiles_on(n, found):
    values = np.r_[np.linspace(0, 1, N - n), 0.5 + 0.5 * np.linspace(22, 25, n)]
    assert np.ptp(np.quantile(values, [0.25, 0.75])) == pytest.approx(0.5, abs=0.01)
    assert far(values) == found


def test_every_code_has_to_be_shared_by_three_clusters():
    distinct = np.r_[-99.0, -98.0, np.arange(10.0)]
    rest = np.full(10, 9)
    assert count_apart(distinct, np.r_[3, 3, rest]) == 2
    assert count_apart(distinct, np.r_[2, 9, rest]) == 0
    assert count_apart(distinct, np.r_[9, 2, rest]) == 0


@pytest.mark.parametrize("n", [9, 10])
def test_the_share_of_fewer_than_ten_far_students_is_not_told(n):
    values = SCORES.copy()
    values[: 40 * n : 40] = 9999.0
    panel = classrooms(40, 10, values={"pre": values}, variables=[PRE])
    design = build_design(panel)
    (check,) = check_far_characteristics(panel.blind(), design.rows, design.cluster)
    assert ("fewer than 10 students" in check.sentence) == np.isnan(check.value) == (n < 10)


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [2.0] * 9, [0.0, 1.0] * 200, np.arange(N) % 5, np.r_[np.zeros(380), np.arange(1, 21)], [0, 1, 3] * 100],
)
def test_values_without_a_gap_are_not_far(values):
    assert far(values) == 0


def test_a_value_of_one_class_is_not_taken_for_a_code():
    years = np.repeat(np.arange(40.0), 10)
    years[:10] = 90
    assert far(years) == 0


def test_heavy_tails_as_simulated_raise_no_warning():
    for seed in range(5):
        records = make_pilot("heavy-tails", students=2000, classes=100, schools=20, seed=seed).records
        for column in ("rit_spring", "rit_fall"):
            known = records[column].notna()
            cluster = np.unique(records.loc[known, "class_id"], return_inverse=True)[1]
            assert not find_far(records.loc[known, column].astype(float).to_numpy(), cluster).any()


def looked_at(maths, pre):
    panel = classrooms(40, 10, values={"maths": maths, "pre": pre}, variables=[MATHS, PRE])
    design = build_design(panel)
    checks = check_far_outcomes(panel.pooled(), design.rows, design.cluster)
    return checks + check_far_characteristics(panel.blind(), design.rows, design.cluster)


def test_the_warning_tells_count_and_share_and_where_codes_belong_and_never_the_value():
    first, second = looked_at(coded(SCORES, -999), coded(SCORES, 7777, every=50))
    assert (first.verdict, first.subject, first.value) == (Verdict.WARN, "maths", pytest.approx(0.05))
    assert first.sentence.startswith(
        "mathematics: 20 students (5.0 % of those recorded) have values far from all others"
    )
    assert "missing.columns" in first.sentence
    assert "999" not in first.sentence
    assert second.sentence.startswith("pre-test: fewer than 10 students have values")
    assert np.isnan(second.value)


def test_numbers_without_far_values_pass_and_missing_ones_are_not_looked_at():
    outcomes, characteristics = looked_at(np.where(np.arange(N) % 7 == 0, np.nan, SCORES), SCORES)
    assert (outcomes.verdict, outcomes.subject) == (Verdict.PASS, "outcomes")
    assert characteristics.sentence == "None of the characteristics has values far from all others."


def test_where_nothing_is_a_number_there_is_nothing_to_be_far():
    sex = Variable(name="sex", column="sex", roles=(Role.MODERATOR,), kind=Kind.CATEGORY, levels=("F", "M"))
    panel = classrooms(4, 2, values={"sex": pd.Categorical(["F", "M"] * 4)}, variables=[sex])
    design = build_design(panel)
    (check,) = check_far_characteristics(panel.blind(), design.rows, design.cluster)
    assert check.verdict is Verdict.NOT_ASSESSABLE
