"""From scores to all findings of a run: expand the plan's questions, answer each, adjust and grade together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.verdict import Check, Verdict
from whoworks.design.design import Design
from whoworks.findings.average import find_average
from whoworks.findings.credibility import grade
from whoworks.findings.exploration import find_heterogeneity, find_sorted_groups
from whoworks.findings.families import WEIGHTING, adjust_families, is_test
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.fragility import Moderation, open_moderation
from whoworks.findings.omnibus import find_omnibus
from whoworks.findings.setting import Setting, open_setting
from whoworks.findings.sites import find_site_variation
from whoworks.findings.subgroups import find_moderation
from whoworks.findings.takeup import find_takeup
from whoworks.forests.encoding import centres, encode
from whoworks.forests.protocol import Predictions
from whoworks.panel.panel import Panel
from whoworks.scores.scores import Scores

Progress = Callable[[float], None]
Vector = NDArray[np.float64]
DESIGN_CHECKS = ("attrition", "cluster_attrition", "balance")  # a failure here caps every claim


def open_settings(panel: Panel, design: Design, scores: Sequence[Scores]) -> tuple[Setting, ...]:
    """Return the setting of each set of scores; the first treatment's contrast is the main one."""
    main = scores[0].contrast
    outcomes = {outcome.name: outcome for outcome in panel.plan.outcomes}
    return tuple(
        open_setting(
            each, design, outcome=outcomes[each.outcome], confidence=panel.plan.analysis.confidence,
            is_main_contrast=each.contrast == main,
        )
        for each in scores
    )  # fmt: skip


def find_all(
    panel: Panel,
    settings: Sequence[Setting],
    *,
    checks: Sequence[Check],
    predictions: Mapping[tuple[str, str], Predictions],
    seed: np.random.SeedSequence,
    progress: Progress = lambda share: None,
) -> Findings:
    """Answer every question of the plan, and explore.

    Parameters
    ----------
    settings : one per outcome and contrast
    predictions : predicted effects by (outcome, contrast), where any were made
    seed : feeds the re-drawn assignments
    """
    found: list[Finding] = []
    seeds = iter(seed.spawn(len(settings) * (2 + len(panel.plan.moderators))))
    for place, setting in enumerate(settings):
        found += find_average(setting, rng=np.random.default_rng(next(seeds)))
        if setting.scores.d is not None:
            found += find_takeup(setting)
        for moderator in panel.plan.moderators:
            found += find_moderation(panel, setting, moderator, rng=np.random.default_rng(next(seeds)))
        if setting.is_primary and setting.is_main_contrast:
            found += find_site_variation(setting)
        if setting.is_primary and setting.is_main_contrast and panel.plan.moderators:
            omnibus = find_omnibus(setting, _features(panel, setting), seed=next(seeds))
            found += [] if omnibus is None else [omnibus]
        predicted = predictions.get((setting.scores.outcome, setting.scores.contrast))
        if predicted is not None:
            found += [find_heterogeneity(setting, predicted), *find_sorted_groups(setting, predicted)]
        progress((place + 1) / len(settings))
    return _grade_all(panel, settings, Findings(items=adjust_families(found)), checks)


def _features(panel: Panel, setting: Setting) -> Vector:
    names = list(dict.fromkeys(moderator.name for moderator in panel.plan.moderators))
    values = panel.values[names].iloc[setting.scores.rows]
    return encode(values, centre=centres(values))[0]


def _grade_all(panel: Panel, settings: Sequence[Setting], findings: Findings, checks: Sequence[Check]) -> Findings:
    failed = any(check.verdict is Verdict.FAIL for check in checks if check.check_id in DESIGN_CHECKS)
    moderators = {moderator.name: moderator for moderator in panel.plan.moderators}
    by_key = {(s.outcome.column, s.outcome.wave, s.scores.contrast): s for s in settings}
    graded = []
    for finding in findings:
        if finding.moderator not in moderators or not is_test(finding, findings.items):
            graded.append(finding)
            continue
        setting = by_key[finding.outcome, finding.wave, finding.contrast]
        moderator = moderators[finding.moderator]

        def fragility(_: Finding, setting: Setting = setting, name: str = finding.moderator) -> Moderation | None:
            return open_moderation(panel, setting, moderators[name])

        graded.append(
            grade(
                finding, among=findings, moderator=moderator, outcome=setting.outcome,
                is_main_contrast=setting.is_main_contrast, design_failed=failed, fragility=fragility,
            )
        )  # fmt: skip
    return Findings(items=_share_grades(graded))


def _share_grades(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give a joint test's grade to the differences it stands for, so that none is read as more than it is."""
    joint = {
        (f.outcome, f.wave, f.contrast, f.moderator): f.credibility for f in findings if f.question == "joint"
    }  # fmt: skip
    return tuple(
        replace(f, credibility=joint[key])
        if f.question == "difference"
        and f.moderator != WEIGHTING
        and (key := (f.outcome, f.wave, f.contrast, f.moderator)) in joint
        else f
        for f in findings
    )
