"""How far an estimate, its p and its grade move when chance deals again: the same data, other folds.

The prognosis is learned on folds of whole clusters, and which cluster falls into
which fold is chance. What a reader is told should not turn on it, so the
prognosis is learned again on other deals, the choice of learner included, and
every claim is estimated again. Tests that rest on sequences of folds have their
own spread: sequences are drawn independently, so that another set of them would
move their mean t by its standard deviation over the root of their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import Finding
from whoworks.findings.moderation import Moderation, open_moderation
from whoworks.findings.multiplicity.families import SEARCHED, adjust_families, is_test
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.findings.steadiness import Steadiness
from whoworks.panel.panel import Panel
from whoworks.scores.build import deal_scores

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """One estimate of one claim under another deal: in the outcome's units (NaN for a joint test), and its p."""

    estimate: float
    p_value: float


def refit_settings(
    panel: Panel, setting: Setting, *, seed: np.random.SeedSequence, n_refits: int
) -> tuple[Setting, ...]:
    """Return the setting with its prognosis learned again on other deals; none where clusters are too few for folds."""
    if not setting.scores.has_folds:
        return ()
    deals = deal_scores(panel, setting.design, outcome=setting.scores.outcome, seeds=seed.spawn(n_refits))
    return tuple(
        replace(setting, scores=next(one for one in scores if one.contrast == setting.scores.contrast))
        for scores in deals
    )


def measure_steadiness(
    panel: Panel,
    setting: Setting,
    findings: Sequence[Finding],
    opened: Mapping[str, Moderation | None],
    refits: Sequence[Setting],
) -> tuple[Finding, ...]:
    """Return the findings, the average and each claim on the setting's outcome and contrast with its `Steadiness`.

    Adjusted p-values are worked out anew in each deal, over the family as it
    then is; tests that do not rest on the prognosis's folds keep their p.

    Parameters
    ----------
    setting : of the primary outcome and main contrast: other claims are graded low at most, whatever the deal
    opened : the candidates' regressions
    refits : as `refit_settings` returns them
    """
    if not refits:
        return tuple(findings)
    behind = _open(panel, setting, findings, opened)
    again = {place: [_refit(moderation, other) for other in refits] for place, moderation in behind.items()}
    adjusted: list[tuple[Finding, ...]] = []
    for deal in range(len(refits)):
        dealt = list(findings)
        for place, values in again.items():
            if is_test(findings[place], findings) and np.isfinite(findings[place].p_value):
                dealt[place] = replace(findings[place], p_value=values[deal].p_value)
        adjusted.append(adjust_families(dealt))
    told = list(findings)
    for place, values in again.items():
        p_adjusted = tuple(one[place].p_adjusted for one in adjusted) if findings[place].family else ()
        told[place] = replace(findings[place], steadiness=_summarise(findings[place], setting, values, p_adjusted))
    return tuple(told)


def _open(
    panel: Panel, setting: Setting, findings: Sequence[Finding], opened: Mapping[str, Moderation | None]
) -> dict[int, Moderation]:
    """Return the regression behind the average and behind each claim, by the finding's place."""
    subject = (setting.outcome.column, setting.outcome.wave, setting.scores.contrast)
    moderators = {moderator.name: moderator for moderator in panel.plan.moderators}
    n = len(setting.scores.y)
    constant = Moderation(
        setting=setting, basis=np.ones((n, 1)), keep=np.ones(n, dtype=np.bool_), contrasts=np.ones((1, 1))
    )
    found: dict[int, Moderation] = {}
    for place, finding in enumerate(findings):
        if (finding.outcome, finding.wave, finding.contrast) != subject or finding.weighting != "student":
            continue
        moderation: Moderation | None = None
        if finding.question == "average" and finding.estimand == "itt":
            moderation = constant
        elif finding.question == "candidate":
            moderation = opened.get(finding.finding_id)
        elif finding.moderator in moderators and finding.question not in SEARCHED and is_test(finding, findings):
            moderation = open_moderation(panel, setting, moderators[finding.moderator])
        if moderation is not None:
            found[place] = moderation
    return found


def _refit(moderation: Moderation, other: Setting) -> Refit:
    own = moderation.setting.scores
    scores = replace(other.scores, cluster=own.cluster, divided_by=own.divided_by)
    fit = fit_effects(scores, basis=moderation.basis, keep=moderation.keep)
    if len(moderation.contrasts) > 1:
        test = fit.joint(moderation.contrasts)
        return Refit(estimate=np.nan, p_value=test.p_value if test.df >= TOO_FEW_DF else np.nan)
    told = fit.effects(moderation.contrasts)
    p = float(told.p_value[0]) if told.df[0] >= TOO_FEW_DF else np.nan
    return Refit(estimate=float(told.estimate[0]), p_value=p)


def _summarise(
    finding: Finding, setting: Setting, values: Sequence[Refit], p_adjusted: tuple[float, ...]
) -> Steadiness:
    low, high = _ends([*(setting.scale.times * value.estimate for value in values), finding.estimate])
    p_low, p_high = _ends([*(value.p_value for value in values), finding.p_value])
    moved = max(high - finding.estimate, finding.estimate - low)
    return Steadiness(
        over="folds", n=len(values), shift=moved / finding.std_error if finding.std_error > 0 else np.nan,
        estimate_low=low, estimate_high=high, p_low=p_low, p_high=p_high, p_adjusted=p_adjusted,
    )  # fmt: skip


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest of the values that are there; NaN where none is."""
    known = [value for value in values if np.isfinite(value)]
    return min(known, default=np.nan), max(known, default=np.nan)
