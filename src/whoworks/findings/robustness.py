"""How a difference holds up when it is looked at in other ways; each is printed beside it, and none replaces it."""

from __future__ import annotations

import math
from dataclasses import dataclass

NAN = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """Second looks at one difference; NaN where a look does not apply.

    rank_estimate, rank_low, rank_high, rank_p : the same difference with outcomes replaced by
        their ranks, in percentile points (0 to 100)
    logit_estimate, logit_low, logit_high, logit_p : for a yes-or-no outcome the difference of log odds ratios
    assumed : the true difference for which the two rates hold, in the finding's unit;
        `assumed_from` says why ("plan": what the plan calls meaningful; "half": half the estimate)
    wrong_sign : chance that an estimate of this precision whose interval leaves 0 out has the wrong sign (type S)
    exaggeration : how many times too large such an estimate is on average (type M)
    reliability : the moderator's, from the plan
    corrected, corrected_low, corrected_high : the difference per SD had the moderator been measured without error
    min_p : the family's step-down adjusted p by a wild cluster bootstrap, beside Holm's
    is_negligible : whether the whole interval is smaller than what the plan calls meaningful
    """

    rank_estimate: float = NAN
    rank_low: float = NAN
    rank_high: float = NAN
    rank_p: float = NAN
    logit_estimate: float = NAN
    logit_low: float = NAN
    logit_high: float = NAN
    logit_p: float = NAN
    assumed: float = NAN
    assumed_from: str = ""
    wrong_sign: float = NAN
    exaggeration: float = NAN
    reliability: float = NAN
    corrected: float = NAN
    corrected_low: float = NAN
    corrected_high: float = NAN
    min_p: float = NAN
    is_negligible: bool = False
