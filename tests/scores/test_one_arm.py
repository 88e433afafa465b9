"""A trait that came with the arm is left out of the prognosis, and the effect stays what it is without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import trim
from whoworks.design.build import build_design
from whoworks.findings.regression import fit_effects
from whoworks.panel.build import build_panel
from whoworks.plan.moderators import Moderator
from whoworks.records.read import read_records
from whoworks.scores.build import build_scores
from whoworks.simulate.pilot import make_pilot


@pytest.fixture(scope="module")
def pilot():
    return trim(make_pilot("student-moderator", students=1000, classes=60, schools=10, seed=2), ("frl", "sex"))


def average(pilot, has=None):
    """Return the scores and their average effect, with a licence that some students have when `has` says who."""
    plan, records = pilot.plan, pilot.records
    if has is not None:
        licence = Moderator(column="licence", level="class", values={"no": "no", "yes": "yes"})
        plan = plan.model_copy(update={"moderators": (*plan.moderators, licence)})
        records = records.assign(licence=np.where(has, "yes", "no"))
    panel = build_panel(plan, read_records(plan, frame=records))
    design = build_design(panel)
    scores = build_scores(panel, design, outcome="rit_spring", seed=np.random.SeedSequence(1))[0]
    return scores, float(fit_effects(scores).effects([1.0]).estimate[0])


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_a_licence_of_treated_classes_alone_does_not_take_the_effect_away(pilot, share):
    rng = np.random.default_rng(0)
    classes = np.unique(pilot.records["class_id"], return_inverse=True)[1]
    has = (pilot.records["arm"] == "adaptive") & (rng.random(classes.max() + 1) < share)[classes]
    without, expected = average(pilot)
    scores, found = average(pilot, has)
    assert found == expected
    np.testing.assert_array_equal(scores.h, without.h)


def test_what_is_left_out_does_not_depend_on_the_outcome(pilot):
    has = pilot.records["arm"] == "adaptive"
    shifted = pilot.records["rit_spring"].astype(float) + 50 * has
    moved, _ = average(replace(pilot, records=pilot.records.assign(rit_spring=shifted)), has)
    without, _ = average(replace(pilot, records=pilot.records.assign(rit_spring=shifted)))
    np.testing.assert_array_equal(moved.h, without.h)


def test_a_licence_drawn_at_random_over_classes_is_used_where_it_foretells_outcomes(pilot):
    classes = np.unique(pilot.records["class_id"], return_inverse=True)[1]
    has = (np.random.default_rng(1).random(classes.max() + 1) < 0.5)[classes]
    np.testing.assert_array_equal(average(pilot, has)[0].h, average(pilot)[0].h)
    raised = pilot.records["rit_spring"].astype(float) + 8 * has
    telling = replace(pilot, records=pilot.records.assign(rit_spring=raised))
    licensed = pilot.records["student_id"][has]
    for scores, lowest, highest in ((average(telling, has)[0], 5, 10), (average(telling)[0], -3, 3)):
        own = np.isin(scores.id, licensed)
        assert lowest < scores.h[own].mean() - scores.h[~own].mean() < highest
