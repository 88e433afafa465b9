"""All moderators in one regression: the columns, the brute-force twin, and its coverage."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import (
    FOUR,
    open_pilot,
    open_study,
    student_moderator,
    three_arms,
    trim,
    where,
    without_record,
)
from tests.findings.redrawn import classrooms, redraw
from whoworks.findings.multiplicity.families import is_test
from whoworks.findings.planned.projection import find_projection, open_projection
from whoworks.simulate.pilot import make_pilot


def test_it_is_the_plain_regression_on_all_columns_at_once():
    opened = student_moderator().without_prognosis()
    scores = opened.scores
    keep, terms = open_projection(opened.panel, opened.main)
    x = np.column_stack([term.column for term in terms])[keep]
    z, block = scores.z[keep][:, None], scores.block[keep]
    X = np.column_stack([z, z * x, x, block[:, None] == np.unique(block)]).astype(float)
    root = np.sqrt(1 / scores.own[keep])
    slopes = np.linalg.lstsq(X * root[:, None], scores.y[keep] * root)[0]
    found = find_projection(opened.panel, opened.main)
    assert [f.estimate for f in found] == pytest.approx(slopes[1 : 1 + len(terms)], rel=1e-6)


def test_one_row_for_a_number_and_one_for_each_group_but_the_first():
    found = find_projection(student_moderator().panel, student_moderator().main)
    rows = [(f.moderator, f.level, f.reference) for f in found]
    assert ("frl", "Y", "N") in rows
    assert ("rit_fall", "", "") in rows
    assert sum(name == "setting" for name, _, _ in rows) == 2
    assert where(found, moderator="rit_fall").unit == "per SD"
    assert not any(is_test(f, found) for f in found)
    assert all(np.isnan(f.p_value) and f.status == "descriptive" for f in found)


def test_students_who_lack_a_moderator_are_left_out_and_counted():
    opened = student_moderator()
    keep, _ = open_projection(opened.panel, opened.main)
    found = find_projection(opened.panel, opened.main)
    assert {f.n_units for f in found} == {int(keep.sum())}
    assert all(
        f"{int((~keep).sum())} students are left out: of each, at least one of the moderators is not known" in f.notes
        for f in found
    )


def test_whoever_lacks_a_moderator_is_in_neither_of_its_groups():
    """A fifth of the students have no record of lunch and wild outcomes: they move nothing."""
    opened = without_record(0.2)
    absent = opened.panel.values["frl"].isna().to_numpy()[opened.scores.rows]
    assert absent.mean() > 0.1
    keep, _ = open_projection(opened.panel, opened.main)
    assert not (keep & absent).any()
    wild = replace(opened.scores, y=np.where(absent, 1e4 * opened.scores.z, opened.scores.y))
    mine, theirs = (
        find_projection(opened.panel, setting) for setting in (opened.main, replace(opened.main, scores=wild))
    )
    assert [f.estimate for f in mine] == [f.estimate for f in theirs]


def test_of_three_arms_those_of_the_third_are_not_among_the_left_out():
    opened = three_arms()
    compared = (opened.scores.z == 1) | opened.main.control
    keep, _ = open_projection(opened.panel, opened.main)
    found, lost = find_projection(opened.panel, opened.main), (~keep & compared).sum()
    assert 0 < lost < (~keep).sum()
    assert all(re.search(rf"\b{lost} students", " ".join(f.notes)) for f in found)


@pytest.mark.parametrize("classes", [22, 24])
def test_every_column_takes_two_clusters_of_each_arm(classes):
    """Five moderators of which one has three groups are six columns: twelve classes an arm, and not ten."""
    opened = open_pilot(
        "student-moderator", names=(*FOUR, "setting"), students=20 * classes, classes=classes, schools=3, blocks="none"
    )
    of_classes = tuple(m.model_copy(update={"level": "class"} if m.column == "setting" else {})
                       for m in opened.panel.plan.moderators)  # fmt: skip
    panel = replace(opened.panel, plan=opened.panel.plan.model_copy(update={"moderators": of_classes}))
    per_arm = min(opened.main.n_clusters(arm) for arm in (opened.main.treated, opened.main.control))
    assert (per_arm, len(open_projection(panel, opened.main)[1])) == (classes // 2, 6)
    assert bool(find_projection(panel, opened.main)) == (classes == 24)


def test_moderators_that_go_together_are_told_apart():
    opened = classrooms(60)
    drawn = redraw(opened, seed=3)
    scores = drawn.setting.scores
    values = opened.panel.values.copy()
    lunch = (values["frl"].astype(object) == "Y").to_numpy(float)
    rng = np.random.default_rng(1)
    values["rit_fall"] = 200 - 20 * lunch + 10 * rng.standard_normal(len(values))
    panel = replace(opened.panel, values=values)
    y = scores.y + 2.0 * scores.z * (lunch[scores.rows] - 0.5)
    setting = replace(drawn.setting, scores=replace(scores, y=y))
    found = find_projection(panel, setting)
    assert where(found, moderator="frl").conf_low > 0
    score = where(found, moderator="rit_fall")
    assert score.conf_low < 0 < score.conf_high


def test_one_moderator_or_too_few_classes_give_nothing():
    one = open_pilot("student-moderator", names=("frl",), students=400, classes=40, schools=10)
    assert find_projection(one.panel, one.main) == ()
    pilot = trim(make_pilot("student-moderator", students=200, classes=8, schools=4), ("frl", "sex", "el", "rit_fall"))
    few = open_study(pilot.plan, pilot.records)
    assert find_projection(few.panel, few.main) == ()


@pytest.mark.truth
def test_its_intervals_hold_the_truth_nineteen_times_in_twenty():
    # 200 replicates: at a coverage of .95 a count below 179 has a chance of 1 in 1,000
    opened = classrooms(40)
    held = dict.fromkeys(("frl", "sex", "devices"), 0)
    unit = {"frl": 0.4, "sex": 0.0, "devices": 0.0}
    for seed in range(200):
        found = find_projection(opened.panel, redraw(opened, seed=seed, varying=0.3, by_lunch=0.4).setting)
        for name in held:
            f = where(found, moderator=name)
            held[name] += f.conf_low <= unit[name] <= f.conf_high
    assert min(held.values()) >= stats.binom.ppf(0.001, 200, 0.95)
