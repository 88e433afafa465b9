"""Effects by groups fixed in the plan. The claim is the difference between groups, never two separate p-values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.groups import (
    Groups,
    group_categories,
    group_numbers,
    moderator_numbers,
    own_level_spread,
    own_level_values,
)
from whoworks.findings.holder import count_by
from whoworks.findings.planned.average import describe_test
from whoworks.findings.redrawing.randomization import randomization_test
from whoworks.findings.redrawing.studentised import StudentisedEffect
from whoworks.findings.regression import EffectFit, fit_effects
from whoworks.findings.setting import TOO_FEW_DF, UNTESTED, Setting
from whoworks.findings.unrecorded import note_unrecorded
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator
from whoworks.scores.splines import restricted_cubic_spline, spline_knots

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

CURVE_POINTS = 11
CURVE_RANGE = (0.05, 0.95)  # quantiles between which a curve is drawn: beyond them it would rest on few units
CLUSTERS_FOR_CURVE = 20  # in each arm; below, the curve is a straight line


def find_moderation(
    panel: Panel, setting: Setting, moderator: Moderator, *, rng: np.random.Generator
) -> tuple[Finding, ...]:
    """Estimate how the effect differs along one moderator.

    A category gives its groups' effects, each group's difference from the first,
    and with three groups or more one joint test that stands for it. A number
    gives the difference per SD and a curve; its cut points are for display.
    Students without a record of it are left out, and counted in a note. Errors of
    differences count what holds the moderator: schools, where it is a trait of
    schools. A group's effect speaks of these schools, as the average does.
    """
    counted = count_by(panel, setting, moderator)
    if moderator.kind == "number":
        slope, *curve = _along_number(panel, counted, moderator, rng=rng)
        shown = _cut_groups(panel, setting, moderator) if moderator.cut and not np.isnan(slope.estimate) else ()
        found = (slope, *shown, *curve)
    else:
        groups = group_categories(panel, setting.scores, moderator)
        found = _between_groups(setting, counted, moderator, groups, rng=rng)
    return note_unrecorded(panel, setting, moderator, found)


def is_claim(setting: Setting, moderator: Moderator) -> bool:
    """Tell whether the moderator's test belongs to the confirmatory family."""
    return moderator.planned and setting.is_main


def _status(setting: Setting, moderator: Moderator) -> str:
    return "confirmatory" if is_claim(setting, moderator) else "exploratory"


def _between_groups(
    setting: Setting, counted: Setting, moderator: Moderator, groups: Groups, *, rng: np.random.Generator
) -> tuple[Finding, ...]:
    """Count what carries the arm in each group's effect, as in the average, and what holds the trait in differences."""
    every = range(len(groups.levels))
    kept, fit = _fit_groups(setting, groups)
    found = [
        _group(setting, moderator, groups, fit, kept, level)
        if fit is not None and level in kept else _lost_group(setting, moderator, groups, level)
        for level in every
    ]  # fmt: skip
    kept, fit = (kept, fit) if counted is setting else _fit_groups(counted, groups)
    found += [_group_difference(counted, moderator, groups, fit, kept, level) for level in every[1:]]
    if len(every) == len(kept) == 2 and counted.has_few_clusters and is_claim(counted, moderator):
        keep = np.isin(groups.code, kept)
        found[-1] = _with_randomization(counted, groups.indicators(kept), keep, found[-1], rng)
    if len(every) > 2:
        found.append(_joint(counted, moderator, groups, fit, kept))
    return tuple(found)


def _fit_groups(setting: Setting, groups: Groups) -> tuple[tuple[int, ...], EffectFit | None]:
    """Return the groups that are assessable, and the regression on them; None where there are none."""
    kept = setting.assessable(groups)
    keep = np.isin(groups.code, kept)
    return kept, fit_effects(setting.scores, basis=groups.indicators(kept), keep=keep) if kept else None


def _group(
    setting: Setting, moderator: Moderator, groups: Groups, fit: EffectFit, kept: tuple[int, ...], level: int
) -> Finding:
    row = np.zeros(len(kept))
    row[0] = row[kept.index(level)] = 1.0
    return setting.finding(
        question="subgroup", quantity="average effect in the group", moderator=moderator.name,
        level=groups.levels[level], status=_status(setting, moderator),
        **setting.inference(fit.effects(row)), **setting.counts(groups.member(level)),
    )  # fmt: skip


def _lost_group(setting: Setting, moderator: Moderator, groups: Groups, level: int) -> Finding:
    return setting.finding(
        question="subgroup", quantity="average effect in the group", moderator=moderator.name,
        level=groups.levels[level], status=_status(setting, moderator),
        notes=("not assessable: fewer than three clusters in an arm",), **setting.counts(groups.member(level)),
    )  # fmt: skip


def _group_difference(
    setting: Setting, moderator: Moderator, groups: Groups, fit: EffectFit | None, kept: tuple[int, ...], level: int
) -> Finding:
    fields: dict[str, object] = {"notes": ("not assessable: fewer than three clusters in an arm of a group",)}
    if fit is not None and level in kept and 0 in kept:
        row = np.zeros(len(kept))
        row[kept.index(level)] = 1.0
        fields = setting.inference(fit.effects(row), is_difference=True)
    return setting.finding(
        question="difference", quantity="difference between groups' effects", moderator=moderator.name,
        level=groups.levels[level], reference=groups.levels[0], status=_status(setting, moderator),
        **fields, **setting.counts(groups.member(level), groups.member(0)),
    )  # fmt: skip


def _joint(
    setting: Setting, moderator: Moderator, groups: Groups, fit: EffectFit | None, kept: tuple[int, ...]
) -> Finding:
    fields: dict[str, object] = {"notes": ("not assessable: fewer than two groups can be compared",), "unit": ""}
    if fit is not None and len(kept) > 1:
        fields = setting.joint(fit.joint(np.eye(len(kept))[1:]))
    left_out = len(groups.levels) - len(kept)
    if left_out and len(kept) > 1:
        fields["notes"] = (*fields["notes"], f"{left_out} of {len(groups.levels)} groups left out: too few clusters")  # type: ignore[misc]
    return setting.finding(
        question="joint", quantity="all groups' effects are equal", moderator=moderator.name,
        status=_status(setting, moderator), **fields,
        **setting.counts(*(groups.member(level) for level in kept or range(len(groups.levels)))),
    )  # fmt: skip


def _with_randomization(
    setting: Setting, basis: Vector, keep: Mask, difference: Finding, rng: np.random.Generator
) -> Finding:
    """Add a p by re-drawing the assignment, on outcomes from which the estimated average effect is taken."""
    average = float(setting.average.effects([1.0]).estimate[0])
    statistic = StudentisedEffect(basis=basis, keep=keep)
    test = randomization_test(setting.scores, setting.design, statistic=statistic, effect=average, rng=rng)
    return replace(difference, p_randomization=test.p_value, notes=(*difference.notes, describe_test(test)))


def _along_number(
    panel: Panel, setting: Setting, moderator: Moderator, *, rng: np.random.Generator
) -> tuple[Finding, ...]:
    """Return the slope and, where it has 4 degrees of freedom or more, the curve."""
    values = moderator_numbers(panel, setting.scores, moderator)
    keep = ~np.isnan(values)
    if not setting.is_assessable(keep):
        note = ("not assessable: fewer than three clusters in an arm",)
        return (_slope(setting, moderator, keep, {"notes": note}),)
    if np.ptp(values[keep]) == 0:
        note = ("not assessable: the moderator is the same for every student analysed",)
        return (_slope(setting, moderator, keep, {"notes": note}),)
    weights = 1 / setting.scores.own[keep]
    centre = float(np.average(values[keep], weights=weights))
    spread = own_level_spread(panel, moderator)
    scaled = np.where(keep, (np.nan_to_num(values) - centre) / spread, 0.0)
    basis = np.column_stack([np.ones(len(scaled)), scaled])
    fields = setting.inference(
        fit_effects(setting.scores, basis=basis, keep=keep).effects([0.0, 1.0]), is_difference=True
    )
    slope = _slope(setting, moderator, keep, fields)
    if setting.has_few_clusters and is_claim(setting, moderator):
        slope = _with_randomization(setting, basis, keep, slope, rng)
    return (slope, *(_curve(panel, setting, moderator, values, keep) if slope.df >= TOO_FEW_DF else ()))


def _slope(setting: Setting, moderator: Moderator, keep: Mask, fields: dict[str, object]) -> Finding:
    return setting.finding(
        question="difference", quantity="change in the effect per SD of the moderator", moderator=moderator.name,
        status=_status(setting, moderator), **(fields | {"unit": "per SD"}), **setting.counts(keep),
    )  # fmt: skip


def _cut_groups(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[Finding, ...]:
    """Show a number's groups beside its slope; they carry no test of their own."""
    groups = group_numbers(panel, setting.scores, moderator)
    levels = tuple(level for level in range(len(groups.levels)) if groups.member(level).any())
    kept = tuple(level for level in levels if setting.is_assessable(groups.member(level)))
    if not kept:
        return ()
    fit = fit_effects(setting.scores, basis=groups.indicators(kept), keep=np.isin(groups.code, kept))
    found = (
        _group(setting, moderator, groups, fit, kept, level)
        if level in kept else _lost_group(setting, moderator, groups, level)
        for level in levels
    )  # fmt: skip
    return tuple(replace(finding, status="descriptive", p_value=NAN, statistic=NAN) for finding in found)


def _curve(panel: Panel, setting: Setting, moderator: Moderator, values: Vector, keep: Mask) -> tuple[Finding, ...]:
    """Draw the effect along a number as a restricted cubic spline, pointwise intervals."""
    own = own_level_values(panel, moderator)
    low, high = np.quantile(own, CURVE_RANGE)
    grid = np.linspace(float(low), float(high), CURVE_POINTS)
    per_arm = setting.fewest_clusters(keep)
    knots = spline_knots(own) if per_arm >= CLUSTERS_FOR_CURVE else np.zeros(0)
    if grid[0] == grid[-1]:
        return ()

    def basis(x: Vector) -> Vector:
        return np.column_stack([np.ones(len(x)), x, restricted_cubic_spline(x, knots=knots)])

    fit = fit_effects(setting.scores, basis=basis(np.where(keep, values, own.mean())), keep=keep)
    estimates = fit.effects(basis(grid))
    return tuple(
        setting.finding(
            question="curve", quantity="effect at this value of the moderator", moderator=moderator.name,
            level=f"{value:.6g}", status="descriptive",
            **(setting.inference(estimates, i) | UNTESTED),
            **setting.counts(keep),
        )
        for i, value in enumerate(grid)
    )  # fmt: skip
