"""Which of several arms may be the best, and what the one that looks best does, its selection accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.regression import EffectFit, fit_effects
from whoworks.findings.setting import NO_ERROR, Setting
from whoworks.inference.cluster_robust import Estimates
from whoworks.inference.winner import Picked, Standing, compare_with_best, picked_limits

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

QUESTION = "best-arm"
PICKED = "effect of the treatment that looks best, its selection accounted for"
MAY_BE_BEST = "difference from the best of the other arms: may be the best"
RULED_OUT = "difference from the best of the other arms: ruled out as the best"
NOT_TOLD = "not assessable: an arm cannot be told from differences between blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFit:
    """All arms of one outcome in one fit.

    arm : (K,) places in `Design.arms` of the treatments, in the order of the fit's columns
    fit, setting : the regression, and the setting it was opened from
    """

    arm: Codes
    fit: EffectFit
    setting: Setting

    def effects(self, weights: Vector) -> Estimates:
        """Estimate (q, K + 1) contrasts of all arms' means, control first: rows sum to zero."""
        rows = np.zeros((len(weights), len(self.fit.fit.coefficients)))
        rows[:, self.fit.first : self.fit.first + len(self.arm)] = weights[:, self.arm]
        return self.fit.fit.linear(rows)


def find_best_arm(settings: Sequence[Setting]) -> tuple[Finding, ...]:
    """Tell the effect of the treatment that looks best, and how each arm stands against the best of the others.

    `settings` are the outcome's, one per treatment in the plan's order; of one
    treatment there is nothing to tell. The best is the highest or the lowest, as
    the plan says what is better. The first row's interval is honest after the
    picking (`picked_limits`); the others', one per arm, control included, say which
    arms may be the best (`compare_with_best`).
    """
    if len(settings) < 2:
        return ()
    setting = settings[0]
    arms, n = fit_arms(setting), len(settings) + 1
    sign = setting.outcome.gain
    against, pairs = arms.effects(_against(0, n)[1:]), arms.effects(_pairs(n))
    if not (np.isfinite(pairs.df) & np.isfinite(pairs.std_error)).all():
        note = NOT_TOLD if np.isnan(pairs.df).any() else NO_ERROR
        return (setting.finding(question=QUESTION, quantity=PICKED, moderator="arm", notes=(note,)),)
    picked = picked_limits(
        estimate=sign * against.estimate, covariance=against.covariance, df=against.df, level=setting.confidence
    )
    standing = _standing(arms, sign)
    return (_picked(settings[picked.place], against, picked, sign), *_standings(setting, standing, sign))


def fit_arms(setting: Setting) -> ArmFit:
    """Fit all arms of the setting's outcome at once."""
    scores, design = setting.scores, setting.design
    arm = design.arm[design.places(scores.rows)]
    own = int(arm[scores.z == 1][0])
    others = [int(arm[column == 1][0]) for column in scores.other.T]
    return ArmFit(arm=np.array([own, *others]), fit=fit_effects(scores), setting=setting)


def _against(reference: int, n: int) -> Vector:
    """Return the contrasts of each of n arms with one of them, (n, n); the reference's own row is zero."""
    rows = np.eye(n)
    rows[:, reference] -= 1.0
    return rows


def _pairs(n: int) -> Vector:
    """Return the contrasts of each two of n arms, one below the other."""
    return np.vstack([_against(reference, n)[reference + 1 :] for reference in range(n - 1)])


def _standing(arms: ArmFit, sign: float) -> Standing:
    n = len(arms.arm) + 1
    parts = []
    for i in range(n):
        rows = -_against(i, n)
        others = np.arange(n) != i
        told = arms.effects(rows[others])
        wide = (np.zeros(n), np.zeros((n, n)), np.full(n, np.inf))
        wide[0][others], wide[1][np.ix_(others, others)], wide[2][others] = told.estimate, told.covariance, told.df
        parts.append(wide)
    difference, covariance, df = (np.array(part) for part in zip(*parts, strict=True))
    return compare_with_best(difference=sign * difference, covariance=covariance, df=df, level=arms.setting.confidence)


def _picked(setting: Setting, against: Estimates, picked: Picked, sign: float) -> Finding:
    design, place = setting.design, picked.place + 1
    fields = setting.inference(against, picked.place)
    low, high = sorted((sign * picked.low, sign * picked.high))
    return setting.finding(
        question=QUESTION, quantity=PICKED, moderator="arm", level=design.arms[place], reference=design.arms[0],
        **(fields | _limits(low, high, setting, size=setting.scale.effect_size)),
        **_counts(setting, (place, 0)),
    )  # fmt: skip


def _standings(setting: Setting, standing: Standing, sign: float) -> list[Finding]:
    design, times = setting.design, setting.scale.times
    everyone = tuple(range(len(design.arms)))
    found = []
    for place, code in enumerate(design.arms):
        low, high = sorted((sign * float(standing.low[place]), sign * float(standing.high[place])))
        estimate = sign * float(standing.estimate[place])
        found.append(
            setting.finding(
                question=QUESTION, quantity=MAY_BE_BEST if standing.may_be_best[place] else RULED_OUT,
                moderator="arm", level=code, reference="best of the others", contrast=f"{code} - best of the others",
                status="descriptive", estimate=times * estimate, sd_used=setting.scale.name,
                effect_size=setting.scale.difference(estimate),
                **_limits(low, high, setting, size=setting.scale.difference),
                **_counts(setting, everyone),
            )
        )  # fmt: skip
    return found


def _limits(low: float, high: float, setting: Setting, *, size: Callable[[float], float]) -> dict[str, object]:
    """Return the fields of an interval, in the unit of the findings; no p and no detectable effect go with it."""
    times = setting.scale.times
    return {
        "conf_low": times * low, "conf_high": times * high, "p_value": NAN, "statistic": NAN, "mde": NAN,
        "effect_size_low": size(low), "effect_size_high": size(high),
    }  # fmt: skip


def _counts(setting: Setting, arms: tuple[int, ...]) -> dict[str, object]:
    """Count the units of some arms; the smallest cell is the smallest of these arms."""
    scores, design = setting.scores, setting.design
    arm = design.arm[design.places(scores.rows)]
    cells = [arm == place for place in arms]
    clusters = [setting.n_clusters(cell) for cell in cells]
    return {
        "n_units": int(np.isin(arm, arms).sum()), "n_clusters": setting.n_clusters(np.isin(arm, arms)),
        "n_treated_clusters": setting.n_clusters(np.isin(arm, [place for place in arms if place])),
        "n_control_clusters": setting.n_clusters(arm == 0) if 0 in arms else 0,
        "smallest_cell": min(int(cell.sum()) for cell in cells), "smallest_cell_clusters": min(clusters),
    }  # fmt: skip
