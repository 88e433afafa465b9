from __future__ import annotations

import numpy as np
import pytest

from tests.design.panels import classrooms, make_panel
from whoworks.checks.attrition import (
    WWC_CAUTIOUS,
    WWC_OPTIMISTIC,
    allowed_differential,
    check_attrition,
    check_cluster_attrition,
    explain_loss,
    judge_loss,
)
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design


def trial(lost_control: int, lost_treated: int, n: int = 100):
    """Students assigned one by one, `n` an arm, so many of each without an outcome."""
    maths = np.zeros(2 * n)
    maths[:lost_control] = np.nan
    maths[n : n + lost_treated] = np.nan
    return make_panel(
        'assigned = "student"\nprobability = 0.5', arm=["usual"] * n + ["adaptive"] * n, values={"maths": maths}
    )


def judge(panel):
    return check_attrition(panel.blind(), build_design(panel), {"maths": "mathematics"})[0]


def test_the_boundary_has_a_row_for_every_whole_percent():
    assert (len(WWC_CAUTIOUS), len(WWC_OPTIMISTIC)) == (58, 66)
    assert (WWC_CAUTIOUS[0], WWC_CAUTIOUS[10], WWC_CAUTIOUS[57]) == (5.7, 6.3, 0.0)
    assert (WWC_OPTIMISTIC[0], WWC_OPTIMISTIC[10], WWC_OPTIMISTIC[65]) == (10.0, 10.9, 0.3)
    assert all(low < high for low, high in zip(WWC_CAUTIOUS, WWC_OPTIMISTIC, strict=False))


@pytest.mark.parametrize(
    ("overall", "rounded", "allowed"),
    [(0.105, True, 0.062), (0.105, False, 0.063), (0.1, False, 0.063), (0.29, False, 0.043)],
)
def test_the_row_is_the_nearest_percent_or_the_one_below(overall, rounded, allowed):
    assert allowed_differential(overall=overall, boundary=WWC_CAUTIOUS, rounded=rounded) == pytest.approx(allowed)


def test_beyond_the_table_no_difference_is_small_enough():
    assert np.isnan(allowed_differential(overall=0.6, boundary=WWC_CAUTIOUS, rounded=True))


@pytest.mark.parametrize(
    ("lost", "verdict"),
    [((10, 10), Verdict.PASS), ((10, 16), Verdict.PASS), ((6, 14), Verdict.WARN), ((5, 20), Verdict.FAIL)],
)
def test_the_verdict_follows_the_boundary(lost, verdict):
    assert judge(trial(*lost)).verdict == verdict


def test_the_sentence_tells_rates_by_arm_and_that_the_verdict_is_our_own():
    check = judge(trial(6, 14))
    assert check.sentence == (
        "mathematics: 10.0 % of 200 students have no outcome, 14.0 % under adaptive programme and 6.0 % under usual "
        "practice, a difference of 8.0 percentage points, more than the 6.3 points the What Works Clearinghouse's "
        "boundary allows under cautious assumptions, within the 10.9 under optimistic ones (self-assessed, not issued "
        "by the Clearinghouse)."
    )
    assert check.value == pytest.approx(0.08)
    assert check.threshold == pytest.approx(0.063)


@pytest.mark.parametrize(
    ("control", "treated", "said"),
    [
        (0.0496, 0.0523, "5.23 % under tutoring and 4.96 % under usual practice, a difference of 0.27"),
        (0.0856, 0.0853, "8.53 % under tutoring and 8.56 % under usual practice, a difference of 0.03"),
        (0.05, 0.052, "5.2 % under tutoring and 5.0 % under usual practice, a difference of 0.2 "),
        (0.04952, 0.05226, "5.23 % under tutoring and 4.95 % under usual practice, a difference of 0.3 "),
        (0.08534, 0.08565, "8.57 % under tutoring and 8.53 % under usual practice, a difference of under 0.1 "),
        (0.08531, 0.08534, "8.5 % under tutoring and 8.5 % under usual practice, a difference of under 0.1 "),
    ],
)
def test_the_arms_rates_are_as_far_apart_as_their_difference_says(control, treated, said):
    lost = np.concatenate([np.arange(100_000) < round(100_000 * share) for share in (control, treated)])
    loss = judge_loss(lost=lost, arm=np.repeat([0, 1], 100_000), treatment=1)
    assert said in explain_loss(loss, "mathematics", ("usual practice", "tutoring"), "student")


def test_an_outcome_that_everyone_has_passes_in_one_breath():
    check = judge(trial(0, 0))
    assert check.verdict == Verdict.PASS
    assert check.sentence == "mathematics: each of 200 students has the outcome."


def test_an_outcome_that_nobody_has_fails():
    check = judge(trial(100, 100))
    assert check.verdict == Verdict.FAIL
    assert "high whatever the difference" in check.sentence


def test_a_verdict_that_hangs_on_rounding_says_so_and_takes_the_stricter():
    lost = np.zeros(2000, dtype=bool)
    arm = np.repeat([0, 1], 1000)
    lost[:74], lost[1000:1136] = True, True  # 10.5 % overall, 6.2 points apart: row 10 allows 6.3, row 11 allows 6.2
    assert judge_loss(lost=lost, arm=arm, treatment=1).verdict == Verdict.PASS
    lost[:] = False
    lost[:75], lost[1000:1138] = True, True  # 10.65 % overall, 6.3 points apart
    loss = judge_loss(lost=lost, arm=arm, treatment=1)
    assert loss.readings_differ
    assert loss.verdict == Verdict.WARN


def test_the_worst_of_several_treatments_speaks():
    maths = np.zeros(300)
    maths[200:250] = np.nan
    panel = make_panel(
        'assigned = "student"',
        arm=["usual"] * 100 + ["adaptive"] * 100 + ["tutor"] * 100,
        treatments=["adaptive", "tutor"],
        values={"maths": maths},
    )
    check = judge(panel)
    assert check.verdict == Verdict.FAIL
    assert "under tutor" in check.sentence
    assert list(check.table["verdict"]) == ["pass", "fail"]


def test_clusters_without_any_outcome_are_counted_as_lost():
    maths = np.zeros(40)
    maths[5:10] = np.nan
    panel = classrooms(8, 5, values={"maths": maths})
    check = check_cluster_attrition(panel.blind(), build_design(panel), {})[0]
    assert check.verdict == Verdict.FAIL
    assert check.sentence.startswith(
        "maths: 12.5 % of 8 classes have no outcome at all, 25.0 % under adaptive programme"
    )


def test_a_class_that_lost_some_of_its_students_is_not_lost():
    maths = np.zeros(32)
    maths[np.arange(32) % 4 != 0] = np.nan  # of every class one student has the outcome
    panel = classrooms(8, 4, values={"maths": maths})
    (check,) = check_cluster_attrition(panel.blind(), build_design(panel), {})
    assert (check.verdict, check.value) == (Verdict.PASS, 0.0)
    assert check.table[["n_missing_treated", "n_missing_control"]].to_numpy().tolist() == [[0, 0]]


def test_the_overall_rate_counts_students_and_not_arms():
    """30 of 100 and 33 of 300 are 63 of 400: the row of 15 or 16 percent, not of the mean of 30 and 11."""
    arm = ["usual"] * 100 + ["adaptive"] * 300
    maths = np.zeros(400)
    maths[:30] = maths[100:133] = np.nan
    check = judge(make_panel('assigned = "student"\nprobability = 0.75', arm=arm, values={"maths": maths}))
    assert check.table["overall"].tolist() == [63 / 400]
    assert check.threshold == pytest.approx(0.059)


def test_students_assigned_one_by_one_are_no_clusters_to_lose():
    panel = trial(3, 4)
    assert check_cluster_attrition(panel.blind(), build_design(panel), {}) == ()
