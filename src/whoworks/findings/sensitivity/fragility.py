"""Whether a difference survives another scale of the outcome, the loss of a site, and giving up its cut point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.finding import SETTLED
from whoworks.findings.moderation import Moderation
from whoworks.findings.regression import EffectFit, fit_effects
from whoworks.findings.sensitivity.log_odds import has_log_odds, on_log_odds

Codes = NDArray[np.int64]

FEW_SITES = 30  # all of which are left out in turn
NEAR = 0.5  # standard errors from a meaningful difference by a site's part in it, within which the site is left out


def lost_scale(moderation: Moderation) -> str:
    """Return the scale of the outcome on which the difference loses its evidence; "" where it survives.

    A difference that a monotone rescaling removes, or turns, says more about the
    scale of the test than about who gained. A yes-or-no outcome is its own ranks: it is
    asked on log odds alone; a score between known bounds on both.
    """
    setting = moderation.setting
    if has_log_odds(setting) and dies_on_log_odds(moderation):
        return "counting on log odds"
    return "replacing outcomes by ranks" if not setting.scale.binary and dies_on_ranks(moderation) else ""


def dies_on_log_odds(moderation: Moderation) -> bool:
    """Tell whether the difference loses its evidence, or turns, where the ends of the scale are infinitely far."""
    told = on_log_odds(moderation)
    return not told.joint_p <= SETTLED or _turns(moderation, told.estimate)


def dies_on_ranks(moderation: Moderation) -> bool:
    """Tell whether the difference loses its evidence, or turns, when outcomes are replaced by their ranks."""
    scores = moderation.setting.scores
    ranks = stats.rankdata(scores.y) / len(scores.y)
    fit = fit_effects(replace(scores, y=ranks), basis=moderation.basis, keep=moderation.keep)
    if len(moderation.contrasts) > 1:
        return not fit.joint(moderation.contrasts).p_value <= SETTLED
    told = fit.effects(moderation.contrasts)
    return not float(told.p_value[0]) <= SETTLED or _turns(moderation, told.estimate)


def _turns(moderation: Moderation, estimate: NDArray[np.float64]) -> bool:
    """Tell whether one difference has the other sign on another scale; of several, each has its own second look."""
    if len(moderation.contrasts) > 1:
        return False
    plain = fit_effects(moderation.setting.scores, basis=moderation.basis, keep=moderation.keep)
    return bool(np.sign(estimate[0]) != np.sign(plain.effects(moderation.contrasts).estimate[0]))


def turns_without_a_site(moderation: Moderation, *, meaningful: float) -> bool:
    """Tell whether leaving out one site brings a meaningful difference the other way into the interval.

    `meaningful` is in the outcome's units. Needs one contrast and a site (or a
    block) of three or more; False where there is none.
    """
    scores, setting = moderation.setting.scores, moderation.setting
    site = scores.site if scores.site is not None else scores.block
    if len(moderation.contrasts) > 1 or len(np.unique(site[moderation.keep])) < 3:
        return False
    everyone = fit_effects(scores, basis=moderation.basis, keep=moderation.keep)
    sign = np.sign(everyone.effects(moderation.contrasts).estimate[0])
    for place in _sites_that_could(everyone, moderation, site[moderation.keep], meaningful):
        fit = fit_effects(scores, basis=moderation.basis, keep=moderation.keep & (site != place))
        low, high = fit.effects(moderation.contrasts).interval(setting.confidence)
        against = -low[0] if sign > 0 else high[0]
        if against > meaningful:
            return True
    return False


def _sites_that_could(everyone: EffectFit, moderation: Moderation, site: Codes, meaningful: float) -> Codes:
    """Return the sites worth leaving out: all where they are few, of many those that come near `meaningful`.

    A cluster's score is its part in the estimate. Without a site the estimate loses
    about the scores of its clusters, and the variance their squares, both spread
    over the clusters that are left.
    """
    places, home = np.unique(site, return_inverse=True)
    cluster, first, own = np.unique(everyone.regressors.cluster, return_index=True, return_inverse=True)
    if len(places) <= FEW_SITES or (home != home[first][own]).any():  # or sites that share a cluster
        return places
    told, n_sites, home = everyone.effects(moderation.contrasts), len(places), home[first]
    score = everyone.loadings(moderation.contrasts).score[:, 0]
    spread_over = len(cluster) / (len(cluster) - np.bincount(home, minlength=n_sites))
    estimate = told.estimate[0] - np.bincount(home, score, n_sites) * spread_over
    std_error = np.sqrt(score @ score - np.bincount(home, score**2, n_sites)) * spread_over
    half = stats.t.ppf(0.5 + moderation.setting.confidence / 2, told.df[0]) * std_error
    against = half - np.sign(told.estimate[0]) * estimate
    return np.asarray(places[against > meaningful - NEAR * told.std_error[0]])


def has_unconfirmed_cut(moderation: Moderation) -> bool:
    """Tell whether a claim rests on a cut point that the uncut number does not confirm.

    The number itself, among the same units, has to go with the effect at the 5 %
    level and the same way as the cut. False where nothing was cut.
    """
    scores = moderation.setting.scores
    for cut in moderation.cuts:
        ones = np.ones(len(scores.y))
        across = fit_effects(scores, basis=np.column_stack([ones, cut.above]), keep=cut.compared).effects([0.0, 1.0])
        along = fit_effects(scores, basis=np.column_stack([ones, cut.number]), keep=cut.among).effects([0.0, 1.0])
        same_way = np.sign(across.estimate[0]) == np.sign(along.estimate[0])
        if not (same_way and along.p_value[0] <= SETTLED):
            return True
    return False
