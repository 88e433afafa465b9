"""What would matter, in the unit of the findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator
from whoworks.findings.grades import credibility
from whoworks.findings.moderation import open_moderation


def naming(setting, amount, unit="sd"):
    outcome = setting.outcome.model_copy(update={"meaningful": amount, "meaningful_in": unit})
    return replace(setting, outcome=outcome)


def binary_pilot():
    return open_pilot("binary-outcome", students=480, classes=40, schools=10)


def test_of_a_score_it_is_so_many_standard_deviations_or_units():
    setting = student_moderator().main
    assert naming(setting, 0.1).meaningful == pytest.approx(0.1 * setting.scale.sd / setting.scale.factor)
    assert naming(setting, 3.0, "units").meaningful == 3.0
    assert np.isnan(naming(setting, None).meaningful)


def test_of_yes_or_no_it_is_percentage_points_at_which_the_cox_index_is_as_large():
    setting = binary_pilot().main
    assert naming(setting, 4.0, "points").meaningful == 4.0
    points = naming(setting, 0.001).meaningful
    assert setting.scale.effect_size(points / 100) == pytest.approx(0.001, rel=1e-3)
    assert naming(setting, 0.1).meaningful == pytest.approx(100 * points)


def test_every_finding_has_it_beside_its_effect_size():
    setting = naming(student_moderator().main, 0.1)
    told = setting.finding(question="average", quantity="", **setting.inference(setting.average.effects([1.0])))
    assert told.meaningful / 0.1 == pytest.approx(told.estimate / told.effect_size)


def test_a_sites_part_is_held_against_a_proportion_where_findings_are_told_in_points(monkeypatch):
    opened = binary_pilot()
    asked = []
    monkeypatch.setattr(credibility, "turns_without_a_site", lambda moderation, *, meaningful: asked.append(meaningful))
    for amount in (5.0, None):
        setting = naming(opened.main, amount, "points")
        moderation = open_moderation(opened.panel, setting, opened.moderator("frl"))
        assert not credibility._turns_without_a_site(moderation)
    assert asked == [0.05]
