"""Several contrasts at once: the approximate Hotelling test (HTZ) of a cluster-robust regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from whoworks.inference.cluster_robust import ClusterRobustFit


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """F test that all contrasts are zero; NaN where fewer than one degree of freedom is left."""

    statistic: float
    df_num: int
    df: float
    p_value: float


def joint_test(*, fit: ClusterRobustFit, contrasts: ArrayLike) -> JointTest:
    """Test that every row of ``contrasts @ coefficients`` is zero.

    The Wald statistic Q is referred to Hotelling's T-squared with eta degrees of
    freedom, so that F = (eta - q + 1) / (eta q) Q has (q, eta - q + 1).

    ``eta = q (q + 1) / sum_st Var(d_st)``, where D is the cluster-robust
    covariance of the contrasts, standardised by its expectation under
    independent errors (Pustejovsky & Tipton 2018, eq. 17; "HTZ" in clubSandwich).

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
    q = len(rows)
    value, vector = np.linalg.eigh(fit.loadings(rows).expected())
    standard = (vector / np.sqrt(value)) @ vector.T @ rows
    loadings = fit.loadings(standard)
    difference = standard[:, ~fit.aliased] @ fit.coefficients[~fit.aliased]
    wald = float(difference @ np.linalg.solve(loadings.meat(), difference))
    pairs = [(s, t) for s in range(q) for t in range(q)]
    spread = sum(loadings.inner(s, s, t, t) + loadings.inner(s, t, t, s) for s, t in pairs)
    eta = q * (q + 1) / spread
    df = eta - q + 1
    if df <= 0:
        return JointTest(statistic=np.nan, df_num=q, df=df, p_value=np.nan)
    statistic = df / (eta * q) * wald
    return JointTest(statistic=statistic, df_num=q, df=df, p_value=float(stats.f.sf(statistic, q, df)))
