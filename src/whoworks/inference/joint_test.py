"""Several contrasts at once: the approximate Hotelling test (HTZ) of a cluster-robust regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, stats

from whoworks.inference.cluster_robust import UNSEEN, ClusterRobustFit

SINGULAR = 1e-12  # share of the largest below which an eigenvalue of a covariance is rounding error


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """F test that all contrasts are zero; statistic and p NaN where the data cannot tell, or no df is left."""

    statistic: float
    df_num: int
    df: float
    p_value: float

    @classmethod
    def untold(cls, q: int, *, df: float = np.nan) -> JointTest:
        """Return the test of q contrasts of which the data tell nothing."""
        return cls(statistic=np.nan, df_num=q, df=df, p_value=np.nan)


def joint_test(*, fit: ClusterRobustFit, contrasts: ArrayLike) -> JointTest:
    """Test that every row of ``contrasts @ coefficients`` is zero.

    The Wald statistic Q is referred to Hotelling's T-squared with eta degrees of
    freedom, so that F = (eta - q + 1) / (eta q) Q has (q, eta - q + 1).

    ``eta = q (q + 1) / sum_st Var(d_st)``, where D is the cluster-robust
    covariance of the contrasts, standardised by its expectation under
    independent errors (Pustejovsky & Tipton 2018, eq. 17; "HTZ" in clubSandwich).
    It is not told where clusters with a leverage of one decide a combination of
    the contrasts alone, nor where a combination has no error at all.

    Parameters
    ----------
    fit : ClusterRobustFit
    contrasts : (q, k) array
        Linearly independent rows, none of which loads on an aliased column.

    Raises
    ------
    ValueError
        When a contrast needs an aliased coefficient.
    """
    rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    if (rows[:, fit.aliased] != 0).any():
        raise ValueError("a contrast needs a coefficient that other columns already determine")
    q, expected = len(rows), fit.loadings(rows).expected()
    if linalg.eigvalsh(expected, fit.possible(rows)).min() <= UNSEEN:
        return JointTest.untold(q)
    value, vector = np.linalg.eigh(expected)
    standard = (vector / np.sqrt(value)) @ vector.T @ rows
    loadings = fit.loadings(standard)
    difference = standard[:, ~fit.aliased] @ fit.coefficients[~fit.aliased]
    pairs = [(s, t) for s in range(q) for t in range(q)]
    spread = sum(loadings.inner(s, s, t, t) + loadings.inner(s, t, t, s) for s, t in pairs)
    eta = q * (q + 1) / spread
    df, meat = eta - q + 1, loadings.meat()
    size = np.linalg.eigvalsh(meat)
    flat = fit.has_no_spread(variance=np.diag(meat), possible=np.diag(fit.possible(standard)))
    if df <= 0 or size[0] <= SINGULAR * size[-1] or flat.any():
        return JointTest.untold(q, df=df)
    statistic = df / (eta * q) * float(difference @ np.linalg.solve(meat, difference))
    return JointTest(statistic=statistic, df_num=q, df=df, p_value=float(stats.f.sf(statistic, q, df)))
