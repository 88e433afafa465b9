"""Effect sizes: an estimate held against a named standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.balance import COX

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How an outcome's estimates become effect sizes.

    sd : pooled unadjusted student-level SD over the arms compared
    factor : small-sample correction 1 - 3 / (4 h - 1)
    control : the control arm's mean, weighted; used for a binary outcome
    binary : whether the Cox index takes the place of estimate / sd
    name : what `sd_used` prints
    """

    sd: float
    factor: float
    control: float
    binary: bool
    name: str

    @property
    def times(self) -> float:
        """What an estimate is multiplied by where it is told: 100 for percentage points, else 1."""
        return 100.0 if self.binary else 1.0

    def effect_size(self, estimate: float) -> float:
        """Return the effect size of a difference between arms, in SD."""
        if not self.binary:
            return self.factor * estimate / self.sd if self.sd > 0 else np.nan
        treated = self.control + estimate
        if not (0 < treated < 1 and 0 < self.control < 1):
            return np.nan
        odds = np.log(treated / (1 - treated)) - np.log(self.control / (1 - self.control))
        return float(self.factor * odds / COX)

    def difference(self, estimate: float) -> float:
        """Return the effect size of a difference between two effects: linear, at the control arm's mean."""
        if not self.binary:
            return self.effect_size(estimate)
        variance = self.control * (1 - self.control)
        return self.factor * estimate / (COX * variance) if variance > 0 else np.nan

    def in_units(self, effect_size: float) -> float:
        """Return the estimate that has this effect size: the inverse of `difference`."""
        return effect_size * (COX * self.control * (1 - self.control) if self.binary else self.sd) / self.factor


def measure_scale(*, y: Vector, treated: NDArray[np.bool_], cluster: Codes, own: Vector, binary: bool) -> Scale:
    """Return the scale of an outcome from the units of two arms.

    ``sd^2 = ((n1 - 1) s1^2 + (n0 - 1) s0^2) / (n1 + n0 - 2)`` over students;
    ``h`` are the degrees of freedom of that SD when students share clusters
    (Hedges 2007; What Works Clearinghouse Handbook 5.0, eq. E.21), with the
    outcome's intraclass correlation by analysis of variance within arms.
    """
    groups = [y[treated], y[~treated]]
    counts = np.array([len(group) for group in groups], dtype=np.float64)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if len(group))
    total = float(counts.sum())
    sd = float(np.sqrt(squares / (total - 2))) if total > 2 else np.nan
    df = _degrees_of_freedom(total, *_clustering(y, treated, cluster))
    weight = 1 / own[~treated]
    return Scale(
        sd=sd, factor=1 - 3 / (4 * df - 1) if df > 1 else 1.0,
        control=float(weight @ y[~treated] / weight.sum()), binary=binary,
        name="Cox index" if binary else "pooled student-level SD of both arms",
    )  # fmt: skip


def _clustering(y: Vector, treated: NDArray[np.bool_], cluster: Codes) -> tuple[float, float]:
    """Return the average cluster size and the intraclass correlation within arms (one-way analysis of variance)."""
    code = np.unique(cluster * 2 + treated, return_inverse=True)[1]
    size = np.bincount(code).astype(np.float64)
    mean = np.bincount(code, y) / size
    arm = np.zeros(len(size), dtype=np.bool_)
    arm[code] = treated
    within = float(((y - mean[code]) ** 2).sum())
    between = sum(
        float(size[arm == a] @ (mean[arm == a] - np.average(mean[arm == a], weights=size[arm == a])) ** 2)
        for a in (False, True)
    )
    n, g = size.sum(), len(size)
    if n - g < 1 or g < 3:
        return 1.0, 0.0
    typical = (n - (size**2).sum() / n) / (g - 1)
    ms_between, ms_within = between / (g - 2), within / (n - g)
    icc = (ms_between - ms_within) / (ms_between + (typical - 1) * ms_within) if ms_between > 0 else 0.0
    return n / g, float(np.clip(icc, 0.0, 1.0))


def _degrees_of_freedom(total: float, size: float, icc: float) -> float:
    top = ((total - 2) - 2 * (size - 1) * icc) ** 2
    bottom = (
        (total - 2) * (1 - icc) ** 2 + size * (total - 2 * size) * icc**2 + 2 * (total - 2 * size) * icc * (1 - icc)
    )
    return top / bottom if bottom > 0 else total - 2
