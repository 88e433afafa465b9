"""Within and between what carries the arm: the split, its regression, and the test that both agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import open_pilot, student_moderator, where
from tests.findings.redrawn import classrooms, redraw
from whoworks.findings.multiplicity.families import adjust_families, is_test
from whoworks.findings.planned.contrasts import AGREE, FEW_DF_AT_ALL, find_contrasts, is_split, plain_place, split_place
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.regression import fit_effects


def contrasts(opened, column, **changes):
    moderator = opened.moderator(column).model_copy(update=changes)
    return find_contrasts(opened.panel, opened.main, moderator)


@pytest.mark.parametrize("column", ["frl", "rit_fall"])
def test_place_is_the_deviation_plus_the_class_mean(column):
    opened = student_moderator()
    place = plain_place(opened.panel, opened.main, opened.moderator(column))
    own, mean = split_place(place, opened.design)
    known = ~np.isnan(place)
    assert np.allclose((own + mean)[known], (place - place[known].mean())[known], atol=1e-12)
    for c in np.unique(opened.design.assigned):
        members = known & (opened.design.assigned == c)
        assert own[members].sum() == pytest.approx(0, abs=1e-9)
        assert np.ptp(mean[members]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("column", ["frl", "rit_fall"])
def test_the_three_rows_are_the_plain_regression_on_deviation_and_class_mean(column):
    opened = student_moderator().without_prognosis()
    scores, rows = opened.scores, np.searchsorted(opened.design.rows, opened.scores.rows)
    place = plain_place(opened.panel, opened.main, opened.moderator(column))
    own, mean = (part[rows] for part in split_place(place, opened.design))
    keep = ~np.isnan(own)
    z, block = scores.z[keep], scores.block[keep]
    columns = [own[keep], mean[keep], z, z * own[keep], z * mean[keep], *(block == b for b in np.unique(block))]
    root = np.sqrt(1 / scores.own[keep])
    slopes = np.linalg.lstsq(np.column_stack(columns).astype(float) * root[:, None], scores.y[keep] * root)[0][3:5]
    found = [f.estimate for f in contrasts(opened, column)]
    assert found == pytest.approx([*slopes, slopes[0] - slopes[1]], rel=1e-7)


def test_levels_are_distinct_and_only_the_agreement_is_tested():
    found = contrasts(student_moderator(), "rit_fall")
    assert [f.level for f in found] == ["within class", "between classes", "within - between"]
    assert len({f.finding_id for f in found}) == 3
    assert all(is_split(f) and f.status == "descriptive" and f.unit == "per SD" for f in found)
    assert [np.isfinite(f.p_value) for f in found] == [False, False, True]


def test_they_neither_join_a_family_nor_change_the_plain_test():
    opened = student_moderator()
    moderator = opened.moderator("frl")
    plain = find_moderation(opened.panel, opened.main, moderator, rng=np.random.default_rng(0))
    both = (*plain, *contrasts(opened, "frl"))
    assert [is_test(f, both) for f in both] == [is_test(f, plain) for f in plain] + [False] * 3
    assert adjust_families(both)[: len(plain)] == adjust_families(plain)


def test_a_mixture_of_both_is_what_the_plain_slope_is():
    opened = open_pilot("student-moderator", students=400, classes=40, schools=10).without_prognosis()
    scores = replace(opened.scores, block=np.zeros_like(opened.scores.block), own=np.full(len(opened.scores.y), 0.5))
    setting = replace(opened.main, scores=scores)
    found = find_contrasts(opened.panel, setting, opened.moderator("rit_fall"))
    within, between = found[0].estimate, found[1].estimate
    place = plain_place(opened.panel, setting, opened.moderator("rit_fall"))[
        np.searchsorted(opened.design.rows, scores.rows)
    ]
    keep = ~np.isnan(place)
    basis = np.column_stack([np.ones(len(place)), np.nan_to_num(place)])
    own, mean = (
        part[np.searchsorted(opened.design.rows, scores.rows)]
        for part in split_place(plain_place(opened.panel, setting, opened.moderator("rit_fall")), opened.design)
    )
    plain = 0.0
    for z, sign in ((1, 1), (0, -1)):  # each arm's slope is its own mixture of that arm's two slopes
        arm = keep & (scores.z == z)
        X = np.column_stack([np.ones(arm.sum()), own[arm], mean[arm]])
        slopes = np.linalg.lstsq(X, scores.y[arm])[0][1:]
        parts = np.column_stack([own[arm], mean[arm]])
        centred = place[arm] - place[arm].mean()
        plain += sign * (centred @ (parts - parts.mean(0)) @ slopes) / (centred @ centred)
    total = fit_effects(scores, basis=basis, keep=keep).effects([0.0, 1.0]).estimate[0]
    assert plain == pytest.approx(total, rel=1e-8)
    assert np.isfinite([within, between]).all()


def test_students_assigned_one_by_one_and_moderators_of_classes_have_no_split():
    students = open_pilot("no-effect", students=400, classes=20, schools=10, assigned="student")
    assert contrasts(students, "frl") == ()
    assert contrasts(student_moderator(), "devices") == ()
    assert contrasts(student_moderator(), "devices", level="student") == ()
    assert contrasts(student_moderator(), "setting", level="student") == ()


def test_a_rare_group_counts_as_such_so_that_it_can_be_withheld():
    found = contrasts(student_moderator(), "frl")
    plain = where(
        find_moderation(
            student_moderator().panel, student_moderator().main, student_moderator().moderator("frl"),
            rng=np.random.default_rng(0),
        ),
        question="difference",
    )  # fmt: skip
    assert {f.smallest_cell for f in found} == {plain.smallest_cell}
    assert {f.smallest_cell_clusters for f in found} == {plain.smallest_cell_clusters}


@pytest.mark.truth
@pytest.mark.parametrize("world", [{"varying": 0.4}, {"by_lunch": 0.4}], ids=["varies by class", "varies by student"])
def test_agreement_is_rejected_in_one_in_twenty_where_both_are_the_same(world):
    # 250 replicates: at a size of .05 a count above 24 has a chance of 1 in 1,000
    opened = classrooms(40)
    p = []
    for seed in range(250):
        drawn = redraw(opened, seed=seed, **world)
        found = find_contrasts(opened.panel, drawn.setting, opened.moderator("frl"))
        p.append(where(found, level=AGREE).p_value)
    assert (np.array(p) < 0.05).sum() <= stats.binom.ppf(0.999, 250, 0.05)


def test_under_four_degrees_of_freedom_no_contrast_within_or_between_is_told():
    opened = open_pilot("student-moderator", students=200, classes=8, schools=4)
    found = contrasts(opened, "frl")
    few = [f for f in found if f.notes == (FEW_DF_AT_ALL,)]
    assert 0 < len(few) < len(found)
    assert all(np.isnan([f.estimate, f.conf_low, f.conf_high, f.p_value]).all() for f in few)
    assert all(f.df >= 4 for f in found if f not in few)
