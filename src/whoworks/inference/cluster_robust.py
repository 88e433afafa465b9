"""Cluster-robust regression: CR2 standard errors with Satterthwaite degrees of freedom.

Weighted least squares of y on X, block indicators absorbed, errors correlated
within clusters. The bias-reduced linearisation of Bell & McCaffrey (2002) in the
general weighted form of Pustejovsky & Tipton (2018), with the identity as
working covariance. Notation, with all sums over units:

    X   (n, k + B)  regressors and B block indicators;  W = diag(weights)
    M   (X' W X)^-1,  P = X M X',  H = P W
    B_c  [(I - H)(I - H)']_cc = I - P_cc W_c - W_c P_cc + (P W^2 P)_cc
    A_c  B_c^(-1/2)                            (Pustejovsky & Tipton 2018, eq. 8)
    g_c  A_c W_c X_c M a                       for a contrast a' beta
    SE^2 = sum_c (g_c' r_c)^2,                 r = y - X beta

Nothing of size n_c x n_c or G x G is ever formed. A cluster's B_c - I lies in
the span of V_c = [Z_c, W_c Z_c], where Z_c holds the cluster's rows of an
orthonormal basis of X and the indicators of its blocks. Every quantity needed
is a function of the small Gram matrix V_c' V_c, so the cost is O(n k^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from whoworks.inference.leverages import Blocks, Kind, Moments
from whoworks.inference.satterthwaite import Loadings

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

ALIASED = 1e-7  # a column is dropped when this little of its length is new (the tolerance of R's lm)
SPANNED = 1e-6  # of a contrast's largest entry: what it may lose with a dropped column and count as told
UNSEEN = 1e-9  # share of a contrast's variance below which no cluster's residuals tell anything of it
ROUNDING = 1e-10  # of the outcome's size: an error below it is what rounding leaves where residuals have no spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Linear contrasts of one regression's coefficients.

    estimate, std_error, df, statistic, p_value : (q,) t test of each contrast
    with Satterthwaite degrees of freedom; NaN where a contrast needs an aliased
    coefficient, and all but the estimate where clusters with a leverage of one
    decide it alone. std_error, statistic and p_value are NaN where the error is
    zero up to rounding: no residual tells how sure the estimate is (a group in
    which everyone has the same outcome). covariance : (q, q) cluster-robust, NaN
    where std_error is.
    """

    estimate: Vector
    std_error: Vector
    df: Vector
    statistic: Vector
    p_value: Vector
    covariance: Vector

    def interval(self, level: float = 0.95) -> tuple[Vector, Vector]:
        """Return lower and upper limits, each (q,), from the t distribution."""
        half = stdtrit(self.df, 0.5 + level / 2) * self.std_error
        return self.estimate - half, self.estimate + half

    def tidy(self) -> pd.DataFrame:
        """Return one row per contrast."""
        names = ("estimate", "std_error", "df", "statistic", "p_value")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class ClusterRobustFit:
    """A weighted least-squares fit that knows its clusters.

    coefficients : (k,) in the order of X, NaN where aliased
    aliased : (k,) columns that earlier columns (or the blocks) already span
    residuals : (n,) in the caller's order
    n_units, n_clusters : counts
    n_singular : eigenvalues of the B_c that were zero, hence inverted in the
        generalised sense (a leverage of one; harmless when the contrast does
        not load on it)
    kind : the correction, "CR2" unless asked otherwise
    """

    coefficients: Vector
    aliased: NDArray[np.bool_]
    residuals: Vector
    n_units: int
    n_clusters: int
    n_singular: int
    kind: Kind
    _size: float
    _triangle: Vector
    _spans: Vector
    _moments: Moments
    _adjusted: Vector

    def linear(self, contrasts: ArrayLike) -> Estimates:
        """Estimate ``contrasts @ coefficients``.

        Parameters
        ----------
        contrasts : (q, k) array
            One row per quantity. A row that loads on an aliased column is NaN.
        """
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        lost = (rows[:, self.aliased] != 0).any(axis=1)
        estimate = np.where(lost, np.nan, rows[:, ~self.aliased] @ self.coefficients[~self.aliased])
        loadings, possible = self.loadings(rows), np.diag(self.possible(rows))
        expected = loadings.expected_variance()
        unseen, meat = lost | (expected <= UNSEEN * possible), loadings.meat()
        df = np.where(unseen, np.nan, loadings.degrees_of_freedom(expected))
        untold = unseen | self.has_no_spread(variance=np.diag(meat), possible=possible)
        covariance = np.where(untold[:, None] | untold[None, :], np.nan, meat)
        std_error = np.sqrt(np.diag(covariance))
        statistic = estimate / std_error
        return Estimates(
            estimate=estimate, std_error=std_error, df=df, statistic=statistic,
            p_value=2 * stdtr(df, -np.abs(statistic)), covariance=covariance,
        )  # fmt: skip

    @cached_property
    def estimates(self) -> Estimates:
        """Each coefficient's estimate, standard error, degrees of freedom and p."""
        return self.linear(np.eye(len(self.aliased)))

    def loadings(self, contrasts: Vector) -> Loadings:
        """Return what each cluster contributes to each contrast, (q, k) rows of X's coefficients."""
        return self._moments.load(self._adjusted, self._alpha(contrasts), kind=self.kind)

    def determines(self, contrasts: Vector) -> NDArray[np.bool_]:
        """Tell which contrasts, (q, k) rows, are the same whichever of columns that span one another is dropped.

        `coefficients` are those of the model without the aliased columns. Another order of
        columns would drop others, and tell other coefficients of what they go with.
        """
        of_kept = np.linalg.solve(self._triangle, self._spans)  # (kept, aliased)
        apart = contrasts[:, self.aliased] - contrasts[:, ~self.aliased] @ of_kept
        return np.asarray((np.abs(apart) <= SPANNED * np.abs(contrasts).max(axis=1, keepdims=True)).all(axis=1))

    def possible(self, contrasts: Vector) -> Vector:
        """Return the (q, q) covariance of contrasts when all units' errors are independent with variance 1."""
        alpha = self._alpha(contrasts)
        return np.asarray(alpha.T @ self._moments.spread @ alpha)

    def has_no_spread(self, *, variance: Vector, possible: Vector) -> NDArray[np.bool_]:
        """Tell which contrasts' cluster-robust variance, (q,), is what rounding leaves of zero; `possible` as above."""
        return np.asarray(variance <= (ROUNDING * self._size) ** 2 * possible)

    def _alpha(self, contrasts: Vector) -> Vector:
        """Write contrasts in the orthonormal basis, (k, q)."""
        return np.asarray(np.linalg.solve(self._triangle.T, contrasts[:, ~self.aliased].T), dtype=np.float64)


def cluster_robust(
    *,
    X: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
    absorb: ArrayLike | None = None,
    kind: Kind = "CR2",
) -> ClusterRobustFit:
    """Regress y on X with errors correlated within clusters.

    Parameters
    ----------
    X : (n, k) array
        Regressors, the constant included unless blocks are absorbed. Columns
        that earlier columns span are dropped, as R's ``lm`` drops them.
    y : (n,) array
        Outcome, in any unit: estimates come back in it.
    cluster : (n,) array
        Labels of the clusters; at least what was assigned as a whole.
    weights : (n,) array, optional
        Positive; may vary within clusters. Scale does not matter.
    absorb : (n,) array, optional
        Labels of blocks. Equivalent to an indicator of each block among the
        regressors, leverages included (demeaning first would not be).
    kind : {"CR2", "CR0", "CR1", "CR3"}
        CR2 unless a comparison needs another: CR0 and CR1 reject too often with
        few clusters, CR3 too seldom. CR1 multiplies by G / (G - 1).

    Raises
    ------
    ValueError
        When lengths differ, values are not finite, a weight is not positive, or
        there is a single cluster.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28; Pustejovsky & Tipton (2018),
    Journal of Business & Economic Statistics 36, section 2.1. Agrees with R's
    clubSandwich.
    """
    x, outcome, w, group, block = _checked(X, y, cluster, weights, absorb)
    order = np.argsort(group, kind="stable")
    x, outcome, w, group = x[order], outcome[order], w[order], group[order]
    blocks = None if block is None else Blocks.of(block[order], w)
    x_within = x if blocks is None else blocks.demean(x, w)
    y_within = outcome if blocks is None else blocks.demean(outcome[:, None], w)[:, 0]
    basis, triangle, spans, aliased = _orthonormal(x_within, w, lengths=np.sqrt(w @ x**2))
    gamma = basis.T @ (w * y_within)
    residuals = y_within - basis @ gamma
    moments = Moments.of(basis=basis, weights=w, residuals=residuals, cluster=group, blocks=blocks)
    adjusted, n_singular = moments.adjust(kind)
    coefficients = np.full(len(aliased), np.nan)
    coefficients[~aliased] = np.linalg.solve(triangle, gamma)
    back = np.empty_like(residuals)
    back[order] = residuals
    return ClusterRobustFit(
        coefficients=coefficients, aliased=aliased, residuals=back, n_units=len(outcome),
        n_clusters=moments.n_clusters, n_singular=n_singular, kind=kind,
        _size=float(np.sqrt(w @ outcome**2 / w.sum())), _triangle=triangle, _spans=spans, _moments=moments,
        _adjusted=adjusted,
    )  # fmt: skip


def _checked(
    X: ArrayLike, y: ArrayLike, cluster: ArrayLike, weights: ArrayLike | None, absorb: ArrayLike | None
) -> tuple[Vector, Vector, Vector, Codes, Codes | None]:
    x = np.asarray(X, dtype=np.float64)
    outcome = np.asarray(y, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    w = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=np.float64)
    group = np.unique(np.asarray(cluster), return_inverse=True)[1].astype(np.int64)
    block = None if absorb is None else np.unique(np.asarray(absorb), return_inverse=True)[1].astype(np.int64)
    lengths = {len(x), len(outcome), len(w), len(group)} | (set() if block is None else {len(block)})
    if len(lengths) != 1:
        raise ValueError(f"X, y, cluster, weights and absorb must have one entry per unit; lengths are {lengths}")
    if not (np.isfinite(x).all() and np.isfinite(outcome).all()):
        raise ValueError("X and y must be finite: leave out units with missing values, and count them")
    if not (np.isfinite(w).all() and (w > 0).all()):
        raise ValueError("weights must be positive numbers: leave out units that should not count")
    if group.max(initial=0) == 0:
        raise ValueError("there is one cluster: errors correlated within it cannot be told from an effect")
    return x, outcome, w / w.mean(), group, block


def _orthonormal(
    columns: Vector, weights: Vector, *, lengths: Vector
) -> tuple[Vector, Vector, Vector, NDArray[np.bool_]]:
    """Gram-Schmidt under the weights, in order, twice: columns kept = basis @ triangle, aliased = basis @ spans."""
    n, k = columns.shape
    basis, triangle, spans = np.empty((n, k)), np.zeros((k, k)), np.zeros((k, k))
    aliased = np.zeros(k, dtype=np.bool_)
    rank = 0
    for j in range(k):
        rest = columns[:, j].copy()
        along = np.zeros(rank)
        for _ in range(2):
            step = basis[:, :rank].T @ (weights * rest)
            rest -= basis[:, :rank] @ step
            along += step
        length = np.sqrt(weights @ rest**2)
        aliased[j] = not length > ALIASED * lengths[j]
        spans[:rank, j] = along
        if not aliased[j]:
            basis[:, rank] = rest / length
            triangle[:rank, rank], triangle[rank, rank] = along, length
            rank += 1
    return basis[:, :rank], triangle[:rank, :rank], spans[:rank, aliased], aliased
