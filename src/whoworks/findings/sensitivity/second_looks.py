"""Second looks at each difference: on ranks, at its precision, freed of measurement error, and against what matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.finding import Finding
from whoworks.findings.groups import group_categories
from whoworks.findings.moderation import Moderation, open_moderation
from whoworks.findings.multiplicity.families import WEIGHTING
from whoworks.findings.planned.contrasts import is_split
from whoworks.findings.regression import fit_effects
from whoworks.findings.robustness import Robustness
from whoworks.findings.sensitivity.log_odds import LogOddsDifference, has_log_odds, on_log_odds
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.inference.cluster_robust import Estimates
from whoworks.inference.wrong_sign import error_rates
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]

Look = dict[str, object]


def look_again(panel: Panel, setting: Setting, moderator: Moderator, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return a moderator's findings, each difference with its `Robustness`."""
    is_asked = any(_is_difference(f) and not np.isnan(f.estimate) for f in found)
    moderation = open_moderation(panel, setting, moderator) if is_asked else None
    if moderation is None:
        return tuple(found)
    scaled = _on_other_scales(moderation)
    levels = _levels(panel, moderation.setting, moderator)
    return tuple(
        replace(f, robustness=_look(f, moderation.setting, moderator, scaled[levels.index(f.level)]))
        if _is_difference(f) and not np.isnan(f.estimate) else f
        for f in found
    )  # fmt: skip


def on_ranks(moderation: Moderation) -> Estimates:
    """Estimate the moderation's contrasts with outcomes replaced by their mid-ranks, in percentile points."""
    scores = moderation.setting.scores
    ranks = 100 * (stats.rankdata(scores.y) - 0.5) / len(scores.y)
    fit = fit_effects(replace(scores, y=ranks), basis=moderation.basis, keep=moderation.keep)
    return fit.effects(moderation.contrasts)


def _is_difference(finding: Finding) -> bool:
    return finding.question == "difference" and finding.moderator != WEIGHTING and not is_split(finding)


def _levels(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[str, ...]:
    """Return the level of each contrast of the moderation: "" for a number's slope."""
    if moderator.kind == "number":
        return ("",)
    groups = group_categories(panel, setting.scores, moderator)
    kept = setting.assessable(groups)
    return tuple(groups.levels[i] for i in kept[1:])


def _look(finding: Finding, setting: Setting, moderator: Moderator, scaled: Look) -> Robustness:
    fields = _at_this_precision(finding, setting) | _without_error(finding, moderator) | scaled
    return Robustness(is_negligible=finding.is_negligible, **fields)  # type: ignore[arg-type]


def _on_other_scales(moderation: Moderation) -> list[Look]:
    """Return each contrast on ranks and, between known ends, on log odds; a yes-or-no outcome is its own ranks."""
    looks: list[Look] = [{} for _ in moderation.contrasts]
    if not moderation.setting.scale.binary:
        looks = _rescaled(on_ranks(moderation), "rank", moderation)
    if has_log_odds(moderation.setting):
        odds = _rescaled(on_log_odds(moderation), "logit", moderation)
        looks = [one | other for one, other in zip(looks, odds, strict=True)]
    return looks


def _rescaled(told: Estimates | LogOddsDifference, scale: str, moderation: Moderation) -> list[Look]:
    """Return each contrast's difference on another scale of the outcome."""
    low, high = told.interval(moderation.setting.confidence)
    return [
        {
            f"{scale}_estimate": float(told.estimate[i]), f"{scale}_low": float(low[i]),
            f"{scale}_high": float(high[i]),
            f"{scale}_p": float(told.p_value[i]) if told.df[i] >= TOO_FEW_DF else np.nan,
        }
        for i in range(len(told.estimate))
    ]  # fmt: skip


def _at_this_precision(finding: Finding, setting: Setting) -> Look:
    """Return type S and type M error for a true difference that matters, or of half the estimate."""
    is_planned = bool(setting.meaningful > 0)
    assumed = setting.meaningful if is_planned else abs(finding.estimate) / 2
    rates = error_rates(true=assumed, std_error=finding.std_error, df=finding.df, alpha=1 - setting.confidence)
    return {
        "assumed": assumed, "assumed_from": "plan" if is_planned else "half",
        "wrong_sign": rates.wrong_sign, "exaggeration": rates.exaggeration,
    }  # fmt: skip


def _without_error(finding: Finding, moderator: Moderator) -> Look:
    """Free a number's slope of the attenuation by classical measurement error: divide by the reliability.

    Assignment is independent of the moderator, so that neither blocks nor the
    prognosis change the factor. It stays "per SD as observed". Groups that are
    mistaken for one another follow another law, and are left alone.
    """
    if moderator.reliability is None or moderator.kind != "number":
        return {}
    reliability = float(moderator.reliability)
    return {
        "reliability": reliability, "corrected": finding.estimate / reliability,
        "corrected_low": finding.conf_low / reliability, "corrected_high": finding.conf_high / reliability,
    }  # fmt: skip
