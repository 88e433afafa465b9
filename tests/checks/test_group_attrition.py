from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.design.panels import classrooms
from whoworks.checks.group_attrition import UNEQUAL, check_group_attrition, judge_groups, split_groups
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design
from whoworks.panel.panel import Kind, Role, Variable

OUTCOME = Variable(name="maths", column="maths", roles=(Role.OUTCOME,), kind=Kind.NUMBER, label="mathematics")
LUNCH = Variable(
    name="frl", column="frl", roles=(Role.MODERATOR,), kind=Kind.CATEGORY, label="free lunch", levels=("N", "Y"),
    level_labels=("not eligible", "eligible"),
)  # fmt: skip
AGE = Variable(name="age", column="age", roles=(Role.MODERATOR,), kind=Kind.NUMBER, label="age")
DESIGN = 'assigned = "class"\nblocks = ["school"]\nprobability = "blocks"'


def trial(rates, *, seed=0, classes=40, variables=(OUTCOME, LUNCH, AGE), blocks=True):
    """Classes of 25; rates[arm][group] is the chance that the outcome is missing."""
    rng = np.random.default_rng(seed)
    n = classes * 25
    group = rng.integers(2, size=n)
    values = {"frl": pd.Categorical.from_codes(group, ["N", "Y"], ordered=True), "age": rng.normal(size=n)}
    design = DESIGN if blocks else 'assigned = "class"\nprobability = 0.5'
    panel = classrooms(classes, 25, schools=classes // 4, design=design, values=values, variables=variables)
    arm = (panel.units["arm"] == "adaptive").to_numpy().astype(int)
    lost = rng.uniform(size=n) < np.array(rates)[arm, group]
    panel.values["maths"] = np.where(lost, np.nan, 1.0)
    return panel


def judge(panel):
    (found,) = check_group_attrition(panel.blind(), build_design(panel), {"maths": "mathematics"})
    return found


def test_losses_that_differ_by_group_and_arm_warn_and_the_sentence_names_the_groups():
    found = judge(trial([[0.05, 0.05], [0.05, 0.25]]))
    assert found.verdict is Verdict.WARN
    assert found.value > UNEQUAL
    assert "by free lunch" in found.sentence
    assert "among \u201celigible\u201d, against" in found.sentence
    assert "among \u201cnot eligible\u201d" in found.sentence


@pytest.mark.parametrize(
    "rates",
    [
        [[0.05, 0.05], [0.05, 0.05]],
        [[0.05, 0.25], [0.05, 0.25]],  # by group alike in both arms
        [[0.05, 0.05], [0.20, 0.20]],  # by arm alike in both groups
    ],
)
def test_losses_that_leave_a_difference_between_groups_as_it_is_pass(rates):
    assert judge(trial(rates)).verdict is Verdict.PASS


def test_the_spread_is_the_difference_of_the_arms_differences_counted_by_hand():
    panel = trial([[0.05, 0.10], [0.05, 0.25]])
    frame = panel.units.assign(frl=panel.values["frl"], lost=panel.values["maths"].isna())
    share = frame.pivot_table(index="frl", columns="arm", values="lost", observed=True)
    by_hand = share["adaptive"] - share["usual"]
    found = judge(panel)
    table = found.table[found.table["variable"] == "frl"].set_index("level")["differential"]
    assert table["eligible"] == pytest.approx(by_hand["Y"])
    assert table["not eligible"] == pytest.approx(by_hand["N"])


def test_chance_alone_seldom_warns():
    """Two moderators share 5 %: of 100 trials, 12 or more warn by chance once in 700."""
    warned = sum(judge(trial([[0.1, 0.1], [0.1, 0.1]], seed=seed)).verdict is Verdict.WARN for seed in range(100))
    assert warned < 12


def test_it_holds_without_blocks_too():
    assert judge(trial([[0.05, 0.05], [0.05, 0.25]], blocks=False)).verdict is Verdict.WARN


def test_nothing_missing_passes_and_nothing_to_compare_cannot_be_judged():
    assert judge(trial([[0, 0], [0, 0]])).verdict is Verdict.PASS
    bare = judge(trial([[0.1, 0.1], [0.1, 0.1]], variables=(OUTCOME,)))
    assert bare.verdict is Verdict.NOT_ASSESSABLE
    assert "the plan names no moderator" in bare.sentence
    assert judge(trial([[0.1, 0.1], [0.1, 0.4]], classes=4)).verdict is Verdict.NOT_ASSESSABLE


def test_a_number_is_cut_at_its_median_and_a_missing_value_is_in_no_group():
    code, levels = split_groups(pd.Series([1.0, 2.0, 3.0, np.nan]), AGE)
    np.testing.assert_array_equal(code, [0, 0, 1, -1])
    assert levels == ("lower half", "upper half")
    assert split_groups(pd.Series([np.nan, np.nan]), AGE)[1] == ()


def test_a_group_too_small_is_left_out():
    panel = trial([[0.1, 0.1], [0.1, 0.1]])
    design = build_design(panel)
    code = np.where(np.arange(len(design.rows)) < 30, 2, panel.values["frl"].cat.codes.to_numpy())
    lost = panel.values["maths"].isna().to_numpy()
    found = judge_groups(code=code, levels=("N", "Y", "other"), lost=lost, design=design, arm=1, variable=LUNCH)
    assert found.levels == ("N", "Y")


def test_three_groups_are_tested_together():
    panel = trial([[0.05, 0.05], [0.05, 0.30]])
    design = build_design(panel)
    third = np.random.default_rng(1).uniform(size=len(design.rows)) < 0.3
    code = np.where(third, 2, panel.values["frl"].cat.codes.to_numpy())
    lost = panel.values["maths"].isna().to_numpy()
    found = judge_groups(code=code, levels=("N", "Y", "other"), lost=lost, design=design, arm=1, variable=LUNCH)
    assert len(found.levels) == 3
    assert found.p_value < 0.001
