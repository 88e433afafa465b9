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

    def adjusted_ends(self, own: float = NAN) -> tuple[float, float]:
        """Return the lowest and the highest adjusted p of the deals that have one, and of the finding's `own`."""
        known = [p for p in (*self.p_adjusted, own) if math.isfinite(p)]
        return min(known, default=NAN), max(known, default=NAN)

    def tidy(self) -> dict[str, object]:
        """Return the summary as plain values; adjusted p-values by their ends."""
        low, high = self.adjusted_ends()
        named = ("over", "n", "shift", "estimate_low", "estimate_high", "p_low", "p_high")
        return {name: getattr(self, name) for name in named} | {"p_adjusted_low": low, "p_adjusted_high": high}
