"""The planned family by step-down min-p, beside Holm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import of_classes, open_pilot, student_moderator
from tests.findings.redrawn import classrooms, redraw
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.multiplicity.min_p import add_min_p, open_hypothesis
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.inference.wild_bootstrap import statistics


def family(opened, *names, setting=None):
    """Estimate along moderators that are all planned, adjusted by Holm; and the panel of that plan."""
    moderators = tuple(opened.moderator(name).model_copy(update={"planned": True}) for name in names)
    panel = replace(opened.panel, plan=opened.panel.plan.model_copy(update={"moderators": moderators}))
    setting = opened.main if setting is None else setting
    rng = np.random.default_rng(0)
    found = [f for m in moderators for f in find_moderation(panel, setting, m, rng=rng)]
    return adjust_families(found), panel, setting


def told(findings):
    return {f.moderator: f for f in findings if f.robustness is not None}


def test_it_stands_beside_holm_and_changes_nothing_else():
    found, panel, setting = family(open_pilot("student-moderator", students=600, classes=60, schools=10), "frl", "sex")
    added = add_min_p(found, panel, [setting], seed=np.random.SeedSequence(1))
    assert [replace(f, robustness=None) for f in added] == list(found)
    assert set(told(added)) == {"frl", "sex"}
    for finding in told(added).values():  # never far above Holm's, which takes no account of how tests go together
        assert finding.p_value - 0.05 < finding.robustness.min_p < finding.p_adjusted + 0.05


def test_each_hypothesis_is_the_regression_of_its_own_finding():
    opened = open_pilot("student-moderator", students=600, classes=60, schools=10)
    found, panel, setting = family(opened, "frl", "rit_fall")
    for finding in (f for f in found if f.family):
        hypothesis = open_hypothesis(finding, panel, [setting])
        wald = statistics(hypothesis, None)[0]
        assert np.sqrt(wald) == pytest.approx(abs(finding.statistic), rel=0.15)  # CR1 beside CR2


def test_a_moderator_of_blocks_leaves_its_absorbed_column_out():
    opened = open_pilot("no-effect", names=("frl", "setting"), students=960, classes=96, schools=12, blocks="school")
    found, panel, setting = family(of_classes(opened, "setting"), "frl", "setting")
    joint = next(f for f in found if f.question == "joint")
    hypothesis = open_hypothesis(joint, panel, [setting])
    assert len(hypothesis.tested) == 2
    assert np.isfinite(statistics(hypothesis, None)).all()
    assert "setting" in told(add_min_p(found, panel, [setting], seed=np.random.SeedSequence(1)))


def test_a_family_with_a_thin_cell_or_of_one_test_keeps_holm_alone():
    opened = student_moderator()  # ten classes of each kind of device in some arm, or fewer
    found, panel, setting = family(opened, "frl", "setting")
    assert min(f.smallest_cell_clusters for f in found if f.family) < 10
    assert told(add_min_p(found, panel, [setting], seed=np.random.SeedSequence(1))) == {}
    found, panel, setting = family(opened, "frl")
    assert told(add_min_p(found, panel, [setting], seed=np.random.SeedSequence(1))) == {}


def test_the_same_seed_gives_the_same_p():
    found, panel, setting = family(open_pilot("student-moderator", students=600, classes=60, schools=10), "frl", "sex")
    first, second = (told(add_min_p(found, panel, [setting], seed=np.random.SeedSequence(3))) for _ in range(2))
    assert first == second


@pytest.mark.truth
@pytest.mark.parametrize("varying", [0.0, 0.4], ids=["no effect", "varies by class"])
def test_any_false_claim_is_made_in_one_run_in_twenty(varying, monkeypatch):
    # 150 replicates of 199 draws: at a rate of .05 a count above 17 has a chance of 1 in 1,000
    monkeypatch.setattr("whoworks.findings.multiplicity.min_p.N_DRAWS", 199)
    opened = classrooms(60)
    claims, told_of = 0, 0
    for seed in range(150):
        found, panel, setting = family(
            opened, "frl", "sex", "devices", setting=redraw(opened, seed=seed, varying=varying).setting
        )
        looks = told(add_min_p(found, panel, [setting], seed=np.random.SeedSequence(seed)))
        told_of += bool(looks)
        claims += any(f.robustness.min_p <= 0.05 for f in looks.values())
    assert told_of > 100
    assert claims <= stats.binom.ppf(0.999, 150, 0.05)
