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
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, stats

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Kind = Literal["CR0", "CR1", "CR2", "CR3"]

ALIASED = 1e-7  # a column is dropped when this little of its length is new (the tolerance of R's lm)
NEGLIGIBLE = 1e-13  # eigenvalues of a scaled Gram matrix below this are rounding error
SINGULAR = 1e-8  # eigenvalues of B_c below this are a leverage of one: generalised inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Linear contrasts of one regression's coefficients.

    estimate, std_error, df, statistic, p_value : (q,) t test of each contrast
    with Satterthwaite degrees of freedom; NaN where a contrast needs an aliased
    coefficient. covariance : (q, q) cluster-robust.
    """

    estimate: Vector
    std_error: Vector
    df: Vector
    statistic: Vector
    p_value: Vector
    covariance: Vector

    def interval(self, level: float = 0.95) -> tuple[Vector, Vector]:
        """Return lower and upper limits, each (q,), from the t distribution."""
        half = stats.t.ppf(0.5 + level / 2, self.df) * self.std_error
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
    _triangle: Vector
    _moments: _Moments
    _adjusted: Vector

    def linear(self, contrasts: ArrayLike) -> Estimates:
        """Estimate ``contrasts @ coefficients``.

        Parameters
        ----------
        contrasts : (q, k) array
            One row per quantity. Aliased columns must carry zeros, or the row is NaN.
        """
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        lost = (rows[:, self.aliased] != 0).any(axis=1)
        kept = rows[:, ~self.aliased]
        estimate = kept @ self.coefficients[~self.aliased]
        loadings = self.loadings(rows)
        covariance = loadings.meat()
        df = loadings.degrees_of_freedom()
        estimate, df = np.where(lost, np.nan, estimate), np.where(lost, np.nan, df)
        covariance = np.where(lost[:, None] | lost[None, :], np.nan, covariance)
        std_error = np.sqrt(np.diag(covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = estimate / std_error
        return Estimates(
            estimate=estimate, std_error=std_error, df=df, statistic=statistic,
            p_value=2 * stats.t.sf(np.abs(statistic), df), covariance=covariance,
        )  # fmt: skip

    @cached_property
    def estimates(self) -> Estimates:
        """Each coefficient's estimate, standard error, degrees of freedom and p."""
        return self.linear(np.eye(len(self.aliased)))

    def loadings(self, contrasts: Vector) -> Loadings:
        """Return what each cluster contributes to each contrast, (q, k) rows of X's coefficients."""
        kept = contrasts[:, ~self.aliased]
        alpha = np.linalg.solve(self._triangle.T, kept.T) if kept.shape[1] else kept.T
        return self._moments.load(self._adjusted, alpha, kind=self.kind)


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
    blocks = None if block is None else _Blocks.of(block[order], w)
    x_within = x if blocks is None else blocks.demean(x, w)
    y_within = outcome if blocks is None else blocks.demean(outcome[:, None], w)[:, 0]
    basis, triangle, aliased = _orthonormal(x_within, w, lengths=np.sqrt(w @ x**2))
    gamma = basis.T @ (w * y_within)
    residuals = y_within - basis @ gamma
    moments = _Moments.of(basis=basis, weights=w, residuals=residuals, cluster=group, blocks=blocks)
    adjusted, n_singular = moments.adjust(kind)
    coefficients = np.full(len(aliased), np.nan)
    coefficients[~aliased] = np.linalg.solve(triangle, gamma)
    back = np.empty_like(residuals)
    back[order] = residuals
    return ClusterRobustFit(
        coefficients=coefficients, aliased=aliased, residuals=back, n_units=len(outcome),
        n_clusters=moments.n_clusters, n_singular=n_singular, kind=kind,
        _triangle=triangle, _moments=moments, _adjusted=adjusted,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """Absorbed blocks: each unit's code, and the sums of the weights and of their squares per block."""

    code: Codes
    weight: Vector
    square: Vector

    @classmethod
    def of(cls, block: Codes, weights: Vector) -> _Blocks:
        return cls(code=block, weight=np.bincount(block, weights), square=np.bincount(block, weights**2))

    def demean(self, columns: Vector, weights: Vector) -> Vector:
        sums = self.sums(columns * weights[:, None])
        return columns - (sums / self.weight[:, None])[self.code]

    def sums(self, columns: Vector) -> Vector:
        n_blocks = len(self.weight)
        return np.column_stack([np.bincount(self.code, column, n_blocks) for column in columns.T])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loadings:
    """Each cluster's part in q contrasts: the matrices p_c' p_d of Satterthwaite's formula, never formed.

    p_sc' p_td = [c = d] own_cst + left_sc middle left_td' + block_sc block_middle block_td',
    where p_sc = (I - H)_c' g_sc.

    score : (G, q) the g_c' r_c whose squares sum to the variance
    own : (G, q, q) the g_sc' g_tc
    left : q arrays (G, r);  middle : (r, r)
    block : q sparse arrays (G, 2 B), none where no blocks are absorbed;  block_middle : (2 B, 2 B)
    """

    score: Vector
    own: Vector
    left: tuple[Vector, ...]
    middle: Vector
    block: tuple[sparse.csr_array, ...]
    block_middle: sparse.csr_array | None
    factor: float

    def meat(self) -> Vector:
        """Return the (q, q) cluster-robust covariance of the contrasts."""
        return np.asarray(self.factor * self.score.T @ self.score)

    def expected(self) -> Vector:
        """Return the (q, q) expectation of the covariance when errors are independent with variance 1."""
        q = self.score.shape[1]
        return np.array([[self._expected(s, t) for t in range(q)] for s in range(q)])

    def degrees_of_freedom(self) -> Vector:
        """Return Satterthwaite's degrees of freedom of each contrast (Bell & McCaffrey 2002, eq. 11)."""
        index = range(self.score.shape[1])
        total = np.array([self._expected(s, s) for s in index])
        spread = np.array([self.inner(s, s, s, s) for s in index])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(total**2 / spread)

    def inner(self, s: int, t: int, u: int, v: int) -> float:
        """Return sum over clusters c, d of (p_sc' p_td) (p_uc' p_vd)."""
        own_st, own_uv = self.own[:, s, t], self.own[:, u, v]
        total = own_st @ own_uv + own_st @ self._diagonal(u, v) + own_uv @ self._diagonal(s, t)
        total += _trace(self.middle @ (self.left[s].T @ self.left[u]), self.middle @ (self.left[v].T @ self.left[t]))
        if self.block_middle is not None:
            total += self._mixed(s, t, u, v) + self._mixed(u, v, s, t)
            first = self.block_middle @ (self.block[s].T @ self.block[u])
            second = self.block_middle @ (self.block[v].T @ self.block[t])
            total += first.multiply(second.T).sum()
        return float(total)

    def _mixed(self, s: int, t: int, u: int, v: int) -> float:
        """Contrasts s, t through `left`, contrasts u, v through the blocks."""
        first = (self.block[u].T @ self.left[s]).T @ self.block_middle
        second = self.block[v].T @ self.left[t]
        return _trace(self.middle @ first, second)

    def _expected(self, s: int, t: int) -> float:
        return float(self.own[:, s, t].sum() + self._diagonal(s, t).sum())

    def _diagonal(self, s: int, t: int) -> Vector:
        total = np.einsum("gi,gi->g", self.left[s] @ self.middle, self.left[t])
        if self.block_middle is not None:
            total = total + np.asarray((self.block[s] @ self.block_middle).multiply(self.block[t]).sum(axis=1)).ravel()
        return total


def _trace(first: Vector, second: Vector) -> float:
    return float(np.einsum("ij,ji->", first, second))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    """Sufficient statistics of each cluster, for the basis V_c = [Z_c, W_c Z_c].

    gram : (G, 2p, 2p) V_c' V_c, with p = k + m and m the most blocks a cluster meets
    score : (G, 2p) V_c' r_c
    effect : (G, 2p, 2p) the E_c with B_c = I + V_c E_c V_c'
    slot : (G, m) the block behind each indicator column, -1 where there is none
    n_columns : k
    """

    gram: Vector
    score: Vector
    effect: Vector
    slot: Codes
    n_columns: int
    blocks: _Blocks | None
    spread: Vector
    cross: Vector

    @property
    def n_clusters(self) -> int:
        return len(self.gram)

    @classmethod
    def of(
        cls, *, basis: Vector, weights: Vector, residuals: Vector, cluster: Codes, blocks: _Blocks | None
    ) -> _Moments:
        start = np.flatnonzero(np.r_[True, cluster[1:] != cluster[:-1]])
        slot, place = _slots(cluster, blocks, len(start))
        indicators = (place[:, None] == np.arange(slot.shape[1])).astype(np.float64)
        z = np.hstack([basis, indicators])
        gram = _gram(z, weights, start)
        score = np.column_stack(
            [np.add.reduceat(c * residuals * u, start) for u in (1.0, weights) for c in z.T]
        )  # (G, 2p)
        spread = basis.T @ (weights[:, None] ** 2 * basis)
        cross = (
            np.zeros((0, basis.shape[1]))
            if blocks is None
            else blocks.sums(weights[:, None] ** 2 * basis) / blocks.weight[:, None]
        )
        effect = _effect(spread, cross, slot, blocks, len(start))
        return cls(
            gram=gram, score=score, effect=effect, slot=slot, n_columns=basis.shape[1],
            blocks=blocks, spread=spread, cross=cross,
        )  # fmt: skip

    def adjust(self, kind: Kind) -> tuple[Vector, int]:
        """Return (G, 2p, k) columns f with A_c' W_c Q_c = V_c f, and the count of zero eigenvalues."""
        half = self.gram.shape[1] // 2
        plain = np.zeros((half * 2, self.n_columns))
        plain[half : half + self.n_columns] = np.eye(self.n_columns)
        if kind in ("CR0", "CR1"):
            return np.broadcast_to(plain, (self.n_clusters, *plain.shape)), 0
        if kind == "CR3":
            return self._approximate_jackknife(plain), 0
        parts = [_inverse_root(g, e, plain) for g, e in zip(_chunks(self.gram), _chunks(self.effect), strict=True)]
        return np.concatenate([f for f, _ in parts]), sum(n for _, n in parts)

    def _approximate_jackknife(self, plain: Vector) -> Vector:
        """A_c = (I - H_cc)^-1: with H_cc = Z N Z' W, A_c' V = V (I - N~ V'V)^-1 (Woodbury).

        Undefined where a leverage is one; then the cluster's columns are NaN.
        """
        half = self.gram.shape[1] // 2
        transposed = np.zeros_like(self.effect)
        transposed[:, half:, :half] = -self.effect[:, half:, :half]
        system = np.eye(2 * half) - transposed @ self.gram
        defined = np.linalg.cond(system) < 1 / SINGULAR
        solved = np.full((self.n_clusters, *plain.shape), np.nan)
        solved[defined] = np.linalg.solve(system[defined], np.broadcast_to(plain, (int(defined.sum()), *plain.shape)))
        return solved

    def load(self, adjusted: Vector, alpha: Vector, *, kind: Kind) -> Loadings:
        """Return the loadings of contrasts `alpha`, (k, q) in the orthonormal basis."""
        f = adjusted @ alpha  # (G, 2p, q)
        projected = self.gram @ f
        own = np.einsum("gis,git->gst", f, projected)
        score = np.einsum("gi,gis->gs", self.score, f)
        factor = self.n_clusters / (self.n_clusters - 1) if kind == "CR1" else 1.0
        if self.blocks is None:
            left, middle = projected, self._middle()
            block: tuple[sparse.csr_array, ...] = ()
        else:
            block = tuple(self._block_sums(projected[:, :, s]) for s in range(alpha.shape[1]))
            left, middle = self._with_cross(projected, block), self._middle()
        return Loadings(
            score=score, own=own, left=tuple(left[:, :, s] for s in range(alpha.shape[1])), middle=middle,
            block=block, block_middle=self._block_middle(), factor=factor,
        )  # fmt: skip

    def _block_sums(self, projected: Vector) -> sparse.csr_array:
        """Place each cluster's sums over a block, 1'g and w'g, in that block's own two columns: (G, 2 B)."""
        assert self.blocks is not None
        k, half, n_blocks = self.n_columns, projected.shape[1] // 2, len(self.blocks.weight)
        row, column = np.nonzero(self.slot >= 0)
        place = (row, self.slot[row, column])
        sums = (projected[:, first + k : first + half][row, column] for first in (0, half))
        parts = [sparse.coo_array((part, place), shape=(self.n_clusters, n_blocks)) for part in sums]
        return sparse.hstack(parts, format="csr")

    def _with_cross(self, projected: Vector, block: tuple[sparse.csr_array, ...]) -> Vector:
        """Return Q'g, Q'Wg and, for the blocks' part in P W^2 P, (1'g) cross: (G, 3 k, q)."""
        assert self.blocks is not None
        k, half, n_blocks = self.n_columns, projected.shape[1] // 2, len(self.blocks.weight)
        cross = np.stack([part[:, :n_blocks] @ self.cross for part in block], axis=2)
        return np.concatenate([projected[:, :k], projected[:, half : half + k], cross], axis=1)

    def _middle(self) -> Vector:
        k = self.n_columns
        one, none = np.eye(k), np.zeros((k, k))
        if self.blocks is None:
            return np.block([[self.spread, -one], [-one, none]])
        return np.block([[self.spread, -one, one], [-one, none, none], [one, none, none]])

    def _block_middle(self) -> sparse.csr_array | None:
        if self.blocks is None:
            return None
        weight, square = self.blocks.weight, self.blocks.square
        minus = sparse.diags_array(-1 / weight)
        return sparse.block_array([[sparse.diags_array(square / weight**2), minus], [minus, None]], format="csr")


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


def _orthonormal(columns: Vector, weights: Vector, *, lengths: Vector) -> tuple[Vector, Vector, NDArray[np.bool_]]:
    """Gram-Schmidt under the weights, in order, twice over: columns kept = basis @ triangle."""
    n, k = columns.shape
    basis, triangle = np.empty((n, k)), np.zeros((k, k))
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
        if not aliased[j]:
            basis[:, rank] = rest / length
            triangle[:rank, rank], triangle[rank, rank] = along, length
            rank += 1
    return basis[:, :rank], triangle[:rank, :rank], aliased


def _slots(cluster: Codes, blocks: _Blocks | None, n_clusters: int) -> tuple[Codes, Codes]:
    """Number the blocks each cluster meets: the (G, m) table, and each unit's column in it."""
    if blocks is None:
        return np.zeros((n_clusters, 0), dtype=np.int64), np.full(len(cluster), -1, dtype=np.int64)
    n_blocks = len(blocks.weight)
    cells, cell = np.unique(cluster * n_blocks + blocks.code, return_inverse=True)
    owner = cells // n_blocks
    first = np.searchsorted(owner, np.arange(n_clusters))
    number = np.arange(len(cells)) - first[owner]
    slot = np.full((n_clusters, int(number.max()) + 1), -1, dtype=np.int64)
    slot[owner, number] = cells % n_blocks
    return slot, number[cell]


def _gram(z: Vector, weights: Vector, start: Codes) -> Vector:
    p = z.shape[1]
    gram = np.empty((len(start), 2 * p, 2 * p))
    for i in range(p):
        for j in range(i + 1):
            product = z[:, i] * z[:, j]
            plain, once, twice = (np.add.reduceat(product * u, start) for u in (1.0, weights, weights**2))
            gram[:, i, j] = gram[:, j, i] = plain
            gram[:, p + i, j] = gram[:, j, p + i] = gram[:, p + j, i] = gram[:, i, p + j] = once
            gram[:, p + i, p + j] = gram[:, p + j, p + i] = twice
    return gram


def _effect(spread: Vector, cross: Vector, slot: Codes, blocks: _Blocks | None, n_clusters: int) -> Vector:
    """Return E_c: [[P W^2 P in the basis Z, -N], [-N, 0]] with P = Z N Z'."""
    k, m = len(spread), slot.shape[1]
    p = k + m
    effect = np.zeros((n_clusters, 2 * p, 2 * p))
    effect[:, :k, :k] = spread
    index = np.arange(k)
    effect[:, p + index, index] = effect[:, index, p + index] = -1.0
    if blocks is None:
        return effect
    row, column = np.nonzero(slot >= 0)
    block, place = slot[row, column], k + column
    effect[row, place, place] = blocks.square[block] / blocks.weight[block] ** 2
    effect[row, place, :k] = effect[row, :k, place] = cross[block]
    effect[row, p + place, place] = effect[row, place, p + place] = -1 / blocks.weight[block]
    return effect


def _chunks(stack: Vector, size: int = 4096) -> list[Vector]:
    return [stack[first : first + size] for first in range(0, len(stack), size)]


def _inverse_root(gram: Vector, effect: Vector, columns: Vector) -> tuple[Vector, int]:
    """Return f with (I + V E V')^(-1/2) V columns = V f, for each matrix of the stack, and its zero eigenvalues."""
    scale = np.sqrt(np.einsum("gii->gi", gram))
    scale[scale == 0] = 1.0
    value, vector = np.linalg.eigh(gram / (scale[:, :, None] * scale[:, None, :]))
    real = value > NEGLIGIBLE
    root = np.sqrt(np.where(real, value, 0.0))
    inverse = np.where(real, 1 / np.where(real, root, 1.0), 0.0)
    left = root[:, :, None] * np.swapaxes(vector, 1, 2) * scale[:, None, :]  # V = (orthonormal) @ left
    shift, turn = np.linalg.eigh(left @ effect @ np.swapaxes(left, 1, 2))
    singular = shift < SINGULAR - 1
    change = np.where(singular, 0.0, 1 / np.sqrt(np.where(singular, 1.0, 1 + shift))) - 1
    moved = turn @ (change[:, :, None] * (np.swapaxes(turn, 1, 2) @ (left @ columns)))
    back = vector @ (inverse[:, :, None] * moved) / scale[:, :, None]
    return columns + back, int(singular.sum())
