from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from tests.design.panels import classrooms, make_panel
from whoworks.checks.clusters import check_cluster_sizes, check_clusters, tabulate_clusters
from whoworks.checks.interference import check_interference, explain_mixing
from whoworks.checks.overlap import check_overlap
from whoworks.checks.sample_ratio import check_sample_ratio, explain_ratio, sample_ratio_p
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design


def students(n_usual: int, n_adaptive: int, chance: str = "0.5", **more):
    arm = ["usual"] * n_usual + ["adaptive"] * n_adaptive
    return make_panel(f'assigned = "student"\nprobability = {chance}', arm=arm, **more)


@pytest.mark.parametrize(
    ("n_classes", "verdict"), [(2, Verdict.FAIL), (4, Verdict.WARN), (18, Verdict.WARN), (20, Verdict.PASS)]
)
def test_few_clusters_warn_and_a_single_one_fails(n_classes, verdict):
    check = check_clusters(build_design(classrooms(n_classes, 4)))[0]
    assert check.verdict == verdict
    assert check.value == n_classes / 2


def test_the_cluster_sentence_gives_the_reason():
    check = check_clusters(build_design(classrooms(8, 4)))[0]
    assert check.sentence == (
        "There are 4 classes under usual practice and 4 classes under adaptive programme. Each class was assigned to "
        "an arm as a whole, so the class is the cluster. With fewer than 10 in an arm ranges are wide and rough."
    )


def test_unequal_clusters_are_worth_fewer_equal_ones():
    table = tabulate_clusters(cluster=np.repeat([0, 1, 2, 3], [3, 1, 2, 2]), arm=np.repeat([0, 1], 4), n_arms=2)
    assert list(table["effective_clusters"]) == pytest.approx([16 / 10, 2.0])
    assert list(table["share_largest"]) == pytest.approx([0.75, 0.5])


def with_one_large_class(size: int):
    sizes = [size, *([5] * 11)]
    klass = np.repeat(np.arange(12), sizes)
    return make_panel(
        'assigned = "class"',
        arm=list(np.where(klass % 2 == 1, "adaptive", "usual")),
        levels={"class": [f"C{code:02d}" for code in klass]},
    )


@pytest.mark.parametrize(("size", "verdict"), [(5, Verdict.PASS), (12, Verdict.PASS), (30, Verdict.WARN)])
def test_a_class_that_dominates_its_arm_warns(size, verdict):
    check = check_cluster_sizes(build_design(with_one_large_class(size)))[0]
    assert check.verdict == verdict
    assert ("weighs heavily" in check.sentence) == (verdict == Verdict.WARN)


def test_how_many_students_the_largest_class_holds_is_not_told():
    told = [check_cluster_sizes(build_design(with_one_large_class(size)))[0] for size in (11, 12, 30, 31)]
    assert [check.value for check in told] == [0, 0, 1, 1]
    assert "none holds over 33.3 % of an arm's students" in told[0].sentence
    assert "one holds over 33.3 % of the students under usual practice" in told[2].sentence


def test_a_class_of_one_student_warns_without_being_counted():
    check = check_cluster_sizes(build_design(with_one_large_class(1)))[0]
    assert check.verdict == Verdict.WARN
    assert "At least one class holds a single student: check its code" in check.sentence


def test_students_assigned_one_by_one_are_no_classes_of_one():
    assert check_cluster_sizes(build_design(students(30, 30, "0.5")))[0].verdict == Verdict.PASS


def test_schools_that_hold_both_arms_are_counted_once():
    panel = make_panel(
        'assigned = "student"\nblocks = ["school"]\nsite = "school"',
        arm=["usual", "adaptive"] * 24,
        levels={"school": [f"S{place // 4}" for place in range(48)]},
    )
    said = check_clusters(build_design(panel))[0].sentence
    assert said.startswith("There are 12 schools, each with students of both arms. ")


def test_a_probability_taken_from_a_small_block_s_share_is_told_to_two_decimals():
    panel = students(2, 2, '"chance"', probability=[3 / 17, 0.4, 0.4, 0.6])
    assert check_overlap(build_design(panel))[0].value == 0.18


def test_equal_shares_never_dominate_however_few():
    assert check_cluster_sizes(build_design(classrooms(4, 5)))[0].verdict == Verdict.PASS


@pytest.mark.parametrize(
    ("probability", "verdict"), [("0.5", Verdict.PASS), ("0.08", Verdict.WARN), ("0.99", Verdict.FAIL)]
)
def test_probabilities_near_nought_or_one_lack_overlap(probability, verdict):
    check = check_overlap(build_design(students(30, 30, probability)))[0]
    assert check.verdict == verdict
    assert check.sentence.startswith("The probability of being given adaptive programme was")


def test_the_range_of_probabilities_is_told():
    panel = students(2, 2, '"chance"', probability=[0.3, 0.4, 0.4, 0.6])
    check = check_overlap(build_design(panel))[0]
    assert check.sentence == "The probability of being given adaptive programme ran from 0.30 to 0.60."
    row = check.table[check.table["arm"] == "adaptive"].iloc[0]
    assert (row["lowest"], row["median"], row["highest"], row["n_units"]) == (0.3, 0.4, 0.6, 2)


def test_equal_probabilities_give_pearson_s_chi_square():
    arm = np.repeat([0, 1, 2], [30, 50, 40])
    found = sample_ratio_p(arm=arm, probability=np.tile([0.5, 0.3, 0.2], (120, 1)))
    assert found == pytest.approx(chisquare([30, 50, 40], [60, 36, 24]).pvalue)


@pytest.mark.truth
def test_the_ratio_s_alarm_keeps_its_size():
    """2,000 trials drawn as stated, p below .05; the band's false-alarm rate is 1 in 1,000."""
    rng = np.random.default_rng(21)
    p = rng.uniform(0.3, 0.7, 200)
    probability = np.column_stack([1 - p, p])
    arms = (rng.random((2000, 200)) < p).astype(np.int64)
    rejected = sum(sample_ratio_p(arm=arm, probability=probability) < 0.05 for arm in arms)
    low, high = binom.ppf([0.0005, 0.9995], 2000, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize(
    ("counts", "verdict"), [((50, 50), Verdict.PASS), ((60, 40), Verdict.PASS), ((70, 30), Verdict.FAIL)]
)
def test_a_ratio_far_from_what_was_stated_raises_the_alarm(counts, verdict):
    check = check_sample_ratio(build_design(students(*counts)))[0]
    assert check.verdict == verdict


def test_classes_are_counted_where_classes_were_drawn():
    check = check_sample_ratio(build_design(classrooms(20, 7)))[0]
    assert check.sentence.startswith(
        "10 classes under usual practice and 10 classes under adaptive programme were drawn"
    )
    assert check.verdict == Verdict.PASS


def test_students_are_counted_where_students_were_drawn_into_classes():
    """Ten classes each, of 4 and of 12 students: as classes nothing is amiss, as students 40 of 160 are too few."""
    klass = np.repeat(np.arange(20), np.where(np.arange(20) < 10, 4, 12))
    panel = make_panel(
        'assigned = "class"\ndrawn = "student"\nprobability = 0.5',
        arm=list(np.where(klass < 10, "adaptive", "usual")), levels={"class": [f"C{c:02d}" for c in klass]},
    )  # fmt: skip
    check = check_sample_ratio(build_design(panel))[0]
    assert check.value == pytest.approx(chisquare([120, 40]).pvalue)
    assert check.verdict == Verdict.FAIL


@pytest.mark.parametrize(("n", "is_told"), [(32, False), (79, False), (80, True)])
def test_five_have_to_be_expected_in_every_arm(n, is_told):
    arm = np.repeat([0, 1], [n - 2, 2])
    assert np.isfinite(sample_ratio_p(arm=arm, probability=np.tile([15 / 16, 1 / 16], (n, 1)))) == is_told


def test_shares_cannot_be_held_against_themselves():
    panel = classrooms(20, 7, schools=5, design='assigned = "class"\nblocks = ["school"]\nprobability = "blocks"')
    check = check_sample_ratio(build_design(panel))[0]
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "cannot be held against each other" in check.sentence


def test_what_was_matched_was_not_drawn():
    check = check_sample_ratio(replace(build_design(students(50, 50)), kind="matched"))[0]
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "were drawn" not in check.sentence
    assert check.sentence.endswith("the arms were matched, and nothing was drawn, so there is no ratio to check.")


def test_three_arms_are_listed_as_a_sentence_does():
    said = explain_ratio(
        build_design(students(50, 50)), np.array([1, 1]), np.array([12.0, 12.0, 16.0]), 0.4, known=True
    )
    assert "expect 12.0, 12.0 and 16.0 (p = .40)" in said


def test_a_handful_is_too_few_for_a_ratio():
    check = check_sample_ratio(build_design(students(4, 3)))[0]
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "too few" in check.sentence


def test_arms_that_meet_in_a_school_are_described():
    panel = classrooms(20, 7, schools=5)
    check = check_interference(panel.blind(), build_design(panel))[0]
    assert (check.subject, check.verdict, check.value) == ("school", Verdict.WARN, 1.0)
    assert check.sentence.startswith("All 5 schools hold more than one arm: ")


def test_a_share_that_is_not_all_is_not_written_as_all():
    assert explain_mixing(8, 9, 0.9999, "school").startswith("8 of 9 schools hold more than one arm (over 99 % of")
    assert explain_mixing(1, 9, 0.114, "school").startswith("1 of 9 schools holds more than one arm (11 % of students)")


def test_arms_that_never_meet_pass():
    panel = make_panel(
        'assigned = "class"',
        arm=["usual", "usual", "adaptive", "adaptive"],
        levels={"class": list("ABCD"), "school": list("XXYY")},
    )
    checks = check_interference(panel.blind(), build_design(panel))
    assert [(check.subject, check.verdict) for check in checks] == [("school", Verdict.PASS)]
    assert checks[0].sentence == "None of the 2 schools holds more than one arm."


def test_without_a_larger_level_interference_is_not_assessable():
    panel = students(5, 5)
    check = check_interference(panel.blind(), build_design(panel))[0]
    assert check.verdict == Verdict.NOT_ASSESSABLE


def test_students_without_a_school_meet_nobody():
    panel = students(2, 2, levels={"school": ["X", None, "X", None]})
    check = check_interference(panel.blind(), build_design(panel))[0]
    assert check.sentence.startswith("The only school holds more than one arm (50 % of students)")
