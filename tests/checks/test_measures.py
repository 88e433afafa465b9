from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whoworks.checks.measures import check_distinct_values, judge_distinct, judge_ends
from whoworks.checks.verdict import Verdict
from whoworks.panel.panel import Kind, PooledPanel, Role, Variable


def ends(values):
    values = np.asarray(values, dtype=float)
    return judge_ends(values, np.arange(len(values)), "maths", "mathematics")


def distinct(values, enough=6):
    values = np.asarray(values, dtype=float)
    return judge_distinct(values, np.arange(len(values)), "maths", "mathematics", enough)


@pytest.mark.parametrize(("at_top", "verdict"), [(1, Verdict.PASS), (15, Verdict.PASS), (16, Verdict.WARN)])
def test_many_at_the_highest_value_are_a_ceiling(at_top, verdict):
    check = ends([*np.linspace(0, 1, 101 - at_top)[:-1], *([2.0] * at_top)])
    assert check.verdict == verdict
    assert ("ceiling" in check.sentence) == (verdict == Verdict.WARN)


def test_many_at_the_lowest_value_are_a_floor():
    check = ends([*([0.0] * 40), *np.linspace(1, 2, 60)])
    assert "At such a floor" in check.sentence
    assert check.value == pytest.approx(0.4)


def test_few_at_an_end_or_away_from_it_are_not_told_by_their_share():
    said = ends([*([0.0] * 9), *([1.0] * 40)]).sentence
    assert said.startswith("mathematics: of 49 students, all but fewer than 10 are at the highest value seen and fewer")
    assert "fewer than 10 at the lowest" in said
    assert "%" not in said


def test_a_ceiling_is_a_share_of_those_who_have_the_outcome():
    check = ends([*np.linspace(0, 1, 80), *([2.0] * 20), *([np.nan] * 100)])
    assert (check.verdict, check.value, check.n_units) == (Verdict.WARN, 0.2, 100)


def test_an_outcome_that_does_not_vary_has_no_ceiling():
    assert ends([3.0] * 20).verdict == Verdict.NOT_ASSESSABLE


def test_missing_values_are_left_out():
    check = ends([np.nan, 1, 2, 3, 4, 5, 6, 7])
    assert (check.n_units, check.n_clusters) == (7, 7)


def test_no_value_of_the_outcome_is_told():
    assert "9999" not in ends([1, 2, 3, 9999]).sentence


@pytest.mark.parametrize(
    ("values", "enough", "verdict", "said"),
    [
        ([np.nan] * 5, 6, Verdict.FAIL, "missing for everyone"),
        ([1.0] * 5, 6, Verdict.FAIL, "the same value"),
        ([1, 2, 3, 1], 6, Verdict.WARN, "only 3 different values"),
        ([1, 2, 3, 4, 5, 6], 6, Verdict.PASS, "6 different values"),
        ([0, 1, 0, 1], 2, Verdict.PASS, "2 different values"),
    ],
)
def test_the_number_of_values_decides(values, enough, verdict, said):
    check = distinct(values, enough)
    assert check.verdict == verdict
    assert said in check.sentence


@pytest.mark.parametrize("codes", [("N", "Y"), ("Y", "N")])
def test_a_yes_or_no_outcome_says_which_answer_effects_count(codes):
    words = {"N": "not yet", "Y": "passed"}
    outcome = Variable(
        name="passed", column="passed", roles=(Role.OUTCOME,), kind=Kind.BINARY, label="passing", levels=codes,
        level_labels=tuple(words[code] for code in codes),
    )  # fmt: skip
    seen = pd.DataFrame({"passed": [0.0, 1.0, 1.0]})
    pooled = PooledPanel(units=pd.DataFrame(index=seen.index), outcomes=seen, variables=(outcome,))
    (check,) = check_distinct_values(pooled, np.arange(3), np.arange(3))
    assert check.sentence.endswith(f"Effects count those with \u201c{words[codes[1]]}\u201d.")
    assert check.verdict == Verdict.PASS
