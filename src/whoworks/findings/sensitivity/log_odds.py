"""A difference on the log-odds scale, for yes-or-no and bounded outcomes: near the ends points are not alike.

Where 90 % pass without the programme, no group can gain 20 percentage points. A
difference between groups in percentage points may be nothing else than that one
of them starts nearer an end of the scale. On log odds the ends are infinitely far.

Each group's two means come from the one regression, their middle from the cells
of group and arm:

    p1, p0 = m +- t / 2,   m the mean of the group's two cells, t its effect (blocks and prognosis as ever)
    f = logit(p1) - logit(p0)

and the difference is f of one group less f of another, its error by the delta
method from the clusters' CR2 scores of m and t together. With two groups, no blocks
and no prognosis it is the log of the ratio of the two odds ratios. Along a number
it is the slope of f at the mean. (Ranks of a yes-or-no outcome are the outcome
again, stretched: they would tell nothing.) A score between bounds counts as the share of the scale that was reached
(Papke & Wooldridge 1996): the error asks nothing of how it is distributed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.moderation import Moderation
from whoworks.findings.regression import control_units, fit_effects
from whoworks.findings.setting import Setting
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOddsDifference:
    """Differences in log odds ratios: (q,) estimates, errors and degrees of freedom; one test of all.

    NaN where a group's mean is not between 0 and 1.
    """

    estimate: Vector
    std_error: Vector
    df: Vector
    p_value: Vector
    joint_p: float

    def interval(self, level: float = 0.95) -> tuple[Vector, Vector]:
        """Return lower and upper limits, each (q,), from the t distribution."""
        half = stats.t.ppf(0.5 + level / 2, self.df) * self.std_error
        return self.estimate - half, self.estimate + half


def on_log_odds(moderation: Moderation) -> LogOddsDifference:
    """Estimate the moderation's contrasts on the log-odds scale; the outcome is 0 or 1, or has bounds.

    Degrees of freedom are those of the same contrasts in percentage points; several
    contrasts are tested by Hotelling's F with the degrees of freedom of theirs.
    """
    scores, keep, basis = share_reached(moderation.setting), moderation.keep, moderation.basis
    q, width = len(moderation.contrasts), basis.shape[1]
    effects = fit_effects(scores, basis=basis, keep=keep)
    linear = effects.effects(moderation.contrasts)
    control, other = control_units(scores), scores.other
    arms = [scores.z, control.astype(np.float64), *other.T]
    cells = cluster_robust(
        X=np.hstack([arm[keep, None] * basis[keep] for arm in arms]), y=scores.y[keep], cluster=scores.cluster[keep],
        weights=1 / scores.own[keep],
    )  # fmt: skip
    middle = np.zeros((width, len(cells.coefficients)))
    middle[:, :width] = middle[:, width : 2 * width] = np.eye(width) / 2
    moved = np.zeros((width, len(effects.fit.coefficients)))
    moved[:, effects.first : effects.first + width] = np.eye(width)
    level, effect = cells.linear(middle).estimate, effects.effects(np.eye(width)).estimate
    of_level, of_effect = (fit.loadings(rows).score for fit, rows in ((cells, middle), (effects.fit, moved)))
    told, by_level, by_effect = _log_odds(level, effect, moderation)
    parts = of_level @ by_level.T + of_effect @ by_effect.T  # (G, q): each cluster's part in each difference
    covariance = parts.T @ parts
    std_error = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(told / std_error), linear.df)
    joint_p = float(p_value[0])
    if q > 1:
        df = effects.joint(moderation.contrasts).df
        eta = df + q - 1
        wald = float(told @ np.linalg.pinv(covariance) @ told) if np.isfinite(told).all() else np.nan
        joint_p = float(stats.f.sf(df / (eta * q) * wald, q, df)) if df > 0 else np.nan
    return LogOddsDifference(estimate=told, std_error=std_error, df=linear.df, p_value=p_value, joint_p=joint_p)


def has_log_odds(setting: Setting) -> bool:
    """Tell whether the outcome's scale has two known ends."""
    return setting.scale.binary or setting.outcome.bounds is not None


def share_reached(setting: Setting) -> Scores:
    """Return the scores with a bounded outcome as the share of its scale; a yes-or-no outcome as it is."""
    if setting.outcome.bounds is None:
        return setting.scores
    low, high = setting.outcome.bounds
    return replace(setting.scores, y=(setting.scores.y - low) / (high - low))


def _log_odds(level: Vector, effect: Vector, moderation: Moderation) -> tuple[Vector, Vector, Vector]:
    """Return the (q,) differences and their (q, width) derivatives by the coefficients of level and effect."""
    if _is_slope(moderation):
        return _slope(level, effect)
    width = len(level)
    first = np.eye(width)[:1]
    reference, *rest = (_odds_ratio(row, level, effect) for row in (first, *(first + c for c in moderation.contrasts)))
    return (
        np.array([each[0] - reference[0] for each in rest]),
        np.vstack([each[1] - reference[1] for each in rest]),
        np.vstack([each[2] - reference[2] for each in rest]),
    )


def _is_slope(moderation: Moderation) -> bool:
    return not np.isin(moderation.basis[moderation.keep, 1:], (0.0, 1.0)).all()


def _odds_ratio(row: Vector, level: Vector, effect: Vector) -> tuple[float, Vector, Vector]:
    """Return f at a row of the basis, (1, width), and its derivatives by the coefficients, (width,) each."""
    m, t = float((row @ level)[0]), float((row @ effect)[0])
    high, low = m + t / 2, m - t / 2
    if not (0 < high < 1 and 0 < low < 1):
        return np.nan, np.full(len(level), np.nan), np.full(len(level), np.nan)
    steep = [1 / (p * (1 - p)) for p in (high, low)]
    by_level, by_effect = steep[0] - steep[1], (steep[0] + steep[1]) / 2
    told = np.log(high / (1 - high)) - np.log(low / (1 - low))
    return float(told), by_level * row[0], by_effect * row[0]


def _slope(level: Vector, effect: Vector) -> tuple[Vector, Vector, Vector]:
    """Return the slope of f at the mean: ``(b + d / 2) / (p1 q1) - (b - d / 2) / (p0 q0)``, and its derivatives."""
    (m, b), (t, d) = level, effect
    signs = np.array([1.0, -1.0])
    p, rise = m + signs * t / 2, b + signs * d / 2
    if not ((p > 0) & (p < 1)).all():
        lost = np.full((1, 2), np.nan)
        return np.array([np.nan]), lost, lost
    v = p * (1 - p)
    bend = -rise * (1 - 2 * p) / v**2  # derivative of rise / v by p
    told = float(signs @ (rise / v))
    by_level = np.array([[signs @ bend, signs @ (1 / v)]])
    by_effect = np.array([[(bend / 2).sum(), (1 / (2 * v)).sum()]])
    return np.array([told]), by_level, by_effect
