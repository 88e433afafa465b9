"""Five deliberate breaks, and for each the assertion that turns red: these tests show that the others can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator
from tests.findings.test_average import test_the_average_is_the_regression_that_the_page_names as average_is_clustered
from tests.findings.test_moderation import (
    test_a_difference_is_the_interaction_of_the_plain_regression as difference_is_clustered,
)
from tests.findings.test_moderation import (
    test_the_shipped_pilots_case_is_clubsandwichs_number as shares_are_those_of_clubsandwich,
)
from tests.inference.test_agrees_with_r_on_generated_pilots import (
    test_estimates_errors_and_degrees_of_freedom_are_those_of_clubsandwich as errors_are_those_of_clubsandwich,
)
from tests.scores.test_build import check_known_probability, check_whole_folds
from whoworks.design import build as design_build
from whoworks.findings import regression
from whoworks.findings.planned.average import find_average
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.leverages import Moments
from whoworks.scores import build as scores_build

PLAIN = "lakeside: rit_spring ~ z*own | cluster class_id"


def fresh():
    """A pilot opened anew, so that a break in panel, design or scores shows."""
    return open_pilot("student-moderator", names=("frl", "rit_fall"), students=288, classes=24, schools=6)


def cr1_for_cr2(monkeypatch):
    adjust = Moments.adjust
    monkeypatch.setattr(Moments, "adjust", lambda self, kind: adjust(self, "CR1" if kind == "CR2" else kind))


def errors_of_students(monkeypatch):
    def alone(*, cluster, **data):
        return cluster_robust(cluster=np.arange(len(cluster)), **data)

    monkeypatch.setattr(regression, "cluster_robust", alone)


def folds_by_row(monkeypatch):
    monkeypatch.setattr(scores_build, "assign_folds", lambda *, cluster, **_: np.arange(len(cluster)) % 5)


def learned_probability(monkeypatch):
    """Learn each student's arm from what the class is like: the classroom gives its arm away."""

    def learn(panel, *, arm, rows, **_):
        from sklearn.ensemble import HistGradientBoostingClassifier

        names = ["rit_fall"]
        x = np.column_stack(
            [panel.values[names].iloc[rows], np.unique(panel.units["class"], return_inverse=True)[1][rows]]
        )
        return HistGradientBoostingClassifier(random_state=0).fit(x, arm).predict_proba(x).clip(0.01, 0.99)

    monkeypatch.setattr(design_build, "know_probability", learn)


def weights_dropped(monkeypatch):
    monkeypatch.setattr(regression, "cluster_robust", lambda *, weights, **data: cluster_robust(**data))


BREAKS = {
    "CR1 for CR2: standard errors are those of clubSandwich": (
        cr1_for_cr2, lambda: errors_are_those_of_clubsandwich(PLAIN, "CR2")),
    "students as clusters: a difference is the clustered interaction": (
        errors_of_students, lambda: difference_is_clustered(student_moderator().without_prognosis())),
    "students as clusters: the average is the clustered regression": (
        errors_of_students,
        lambda: average_is_clustered(find_average(replace(student_moderator().main), rng=np.random.default_rng(0)))),
    "folds by row: folds hold whole clusters": (folds_by_row, lambda: check_whole_folds(fresh().scores)),
    "a learned propensity: the probability is the share of what was drawn": (
        learned_probability, lambda: check_known_probability(fresh())),
    "weights dropped: weighted blocks are those of clubSandwich": (weights_dropped, shares_are_those_of_clubsandwich),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_turns_its_assertion_red(monkeypatch, name):
    break_it, check = BREAKS[name]
    check()
    break_it(monkeypatch)
    with pytest.raises(AssertionError):
        check()
