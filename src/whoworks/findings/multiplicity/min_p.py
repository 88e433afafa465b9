"""Beside Holm: the planned family adjusted by how its tests go together, where clusters are many enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whoworks.findings.finding import Finding
from whoworks.findings.moderation import open_moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.robustness import Robustness
from whoworks.findings.setting import FEW_CLUSTERS, Setting
from whoworks.inference.wild_bootstrap import Hypothesis, step_down_min_p
from whoworks.panel.panel import Panel

N_DRAWS = 1999


def add_min_p(
    findings: Sequence[Finding], panel: Panel, settings: Sequence[Setting], *, seed: np.random.SeedSequence
) -> tuple[Finding, ...]:
    """Return the findings with the step-down min-p of each planned family of two tests or more, in `robustness`.

    Only where every cell of every test of the family has ten clusters in each
    arm, with fewer the restricted bootstrap says little; and where all count the
    same clusters, which share a draw. Holm's p stays the one that grades.
    """
    families: dict[str, list[int]] = defaultdict(list)
    for place, finding in enumerate(findings):
        if finding.family and finding.status == "confirmatory":
            families[finding.family].append(place)
    told = list(findings)
    for places, each in zip(families.values(), seed.spawn(len(families)), strict=True):
        opened = [open_hypothesis(findings[place], panel, settings) for place in places]
        hypotheses = [hypothesis for hypothesis in opened if hypothesis is not None]
        counted = {findings[place].cluster for place in places}
        if len(places) < 2 or len(hypotheses) < len(places) or len(counted) > 1:
            continue
        adjusted = step_down_min_p(hypotheses, n_draws=N_DRAWS, rng=np.random.default_rng(each))[1]
        for place, value in zip(places, adjusted, strict=True):
            looks = findings[place].robustness or Robustness()
            told[place] = replace(findings[place], robustness=replace(looks, min_p=float(value)))
    return tuple(told)


def open_hypothesis(finding: Finding, panel: Panel, settings: Sequence[Setting]) -> Hypothesis | None:
    """Return the regression and the tested columns of a planned test; None where a cell is thin or nothing is told."""
    if finding.smallest_cell_clusters < FEW_CLUSTERS or np.isnan(finding.p_value):
        return None
    key = (finding.outcome, finding.wave, finding.contrast)
    setting = next(s for s in settings if (s.outcome.column, s.outcome.wave, s.scores.contrast) == key)
    moderator = next(m for m in panel.plan.moderators if m.name == finding.moderator)
    moderation = open_moderation(panel, setting, moderator)
    if moderation is None:
        return None
    setting = moderation.setting
    fit = fit_effects(setting.scores, basis=moderation.basis, keep=moderation.keep)
    used, free = fit.regressors, ~fit.fit.aliased
    tested = fit.first + np.flatnonzero(moderation.contrasts.any(axis=0))
    names = setting.design.cluster[setting.design.places(setting.scores.rows)]
    return Hypothesis(
        X=used.X[:, free], y=used.y, weights=used.weights, cluster=names[moderation.keep], absorb=used.absorb,
        tested=tuple(int(place) for place in np.cumsum(free)[tested] - 1),
    )  # fmt: skip
