from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.design.panels import classrooms, make_panel
from tests.inference.naive import naive_fit, naive_htz
from whoworks.checks import group_attrition
from whoworks.checks.group_attrition import UNEQUAL, GroupLoss, check_group_attrition, judge_groups, split_groups
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


def uneven_schools(*, classes=24, size=14, blocks=True):
    """Schools of four classes, of which one, two or three are adaptive: weights and blocks both matter."""
    rng = np.random.default_rng(5)
    klass = np.repeat(np.arange(classes), size)
    treated = np.isin(np.arange(classes) % 12, [0, 4, 5, 8, 9, 10])[klass]
    design = DESIGN if blocks else 'assigned = "class"\nprobability = 0.5'
    panel = make_panel(
        design, arm=list(np.where(treated, "adaptive", "usual")),
        levels={"class": [f"C{c:02d}" for c in klass], "school": [f"S{c // 4}" for c in klass]},
    )  # fmt: skip
    lost = rng.uniform(size=len(klass)) < 0.1 + 0.1 * (klass // 4 % 3) + 0.2 * rng.uniform(size=classes)[klass]
    return build_design(panel), klass, treated.astype(float), lost


@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("n_groups", [2, 3])
def test_its_p_is_that_of_the_weighted_regression_with_every_block_a_column_and_errors_by_class(blocks, n_groups):
    design, klass, z, lost = uneven_schools(blocks=blocks)
    code = np.random.default_rng(8).integers(n_groups, size=len(klass))
    variable, levels = LUNCH, tuple("NYO"[:n_groups])
    found = judge_groups(code=code, levels=levels, lost=lost, design=design, arm=1, variable=variable)
    member = (code[:, None] == np.arange(1, n_groups)).astype(float)
    share = np.array([0.25, 0.5, 0.75])[klass // 4 % 3] if blocks else np.full(len(klass), 0.5)
    columns = np.column_stack([z[:, None] * member, z, member, *([] if blocks else [np.ones(len(z))])])
    fit = naive_fit(
        columns, lost.astype(float), klass, weights=np.where(z == 1, 1 / share, 1 / (1 - share)),
        absorb=klass // 4 if blocks else None,
    )  # fmt: skip
    if n_groups == 2:
        p = 2 * stats.t.sf(abs(fit.coefficients[0]) / np.sqrt(fit.covariance[0, 0]), fit.df[0])
    else:
        p = stats.f.sf(*naive_htz(fit, np.eye(columns.shape[1])[:2]))
    assert found.p_value == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("levels", ["NY", "NYO"])
def test_with_three_classes_an_arm_the_test_has_too_few_degrees_of_freedom_to_be_told(levels):
    """Of six classes of unequal make-up no contrast has four degrees of freedom; of 24 it has."""
    design, klass, _, lost = uneven_schools(size=40, blocks=False)
    code = np.random.default_rng(9).integers(len(levels), size=len(klass))
    asked = {"levels": tuple(levels), "lost": lost, "design": design, "arm": 1, "variable": LUNCH}
    few = judge_groups(code=np.where(klass < 6, code, -1), **asked)  # three of them adaptive
    assert few is not None
    assert np.isnan(few.p_value)
    assert np.isfinite(judge_groups(code=code, **asked).p_value)


@pytest.mark.parametrize(
    ("of_one_arm", "n_classes", "judged"), [(20, 3, True), (19, 3, False), (20, 2, False), (60, 2, False)]
)
def test_a_group_is_judged_from_twenty_students_in_three_classes_of_each_arm(of_one_arm, n_classes, judged):
    design, klass, z, lost = uneven_schools(size=40, blocks=False)
    code = np.zeros(len(klass), dtype=np.int64)
    homes = np.array([0, 4, 5])[:n_classes]
    second = np.flatnonzero((z == 0) & (np.arange(len(klass)) % 2 == 0))
    third = np.concatenate([np.flatnonzero(klass == home)[::2] for home in homes])
    chosen = np.sort(third)[np.linspace(0, len(third) - 1, min(of_one_arm, len(third))).astype(int)]
    code[second], code[chosen] = 1, 1
    found = judge_groups(code=code, levels=("N", "Y"), lost=lost, design=design, arm=1, variable=LUNCH)
    assert (found is not None) == judged


def as_told(monkeypatch, losses):
    """Judge a trial of two moderators of which these are the losses: (points apart, p) for each."""
    n = np.full((2, 2), 1000)
    told = iter(
        GroupLoss(
            variable=LUNCH, arm=1, levels=("N", "Y"), n=n, p_value=p,
            missing=np.array([[100, 100], [100, 100 + round(1000 * apart)]]),
        )
        for apart, p in losses
    )  # fmt: skip
    monkeypatch.setattr(group_attrition, "judge_groups", lambda **_: next(told))
    return judge(trial([[0.1, 0.1], [0.1, 0.1]])).verdict


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ([(0.10, 0.025), (0.01, 0.9)], Verdict.WARN),
        ([(0.10, 0.026), (0.01, 0.9)], Verdict.PASS),  # two moderators share the 5 %
        ([(0.10, 0.026), (0.01, np.nan)], Verdict.WARN),  # one that cannot be told takes no share
        ([(0.05, 1e-9), (0.01, 0.9)], Verdict.PASS),  # sure, and too small to matter
        ([(0.01, 1e-9), (0.10, 0.9)], Verdict.PASS),  # one is sure and the other large: neither is both
    ],
)
def test_a_warning_takes_more_than_five_points_and_a_p_below_the_moderators_share(monkeypatch, losses, verdict):
    assert as_told(monkeypatch, losses) is verdict
