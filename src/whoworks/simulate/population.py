"""True effects in the population that a world draws from, in closed form; no draw is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from whoworks.simulate.assignment import block_shares, mean_share
from whoworks.simulate.layout import Layout
from whoworks.simulate.potential import PASS_CUT, devices_share
from whoworks.simulate.traits import EL_CUT, FRL_CUT, level_correlations, variance_parts
from whoworks.simulate.world import EL_SHARE, FRL_SHARE, POINTS_PER_SD, World

FALL, SPRING, FRL, EL = range(4)
_NORMAL = NormalDist()
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)


def both_above(*, a: float, b: float, r: float) -> float:
    """P(A > a, B > b) for standard normal A and B with correlation r.

    ``Phi(-a) Phi(-b) + integral from 0 to r of phi2(a, b; t) dt`` (Plackett 1954), by 60-point Gauss-Legendre.
    """
    t = r * (1 + _NODES) / 2
    density = np.exp(-(a * a - 2 * a * b * t + b * b) / (2 * (1 - t * t))) / (2 * math.pi * np.sqrt(1 - t * t))
    return _NORMAL.cdf(-a) * _NORMAL.cdf(-b) + float(np.sum(_WEIGHTS * density)) * r / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The population of a world in a layout: all of infinitely many schools like these.

    Sizes, devices and shares are dealt over places at random, so that only
    lunch status, English learning and fall scores are related to one another.
    Effects are of the offer (ITT) of the first treatment, in the unit of the outcome:
    points, or percentage points.
    """

    world: World
    layout: Layout

    @property
    def unit(self) -> float:
        """What one SD of effect, or one whole probability, is in the outcome's unit."""
        return 100.0 if self.world.binary else POINTS_PER_SD

    def correlation(self, one: int, other: int) -> float:
        """Correlation between two of the traits x, y, lunch status and English learning over all levels."""
        x, y, need = variance_parts(self.world, self.layout)
        parts = [x, y, need, need]
        joint = zip(np.sqrt(parts[one] * parts[other]), level_correlations(self.world), strict=True)
        return float(sum(spread * matrix[one, other] for spread, matrix in joint))

    def average(self, weighting: str) -> float:
        """Average effect with students counted once each ("student") or clusters ("cluster")."""
        if self.world.binary:
            return self.unit * (_NORMAL.cdf(self.world.average - PASS_CUT) - _NORMAL.cdf(-PASS_CUT))
        return self.unit * (self.world.average + (self._size_pull if self._counts_students(weighting) else 0.0))

    def _counts_students(self, weighting: str) -> bool:
        return weighting == "student" or self.layout.cluster_level == "student"

    @property
    def _size_pull(self) -> float:
        """E[n (n / mean - 1)] / E[n]: how much larger the place of the average student is than the average place."""
        sizes = self.layout.place_sizes
        return self.world.by_size * float(sizes.var() / sizes.mean() ** 2)

    def effect(self, moderator: str, level: int) -> float:
        """Average effect among students in a group: `level` 0 or 1 of frl, el and devices; any of sex and setting."""
        if self.world.binary:
            return self._binary_effect(moderator, level)
        tau = self.average("student") / self.unit
        if moderator == "devices":
            tau += self.world.by_devices * (level - devices_share(self.layout))
        if moderator in ("frl", "el"):
            trait = FRL if moderator == "frl" else EL
            tau += self.world.by_frl * (self._share(FRL, trait, level) - FRL_SHARE)
            tau += self.world.by_el * (self._share(EL, trait, level) - EL_SHARE)
            tau += self.world.peak * (self._peak(trait, level) - self.world.peak_mean)
        return self.unit * tau

    def _share(self, of: int, trait: int, level: int) -> float:
        if of == trait:
            return float(level)
        return _within(self._both(FRL, EL), of=_share_of(of), among=_share_of(trait), level=level)

    def _both(self, one: int, other: int) -> float:
        return both_above(a=_cut_of(one), b=_cut_of(other), r=self.correlation(one, other))

    def _peak(self, trait: int, level: int) -> float:
        """E[exp(-x^2 / (2 w^2))] in the group: under the tilted density x has variance s^2 = w^2 / (1 + w^2)."""
        r, s = self.correlation(FALL, trait), self.world.peak_mean
        above = s * _NORMAL.cdf(-_cut_of(trait) / math.sqrt(1 - r * r * (1 - s * s)))
        return _within(above, of=s, among=_share_of(trait), level=level)

    def _binary_effect(self, moderator: str, level: int) -> float:
        if moderator not in ("frl", "el"):
            return self.average("student")
        trait = FRL if moderator == "frl" else EL
        r, cut, share = self.correlation(SPRING, trait), _cut_of(trait), _share_of(trait)
        passing = [
            _within(both_above(a=edge, b=cut, r=r), of=_NORMAL.cdf(-edge), among=share, level=level)
            for edge in (PASS_CUT, PASS_CUT - self.world.average)
        ]
        return self.unit * (passing[1] - passing[0])

    def slope(self, moderator: str) -> float:
        """Slope of the effect along a number, per SD of it over students: along the fall score; 0 along others."""
        if moderator != "rit_fall":
            return 0.0
        if self.world.binary:
            r = self.correlation(FALL, SPRING)
            return self.unit * r * (_NORMAL.pdf(PASS_CUT - self.world.average) - _NORMAL.pdf(PASS_CUT))
        along = self.world.by_frl * self._with_fall(FRL) + self.world.by_el * self._with_fall(EL)
        return self.unit * along

    def _with_fall(self, trait: int) -> float:
        return self.correlation(FALL, trait) * _NORMAL.pdf(_cut_of(trait))

    @property
    def sd_control(self) -> float:
        """SD of the outcome over students without the programme, in its unit."""
        if self.world.binary:
            return self.unit * math.sqrt(_NORMAL.cdf(-PASS_CUT) * _NORMAL.cdf(PASS_CUT))
        return self.unit * math.sqrt(1 + self.world.share_to_outcome**2 * self._share_variance)

    @property
    def _share_variance(self) -> float:
        if not self.world.block_shares:
            return 0.0
        shares = block_shares(self.world, self.layout, self.layout.schools)
        shares = shares[self.layout.school_of_class] if self.layout.place_level == "class" else shares
        return float(np.mean((shares - mean_share(self.world, self.layout)) ** 2))


def _cut_of(trait: int) -> float:
    return FRL_CUT if trait == FRL else EL_CUT


def _share_of(trait: int) -> float:
    return FRL_SHARE if trait == FRL else EL_SHARE


def _within(both: float, *, of: float, among: float, level: int) -> float:
    """Turn P(A and B) into P(A | B) or, at level 0, P(A | not B); A has probability `of`, B `among`."""
    return both / among if level else (of - both) / (1 - among)
