from __future__ import annotations

import re
import time

import numpy as np
import pandas as pd
import pytest

from tests.design.panels import classrooms, make_panel
from whoworks import columns
from whoworks.checks import run
from whoworks.checks.verdict import CHECK_IDS, Verdict, tidy
from whoworks.design.build import build_design
from whoworks.panel.panel import Kind, Role, Variable

REFUSED = re.compile(r"works for|proves|no effect|because of|significant", re.IGNORECASE)


def run_on(panel, seed: int = 1):
    return run.run_checks(panel.blind(), panel.pooled(), build_design(panel), rng=np.random.default_rng(seed))


def lively_panel():
    rng = np.random.default_rng(8)
    n = 240
    variables = [
        Variable(name="maths", column="maths", roles=(Role.OUTCOME,), kind=Kind.NUMBER, label="mathematics"),
        Variable(name="pre", column="pre", roles=(Role.BASELINE,), kind=Kind.NUMBER, label="pre-test"),
        Variable(name="age", column="age", roles=(Role.MODERATOR,), kind=Kind.NUMBER, label="age"),
    ]
    values = {"maths": rng.normal(size=n), "pre": rng.normal(size=n), "age": rng.normal(size=n)}
    design = 'assigned = "class"\nblocks = ["school"]\nprobability = "blocks"'
    return classrooms(24, 10, schools=6, design=design, values=values, variables=variables)


def test_every_check_speaks_and_ids_are_the_documented_ones_in_their_order():
    checks = run_on(lively_panel())
    assert list(dict.fromkeys(check.check_id for check in checks)) == list(CHECK_IDS)
    assert all(check.sentence.endswith(".") and not REFUSED.search(check.sentence) for check in checks)


def test_a_check_and_its_subject_occur_once():
    checks = run_on(lively_panel())
    assert len({(check.check_id, check.subject) for check in checks}) == len(checks)


def test_the_checks_make_the_columns_of_their_file():
    frame = tidy(run_on(lively_panel()))
    assert tuple(frame.columns) == columns.CHECKS


def test_a_check_that_crashes_becomes_an_error_and_the_others_still_speak(monkeypatch):
    def crash(*_: object) -> None:
        raise ValueError("Ann Smith scored 12")

    monkeypatch.setattr(run, "check_overlap", crash)
    checks = run_on(lively_panel())
    failed = [check for check in checks if check.verdict == Verdict.ERROR]
    assert [check.check_id for check in failed] == ["overlap"]
    assert failed[0].sentence == (
        "The check 'overlap' stopped with an error of its own (ValueError), so it says nothing about this study."
    )
    assert list(dict.fromkeys(check.check_id for check in checks)) == list(CHECK_IDS)


def test_the_same_generator_gives_the_same_checks():
    panel = lively_panel()
    pd.testing.assert_frame_equal(tidy(run_on(panel, 4)), tidy(run_on(panel, 4)))


def test_outcomes_values_move_no_check_that_sees_arms():
    panel = lively_panel()
    changed = panel.values.assign(maths=panel.values["maths"] * 7 + (panel.units["arm"] == "adaptive"))
    other = type(panel)(**{name: getattr(panel, name) for name in panel.__slots__} | {"values": changed})
    blind = [
        frame[~frame["check_id"].isin(["ceiling_floor", "distinct_values", "far_values"])]
        for frame in map(tidy, map(run_on, (panel, other)))
    ]
    pd.testing.assert_frame_equal(*blind)


def test_with_one_arm_nothing_is_compared_and_the_measures_are_still_looked_at():
    checks = {check.check_id: check for check in run_on(make_panel('assigned = "student"', arm=["usual"] * 6))}
    assert checks["balance"].verdict == Verdict.NOT_ASSESSABLE
    assert checks["balance"].sentence == "Nobody is in the arm 'adaptive programme', so the arms cannot be compared."
    assert checks["clusters"].verdict == Verdict.FAIL
    assert checks["distinct_values"].verdict == Verdict.FAIL
    assert Verdict.ERROR not in {check.verdict for check in checks.values()}


def test_with_nobody_left_every_check_still_answers():
    panel = make_panel(
        'assigned = "student"\nblocks = ["school"]', arm=["usual", "adaptive"], levels={"school": list("XY")}
    )
    checks = run_on(panel)
    assert Verdict.ERROR not in {check.verdict for check in checks}
    assert list(dict.fromkeys(check.check_id for check in checks)) == list(CHECK_IDS)
    told = {check.check_id: check.sentence for check in checks}
    assert told["balance"] == "Nobody is left to compare: no block holds every arm."
    assert told["distinct_values"].endswith("nobody is left.")


def test_an_outcome_that_nobody_has_is_no_crash():
    panel = classrooms(24, 5, values={"maths": np.full(120, np.nan)})
    checks = {check.check_id: check for check in run_on(panel)}
    assert checks["attrition"].verdict == Verdict.FAIL
    assert checks["distinct_values"].verdict == Verdict.FAIL
    assert Verdict.ERROR not in {check.verdict for check in checks.values()}


def test_three_arms_are_checked_too():
    rng = np.random.default_rng(5)
    age = Variable(name="age", column="age", roles=(Role.COVARIATE,), kind=Kind.NUMBER, label="age")
    panel = make_panel(
        'assigned = "student"',
        arm=["usual", "adaptive", "tutor"] * 40,
        treatments=["adaptive", "tutor"],
        values={"age": rng.normal(size=120), "maths": rng.normal(size=120)},
        variables=[age],
    )
    checks = run_on(panel)
    assert Verdict.ERROR not in {check.verdict for check in checks}
    joint = next(check for check in checks if check.subject == "joint")
    assert joint.verdict == Verdict.PASS


def test_twenty_thousand_students_with_twenty_moderators_take_less_than_five_seconds():
    rng = np.random.default_rng(6)
    n = 20_000
    words = tuple("abcd")
    variables = [
        Variable(name=f"m{k}", column=f"m{k}", roles=(Role.MODERATOR,), kind=Kind.NUMBER, label=f"m{k}")
        for k in range(10)
    ] + [
        Variable(
            name=f"c{k}",
            column=f"c{k}",
            roles=(Role.MODERATOR,),
            kind=Kind.CATEGORY,
            label=f"c{k}",
            levels=words,
            level_labels=words,
        )
        for k in range(10)
    ]
    values: dict[str, object] = {f"m{k}": rng.normal(size=n) for k in range(10)}
    values |= {f"c{k}": pd.Categorical(rng.choice(list(words), n), categories=list(words)) for k in range(10)}
    panel = make_panel(
        'assigned = "student"\nprobability = 0.5',
        arm=list(rng.choice(["usual", "adaptive"], n)),
        levels={"school": [f"S{code:03d}" for code in rng.integers(0, 200, n)]},
        values=values,
        variables=variables,
    )
    started = time.process_time()
    checks = run_on(panel)
    assert time.process_time() - started < 5
    assert next(check for check in checks if check.subject == "joint").verdict != Verdict.NOT_ASSESSABLE


@pytest.mark.shared
@pytest.mark.parametrize("name", ["star_k", "eef_mst", "eef_crt", "schoolrct"])
def test_no_check_stumbles_over_a_real_trial(shared, name):
    from tests.design.real_trials import load_panel

    checks = run_on(load_panel(shared, name))
    assert Verdict.ERROR not in {check.verdict for check in checks}
    assert Verdict.FAIL not in {check.verdict for check in checks}
    assert all(not REFUSED.search(check.sentence) for check in checks)
