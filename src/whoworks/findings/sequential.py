"""One answer from several sequences of folds: the mean t, and the range of values that it does not rule out.

Within a sequence, fold k is judged by a rule learned from the folds before it,
so that its clusters are new to the rule. The sequences share all their data and
are as good as one: their t statistics are averaged and the mean referred to the
t distribution of one, which is conservative (a mean of t's spreads no more than
each). Wager (2024), Sequential validation of treatment heterogeneity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.findings.finding import NAN
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.findings.steadiness import Steadiness
from whoworks.inference.power import minimum_detectable

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanT:
    """What the sequences say together.

    estimate : the value whose mean t is zero, the mean weighted by 1 / error
    std_error : the error with which estimate / std_error is the mean t
    df : mean degrees of freedom
    n_sequences, n_silent : all of them, and those that could say nothing (their t counts as 0)
    seed_error : the Monte-Carlo error of the mean t: its spread over sets of as many sequences
    """

    estimate: float
    std_error: float
    df: float
    n_sequences: int
    n_silent: int
    seed_error: float = NAN

    @property
    def statistic(self) -> float:
        """The mean t."""
        return self.estimate / self.std_error

    @property
    def p_value(self) -> float:
        """Two-sided p of a zero; NaN under 4 degrees of freedom."""
        return float(2 * stats.t.sf(abs(self.statistic), self.df)) if self.df >= TOO_FEW_DF else NAN

    @property
    def steadiness(self) -> Steadiness:
        """What another set of sequences would do to the two-sided p: two Monte-Carlo errors either way."""
        return steady_over(self.statistic, seed_error=self.seed_error, df=self.df, n=self.n_sequences)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the values that the mean t does not rule out."""
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.std_error
        return self.estimate - half, self.estimate + half


def join_sequences(*, estimate: Vector, std_error: Vector, df: Vector) -> MeanT:
    """Join one estimate of each sequence, (R,) each; what is not finite, or has no error, says nothing.

    With t_r(v) = (estimate_r - v) / std_error_r, the mean over all R of t_r(v)
    is zero at v = sum(estimate / std_error) / sum(1 / std_error), and falls by
    one for every R / sum(1 / std_error).
    """
    speaks = np.isfinite(estimate) & np.isfinite(std_error) & np.isfinite(df) & (np.nan_to_num(std_error) > 0)
    if not speaks.any():
        return MeanT(estimate=NAN, std_error=NAN, df=NAN, n_sequences=len(speaks), n_silent=len(speaks))
    per_error = 1 / std_error[speaks]
    t = np.zeros(len(speaks))
    t[speaks] = estimate[speaks] * per_error
    return MeanT(
        estimate=float(estimate[speaks] @ per_error / per_error.sum()),
        std_error=float(len(speaks) / per_error.sum()),
        df=float(df[speaks].mean()), n_sequences=len(speaks), n_silent=int((~speaks).sum()),
        seed_error=seed_error_of(t),
    )  # fmt: skip


def seed_error_of(t: Vector) -> float:
    """Return the standard deviation of a mean of t statistics over sets of sequences, (R,); NaN for one."""
    return float(np.std(t, ddof=1) / np.sqrt(len(t))) if len(t) > 1 else NAN


def steady_over(statistic: float, *, seed_error: float, df: float, n: int, one_sided: bool = False) -> Steadiness:
    """Return the range of p within two Monte-Carlo errors of a mean t; NaN under 4 degrees of freedom."""
    shift = 2 * seed_error
    if not (df >= TOO_FEW_DF and np.isfinite(shift) and np.isfinite(statistic)):
        return Steadiness(over="sequences", n=n, shift=shift)
    if one_sided:
        low, high = (float(stats.t.sf(statistic + move, df)) for move in (shift, -shift))
    else:
        size = abs(statistic)
        low, high = (float(2 * stats.t.sf(each, df)) for each in (size + shift, max(size - shift, 0.0)))
    return Steadiness(over="sequences", n=n, shift=shift, p_low=low, p_high=high)


def tell_steadiness(steadiness: Steadiness) -> str:
    """Say what another set of sequences would do to p, to be put behind a note; nothing where it is not known."""
    if not np.isfinite(steadiness.p_low):
        return ""
    low, high = (f"{p:.2f}" if p >= 0.005 else "below 0.01" for p in (steadiness.p_low, steadiness.p_high))
    return f"; other sequences of these data could leave p, before adjustment, anywhere from {low} to {high}"


def sequential_fields(setting: Setting, joined: MeanT, *, estimate: float) -> dict[str, object]:
    """Return the fields of a finding: the point estimate given, its range and p from the sequences."""
    times = 100.0 if setting.scale.binary else 1.0
    low, high = joined.interval(setting.confidence)
    size = setting.scale.difference
    return {
        "estimate": times * estimate, "std_error": times * joined.std_error, "df": joined.df, "df_num": 1.0,
        "statistic": joined.statistic, "p_value": joined.p_value, "conf_low": times * low, "conf_high": times * high,
        "effect_size": size(estimate), "effect_size_low": size(low), "effect_size_high": size(high),
        "sd_used": setting.scale.name,
        "mde": times * float(minimum_detectable(std_error=joined.std_error, df=joined.df)),
        "steadiness": joined.steadiness,
    }  # fmt: skip
