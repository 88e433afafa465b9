"""From scores to all findings of a run: expand the plan's questions, answer each, adjust and grade together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.verdict import Check
from whoworks.design.design import Design
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.grades.grading import grade_all
from whoworks.findings.holder import count_by
from whoworks.findings.moderation import Moderation
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.multiplicity.min_p import add_min_p
from whoworks.findings.planned.average import find_average
from whoworks.findings.planned.best_arm import find_best_arm
from whoworks.findings.planned.between_arms import find_between_arms
from whoworks.findings.planned.contrasts import find_contrasts
from whoworks.findings.planned.crossed import find_crossed
from whoworks.findings.planned.gap import find_gap
from whoworks.findings.planned.growth import find_growth
from whoworks.findings.planned.projection import find_projection
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.planned.takeup import find_takeup
from whoworks.findings.searches.candidates import find_candidates
from whoworks.findings.searches.exploration import find_heterogeneity, find_sorted_groups
from whoworks.findings.searches.omnibus import find_omnibus
from whoworks.findings.searches.profiles import find_profiles
from whoworks.findings.searches.ranking import find_ranking
from whoworks.findings.searches.variance_ratio import find_variance_ratio
from whoworks.findings.sensitivity.second_looks import look_again
from whoworks.findings.sensitivity.stability import measure_steadiness, refit_settings
from whoworks.findings.setting import Setting, open_setting
from whoworks.findings.sites.profile import find_site_profile
from whoworks.findings.sites.variation import find_site_variation
from whoworks.forests.encoding import centres, encode
from whoworks.forests.protocol import Predictions
from whoworks.forests.table import read_features
from whoworks.panel.panel import Panel
from whoworks.scores.scores import Scores

Progress = Callable[[float], None]
Seeds = Iterator[np.random.SeedSequence]
Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


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
    opened: dict[str, Moderation | None] = {}
    seeds = iter(seed.spawn(len(settings) * (2 + len(panel.plan.moderators))))
    for_ranking, for_candidates, for_min_p, for_arms = seed.spawn(4)
    for place, setting in enumerate(settings):
        found += _find_planned(panel, setting, seeds=seeds)
        if setting.is_main:
            found += _find_structure(panel, setting, seeds=seeds)
        predicted = predictions.get((setting.scores.outcome, setting.scores.contrast))
        if predicted is not None:
            found += _find_predicted(panel, setting, predicted, seed=for_ranking.spawn(1)[0])
        if setting.is_main:
            candidates = find_candidates(panel, setting, seed=for_candidates.spawn(1)[0])
            found += [finding for finding, _ in candidates]
            opened |= {finding.finding_id: moderation for finding, moderation in candidates}
        if setting.is_main_contrast:
            found += _find_arms(setting, settings, rng=np.random.default_rng(for_arms.spawn(1)[0]))
        progress((place + 1) / len(settings))
    found += find_growth(panel.plan, settings)
    adjusted = add_min_p(adjust_families(found), panel, settings, seed=for_min_p)
    (for_folds,) = seed.spawn(1)
    for setting in (each for each in settings if each.is_main):
        n_refits = panel.plan.analysis.refits
        refits = refit_settings(panel, setting, seed=for_folds.spawn(1)[0], n_refits=n_refits)
        adjusted = measure_steadiness(panel, setting, adjusted, opened, refits)
    return grade_all(panel, settings, Findings(items=adjusted), checks, opened)


def _find_planned(panel: Panel, setting: Setting, *, seeds: Seeds) -> list[Finding]:
    """Answer what is asked of every outcome and contrast: the average, take-up, and each moderator in turn."""
    found = [*find_average(setting, rng=np.random.default_rng(next(seeds)))]
    if setting.scores.d is not None:
        found += find_takeup(setting)
    for moderator in panel.plan.moderators:
        differences = find_moderation(panel, setting, moderator, rng=np.random.default_rng(next(seeds)))
        found += look_again(panel, setting, moderator, differences)
        found += [*find_contrasts(panel, setting, moderator), *find_gap(panel, setting, moderator)]
    return found


def _find_arms(setting: Setting, settings: Sequence[Setting], *, rng: np.random.Generator) -> list[Finding]:
    """Answer what is asked where a study has several treatments: each against the others, and which may be the best."""
    same = [each for each in settings if each.scores.outcome == setting.scores.outcome]
    return [*find_between_arms(same, rng=rng), *(find_best_arm(same) if setting.is_primary else ())]


def _find_structure(panel: Panel, setting: Setting, *, seeds: Seeds) -> list[Finding]:
    """Answer what is asked of the main outcome and contrast alone: moderators together, sites, any difference."""
    found = [*find_crossed(panel, setting), *find_projection(panel, setting)]
    found += [*find_site_variation(setting), *find_site_profile(panel, setting), *find_variance_ratio(setting)]
    if panel.plan.moderators:
        features, held = _features(panel, setting)
        omnibus = find_omnibus(setting, features, held=held, seed=next(seeds))
        found += [] if omnibus is None else [omnibus]
    return found


def _find_predicted(
    panel: Panel, setting: Setting, predictions: Predictions, *, seed: np.random.SeedSequence
) -> tuple[Finding, ...]:
    """Answer what rests on predicted effects: calibration, sorted groups, who is in them, and the ranking's worth."""
    groups = find_sorted_groups(setting, predictions)
    return (
        find_heterogeneity(setting, predictions),
        *groups,
        *find_profiles(panel, setting, predictions, n_groups=len(groups) - 1),
        *find_ranking(setting, predictions, seed=seed),
    )


def _features(panel: Panel, setting: Setting) -> tuple[Vector, list[tuple[Vector, Codes]]]:
    """Return the moderators' columns, and apart from them those that larger units than clusters hold, with these."""
    moderators = {moderator.name: moderator for moderator in panel.plan.moderators}
    values = read_features(panel.values[list(moderators)].iloc[setting.scores.rows])
    columns, source = encode(values, centre=centres(values))
    own, held = [], []
    for place, moderator in enumerate(moderators.values()):
        counted = count_by(panel, setting, moderator)
        if counted is setting:
            own.append(place)
        else:
            held.append((columns[:, source == place], counted.scores.cluster))
    return columns[:, np.isin(source, own)], held
