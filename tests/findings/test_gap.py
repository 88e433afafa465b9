"""Gaps: the distance between two groups without the programme, and what the offer does to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator, where
from tests.inference.naive import naive_fit
from whoworks.findings.finding import Finding
from whoworks.findings.groups import group_categories
from whoworks.findings.planned.gap import (
    BEFORE,
    NARROWED,
    NARROWED_OR_TURNED,
    TURNED,
    UNSURE,
    WIDENED,
    direction,
    find_gap,
    gap_within,
    share_tests,
)
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.regression import fit_effects


def gap_of(opened, column="frl", **changes):
    moderator = opened.moderator(column).model_copy(update=changes)
    return find_gap(opened.panel, opened.main, moderator)


def test_the_change_of_a_gap_is_the_difference_between_the_groups_effects():
    opened = student_moderator()
    change = gap_of(opened)[1]
    difference = where(
        find_moderation(opened.panel, opened.main, opened.moderator("frl"), rng=np.random.default_rng(0)),
        question="difference",
    )
    for name in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high", "n_units", "smallest_cell"):
        assert getattr(change, name) == getattr(difference, name)
    assert (change.level, change.question, change.status) == ("Y - N", "gap", "confirmatory")


def test_the_gap_without_the_programme_is_the_plain_regression_of_the_control_arm():
    opened = student_moderator()
    scores, groups = opened.scores, group_categories(opened.panel, opened.scores, opened.moderator("frl"))
    keep = (scores.z == 0) & (groups.code >= 0)
    blocks = scores.block[keep][:, None] == np.unique(scores.block[keep])
    X = np.column_stack([groups.member(1)[keep], blocks]).astype(float)
    root = np.sqrt(1 / scores.own[keep])
    slope = np.linalg.lstsq(X * root[:, None], scores.y[keep] * root)[0][0]
    before = gap_of(opened)[0]
    assert before.estimate == pytest.approx(slope, rel=1e-9)
    assert before.quantity == BEFORE
    assert np.isnan(before.p_value)
    assert (before.n_units, before.n_treated_clusters) == (int(keep.sum()), 0)


def test_without_blocks_and_prognosis_the_change_is_one_gap_less_the_other():
    opened = open_pilot("student-moderator", students=400, classes=40, schools=10).without_prognosis()
    scores = replace(opened.scores, block=np.zeros_like(opened.scores.block), own=np.full(len(opened.scores.y), 0.5))
    setting = replace(opened.main, scores=scores)
    groups = group_categories(opened.panel, scores, opened.moderator("frl"))
    gap = {
        z: scores.y[groups.member(1) & (scores.z == z)].mean() - scores.y[groups.member(0) & (scores.z == z)].mean()
        for z in (0, 1)
    }
    before, change = find_gap(opened.panel, setting, opened.moderator("frl"))
    assert before.estimate == pytest.approx(gap[0], rel=1e-9)
    assert change.estimate == pytest.approx(gap[1] - gap[0], rel=1e-9)
    fit = fit_effects(scores, basis=groups.indicators((0, 1)), keep=groups.code >= 0)
    assert change.std_error == pytest.approx(float(fit.effects([0.0, 1.0]).std_error[0]), rel=1e-12)


def test_each_of_control_counts_by_the_inverse_of_its_chance_of_control():
    opened = student_moderator()
    own = np.random.default_rng(5).uniform(0.2, 0.8, size=len(opened.scores.y))
    scores = replace(opened.scores, own=own)
    groups = group_categories(opened.panel, scores, opened.moderator("frl"))
    keep = (scores.z == 0) & (groups.code >= 0)
    fit = naive_fit(
        groups.member(1)[keep, None].astype(float), scores.y[keep], scores.cluster[keep], weights=1 / own[keep],
        absorb=scores.block[keep],
    )  # fmt: skip
    before = find_gap(opened.panel, replace(opened.main, scores=scores), opened.moderator("frl"))[0]
    assert before.estimate == pytest.approx(fit.coefficients[0], rel=1e-8)
    assert before.std_error == pytest.approx(np.sqrt(fit.covariance[0, 0]), rel=1e-6)
    assert before.df == pytest.approx(fit.df[0], rel=1e-6)


def test_a_change_is_confirmatory_on_the_primary_outcome_and_main_contrast_alone():
    opened = student_moderator()
    for is_primary, is_main_contrast in ((True, True), (True, False), (False, True)):
        setting = replace(opened.main, is_primary=is_primary, is_main_contrast=is_main_contrast)
        _, change = find_gap(opened.panel, setting, opened.moderator("frl"))
        assert change.status == ("confirmatory" if is_primary and is_main_contrast else "exploratory")


@pytest.mark.parametrize(
    ("gap", "low", "high", "change", "word"),
    [
        (-6.0, -9.0, -3.0, 2.0, NARROWED),
        (-6.0, -9.0, -3.0, -2.0, WIDENED),
        (6.0, 3.0, 9.0, -2.0, NARROWED),
        (6.0, 3.0, 9.0, -9.5, TURNED),
        (6.0, 3.0, 9.0, -7.0, NARROWED_OR_TURNED),
        (1.0, -2.0, 4.0, -2.0, UNSURE),
        (6.0, 3.0, 9.0, np.nan, UNSURE),
        (3.0, 0.0, 6.0, -2.0, UNSURE),
        (-3.0, -6.0, 0.0, 2.0, UNSURE),
        (-6.0, -9.0, -3.0, 9.5, TURNED),
        (-6.0, -9.0, -3.0, 7.0, NARROWED_OR_TURNED),
        (6.0, 3.0, 9.0, 2.0, WIDENED),
    ],
)
def test_narrower_or_wider_is_said_only_of_a_gap_that_is_there_and_turned_only_where_the_other_side_is_sure(
    gap, low, high, change, word
):
    after = (gap + change - 3.0, gap + change + 3.0)
    assert direction(gap=gap, before=(low, high), after=after, change=change) == word


def test_a_gap_turns_only_where_the_gap_under_the_programme_is_surely_on_the_other_side():
    """Shifts of the second group under the programme, from none to twice the gap and more."""
    opened = student_moderator()
    scores = opened.scores
    groups = group_categories(opened.panel, scores, opened.moderator("frl"))
    said = []
    for shift in np.linspace(0.0, 60.0, 61):
        y = scores.y - 20.0 * groups.member(1) + shift * groups.member(1) * scores.z
        setting = replace(opened.main, scores=replace(scores, y=y))
        said.append(find_gap(opened.panel, setting, opened.moderator("frl"))[1].quantity)
        after = gap_within(setting, groups, setting.treated & (groups.code >= 0))
        assert (said[-1] == TURNED) == (after.interval(setting.confidence)[0][0] > 0)
    order = [NARROWED, NARROWED_OR_TURNED, TURNED]
    places = [order.index(word) for word in said if word != WIDENED]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2}


def test_only_planned_moderators_of_students_with_two_groups_are_gaps():
    opened = student_moderator()
    assert gap_of(opened, planned=False) == ()
    assert gap_of(opened, "devices", planned=True) == ()
    assert gap_of(opened, "rit_fall", planned=True) == ()
    assert gap_of(opened, "setting", planned=True, level="student") == ()


def test_a_group_with_two_classes_in_an_arm_gives_no_gap():
    opened = student_moderator()
    few = np.isin(opened.scores.cluster, np.unique(opened.scores.cluster[opened.scores.z == 1])[2:])
    values = opened.panel.values.copy()
    values.iloc[opened.scores.rows[few], values.columns.get_loc("frl")] = "N"
    panel = replace(opened.panel, values=values)
    (change,) = find_gap(panel, opened.main, opened.moderator("frl"))
    assert np.isnan(change.estimate)
    assert change.notes == ("not assessable: fewer than three clusters in an arm of a group",)


def test_a_gap_takes_over_the_adjusted_p_of_its_difference_and_adds_no_test():
    shared = {"outcome": "y", "contrast": "a - b", "moderator": "frl"}
    difference = Finding(
        question="difference", quantity="", family="planned: y", p_adjusted=0.03, adjustment="Holm", n_tests=2,
        credibility="low", caps=("one",), **shared,
    )  # fmt: skip
    before, change = (Finding(question="gap", quantity=quantity, **shared) for quantity in (BEFORE, NARROWED))
    _, same, taken = share_tests((difference, before, change))
    assert same == before
    assert (taken.p_adjusted, taken.n_tests, taken.credibility, taken.caps) == (0.03, 2, "low", ("one",))
    assert taken.family == ""
