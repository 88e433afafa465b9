"""What a significant estimate of this precision would be worth: its chance of a wrong sign, and its exaggeration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Rates over repetitions of a study, given the true value.

    power : chance of an interval that leaves 0 out
    wrong_sign : share of those estimates that have the wrong sign (type S)
    exaggeration : their expected size over the true value's (type M); NaN with one degree of freedom or fewer
    """

    power: float
    wrong_sign: float
    exaggeration: float


def error_rates(*, true: float, std_error: float, df: float, alpha: float = 0.05) -> ErrorRates:
    """Return power, type S and type M error of an estimate whose error is t with `df` degrees of freedom.

    ``estimate = true + std_error T``, significant when ``|estimate| > t_{1-alpha/2}
    std_error`` (Gelman & Carlin 2014, Perspectives on Psychological Science 9).
    Their exaggeration is simulated; here it is exact, from ``E[T; T > a] = f(a)
    (df + a^2) / (df - 1)`` for the density f of t.

    Parameters
    ----------
    true : the value assumed; its sign does not matter. NaN rates where it is 0, or where an argument is not finite.
    std_error, df : as observed
    """
    size = abs(true)
    if not (size > 0 and std_error > 0 and df > 0 and np.isfinite([size, std_error, df]).all()):
        return ErrorRates(power=np.nan, wrong_sign=np.nan, exaggeration=np.nan)
    critical, ratio = float(stats.t.ppf(1 - alpha / 2, df)), size / std_error
    right, wrong = critical - ratio, critical + ratio  # T above `right`, or below -`wrong`
    p_right, p_wrong = float(stats.t.sf(right, df)), float(stats.t.sf(wrong, df))
    power = p_right + p_wrong
    exaggeration = np.nan
    if df > 1:
        beyond = _tail_mean(right, df) + _tail_mean(wrong, df)
        exaggeration = (ratio * (p_right - p_wrong) + beyond) / (power * ratio)
    return ErrorRates(power=power, wrong_sign=p_wrong / power, exaggeration=exaggeration)


def _tail_mean(above: float, df: float) -> float:
    """Return E[T; T > above] of a t variable."""
    return float(stats.t.pdf(above, df)) * (df + above**2) / (df - 1)
