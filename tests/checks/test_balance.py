from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.design.panels import make_panel
from whoworks.checks.balance import band, check_balance, cox_index, standardised_mean_difference
from whoworks.checks.verdict import Verdict
from whoworks.checks.wording import written_size
from whoworks.design.build import build_design
from whoworks.panel.panel import Kind, Role, Variable

N = 400
PRE = Variable(name="pre", column="pre", roles=(Role.BASELINE,), kind=Kind.NUMBER, label="pre-test")
SEX = Variable(
    name="sex",
    column="sex",
    roles=(Role.MODERATOR,),
    kind=Kind.CATEGORY,
    label="sex",
    levels=("F", "M"),
    level_labels=("girls", "boys"),
)


def z_of(n: int = N) -> np.ndarray:
    return np.arange(n) % 2 == 1


def standard(n: int = N) -> np.ndarray:
    """Values with the same mean and SD in both arms."""
    return np.repeat(np.linspace(-1.7, 1.7, n // 2), 2)


def shifted(by: float) -> np.ndarray:
    """The same in both arms but for a shift of `by` pooled SD in the treated, small-sample factor and all."""
    x = standard()
    return x + by * x[z_of()].std(ddof=1) / (1 - 3 / (4 * N - 9)) * z_of()


def trial(*, pre: np.ndarray | None = None, sex: list[str] | None = None, maths: np.ndarray | None = None):
    variables, values = [], {}
    if pre is not None:
        variables.append(PRE)
        values["pre"] = pre
    if sex is not None:
        variables.append(SEX)
        values["sex"] = pd.Categorical(sex, categories=["F", "M"], ordered=True)
    if maths is not None:
        values["maths"] = maths
    arm = np.where(z_of(), "adaptive", "usual")
    return make_panel('assigned = "student"\nprobability = 0.5', arm=list(arm), values=values, variables=variables)


def checks_of(panel):
    checks = check_balance(panel.blind(), build_design(panel), {"maths": "mathematics"})
    return {check.subject: check for check in checks}


def test_a_difference_is_in_student_level_standard_deviations():
    x, z = np.array([1.0, 2, 3, 2, 3, 4]), np.array([False] * 3 + [True] * 3)
    found = standardised_mean_difference(x=x, z=z, weight=np.ones(6))
    assert found == pytest.approx((1 - 3 / 15) * 1.0)


def test_weights_undo_unequal_probabilities():
    x = np.array([0.0, 0, 0, 1, 0, 1, 1, 1])
    block = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    z = np.array([False, False, False, False, True, True, True, True])
    e = np.where(block == 0, 0.25, 0.75)
    weight = np.where(z, 1 / e, 1 / (1 - e))
    assert standardised_mean_difference(x=x, z=z, weight=weight) == pytest.approx(0)
    assert abs(standardised_mean_difference(x=x, z=z, weight=np.ones(8))) > 0.5


def test_the_cox_index_is_the_log_odds_ratio_over_1_65():
    z = np.repeat([False, True], 100)
    x = np.concatenate([np.arange(100) < 40, np.arange(100) < 60]).astype(float)
    expected = (1 - 3 / (4 * 200 - 9)) * 2 * math.log(0.6 / 0.4) / 1.65
    assert cox_index(x=x, z=z, weight=np.ones(200)) == pytest.approx(expected)


def test_swapping_the_arms_flips_the_sign():
    rng = np.random.default_rng(2)
    x, z, weight = rng.normal(size=60), rng.random(60) < 0.5, rng.uniform(1, 2, 60)
    straight = standardised_mean_difference(x=x, z=z, weight=weight)
    assert standardised_mean_difference(x=x, z=~z, weight=weight) == pytest.approx(-straight)
    assert standardised_mean_difference(x=5 + 3 * x, z=z, weight=weight) == pytest.approx(straight)


def test_a_level_with_few_students_is_not_judged():
    z = np.repeat([False, True], 100)
    x = np.zeros(200)
    x[:9] = 1
    assert math.isnan(cox_index(x=x, z=z, weight=np.ones(200)))
    assert band(math.nan) == "too few to judge"


@pytest.mark.parametrize("place", range(4))
def test_a_level_is_judged_from_ten_students_of_each_arm_in_it_and_ten_out_of_it(place):
    cells = np.full(4, 50)  # control in it and out of it, treated in it and out of it
    cells[place] = 10
    z, x = np.repeat([False, False, True, True], cells), np.repeat([1.0, 0.0, 1.0, 0.0], cells)
    assert math.isfinite(cox_index(x=x, z=z, weight=np.ones(len(x))))
    kept = np.arange(len(x)) != cells[:place].sum()
    assert math.isnan(cox_index(x=x[kept], z=z[kept], weight=np.ones(len(x) - 1)))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0.05, "within 0.05"), (0.0501, "0.05 to 0.25"), (0.25, "0.05 to 0.25"), (0.2501, "above 0.25"),
        (math.inf, "above 0.25"),
    ],
)  # fmt: skip
def test_the_edges_belong_to_the_milder_band_on_either_side_of_nought(size, words):
    assert band(size) == band(-size) == words


def test_the_largest_difference_speaks_whatever_its_sign():
    """A pre-test that is much lower under the treatment is no smaller a difference than one that is higher."""
    second = Variable(name="other", column="other", roles=(Role.BASELINE,), kind=Kind.NUMBER, label="second pre-test")
    panel = make_panel(
        'assigned = "student"\nprobability = 0.5', arm=list(np.where(z_of(), "adaptive", "usual")),
        values={"pre": shifted(0.1), "other": shifted(-0.3)}, variables=[PRE, second],
    )  # fmt: skip
    check = checks_of(panel)["maths"]
    assert check.verdict == Verdict.FAIL
    assert "second pre-test" in check.sentence


def test_each_unit_is_weighted_by_the_chance_of_the_arm_it_was_given():
    """Two blocks, drawn one in four and three in four, and a pre-test that is the block: nothing differs."""
    block = np.repeat([0, 1], N // 2)
    treated = np.concatenate([np.arange(N // 2) % 4 == 0, np.arange(N // 2) % 4 != 0])
    panel = make_panel(
        'assigned = "student"\nblocks = ["school"]\nprobability = "blocks"',
        arm=list(np.where(treated, "adaptive", "usual")), levels={"school": [f"S{code}" for code in block]},
        values={"pre": block.astype(float)}, variables=[PRE],
    )  # fmt: skip
    table = checks_of(panel)["maths"].table
    assert table[["mean_control", "mean_treated"]].to_numpy().ravel().tolist() == pytest.approx([0.5, 0.5])
    assert table["standardised"].iloc[0] == pytest.approx(0)


@pytest.mark.parametrize(
    ("by", "verdict"),
    [(0.0, Verdict.PASS), (0.04, Verdict.PASS), (0.1, Verdict.WARN), (-0.24, Verdict.WARN), (0.3, Verdict.FAIL)],
)
def test_a_pre_test_is_judged_by_the_bands(by, verdict):
    check = checks_of(trial(pre=shifted(by)))["maths"]
    assert check.verdict == verdict
    assert check.value == pytest.approx(abs(by), abs=1e-9)


def test_the_sentence_names_the_pre_test_and_its_difference():
    check = checks_of(trial(pre=shifted(0.1)))["maths"]
    assert check.sentence == (
        "Among 400 students with a record of mathematics, the arms differed by 0.10 SD in pre-test at baseline (higher "
        "under adaptive programme), which counts as equivalent only with adjustment (0.05 to 0.25 SD)."
    )


@pytest.mark.parametrize(
    ("by", "said"),
    [(-0.1, "0.10 SD in pre-test at baseline (lower under"), (0.001, "under 0.01 SD in pre-test at baseline (higher")],
)
def test_the_sentence_says_in_which_arm_the_pre_test_was_higher(by, said):
    assert said in checks_of(trial(pre=shifted(by)))["maths"].sentence


def test_pre_tests_are_compared_among_those_who_are_analysed():
    maths = np.zeros(N)
    maths[z_of() & (standard() < 0)] = np.nan
    check = checks_of(trial(pre=standard(), maths=maths))["maths"]
    assert check.verdict == Verdict.FAIL
    assert check.n_units == 300


def test_without_a_pre_test_equivalence_is_not_assessable():
    check = checks_of(trial(sex=["F", "M"] * 200))["maths"]
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "no pre-test is in the plan" in check.sentence


def test_characteristics_warn_and_never_fail():
    sex = np.where(z_of(), np.where(np.arange(N) % 8 < 6, "M", "F"), "F")
    sex[np.flatnonzero(~z_of())[:40]] = "M"
    check = checks_of(trial(sex=list(sex)))["characteristics"]
    assert check.verdict == Verdict.WARN
    assert check.sentence.startswith("Among two comparisons of one characteristic between arms, none lie between 0.05")
    assert check.sentence.endswith("SD in sex (girls), less common under adaptive programme.")


@pytest.mark.parametrize(("by", "verdict"), [(0.24, Verdict.PASS), (0.26, Verdict.WARN)])
def test_characteristics_warn_above_a_quarter_of_an_sd(by, verdict):
    age = Variable(name="age", column="age", roles=(Role.COVARIATE,), kind=Kind.NUMBER, label="age")
    panel = make_panel(
        'assigned = "student"\nprobability = 0.5', arm=list(np.where(z_of(), "adaptive", "usual")),
        values={"age": shifted(by)}, variables=[age],
    )  # fmt: skip
    assert checks_of(panel)["characteristics"].verdict == verdict


def test_a_level_too_rare_to_judge_keeps_its_row_and_tells_no_number():
    check = checks_of(trial(sex=["M" if row < 12 else "F" for row in range(N)]))["characteristics"]
    assert list(check.table["band"]) == ["too few to judge"] * 2
    told = ["n_level_control", "n_level_treated", "mean_control", "mean_treated", "sd"]
    assert check.table[told].isna().all(axis=None)
    assert check.verdict == Verdict.NOT_ASSESSABLE


def test_the_table_has_a_row_for_each_level_with_means_by_arm():
    table = checks_of(trial(sex=["F", "F", "M", "M"] * 100))["characteristics"].table
    assert list(table["level_label"]) == ["girls", "boys"]
    assert list(table["mean_control"]) == [0.5, 0.5]
    assert list(table["n_level_treated"]) == [100, 100]
    assert list(table["standardised"]) == pytest.approx([0, 0])


def test_missing_values_are_counted_and_not_compared():
    pre = standard()
    pre[:10] = np.nan
    row = checks_of(trial(pre=pre))["maths"].table.iloc[0]
    assert (row["n_missing"], row["n_control"] + row["n_treated"]) == (10, N - 10)


def test_nothing_to_compare_is_not_assessable():
    checks = checks_of(trial())
    assert checks["characteristics"].verdict == Verdict.NOT_ASSESSABLE
    assert "the plan names nothing measured before assignment" in checks["characteristics"].sentence
    rare = checks_of(trial(sex=["M" if row < 12 else "F" for row in range(N)]))["characteristics"]
    assert rare.sentence.startswith("No characteristic measured before assignment can be compared")


@pytest.mark.parametrize(
    ("size", "said"), [(0.1, "0.10"), (0.0504, "0.0504"), (0.0496, "0.0496"), (0.054, "0.054"), (0.05, "0.05")]
)
def test_a_difference_near_an_edge_is_written_so_that_its_side_can_be_told(size, said):
    assert written_size(size, (0.05, 0.25)) == said
