"""What a finding's estimate and p would have been, had chance dealt clusters otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass

NAN = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """How far chance in the making of a finding moves it; NaN where a look does not apply.

    over : "folds" (the prognosis learned again on other deals of clusters into folds: what was seen), or
        "sequences" (of folds: what another set would do, two Monte-Carlo errors either way)
    n : how many deals or sequences
    shift : largest move of the estimate, in its standard errors
    estimate_low, estimate_high : its range over the deals, in the finding's unit
    p_low, p_high : the range of the p before adjustment, the finding's own among them
    p_adjusted : the adjusted p under each deal; empty where there is none
    """

    over: str
    n: int
    shift: float
    estimate_low: float = NAN
    estimate_high: float = NAN
    p_low: float = NAN
    p_high: float = NAN
    p_adjusted: tuple[float, ...] = ()

    def tidy(self) -> dict[str, object]:
        """Return the summary as plain values; adjusted p-values by their ends."""
        known = [p for p in self.p_adjusted if math.isfinite(p)]
        named = ("over", "n", "shift", "estimate_low", "estimate_high", "p_low", "p_high")
        ends = {"p_adjusted_low": min(known, default=NAN), "p_adjusted_high": max(known, default=NAN)}
        return {name: getattr(self, name) for name in named} | ends
