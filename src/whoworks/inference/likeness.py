"""How like a target population the sites of a study are, from means alone.

Tipton (2014, Journal of Educational and Behavioral Statistics 39, 478-501)
compares the distributions of the propensity to take part, in the sample f and
in the population g, by the Bhattacharyya coefficient

    B = integral sqrt(f g),

1 where they are the same and 0 where they do not meet. That takes every site of
the population. A published mean is less. But the odds of taking part are the
ratio of the two densities, so that B over the true propensity equals B over the
traits themselves; and where the traits are normal with one covariance matrix S
in sample and population, it depends on the difference of means d alone:

    B = exp(-d' S^-1 d / 8).

This is the index from means. It knows nothing of differences in spread or shape,
so that it is an upper bound in spirit and not a substitute for the full index.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Vector = NDArray[np.float64]

# Tipton (2014), as quoted by those who use the index [from memory: verify before citing].
VERY_HIGH, HIGH, MEDIUM = 0.90, 0.80, 0.50


def index_from_means(*, difference: Vector, covariance: Vector) -> float:
    """Return ``exp(-d' S^-1 d / 8)``, between 0 and 1; NaN where S has no inverse.

    difference : (p,) means of the sample minus those of the population
    covariance : (p, p) of the traits between sites
    """
    if not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance, hermitian=True) < len(difference):
        return math.nan
    return math.exp(-float(difference @ np.linalg.solve(covariance, difference)) / 8)


def index_of_random_draw(*, n_sites: float, n_traits: int, exceeded: float = 0.95) -> float:
    """Return the index that a random draw of sites from the population reaches with probability `exceeded`.

    With few sites and many traits means differ by chance, and the index with
    them. ``n d' S^-1 d`` with S estimated from the sites is Hotelling's T^2,
    ``p (n - 1) / (n - p) F(p, n - p)``. NaN unless there are more sites than traits.
    """
    if n_sites <= n_traits:
        return math.nan
    f = float(stats.f.ppf(exceeded, n_traits, n_sites - n_traits))
    return math.exp(-n_traits * (n_sites - 1) / (n_sites - n_traits) * f / n_sites / 8)


def grade_likeness(index: float) -> str:
    """Return what the index, at two decimals as it is told, is called: very high, high, medium or low."""
    told = round(index, 2)
    return "very high" if told >= VERY_HIGH else "high" if told >= HIGH else "medium" if told >= MEDIUM else "low"
