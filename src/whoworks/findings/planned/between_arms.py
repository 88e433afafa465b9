"""Treatments against each other, where a study has several: the same fit as against control, with another reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from whoworks.findings.finding import Finding
from whoworks.findings.planned.average import find_average
from whoworks.findings.setting import Setting, open_setting


def find_between_arms(settings: Sequence[Setting], *, rng: np.random.Generator) -> tuple[Finding, ...]:
    """Estimate the average difference between every two treatments of one outcome, students counted equally.

    `settings` are the outcome's, one per treatment in the plan's order. All arms
    are in one fit, so that the estimate is the difference of the two effects
    against control and its error theirs, covariance included. Exploratory.
    """
    pairs = combinations(settings, 2)
    return tuple(find_average(compare_treatments(later, earlier), rng=rng)[0] for earlier, later in pairs)


def compare_treatments(setting: Setting, against: Setting) -> Setting:
    """Return the setting of one treatment against another of its outcome; control becomes one of the other arms."""
    own, reference = setting.scores, against.scores
    arm = setting.design.arm[setting.design.places(own.rows)]
    treatment, other = int(arm[own.z == 1][0]), int(arm[reference.z == 1][0])
    rest = [place for place in range(len(setting.design.arms)) if place not in (treatment, other)]
    scores = replace(
        own, contrast=f"{setting.design.arms[treatment]} - {setting.design.arms[other]}",
        other=(arm[:, None] == np.array(rest)[None, :]).astype(np.float64), score=own.score - reference.score,
    )  # fmt: skip
    return open_setting(
        scores, setting.design, outcome=setting.outcome, confidence=setting.confidence, is_main_contrast=False
    )
