"""Each planned difference between two groups of students, read as a gap: what the offer did to their distance.

The distance between two groups' mean outcomes is m1 - m0. Under one arm it is
what it is; the offer changes it by the difference between the groups' effects,
so the estimate, its error and its test are those of the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.groups import Groups, group_categories
from whoworks.findings.holder import count_by
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import NOT_DETERMINED, UNTESTED, Setting
from whoworks.inference.cluster_robust import Estimates, cluster_robust
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Mask = NDArray[np.bool_]

BEFORE = "gap without the programme"
NARROWED = "change of the gap: narrower"
WIDENED = "change of the gap: wider"
TURNED = "change of the gap: turned round"
NARROWED_OR_TURNED = "change of the gap: narrower or turned round"
UNSURE = "change of the gap"


def find_gap(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[Finding, ...]:
    """Estimate a gap without the programme, and by how much the offer changes it.

    Two rows, both as the second group minus the first: the gap under control
    (level "Y"), and its change (level "Y - N"). The change's
    quantity says whether the gap became narrower, wider, or turned round; it
    stays open where the interval of the gap itself holds 0, and a gap is said to
    have turned where that under the treatment leaves 0 out on the other side.
    Only planned moderators of students with two groups; of others, nothing.
    """
    if not moderator.planned or moderator.level not in ("", STUDENT) or moderator.kind != "category":
        return ()
    setting = count_by(panel, setting, moderator)
    groups = group_categories(panel, setting.scores, moderator)
    if len(groups.levels) != 2:
        return ()
    if not all(setting.is_assessable(groups.member(level)) for level in (0, 1)):
        note = ("not assessable: fewer than three clusters in an arm of a group",)
        return (_change(setting, moderator, groups, UNSURE, {"notes": note}),)
    keep = groups.code >= 0
    control = keep & setting.control
    gap, offered = (gap_within(setting, groups, keep & arm) for arm in (setting.control, setting.treated))
    notes = (NOT_DETERMINED,) if np.isnan(gap.estimate[0]) else ()
    before = setting.finding(
        question="gap", quantity=BEFORE, moderator=moderator.name, level=groups.levels[1],
        reference=groups.levels[0], status="descriptive",
        **(setting.inference(gap, is_difference=True) | UNTESTED | {"notes": notes}),
        **_counts_of_control(setting, groups, control),
    )  # fmt: skip
    effects = fit_effects(setting.scores, basis=groups.indicators((0, 1)), keep=keep).effects([0.0, 1.0])
    limits = [(float(low[0]), float(high[0])) for low, high in (e.interval(setting.confidence) for e in (gap, offered))]
    quantity = direction(
        gap=float(gap.estimate[0]), before=limits[0], after=limits[1], change=float(effects.estimate[0])
    )
    fields = setting.inference(effects, is_difference=True)
    return before, _change(setting, moderator, groups, quantity, fields)


def gap_within(setting: Setting, groups: Groups, arm: Mask) -> Estimates:
    """Estimate the second group's mean less the first's in one arm.

    Weighted by the inverse probability of the arm, blocks absorbed as in the
    regression of effects, and without the prognosis: it foresees part of the
    gap, and the gap is what is asked for.
    """
    scores = setting.scores
    block = scores.block[arm]
    absorb = block if block.max(initial=0) > block.min(initial=0) else None
    indicators = groups.indicators((0, 1))[arm]
    columns = indicators if absorb is None else indicators[:, 1:]
    fit = cluster_robust(
        X=columns, y=scores.y[arm], cluster=scores.cluster[arm], weights=1 / scores.own[arm], absorb=absorb
    )
    return fit.linear(np.eye(columns.shape[1])[-1])


def direction(*, gap: float, before: tuple[float, float], after: tuple[float, float], change: float) -> str:
    """Say what a change does to a gap; `before` and `after` are the gap's intervals under control and treatment."""
    if np.isnan(change) or not (before[0] > 0 or before[1] < 0):
        return UNSURE
    if gap * change >= 0:
        return WIDENED
    if abs(change) <= abs(gap):
        return NARROWED
    return TURNED if (after[1] < 0 if gap > 0 else after[0] > 0) else NARROWED_OR_TURNED


def share_tests(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give each change of a gap the adjusted p and the grade of the difference that it is; it adds no test."""
    tested = {_subject(f): f for f in findings if f.question == "difference" and f.family}
    return tuple(
        replace(
            f, p_adjusted=tested[_subject(f)].p_adjusted, adjustment=tested[_subject(f)].adjustment,
            n_tests=tested[_subject(f)].n_tests, credibility=tested[_subject(f)].credibility,
            caps=tested[_subject(f)].caps,
        )
        if f.question == "gap" and f.quantity != BEFORE and _subject(f) in tested else f
        for f in findings
    )  # fmt: skip


def _subject(finding: Finding) -> tuple[str, str, str, str]:
    return finding.outcome, finding.wave, finding.contrast, finding.moderator


def _change(
    setting: Setting, moderator: Moderator, groups: Groups, quantity: str, fields: dict[str, object]
) -> Finding:
    is_claim = setting.is_main
    return setting.finding(
        question="gap", quantity=quantity, moderator=moderator.name,
        level=f"{groups.levels[1]} - {groups.levels[0]}", reference=groups.levels[0],
        status="confirmatory" if is_claim else "exploratory",
        **fields, **setting.counts(groups.member(0), groups.member(1)),
    )  # fmt: skip


def _counts_of_control(setting: Setting, groups: Groups, control: Mask) -> dict[str, object]:
    """Count the control arm alone."""
    cells = [control & groups.member(level) for level in (0, 1)]
    n_clusters = setting.n_clusters(control)
    return {
        "n_units": int(control.sum()), "n_clusters": n_clusters, "n_control_clusters": n_clusters,
        "smallest_cell": min(int(cell.sum()) for cell in cells),
        "smallest_cell_clusters": min(setting.n_clusters(cell) for cell in cells),
    }  # fmt: skip
