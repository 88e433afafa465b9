from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.design.panels import classrooms, make_panel
from whoworks.checks.reassignment import (
    check_reassignment,
    code_features,
    draw_covariance,
    joint_balance,
    sum_within,
)
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design
from whoworks.design.redraw import list_assigned, list_draws, redraw_arms
from whoworks.panel.panel import Kind, Role, Variable


def blocked_trial(rng: np.random.Generator, *, n_blocks: int = 6, per_arm: int = 2, size: int = 5, p: int = 3):
    """Classes in blocks; two student characteristics that differ between classes, one that is the class's own."""
    n_classes = n_blocks * 2 * per_arm
    klass = np.arange(n_classes).repeat(size)
    block = klass // (2 * per_arm)
    arm = np.tile(np.repeat([0, 1], per_arm), n_blocks).repeat(size)
    own = rng.normal(size=(n_classes, p))[klass] + rng.normal(size=n_blocks)[block][:, None]
    x = own + rng.normal(size=(len(klass), p)) * np.array([1, 1, 0])[:p]
    return {"x": x, "arm": arm, "assigned": klass, "block": block}


def covariate(name: str, *, level: str = "student") -> Variable:
    return Variable(name=name, column=name, roles=(Role.COVARIATE,), kind=Kind.NUMBER, label=name, level=level)


def judge(panel, seed: int = 1):
    return check_reassignment(panel.blind(), build_design(panel), np.random.default_rng(seed))[0]


@pytest.mark.parametrize("blocks", [[[0, 0, 1]], [[0, 1, 1], [0, 1]], [[0, 1, 2, 2], [0, 1, 2]]])
def test_the_covariance_is_that_of_all_draws(blocks):
    rng = np.random.default_rng(4)
    arm = np.array([code for block in blocks for code in block])
    block = np.array([place for place, codes in enumerate(blocks) for _ in codes])
    units = list_assigned(arm=arm, assigned=np.arange(len(arm)), block=block)
    total = rng.normal(size=(len(arm), 2))
    draws = list_draws(units)
    d = np.concatenate([(draws == code).astype(float) @ total for code in range(1, arm.max() + 1)], axis=1)
    np.testing.assert_allclose(draw_covariance(total, units), np.cov(d.T, bias=True), rtol=1e-10, atol=1e-12)


@pytest.mark.truth
def test_the_joint_test_keeps_its_size_when_the_design_is_what_it_says():
    """500 assignments of 24 classes drawn by the design, p below .05; the band's false-alarm rate is 1 in 1,000."""
    rng = np.random.default_rng(11)
    trial = blocked_trial(rng)
    rejected = 0
    for _ in range(500):
        drawn = redraw_arms(arm=trial["arm"], assigned=trial["assigned"], block=trial["block"], rng=rng)
        rejected += joint_balance(**{**trial, "arm": drawn}, rng=rng).p_value < 0.05
    low, high = binom.ppf([0.0005, 0.9995], 500, 0.05)
    assert low <= rejected <= high


@pytest.mark.truth
def test_ignoring_classes_would_raise_false_alarms():
    """The same assignments tested as if students had been drawn: more than 4 in 10 are rejected."""
    rng = np.random.default_rng(12)
    trial = blocked_trial(rng)
    rejected = 0
    for _ in range(100):
        drawn = redraw_arms(arm=trial["arm"], assigned=trial["assigned"], block=trial["block"], rng=rng)
        by_student = {**trial, "arm": drawn, "assigned": np.arange(len(drawn))}
        rejected += joint_balance(**by_student, rng=rng).p_value < 0.05
    assert rejected > 40


def test_a_planted_imbalance_is_found():
    rng = np.random.default_rng(13)
    trial = blocked_trial(rng, n_blocks=12)
    joint = joint_balance(**{**trial, "x": trial["x"] + 3 * trial["arm"][:, None]}, rng=rng)
    assert joint.p_value == pytest.approx(1 / 1000)
    assert joint.n_draws == 999


def test_differences_between_blocks_do_not_count():
    trial = blocked_trial(np.random.default_rng(14))
    shifted = trial["x"] + 100.0 * trial["block"][:, None]
    one = joint_balance(**trial, rng=np.random.default_rng(1))
    two = joint_balance(**{**trial, "x": shifted}, rng=np.random.default_rng(1))
    assert two.statistic == pytest.approx(one.statistic)
    assert two.p_value == one.p_value


def test_the_order_of_students_and_the_units_of_measurement_change_nothing():
    trial = blocked_trial(np.random.default_rng(15))
    order = np.random.default_rng(2).permutation(len(trial["arm"]))
    scaled = {**{name: codes[order] for name, codes in trial.items()}, "x": trial["x"][order] * [10, 0.1, 3]}
    one = joint_balance(**trial, rng=np.random.default_rng(1))
    two = joint_balance(**scaled, rng=np.random.default_rng(1))
    assert two.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert two.p_value == one.p_value


def test_few_draws_are_enumerated_without_monte_carlo_error():
    trial = blocked_trial(np.random.default_rng(16), n_blocks=1, per_arm=4)
    joint = joint_balance(**trial, rng=np.random.default_rng(1))
    assert (joint.n_draws, joint.is_enumerated, joint.error) == (70, True, 0.0)
    assert joint.p_value >= 2 / 70


def test_more_characteristics_than_units_still_leave_a_test():
    rng = np.random.default_rng(17)
    arm = np.tile([0, 1], 8)
    x = rng.normal(size=(16, 40)) + 4 * arm[:, None]
    joint = joint_balance(x=x, arm=arm, assigned=np.arange(16), block=np.zeros(16, dtype=np.int64), rng=rng)
    assert joint.p_value < 0.01


def test_sums_within_units_leave_the_block_s_mean_out():
    x = np.array([[1.0], [3.0], [5.0], [7.0]])
    total = sum_within(x=x, block=np.zeros(4, dtype=np.int64), unit=np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(total, [[-4.0], [4.0]])


def test_in_several_blocks_each_unit_sums_to_its_distance_from_its_own_block():
    rng = np.random.default_rng(18)
    unit = np.repeat(np.arange(7), [1, 4, 2, 3, 5, 1, 2])
    block = np.array([0, 0, 1, 1, 1, 2, 2])[unit]
    x = rng.normal(size=(len(unit), 2)) + 10.0 * block[:, None]
    by_hand = [
        (x[unit == u] - x[block == b].mean(axis=0)).sum(axis=0) for u, b in enumerate([0, 0, 1, 1, 1, 2, 2])
    ]  # fmt: skip
    np.testing.assert_allclose(sum_within(x=x, block=block, unit=unit), by_hand, atol=1e-12)


def test_the_most_extreme_of_twenty_draws_is_unusual():
    """Blocks of five classes and of four, one adaptive in each: p can be .05 and no less, and .05 counts."""
    klass, school = np.arange(9).repeat(10), np.repeat([0, 1], [50, 40])
    panel = make_panel(
        'assigned = "class"\nblocks = ["school"]\nprobability = "blocks"',
        arm=list(np.where(np.isin(klass, [4, 8]), "adaptive", "usual")),
        levels={"class": [f"C{c}" for c in klass], "school": [f"S{c}" for c in school]},
        values={"age": np.where(np.isin(klass, [4, 8]), 100.0, klass % 3) + np.arange(90) % 10},
        variables=[covariate("age")],
    )  # fmt: skip
    check = judge(panel)
    assert check.value == 1 / 20
    assert check.verdict == Verdict.WARN


def test_categories_and_missing_values_become_columns():
    words = Variable(
        name="sex",
        column="sex",
        roles=(Role.COVARIATE,),
        kind=Kind.CATEGORY,
        label="sex",
        levels=("F", "M"),
        level_labels=("F", "M"),
    )
    values = {"age": [1.0, np.nan, 2, 2], "sex": pd.Categorical(["F", "M", None, "M"], categories=["F", "M"])}
    panel = make_panel(
        'assigned = "student"', arm=["usual", "adaptive"] * 2, values=values, variables=[covariate("age"), words]
    )
    x = code_features(panel.blind(), build_design(panel))
    assert x.shape == (4, 4)
    np.testing.assert_allclose(x[1], [1, 5 / 3, 0, 1])


def test_the_sentence_states_draws_units_blocks_and_error():
    age = np.random.default_rng(3).normal(size=240)
    panel = classrooms(
        24,
        10,
        schools=6,
        design='assigned = "class"\nblocks = ["school"]\nprobability = "blocks"',
        values={"age": age},
        variables=[covariate("age")],
    )
    check = judge(panel)
    assert check.verdict == Verdict.PASS
    assert check.sentence.startswith(
        "All characteristics measured before assignment, taken together over 999 random re-assignments of 24 classes "
        "within 6 schools: differences as large as these are not unusual"
    )
    assert check.sentence.endswith("(p = .06, Monte-Carlo error .007).")


def test_classes_sorted_by_age_into_arms_fail():
    klass = np.arange(24).repeat(10)
    age = (klass % 2) * 2.0 + np.random.default_rng(3).normal(size=240)
    check = judge(classrooms(24, 10, values={"age": age}, variables=[covariate("age")]))
    assert check.verdict == Verdict.FAIL
    assert check.value == pytest.approx(0.001)


def test_a_design_with_few_possible_draws_is_not_assessable():
    check = judge(classrooms(4, 10, values={"age": np.arange(40.0)}, variables=[covariate("age")]))
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "only 6 different ways" in check.sentence


def test_arms_that_were_matched_were_never_drawn():
    design = 'kind = "matched"\nassigned = "class"'
    check = judge(classrooms(24, 5, design=design, values={"age": np.arange(120.0) % 7}, variables=[covariate("age")]))
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "nothing was drawn" in check.sentence


def test_nothing_measured_before_is_not_assessable():
    check = judge(classrooms(24, 2))
    assert check.verdict == Verdict.NOT_ASSESSABLE
    assert "nothing that varies was measured" in check.sentence


def test_the_same_generator_gives_the_same_p():
    panel = classrooms(24, 5, values={"age": np.arange(120.0) % 7}, variables=[covariate("age")])
    assert judge(panel, 5).value == judge(panel, 5).value


def test_a_trial_drawn_with_the_chances_it_states_is_not_called_unbalanced():
    """Poor classes had three chances in four, others one: drawn evenly over all, most would be warned of."""
    warned = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        poor = np.arange(40) % 2 == 0
        arm = np.where(rng.random(40) < np.where(poor, 0.75, 0.25), "adaptive", "usual").repeat(3)
        need = poor.repeat(3) + 0.5 * rng.normal(size=120)
        klass = list(np.arange(40).repeat(3))
        chance = np.where(poor, 0.75, 0.25).repeat(3)
        panel = make_panel(
            'assigned = "class"\nprobability = "chance"', arm=list(arm), levels={"class": klass},
            values={"need": need}, variables=[covariate("need")], probability=chance,
        )  # fmt: skip
        warned += judge(panel).verdict is not Verdict.PASS
    assert warned <= 9  # .05 of 60, and four standard deviations
