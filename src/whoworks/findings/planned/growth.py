"""Whether an effect grows or fades from one wave to a later one, among the students who were measured at both.

Not every student measured in one wave is measured in the next. Effects of two
waves over whoever was there compare different students, so that an effect that
is the same for each of them seems to change where those who left had a larger
one; and where leaving depends on arm and score, the whole bias of the later wave
lands in the difference. Among those measured at both, the same students stand on
both sides, and a bias that the two waves share cancels: what is left goes with
1 - r, r the correlation of the outcome between the waves. So growth is told for
these students, and says so. It speaks of those who stayed.

Both waves are in one regression, two rows a student, every coefficient and block of
a wave's own, clusters as ever: a cluster holds all rows of its students, so the
difference carries their covariance. Without prognosis it is the regression of
each student's change on the arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import SETTLED, Finding
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import UNTESTED, Setting
from whoworks.inference.cluster_robust import Estimates, cluster_robust
from whoworks.plan.plan import Plan

Mask = NDArray[np.bool_]

QUESTION, MODERATOR = "growth", "wave"
CHANGE = "effect in the later wave minus effect in the earlier, students measured at both"
AT_A_WAVE = "effect in this wave, students measured at both"
THIN = "not assessable: fewer than three clusters in an arm were measured at both waves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One outcome and contrast at two waves; the masks say which of each setting's units were measured at both."""

    earlier: Setting
    later: Setting
    in_earlier: Mask
    in_later: Mask

    @property
    def level(self) -> str:
        """The comparison's name: ``spring - winter``."""
        return f"{self.later.outcome.wave} - {self.earlier.outcome.wave}"


def find_growth(plan: Plan, settings: Sequence[Setting]) -> tuple[Finding, ...]:
    """Compare the effects of neighbouring waves of each outcome, and of the last with the first where there are more.

    An outcome is followed where the plan lists its column at two waves or more.
    For each contrast and pair of waves: both effects, which describe, and their
    difference. Exploratory, whatever was planned.
    """
    return tuple(finding for pair in list_pairs(plan, settings) for finding in _find_pair(pair))


def list_pairs(plan: Plan, settings: Sequence[Setting]) -> Iterator[Pair]:
    """Yield the pairs of waves to compare, in order of time, for each outcome and contrast."""
    order = list(plan.waves.order) if plan.waves is not None else []
    followed: dict[tuple[str, str], list[Setting]] = {}
    for setting in settings:
        if setting.outcome.wave in order:
            followed.setdefault((setting.outcome.column, setting.scores.contrast), []).append(setting)
    for same in followed.values():
        same.sort(key=lambda setting: order.index(setting.outcome.wave))
        for earlier, later in [*pairwise(same), *([(same[0], same[-1])] if len(same) > 2 else [])]:
            yield open_pair(earlier, later)


def open_pair(earlier: Setting, later: Setting) -> Pair:
    """Find the units measured at both waves."""
    first, second = earlier.scores.rows, later.scores.rows
    return Pair(earlier=earlier, later=later, in_earlier=np.isin(first, second), in_later=np.isin(second, first))


def fit_pair(pair: Pair) -> Estimates:
    """Estimate the effect at the earlier wave, at the later wave, and the later less the earlier."""
    parts = [(pair.earlier.scores, pair.in_earlier), (pair.later.scores, pair.in_later)]
    fits = [fit_effects(scores, keep=keep) for scores, keep in parts]
    waves = [fit.regressors for fit in fits]
    widths = [wave.X.shape[1] for wave in waves]
    columns = np.zeros((sum(len(wave.y) for wave in waves), sum(widths)))
    n = len(waves[0].y)
    columns[:n, : widths[0]], columns[n:, widths[0] :] = waves[0].X, waves[1].X
    names = [
        wave.design.cluster[wave.design.places(wave.scores.rows[keep])]
        for wave, keep in ((pair.earlier, pair.in_earlier), (pair.later, pair.in_later))
    ]
    blocks = None
    if waves[0].absorb is not None and waves[1].absorb is not None:
        blocks = np.r_[waves[0].absorb, waves[1].absorb + int(waves[0].absorb.max()) + 1]
    stacked = cluster_robust(
        X=columns, y=np.r_[waves[0].y, waves[1].y], cluster=np.r_[names[0], names[1]],
        weights=np.r_[waves[0].weights, waves[1].weights], absorb=blocks,
    )  # fmt: skip
    rows = np.zeros((3, columns.shape[1]))
    rows[0, fits[0].first] = rows[1, widths[0] + fits[1].first] = 1.0
    rows[2] = rows[1] - rows[0]
    return stacked.linear(rows)


def grade_growth(finding: Finding) -> Finding:
    """Grade a change between waves: low at most, since no plan names its direction beforehand."""
    if np.isnan(finding.p_adjusted):
        return replace(finding, credibility="not assessable")
    if finding.p_adjusted > SETTLED:
        return replace(finding, credibility="very low")
    return replace(finding, credibility="low", caps=("a change between waves: low at most",))


def _find_pair(pair: Pair) -> list[Finding]:
    later, both = pair.later, pair.in_later
    lost = int((~pair.in_earlier).sum())
    if not both.any() or not later.is_assessable(both):
        return [_change(pair, {"notes": (THIN,)})]
    told = fit_pair(pair)
    fields = later.inference(told, 2, is_difference=True)
    if lost:
        left_out = f"{lost:,} students measured in the earlier wave alone are left out"
        fields["notes"] = (*fields["notes"], left_out)  # type: ignore[misc]
    effects = [
        _at_a_wave(pair, setting, keep, setting.inference(told, index))
        for index, setting, keep in ((0, pair.earlier, pair.in_earlier), (1, later, both))
    ]
    return [*effects, _change(pair, fields)]


def _at_a_wave(pair: Pair, setting: Setting, keep: Mask, fields: dict[str, object]) -> Finding:
    return setting.finding(
        question=QUESTION, quantity=AT_A_WAVE, moderator=MODERATOR, level=f"{setting.outcome.wave}, of {pair.level}",
        status="descriptive", **(fields | UNTESTED), **setting.counts(keep),
    )  # fmt: skip


def _change(pair: Pair, fields: dict[str, object]) -> Finding:
    return pair.later.finding(
        question=QUESTION, quantity=CHANGE, moderator=MODERATOR, level=pair.level,
        reference=pair.earlier.outcome.wave, **fields, **pair.later.counts(pair.in_later),
    )  # fmt: skip
