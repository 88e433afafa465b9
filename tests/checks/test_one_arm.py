"""What is found in one arm only: told when no draw would leave it so, and never by chance more often than promised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.design.panels import classrooms, make_panel
from whoworks.checks.one_arm import FAIL_P, WARN_P, beyond_chance, came_with_an_arm, check_one_arm, find_traits
from whoworks.checks.verdict import Verdict
from whoworks.design.build import build_design
from whoworks.design.redraw import redraw_arms
from whoworks.panel.panel import Kind, Role, Variable

SIZE = 10


def category(name, levels=("no", "yes"), role=Role.MODERATOR):
    return Variable(
        name=name, column=name, roles=(role,), kind=Kind.CATEGORY, label=name, levels=levels, level_labels=levels
    )


def number(name, kind=Kind.NUMBER):
    return Variable(name=name, column=name, roles=(Role.COVARIATE,), kind=kind, label=name)


def words(has, levels=("no", "yes")):
    return pd.Categorical(np.array(levels)[np.asarray(has, dtype=int)], categories=list(levels), ordered=True)


def trial(n_classes, values, variables, **more):
    return classrooms(n_classes, SIZE, values=values, variables=variables, **more)


def rooms(n_classes):
    room = np.repeat(np.arange(n_classes), SIZE)
    return room, room % 2 == 1


def look(panel):
    return {check.subject: check for check in check_one_arm(panel.blind(), build_design(panel))}


def licence(n_classes, has):
    return look(trial(n_classes, {"licence": words(has)}, [category("licence")]))


def test_a_trait_of_most_treated_classes_and_of_no_control_fails_by_name_and_level():
    room, treated = rooms(40)
    check = licence(40, treated & (room % 10 != 1))["licence"]
    assert check.verdict is Verdict.FAIL
    assert check.value < 1e-6
    assert check.sentence.startswith("licence (\u201cyes\u201d under adaptive programme) is found in one arm only")
    assert "was it measured before assignment?" in check.sentence
    assert "left out of what foretells outcomes" in check.sentence


def test_a_trait_of_control_alone_is_named_under_control():
    _, treated = rooms(24)
    assert "\u201cyes\u201d under usual practice" in licence(24, ~treated)["licence"].sentence


@pytest.mark.parametrize("share", [0.6, 0.98])
def test_a_trait_of_students_is_judged_by_the_classes_that_were_assigned(share):
    _, treated = rooms(24)
    has = treated & (np.random.default_rng(1).random(240) < share)
    check = licence(24, has)["licence"]
    assert check.verdict is Verdict.FAIL
    assert check.value == pytest.approx(2 / 2_704_156, rel=1e-6)


def test_a_stray_student_of_the_other_arm_does_not_hide_it():
    _, treated = rooms(40)
    has = treated.copy()
    has[[0, 45]] = True
    assert licence(40, has)["licence"].verdict is Verdict.FAIL


def test_a_class_with_a_stray_student_holds_nothing():
    """Two of 120 control students have it, in two classes: the p stays that of twelve classes against none."""
    _, treated = rooms(24)
    has = treated.copy()
    has[[0, 45]] = True
    panel = trial(24, {"licence": words(has)}, [category("licence")])
    found = {trait.level: trait.p_value for trait in find_traits(panel.values, panel.variables, build_design(panel))}
    assert found["yes"] == pytest.approx(2 / 2_704_156, rel=1e-6)


@pytest.mark.parametrize(
    ("there", "elsewhere", "told"), [(10, 0, True), (9, 0, False), (200, 10, True), (200, 11, False), (100, 5, True)]
)
def test_a_trait_is_one_arms_from_ten_students_on_and_up_to_a_twentieth_of_the_share_in_the_other(
    there, elsewhere, told
):
    has = np.r_[np.arange(200) < elsewhere, np.arange(200) < there]
    panel = make_panel(
        'assigned = "student"\nprobability = 0.5', arm=["usual"] * 200 + ["adaptive"] * 200,
        values={"licence": words(has)}, variables=[category("licence")],
    )  # fmt: skip
    traits = list(find_traits(panel.values, panel.variables, build_design(panel)))
    assert next(trait.is_one_arms for trait in traits if trait.level == "yes") == told


def test_a_trait_of_one_class_is_no_evidence_however_many_its_students():
    room, _ = rooms(40)
    assert licence(40, room == 1)[""].verdict is Verdict.PASS
    assert licence(40, np.isin(room, (1, 3)))[""].verdict is Verdict.PASS


def test_fewer_than_ten_students_are_nothing_to_judge_by():
    panel = make_panel(
        'assigned = "student"\nprobability = 0.5', arm=["usual"] * 200 + ["adaptive"] * 200,
        values={"licence": words(np.arange(400) >= 391)}, variables=[category("licence")],
    )  # fmt: skip
    assert look(panel)[""].verdict is Verdict.PASS


def test_six_classes_an_arm_can_fail_and_four_can_only_warn():
    for n_classes, verdict in ((12, Verdict.FAIL), (8, Verdict.WARN)):
        _, treated = rooms(n_classes)
        check = licence(n_classes, treated)["licence"]
        assert check.verdict is verdict
    assert "left out" not in check.sentence


def test_pairs_of_classes_make_it_harder_to_tell():
    _, treated = rooms(12)
    design = 'assigned = "class"\nblocks = ["school"]\nprobability = "blocks"'
    panel = trial(12, {"licence": words(treated)}, [category("licence")], schools=6, design=design)
    assert look(panel)["licence"].verdict is Verdict.WARN


@pytest.mark.parametrize("kind", ["zero", "shifted", "binary", "missing"])
def test_numbers_and_holes_of_one_arm_are_found_too(kind):
    _, treated = rooms(40)
    rng = np.random.default_rng(2)
    x = {
        "zero": np.where(treated & (rng.random(400) < 0.9), 1 + rng.random(400), 0.0),
        "shifted": rng.random(400) + 2 * treated,
        "binary": (treated & (rng.random(400) < 0.7)).astype(float),
        "missing": np.where(treated & (rng.random(400) < 0.5), np.nan, rng.random(400)),
    }[kind]
    panel = trial(40, {"x": x}, [number("x", Kind.BINARY if kind == "binary" else Kind.NUMBER)])
    assert look(panel)["x"].verdict is Verdict.FAIL
    assert came_with_an_arm(panel.values, panel.variables, build_design(panel)) == {"x"}


def test_what_both_arms_hold_passes_and_nothing_is_left_out():
    rng = np.random.default_rng(3)
    panel = trial(40, {"sex": words(rng.random(400) < 0.5), "x": rng.normal(size=400)}, [category("sex"), number("x")])
    assert (
        look(panel)[""].sentence
        == "Among two characteristics measured before assignment, none is found in one arm only."
    )
    assert came_with_an_arm(panel.values, panel.variables, build_design(panel)) == frozenset()


def test_a_single_characteristic_is_told_in_the_singular():
    panel = trial(40, {"x": np.random.default_rng(3).normal(size=400)}, [number("x")])
    said = "The one characteristic measured before assignment is not found in one arm only."
    assert look(panel)[""].sentence == said


def test_an_outcome_is_never_looked_at():
    _, treated = rooms(40)
    outcome = Variable(name="maths", column="maths", roles=(Role.OUTCOME,), kind=Kind.NUMBER, label="mathematics")
    panel = trial(40, {"maths": treated.astype(float)}, [outcome])
    assert came_with_an_arm(panel.values, panel.variables, build_design(panel)) == frozenset()
    assert look(panel)[""].verdict is Verdict.NOT_ASSESSABLE


def test_of_three_arms_the_one_that_has_it_is_named():
    arm = ["usual", "adaptive", "tutor"] * 60
    panel = make_panel(
        'assigned = "student"', arm=arm, treatments=["adaptive", "tutor"],
        values={"licence": words(np.array(arm) == "tutor")}, variables=[category("licence")],
    )  # fmt: skip
    check = look(panel)["licence"]
    assert check.verdict is Verdict.FAIL
    assert "\u201cyes\u201d under tutor" in check.sentence
    assert set(check.table["arm"]) == {"tutor"}


def test_where_arms_were_matched_nothing_was_drawn():
    _, treated = rooms(40)
    panel = trial(40, {"licence": words(treated)}, [category("licence")])
    design = replace(build_design(panel), kind="matched")
    (check,) = check_one_arm(panel.blind(), design)
    assert check.verdict is Verdict.NOT_ASSESSABLE
    assert came_with_an_arm(panel.values, panel.variables, design) == frozenset()


def test_in_a_sound_trial_hardly_any_draw_of_the_arms_leaves_a_variable_out():
    """Twelve classes, six traits of exactly half of them: the worst case. False alarm of this test: 4e-4."""
    rng = np.random.default_rng(4)
    room, _ = rooms(12)
    values = {f"t{k}": words(np.isin(room, rng.permutation(12)[:6])) for k in range(6)}
    panel = trial(12, values, [category(name) for name in values])
    design = build_design(panel)
    told = {FAIL_P: 0, WARN_P: 0}
    for _ in range(400):
        arm = redraw_arms(arm=design.arm, assigned=design.assigned, block=design.block, rng=rng)
        traits = list(find_traits(panel.values, panel.variables, replace(design, arm=arm)))
        for alpha in told:
            told[alpha] += bool(beyond_chance(traits, alpha))
    assert told[FAIL_P] <= 5
    assert told[WARN_P] <= 35
