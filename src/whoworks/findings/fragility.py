"""Whether a difference survives another scale of the outcome, and the loss of any one site."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.groups import group_categories, moderator_numbers, own_level_spread
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """The regression behind one moderator's test: its basis, its units, and the contrasts that should be zero.

    A number is counted in SD over units of its own level, as its finding is.
    """

    setting: Setting
    basis: Vector
    keep: Mask
    contrasts: Vector


def open_moderation(panel: Panel, setting: Setting, moderator: Moderator) -> Moderation | None:
    """Return the regression behind a moderator's test; None where it is not assessable."""
    if moderator.kind == "number":
        values = moderator_numbers(panel, setting.scores, moderator)
        keep = ~np.isnan(values)
        if not setting.is_assessable(keep) or np.ptp(values[keep]) == 0:
            return None
        scaled = np.where(keep, (values - np.nanmean(values)) / own_level_spread(panel, moderator), 0.0)
        basis = np.column_stack([np.ones(len(values)), scaled])
        return Moderation(setting=setting, basis=basis, keep=keep, contrasts=np.array([[0.0, 1.0]]))
    groups = group_categories(panel, setting.scores, moderator)
    kept = tuple(i for i in range(len(groups.levels)) if setting.is_assessable(groups.member(i)))
    if len(kept) < 2:
        return None
    keep = np.isin(groups.code, kept)
    return Moderation(
        setting=setting, basis=groups.indicators(kept), keep=keep, contrasts=np.eye(len(kept))[1:]
    )  # fmt: skip


def dies_on_ranks(moderation: Moderation) -> bool:
    """Tell whether the difference loses its evidence when outcomes are replaced by their ranks.

    A difference that a monotone rescaling removes says more about the scale of
    the test than about who gained.
    """
    scores = moderation.setting.scores
    ranks = stats.rankdata(scores.y) / len(scores.y)
    fit = fit_effects(replace(scores, y=ranks), basis=moderation.basis, keep=moderation.keep)
    if len(moderation.contrasts) > 1:
        return not fit.joint(moderation.contrasts).p_value <= ALPHA
    return not float(fit.effects(moderation.contrasts).p_value[0]) <= ALPHA


def turns_without_a_site(moderation: Moderation, *, meaningful: float) -> bool:
    """Tell whether leaving out one site brings a meaningful difference the other way into the interval.

    `meaningful` is in the outcome's units. Needs one contrast and a site (or a
    block) of three or more; False where there is none.
    """
    scores, setting = moderation.setting.scores, moderation.setting
    site = scores.site if scores.site is not None else scores.block
    places = np.unique(site[moderation.keep])
    if len(moderation.contrasts) > 1 or len(places) < 3:
        return False
    everyone = fit_effects(scores, basis=moderation.basis, keep=moderation.keep).effects(moderation.contrasts)
    sign = np.sign(everyone.estimate[0])
    for place in places:
        fit = fit_effects(scores, basis=moderation.basis, keep=moderation.keep & (site != place))
        low, high = fit.effects(moderation.contrasts).interval(setting.confidence)
        against = -low[0] if sign > 0 else high[0]
        if against > meaningful:
            return True
    return False
