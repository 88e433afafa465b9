from __future__ import annotations

import numpy as np
import pytest

from tests.design.real_trials import load_panel
from whoworks.design.build import build_design
from whoworks.design.feasible import require_feasible
from whoworks.design.folds import assign_folds

pytestmark = pytest.mark.shared


def test_in_star_classes_are_clusters_and_schools_are_blocks(shared):
    panel = load_panel(shared, "star_k")
    design = build_design(panel)
    assert design.cluster_level == "class"
    assert design.cluster_reason.startswith("Students were drawn into classes, and each class carries one arm")
    assert design.sensitivity_level == design.block_level == "school"
    assert panel.units["school"].nunique() == 79
    # one school has small classes and none of the regular ones compared here
    assert len(np.unique(design.block)) == 78
    gone = [entry for entry in design.ledger.entries if entry.reason == "school with only one arm"]
    assert [(entry.arm, entry.n_units, entry.n_clusters) for entry in gone] == [("small", 13, 1)]
    require_feasible(design)


def test_in_star_the_probability_is_the_share_of_students_in_the_school(shared):
    panel = load_panel(shared, "star_k")
    design = build_design(panel)
    school = panel.units["school"].to_numpy()[design.rows]
    for code in np.unique(school)[:10]:
        here = school == code
        np.testing.assert_allclose(design.probability[here, 1], design.arm[here].mean())
    assert design.probability_from == "shares"


def test_in_star_folds_hold_whole_classes_with_both_arms_outside(shared):
    design = build_design(load_panel(shared, "star_k"))
    fold = assign_folds(
        cluster=design.cluster,
        block=design.block,
        arm=design.arm,
        assigned=design.assigned,
        rng=np.random.default_rng(1),
    )
    assert len(np.unique(fold)) == 5
    assert len(np.unique(np.stack([design.cluster, fold]), axis=1).T) == len(np.unique(design.cluster))


def test_a_school_of_one_arm_leaves_the_multisite_trial_and_is_counted(shared):
    design = build_design(load_panel(shared, "eef_mst"))
    assert len(design.rows) == 208
    assert design.cluster_level == design.site_level == "school"
    assert "within 53 schools" in design.cluster_reason
    assert design.sensitivity is None
    last = design.ledger.entries[-1]
    assert (last.reason, last.arm, last.n_units, last.n_clusters) == ("school with only one arm", "0", 2, 1)


def test_the_small_cluster_trial_has_22_schools_and_even_odds(shared):
    design = build_design(load_panel(shared, "eef_crt"))
    assert (design.cluster_level, len(np.unique(design.cluster))) == ("school", 22)
    assert np.all(design.probability == 0.5)
    assert design.sensitivity is None


def test_the_brazilian_trial_has_851_schools(shared):
    design = build_design(load_panel(shared, "schoolrct"))
    assert len(np.unique(design.cluster)) == 851
    assert design.probability_from == "plan"
