"""What a trial can tell and what not: degrees of freedom, clusters, and a re-drawn p."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import open_pilot, student_moderator, where
from tests.findings.test_moderation import moderation
from whoworks.inference.cluster_robust import Estimates


@pytest.mark.parametrize(("df", "is_told"), [(3.999, False), (4.0, True), (np.nan, False)])
def test_a_p_is_told_from_four_degrees_of_freedom_on(df, is_told):
    told = Estimates(
        estimate=np.array([2.0]), std_error=np.array([0.5]), df=np.array([df]), statistic=np.array([4.0]),
        p_value=np.array([0.01]), covariance=np.array([[0.25]]),
    )  # fmt: skip
    fields = student_moderator().main.inference(told)
    assert np.isfinite(fields["p_value"]) == is_told
    assert bool(fields["notes"]) != is_told


def three_groups(opened):
    """Deal every student into one of three groups."""
    column = opened.panel.values["setting"]
    codes = np.random.default_rng(3).integers(3, size=len(column))
    dealt = pd.Categorical.from_codes(codes, column.cat.categories, ordered=column.cat.ordered)
    return replace(opened, panel=replace(opened.panel, values=opened.panel.values.assign(setting=dealt)))


@pytest.mark.parametrize(("classes", "is_told"), [(6, False), (40, True)])
def test_under_four_degrees_of_freedom_a_joint_test_has_no_p_either(classes, is_told):
    opened = open_pilot("no-effect", names=("setting",), students=20 * classes, classes=classes, schools=classes // 2)
    joint = where(moderation(three_groups(opened), "setting", planned=False), question="joint")
    assert np.isfinite(joint.statistic)
    assert (joint.df >= 4) == is_told
    assert np.isfinite(joint.p_value) == is_told
    assert bool(joint.notes) != is_told


@pytest.mark.parametrize(("classes", "is_few"), [(18, True), (20, False)])
def test_ten_clusters_in_each_arm_are_not_few(classes, is_few):
    opened = open_pilot("no-effect", names=("frl",), students=10 * classes, classes=classes, schools=1, blocks="none")
    assert opened.main.n_clusters(opened.main.treated) == classes // 2
    assert opened.main.has_few_clusters == is_few


def test_a_randomisation_p_of_a_difference_allows_for_any_effect_that_is_the_same_for_all():
    """Fifty points more for every treated student change nothing about who gains more."""
    few = open_pilot("student-moderator", names=("frl",), students=240, classes=12, schools=3)
    raised = replace(few.scores, y=few.scores.y + 50.0 * few.scores.z)
    told = [
        where(moderation(replace(few, settings=(replace(few.main, scores=scores),)), "frl"), question="difference")
        for scores in (few.scores, raised)
    ]
    assert told[0].p_randomization == told[1].p_randomization
    assert told[0].estimate == pytest.approx(told[1].estimate)
