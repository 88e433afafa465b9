"""Random-effects meta-analysis: how far effects differ between sites, and what a new site may expect.

Each site's estimate is its own effect plus error, the sites' effects spread
around their mean:

    estimate_j ~ N(theta_j, variance_j),   theta_j ~ N(mean, tau^2)

with the variances taken as known. They should come from one pooled variance of
the outcome: variances estimated site by site go with the estimates in small
sites, and pull mean and spread with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats
from scipy.special import ndtr

Vector = NDArray[np.float64]
Errors = Literal["knapp-hartung", "model"]

GRID = np.r_[0.0, np.geomspace(1e-8, 1e4, 121)]  # in multiples of the typical variance of an estimate
TIGHT = 1e-13
HALVINGS = 60
RANKS_OF_TAU, RANKS_OF_MEAN = 100, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEffects:
    """A fitted random-effects model of k sites; all in the units of the estimates.

    mean, std_error, df : the sites' mean effect; df is infinite where errors are the model's
    tau2 : restricted maximum-likelihood variance of the effects between sites
    q : Cochran's Q, referred to chi-squared with k - 1 degrees of freedom (`q_p_value`)
    i2 : share of the estimates' variance that is between sites
    estimate, variance : (k,) as given
    """

    mean: float
    std_error: float
    df: float
    tau2: float
    q: float
    q_p_value: float
    i2: float
    estimate: Vector
    variance: Vector

    @property
    def tau(self) -> float:
        """Standard deviation of the effects between sites."""
        return float(np.sqrt(self.tau2))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the limits of the sites' mean effect."""
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.std_error
        return self.mean - half, self.mean + half

    def prediction(self, level: float = 0.95) -> tuple[float, float]:
        """Return the usual limits of the effect in one new site: tau taken as estimated.

        ``mean +- t sqrt(tau^2 + se^2)`` with k - 1 degrees of freedom (Higgins,
        Thompson & Spiegelhalter 2009, Journal of the Royal Statistical Society A
        172, there with k - 2; Partlett & Riley 2017, Statistics in Medicine 36).
        Too short unless tau is large or sites are many: see `new_site`.
        """
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * float(np.sqrt(self.tau2 + self.std_error**2))
        return self.mean - half, self.mean + half

    def new_site(self, level: float = 0.95) -> tuple[float, float]:
        """Return the limits within which the effect in one new site like these is expected, tau not taken as known.

        tau^2 has its confidence distribution, P(tau^2 <= t) = P(chi2_{k-1} >= Q(t));
        given it the sites' mean is ``mean(t) + se(t) T_{k-1}`` (Knapp & Hartung), and
        the new site's effect N(mean, t). The limits are quantiles of that
        mixture, over evenly spaced ranks of tau^2 and T (Nagashima, Noma & Furukawa
        2019, Statistical Methods in Medical Research 28, there by draws).
        """
        k = len(self.estimate)
        tau2 = self._tau2_at(stats.chi2.ppf(_ranks(RANKS_OF_TAU), k - 1))
        weight = 1 / (self.variance + tau2[:, None])
        mean, total = weight @ self.estimate / weight.sum(axis=1), weight.sum(axis=1)
        std_error = np.sqrt((weight * (self.estimate - mean[:, None]) ** 2).sum(axis=1) / (k - 1) / total)
        centre = mean[:, None] + std_error[:, None] * stats.t.ppf(_ranks(RANKS_OF_MEAN), k - 1)
        tau = np.sqrt(np.maximum(tau2, np.finfo(float).tiny))[:, None]

        def excess(place: float, share: float) -> float:
            return float(ndtr((place - centre) / tau).mean()) - share

        low, high = np.nextafter((centre - 9 * tau).min(), -np.inf), np.nextafter((centre + 9 * tau).max(), np.inf)
        ends = (optimize.brentq(excess, low, high, args=(share,)) for share in ((1 - level) / 2, (1 + level) / 2))
        first, last = (float(end) for end in ends)
        return first, last

    def tau_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the Q-profile limits of tau: exact when the variances are known.

        The values for which Q(tau^2) = sum_j (estimate_j - mean)^2 / (variance_j + tau^2)
        lies between the quantiles of chi-squared with k - 1 degrees of freedom
        (Viechtbauer 2007, Statistics in Medicine 26). Both limits are 0 where the
        estimates are more alike than chance alone would often make them.
        """
        quantiles = stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], len(self.estimate) - 1)
        lower, upper = np.sqrt(self._tau2_at(quantiles))
        return float(lower), float(upper)

    def shrunken(self) -> tuple[Vector, Vector]:
        """Return each site's effect drawn towards the mean, (k,), and its standard error, (k,).

        ``b_j estimate_j + (1 - b_j) mean`` with ``b_j = tau^2 / (tau^2 + variance_j)``:
        the empirical-Bayes prediction (Raudenbush & Bryk 2002, chapter 3). Its
        spread is smaller than the spread of the sites' effects.
        """
        share = self.tau2 / (self.tau2 + self.variance)
        drawn = share * self.estimate + (1 - share) * self.mean
        return drawn, np.sqrt(share * self.variance + ((1 - share) * self.std_error) ** 2)

    def _tau2_at(self, q: Vector) -> Vector:
        """Return the tau^2 whose Q(tau^2) is as asked, (m,); 0 where even Q(0) is less. Q falls in tau^2: halving."""
        high = np.full(len(q), self.variance.max() + self.tau2)
        while (beyond := _generalised_q(self.estimate, self.variance, high) > q).any():
            high[beyond] *= 2
        low = np.zeros(len(q))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            above = _generalised_q(self.estimate, self.variance, middle) > q
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(_generalised_q(self.estimate, self.variance, np.zeros(len(q))) > q, (low + high) / 2, 0.0)


def _ranks(count: int) -> Vector:
    return (np.arange(count) + 0.5) / count


def random_effects(*, estimate: ArrayLike, variance: ArrayLike, errors: Errors = "knapp-hartung") -> RandomEffects:
    """Fit the random-effects model by restricted maximum likelihood.

    Parameters
    ----------
    estimate : (k,) array
        Each site's estimated effect, in any unit.
    variance : (k,) array
        Its sampling variance, positive, in that unit squared.
    errors : {"knapp-hartung", "model"}
        Of the mean: scaled by how far the sites differ, with k - 1 degrees of
        freedom (Knapp & Hartung 2003, Statistics in Medicine 22); or as
        the model has it, normal, which is too short with few sites.

    Raises
    ------
    ValueError
        With fewer than two sites, or where an estimate is not finite or a
        variance not positive.

    References
    ----------
    Viechtbauer (2005), Journal of Educational and Behavioral Statistics 30, for
    the restricted likelihood. Agrees with R's metafor.
    """
    y, v = np.asarray(estimate, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    if len(y) != len(v) or len(y) < 2:
        raise ValueError(f"two or more sites are needed, each with both; estimates are {len(y)}, variances {len(v)}")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("estimates must be finite and variances positive: leave out sites that have one arm")
    k, typical = len(y), _typical_variance(v)
    tau2 = _restricted_likelihood_tau2(y, v, typical)
    weight = 1 / (v + tau2)
    mean = float(weight @ y / weight.sum())
    std_error = float(np.sqrt(1 / weight.sum()))
    if errors == "knapp-hartung":
        std_error *= float(np.sqrt(weight @ (y - mean) ** 2 / (k - 1)))
    q = float(_generalised_q(y, v, np.zeros(1))[0])
    return RandomEffects(
        mean=mean, std_error=std_error, df=float(k - 1) if errors == "knapp-hartung" else np.inf, tau2=tau2,
        q=q, q_p_value=float(stats.chi2.sf(q, k - 1)), i2=tau2 / (tau2 + typical), estimate=y, variance=v,
    )  # fmt: skip


def _typical_variance(v: Vector) -> float:
    """Return the variance of a typical estimate (Higgins & Thompson 2002, Statistics in Medicine 21)."""
    weight = 1 / v
    return float((len(v) - 1) / (weight.sum() - weight @ weight / weight.sum()))


def _generalised_q(y: Vector, v: Vector, tau2: Vector) -> Vector:
    """Return Q at each of (m,) values of tau^2."""
    weight = 1 / (v + tau2[:, None])
    mean = weight @ y / weight.sum(axis=1)
    return np.asarray((weight * (y - mean[:, None]) ** 2).sum(axis=1))


def _restricted_likelihood_tau2(y: Vector, v: Vector, typical: float) -> float:
    """Return the tau^2 of the highest restricted likelihood: the best of a grid, then the root of its slope."""

    def slope(tau2: float) -> float:
        weight = 1 / (v + tau2)
        away = y - weight @ y / weight.sum()
        return float(weight @ weight / weight.sum() - weight.sum() + (weight * away) @ (weight * away)) / 2

    grid = GRID * max(typical, float(np.var(y)))
    weights = 1 / (v + grid[:, None])
    away = y - (weights @ y / weights.sum(axis=1))[:, None]
    heights = np.log(weights).sum(axis=1) - np.log(weights.sum(axis=1)) - (weights * away**2).sum(axis=1)
    best = int(np.argmax(heights))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if slope(low) <= 0 or slope(high) >= 0:
        return float(grid[best])
    return float(optimize.brentq(slope, low, high, xtol=TIGHT * high, rtol=TIGHT))
