"""One answer from several sequences of folds: the mean t, and the range of values that it does not rule out.

Within a sequence, fold k is judged by a rule learned from the folds before it,
so that its clusters are new to the rule, and its t is one of the t distribution
where effects differ along nothing (Wager 2024, Sequential validation of
treatment heterogeneity). The sequences share their data and differ by how clusters
were dealt: the mean of their t's spreads less than each, by as much as they spread
around it (`spread_of_mean`), and is divided by what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.checks.wording import p_range
from whoworks.findings.finding import NAN
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.findings.steadiness import Steadiness
from whoworks.inference.power import minimum_detectable

Vector = NDArray[np.float64]

LEAST_SHARE = 0.5  # of one t's variance that the mean of many keeps at the least: few sequences tell it badly


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanT:
    """What the sequences say together.

    estimate : the value whose mean t is zero, the mean weighted by 1 / error
    std_error : the error with which estimate / std_error is the mean t over the spread that it has
    df : mean degrees of freedom
    n_sequences, n_silent : all of them, and those that could say nothing (their t counts as 0)
    seed_error : the Monte-Carlo error of that statistic: its spread over sets of as many sequences
    """

    estimate: float
    std_error: float
    df: float
    n_sequences: int
    n_silent: int
    seed_error: float = NAN

    @property
    def statistic(self) -> float:
        """The mean t, over the spread that a mean of t's has."""
        return self.estimate / self.std_error

    @property
    def p_value(self) -> float:
        """One-sided p of a zero, since only what was predicted is evidence; NaN under 4 degrees of freedom."""
        return float(stats.t.sf(self.statistic, self.df)) if self.df >= TOO_FEW_DF else NAN

    @property
    def steadiness(self) -> Steadiness:
        """What another set of sequences would do to the p: two Monte-Carlo errors either way."""
        return steady_over(self.statistic, seed_error=self.seed_error, df=self.df, n=self.n_sequences)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the values that the mean t does not rule out."""
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.std_error
        return self.estimate - half, self.estimate + half


def join_sequences(*, estimate: Vector, std_error: Vector, df: Vector) -> MeanT:
    """Join one estimate of each sequence, (R,) each; what is not finite, or has no error, says nothing.

    With t_r(v) = (estimate_r - v) / std_error_r, the mean over all R of t_r(v)
    is zero at v = sum(estimate / std_error) / sum(1 / std_error), and falls by
    one for every R / sum(1 / std_error). It is divided by `spread_of_mean` of the t_r(0).
    """
    speaks = np.isfinite(estimate) & np.isfinite(std_error) & np.isfinite(df) & (np.nan_to_num(std_error) > 0)
    if not speaks.any():
        return MeanT(estimate=NAN, std_error=NAN, df=NAN, n_sequences=len(speaks), n_silent=len(speaks))
    per_error = 1 / std_error[speaks]
    t = np.zeros(len(speaks))
    t[speaks] = estimate[speaks] * per_error
    mean_df = float(df[speaks].mean())
    spread = spread_of_mean(t, df=mean_df)
    return MeanT(
        estimate=float(estimate[speaks] @ per_error / per_error.sum()),
        std_error=spread * float(len(speaks) / per_error.sum()),
        df=mean_df, n_sequences=len(speaks), n_silent=int((~speaks).sum()), seed_error=seed_error_of(t) / spread,
    )  # fmt: skip


def spread_of_mean(t: Vector, *, df: float) -> float:
    """Return how much a mean of t statistics spreads, as a share of the spread of one; 1 for one sequence.

    Given the data, the t's of R sequences are drawn alike. By the law of total
    variance var(mean) = var(t) - (1 - 1/R) E s^2, s^2 their variance around
    their mean; var(t) = df / (df - 2), so that the share of the variance is
    1 - (1 - 1/R) s^2 (df - 2) / df. It is taken to be half at the least.

    Parameters
    ----------
    t : (R,) statistics of one data set; df : their degrees of freedom
    """
    if len(t) < 2 or not df > 2:
        return 1.0
    among = (1 - 1 / len(t)) * float(np.var(t, ddof=1)) * (df - 2) / df
    return float(np.sqrt(max(1 - among, LEAST_SHARE)))


def seed_error_of(t: Vector) -> float:
    """Return the standard deviation of a mean of t statistics over sets of sequences, (R,); NaN for one."""
    return float(np.std(t, ddof=1) / np.sqrt(len(t))) if len(t) > 1 else NAN


def steady_over(statistic: float, *, seed_error: float, df: float, n: int) -> Steadiness:
    """Return the range of a one-sided p within two Monte-Carlo errors of its statistic; NaN under 4 df."""
    shift = 2 * seed_error
    if not (df >= TOO_FEW_DF and np.isfinite(shift) and np.isfinite(statistic)):
        return Steadiness(over="sequences", n=n, shift=shift)
    low, high = (float(stats.t.sf(statistic + move, df)) for move in (shift, -shift))
    return Steadiness(over="sequences", n=n, shift=shift, p_low=low, p_high=high)


def tell_steadiness(steadiness: Steadiness) -> str:
    """Say what another set of sequences would do to p, to be put behind a note; nothing where it is not known."""
    if not np.isfinite(steadiness.p_low):
        return ""
    between = p_range(steadiness.p_low, steadiness.p_high)
    return f"; dealing the clusters anew could leave p, before adjustment, anywhere from {between}"


def sequential_fields(setting: Setting, joined: MeanT) -> dict[str, object]:
    """Return the fields of a finding: estimate, range and p of the sequences."""
    times = setting.scale.times
    low, high = joined.interval(setting.confidence)
    size = setting.scale.difference
    return {
        "estimate": times * joined.estimate, "std_error": times * joined.std_error, "df": joined.df, "df_num": 1.0,
        "statistic": joined.statistic, "p_value": joined.p_value, "conf_low": times * low, "conf_high": times * high,
        "effect_size": size(joined.estimate), "effect_size_low": size(low), "effect_size_high": size(high),
        "sd_used": setting.scale.name,
        "mde": times * float(minimum_detectable(std_error=joined.std_error, df=joined.df)),
        "steadiness": joined.steadiness,
    }  # fmt: skip
