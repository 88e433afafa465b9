"""For whom, where: cells, differences in each context, and the test that they are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import of_classes, open_pilot, student_moderator, where
from tests.findings.redrawn import classrooms, redraw
from whoworks.findings.multiplicity.families import is_test
from whoworks.findings.planned.crossed import CELL, DIFFERENCE, SAME, find_crossed, open_crossing, pairs
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import doubts


def planned(opened, *names, **changes):
    """Let the plan name these moderators in advance, in this order, and no others."""
    moderators = tuple(opened.moderator(name).model_copy(update={"planned": True} | changes) for name in names)
    return replace(opened.panel, plan=opened.panel.plan.model_copy(update={"moderators": moderators}))


def test_a_cell_is_the_effect_among_its_own_students():
    # without blocks and prognosis the regression is saturated: every cell is a regression of its own
    opened = open_pilot("both", students=480, classes=40, schools=10).without_prognosis()
    scores = replace(opened.scores, block=np.zeros_like(opened.scores.block))
    setting = replace(opened.main, scores=scores)
    panel = planned(opened, "frl", "devices")
    found = find_crossed(panel, setting)
    crossing = open_crossing(panel, setting, opened.moderator("frl"), opened.moderator("devices"))
    for group, code in enumerate(("N", "Y")):
        for place, context in enumerate(("shared", "own")):
            alone = fit_effects(scores, keep=crossing.cell(group, place)).effects([1.0])
            cell = where(found, quantity=CELL, level=f"{code}, {context}")
            assert cell.estimate == pytest.approx(float(alone.estimate[0]), rel=1e-8)
    cells = {f.level: f.estimate for f in found if f.quantity == CELL}
    differences = {f.level: f.estimate for f in found if f.quantity == DIFFERENCE}
    for context in ("shared", "own"):
        expected = cells[f"Y, {context}"] - cells[f"N, {context}"]
        assert differences[f"Y - N, {context}"] == pytest.approx(expected, rel=1e-8)
    same = where(found, quantity=SAME)
    assert same.estimate == pytest.approx(differences["Y - N, own"] - differences["Y - N, shared"], rel=1e-8)


def test_three_contexts_are_compared_by_one_joint_test():
    opened = of_classes(student_moderator(), "setting")
    found = find_crossed(planned(opened, "frl", "setting"), opened.main)
    same = where(found, quantity=SAME)
    assert same.df_num == 2
    assert np.isnan(same.estimate)
    assert 0 <= same.p_value <= 1
    assert len([f for f in found if f.quantity == CELL]) == 6


def test_a_number_is_a_context_where_the_plan_cuts_it():
    opened = student_moderator()
    assert pairs(planned(opened, "frl", "teacher_years").plan) == ()
    found = find_crossed(planned(opened, "frl", "teacher_years", cut="median"), opened.main)
    assert len([f for f in found if f.quantity == DIFFERENCE]) == 2


def test_only_planned_moderators_are_crossed():
    opened = student_moderator()
    panel = planned(opened, "frl", "devices", planned=False)
    assert find_crossed(panel, opened.main) == ()


def test_the_one_test_is_exploratory_and_every_row_has_a_name_of_its_own():
    opened = student_moderator()
    found = find_crossed(planned(opened, "frl", "devices"), opened.main)
    assert [f.quantity for f in found if is_test(f, found)] == [SAME]
    assert where(found, quantity=SAME).status == "exploratory"
    assert len({f.finding_id for f in found}) == len(found)


def test_a_context_with_two_classes_in_an_arm_is_left_out_of_the_test():
    opened = student_moderator()
    panel = planned(opened, "frl", "setting")
    values = panel.values.copy()
    scores = opened.scores
    town = values["setting"].iloc[scores.rows].astype(object).to_numpy() == "town"
    clusters = np.unique(scores.cluster[town & (scores.z == 1)])
    lost = town & np.isin(scores.cluster, clusters[2:])
    values.iloc[scores.rows[lost], values.columns.get_loc("setting")] = "city"
    found = find_crossed(replace(panel, values=values), opened.main)
    assert np.isnan(where(found, level="Y, town").estimate)
    assert "not assessable" in where(found, level="Y - N, town").notes[0]
    assert where(found, quantity=SAME).df_num == 1


@pytest.mark.truth
def test_the_same_difference_everywhere_is_called_different_in_one_in_twenty():
    # 250 replicates: at a size of .05 a count above 24 has a chance of 1 in 1,000
    opened = classrooms(40)
    panel = planned(opened, "frl", "devices")
    p = [
        where(find_crossed(panel, redraw(opened, seed=s, varying=0.4, by_lunch=0.4).setting), quantity=SAME).p_value
        for s in range(250)
    ]
    assert (np.array(p) < 0.05).sum() <= stats.binom.ppf(0.999, 250, 0.05)


def test_why_there_is_no_p_is_said_as_of_any_joint_test():
    """Three contexts of an outcome that is the same within each arm."""
    opened = of_classes(student_moderator(), "setting")
    flat = replace(opened.main, scores=replace(opened.scores, y=opened.scores.z.copy(), h=None))
    same = where(find_crossed(planned(opened, "frl", "setting"), flat), quantity=SAME)
    assert np.isnan(same.p_value)
    assert same.notes == doubts(df=same.df, statistic=same.statistic)
    assert same.notes
