"""How caveats that come from findings and from take-up are worded, and whom they name."""

from __future__ import annotations

import pytest

from tests.findings.pilots import open_pilot, three_arms
from tests.findings.test_caveats import finding, taken_up, unsteady
from whoworks.findings.caveats.find import find_caveats
from whoworks.findings.caveats.findings import none_of, so_many_times
from whoworks.findings.finding import Findings


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1.02, "hardly more than"), (1.42, "1.4 times"), (4.66, "about 5 times"), (1234.5, "about 1,234 times")],
)
def test_how_underpowered_a_study_is_can_be_followed_from_rounded_numbers(ratio, said):
    assert so_many_times(ratio) == said


def test_each_treatment_has_caveats_of_its_own_and_the_main_one_s_stand_first():
    opened = three_arms()
    contrasts = list(dict.fromkeys(setting.scores.contrast for setting in opened.settings))
    averages = [finding("average", contrast=each, conf_low=-1.0, conf_high=4.0, mde=9.0) for each in contrasts]
    found = find_caveats(opened.panel, opened.settings, (), Findings(items=tuple(averages)))
    said = [caveat.sentence for caveat in found if caveat.caveat_id == "underpowered"]
    labels = [opened.panel.plan.arms.label(code) for code in opened.panel.plan.arms.treatments]
    assert len(said) == len(labels) == 2
    assert all(f"average effect of {label} that" in each for label, each in zip(labels, said, strict=True))
    sizes = [finding("difference", contrast=each, moderator="weighting", p_value=0.01) for each in contrasts]
    found = find_caveats(opened.panel, opened.settings, (), Findings(items=tuple(sizes)))
    told = [caveat.sentence for caveat in found if caveat.caveat_id == "informative_size"]
    assert all(f"the average effect of {label} over" in each for label, each in zip(labels, told, strict=True))


def test_the_arm_with_few_clusters_is_named_once_and_before_what_was_not_found():
    few = open_pilot("no-effect", names=("frl",), students=300, classes=12, schools=3)
    tests = [finding("difference", status="confirmatory", moderator=m, p_adjusted=0.3) for m in ("frl", "sex")]
    found = find_caveats(few.panel, (*few.settings, *few.settings), (), Findings(items=tuple(tests)))
    (said,) = [caveat for caveat in found if caveat.caveat_id == "few_clusters"]
    assert said.sentence.startswith("There are only 6 classes in each arm. With fewer than 10")
    rules = [caveat.caveat_id for caveat in found]
    assert rules.index("few_clusters") < rules.index("no_differences_found")


@pytest.mark.parametrize(("n", "said"), [(2, "Neither of the two"), (3, "None of the three"), (14, "None of the 14")])
def test_none_of_two_is_neither(n, said):
    assert none_of(n) == said


def test_partial_take_up_is_told_in_both_arms():
    said = taken_up(0.54, 0.0, moved=54.0)["partial_takeup"].sentence
    assert said.startswith("54 % of students under adaptive programme and 0 % under usual practice took the programme")
    assert taken_up(0.54, 0.2, moved=34.0)["little_takeup"].sentence.startswith("54 % of students under")


@pytest.mark.parametrize("control", [0.02, 0.98])
def test_a_share_that_few_stand_behind_is_not_told_and_neither_is_the_other(control):
    said = taken_up(1.0, control, moved=60.4)["partial_takeup"].sentence
    assert said.startswith("The offer moved take-up by 60 percentage points:")
    assert "little_takeup" in taken_up(1.0, 0.3, moved=40.0, min_clusters=10_000)
    assert "%" not in taken_up(1.0, 0.3, moved=40.0, min_clusters=10_000)["little_takeup"].sentence


def test_an_average_that_folds_move_tells_its_range_and_is_graver_where_they_decide_what_is_settled():
    moved = unsteady(shift=0.6)["unsteady_average"]
    assert "it runs from \u22120.5 to 3.1 points (p .01 to .03)." in moved.sentence
    assert "over 6 such divisions" in moved.sentence
    assert moved.gravity == 2
    assert unsteady(shift=0.1, p=(0.04, 0.06))["unsteady_average"].gravity == 1
    assert "unsteady_average" not in unsteady(shift=0.6, weighting="cluster")
