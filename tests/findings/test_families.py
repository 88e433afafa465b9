"""Which tests are adjusted together, and how."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.multiplicity.families import AVERAGES, EXPLORATORY, PLANNED, adjust_families, is_test


def finding(question, moderator, p=0.02, **more):
    given = {"outcome": "maths", "contrast": "new - usual", "quantity": "", "domain": "mathematics"}
    return Finding(question=question, moderator=moderator, p_value=p, **(given | more))


CONFIRMATORY = {"status": "confirmatory"}


def test_planned_tests_are_one_family_by_holm():
    found = adjust_families(
        [finding("difference", m, p, **CONFIRMATORY) for m, p in (("a", 0.01), ("b", 0.04), ("c", 0.03))]
    )
    assert [f.p_adjusted for f in found] == pytest.approx(multipletests([0.01, 0.04, 0.03], method="holm")[1])
    assert {(f.family, f.adjustment, f.n_tests) for f in found} == {(PLANNED, "Holm", 3)}


def test_planned_tests_of_several_primary_outcomes_share_one_level():
    found = adjust_families([
        finding("difference", "a", **CONFIRMATORY),
        finding("difference", "a", domain="reading", outcome="read", **CONFIRMATORY),
        finding("difference", "a", domain="", outcome="joy", **CONFIRMATORY),
    ])  # fmt: skip
    assert {(f.family, f.n_tests) for f in found} == {(PLANNED, 3)}
    assert [f.p_adjusted for f in found] == pytest.approx([0.06] * 3)


def test_averages_that_were_not_planned_are_a_family_of_their_own():
    p = [0.001, 0.03, 0.2]
    shared = {"status": "exploratory", "weighting": "student", "estimand": "itt"}
    averages = [finding("average", "", each, outcome=name, **shared) for each, name in zip(p, "abc", strict=True)]
    others = [
        finding("average", "", 0.001, **(shared | {"weighting": "cluster"})),
        finding("average", "", 0.001, **(shared | {"estimand": "cace"})),
        finding("average", "", 0.001, **(shared | {"status": "confirmatory"})),
        finding("difference", "m", 0.04),
    ]
    found = adjust_families([*averages, *others])
    assert [f.p_adjusted for f in found[:3]] == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert {(f.family, f.adjustment, f.n_tests) for f in found[:3]} == {(AVERAGES, "Benjamini-Hochberg", 3)}
    assert [f.family for f in found[3:]] == ["", "", "", EXPLORATORY]
    assert np.isnan([f.p_adjusted for f in found[3:6]]).all()
    assert found[-1].p_adjusted == 0.04


def test_an_averages_other_weighting_and_taking_up_are_no_surer_than_the_average():
    shared = {"status": "exploratory", "weighting": "student", "estimand": "itt"}
    items = [finding("average", "", 0.02, **shared), finding("average", "", 0.04, outcome="read", **shared),
             finding("average", "", 0.001, **(shared | {"weighting": "cluster"})),
             finding("average", "", 0.3, **(shared | {"estimand": "cace"}))]  # fmt: skip
    found = adjust_families(items)
    assert [f.p_adjusted for f in found] == pytest.approx([0.04, 0.04, 0.04, 0.3])
    assert [f.family for f in found] == [AVERAGES, AVERAGES, "", ""]


def test_everything_else_is_one_family_by_benjamini_and_hochberg():
    p = [0.001, 0.02, 0.2, 0.5]
    items = [
        finding("difference", "a", p[0]), finding("joint", "b", p[1], outcome="read"),
        finding("heterogeneity", "predicted effect", p[2]), finding("difference", "c", p[3], contrast="other - usual"),
    ]  # fmt: skip
    found = adjust_families(items)
    assert [f.p_adjusted for f in found] == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert {(f.family, f.n_tests) for f in found} == {(EXPLORATORY, 4)}


def test_a_joint_test_stands_for_its_moderator_and_the_differences_are_not_counted():
    items = [finding("difference", "m", 0.001, level="b"), finding("difference", "m", 0.002, level="c"),
             finding("joint", "m", 0.03), finding("difference", "other", 0.04)]  # fmt: skip
    found = adjust_families(items)
    assert [f.family for f in found] == ["", "", EXPLORATORY, EXPLORATORY]
    assert [f.n_tests for f in found] == [2, 2, 2, 2]


def test_a_difference_behind_a_joint_test_is_never_surer_than_the_joint_test_nor_than_holm_among_its_own():
    def told(joint, *p):
        items = [finding("difference", "m", each, level=str(i)) for i, each in enumerate(p)]
        return [f.p_adjusted for f in adjust_families([*items, finding("joint", "m", joint)])[: len(p)]]

    assert told(0.03, 0.001, 0.5) == pytest.approx([0.03, 0.5])
    assert told(0.001, 0.02, 0.03) == pytest.approx([0.04, 0.04])
    assert np.isnan(told(NAN, 0.001, 0.02)).all()
    assert np.isnan(told(0.01, 0.001, NAN)).tolist() == [False, True]


def test_a_joint_test_stands_only_for_its_own_outcome_and_contrast():
    joint = finding("joint", "m")
    others = [finding("difference", "m", outcome="read"), finding("difference", "m", contrast="x - usual"),
              finding("difference", "m", wave="2")]  # fmt: skip
    assert all(is_test(other, [joint, *others]) for other in others)


def test_planned_averages_groups_and_the_two_weightings_are_no_tests_that_share_a_level():
    items = [
        finding("average", "", **CONFIRMATORY),
        finding("subgroup", "m"),
        finding("difference", "weighting", status="descriptive"),
        finding("curve", "m"),
    ]
    assert not any(is_test(item, items) for item in items)
    assert all(np.isnan(f.p_adjusted) and f.family == "" for f in adjust_families(items))


def test_a_planned_test_that_is_not_assessable_still_counts_as_planned():
    found = adjust_families(
        [finding("difference", "a", 0.02, **CONFIRMATORY), finding("difference", "b", NAN, **CONFIRMATORY)]
    )
    assert found[0].p_adjusted == pytest.approx(0.04)
    assert np.isnan(found[1].p_adjusted)
    assert found[0].n_tests == 2
