"""The variance ratio as a finding."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator, three_arms
from whoworks.findings.multiplicity.families import is_test
from whoworks.findings.searches.variance_ratio import VARIANCE_RATIO, find_variance_ratio
from whoworks.inference.variance_ratio import variance_ratio


def test_it_compares_the_two_arms_with_the_prognosis_taken_out():
    opened = student_moderator()
    scores = opened.scores
    expected = variance_ratio(y=scores.y, z=scores.z, cluster=scores.cluster, weights=1 / scores.own, h=scores.h)
    (found,) = find_variance_ratio(opened.main)
    assert (found.estimate, found.p_value) == pytest.approx((expected.ratio, expected.p_value), rel=1e-12)
    assert found.conf_low * found.conf_high == pytest.approx(found.estimate**2, rel=1e-9)
    assert (found.question, found.moderator, found.status) == ("heterogeneity", VARIANCE_RATIO, "exploratory")


def test_it_is_one_look_among_the_exploratory():
    (found,) = find_variance_ratio(student_moderator().main)
    assert is_test(found, (found,))


def test_other_arms_are_left_aside():
    setting = three_arms().settings[0]
    (found,) = find_variance_ratio(setting)
    assert found.n_units == int((setting.treated | setting.control).sum()) < len(setting.scores.y)


def test_a_binary_outcome_has_none():
    opened = open_pilot("binary-outcome", students=480, classes=40, schools=10)
    assert find_variance_ratio(opened.main) == ()


def test_two_classes_in_an_arm_are_not_assessable():
    opened = open_pilot("no-effect", students=80, classes=4, schools=2)
    (found,) = find_variance_ratio(opened.main)
    assert np.isnan(found.p_value)
    assert found.notes[0].startswith("not assessable: fewer than three clusters")
