"""Step-down min-p over several cluster-robust tests by one restricted wild cluster bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Matrix: TypeAlias = Any  # an array, or scipy's csr_array where there are blocks

WEBB = np.sqrt([1.5, 1.0, 0.5, 1.5, 1.0, 0.5]) * np.array([-1, -1, -1, 1, 1, 1])  # Webb (2023), Canadian J. Econ. 56
CHUNK = 200  # draws computed together: bounds memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One regression and the coefficients that its null sets to zero.

    X : (n, k) regressors, linearly independent, the constant included unless blocks are absorbed
    y, weights : (n,);  tested : columns of X
    cluster : (n,) codes that mean the same cluster in every hypothesis
    absorb : (n,) codes of blocks, or None
    """

    X: Vector
    y: Vector
    weights: Vector
    cluster: Codes
    tested: tuple[int, ...]
    absorb: Codes | None


def step_down_min_p(
    hypotheses: Sequence[Hypothesis], *, n_draws: int, rng: np.random.Generator
) -> tuple[Vector, Vector]:
    """Return each hypothesis's bootstrap p, and its p adjusted for all of them.

    Residuals are those of the regression without the tested columns; each cluster's
    are multiplied by one draw of Webb's six-point weights, the same draw in every
    hypothesis, so that tests that go together are adjusted for as such. The
    statistic is the Wald statistic with CR1 errors, of the data and of every draw
    (Cameron, Gelbach & Miller 2008; MacKinnon, Nielsen & Webb 2023, Journal of
    Econometrics 232, section 5): CR2 in each draw would cost much, and the bootstrap
    corrects what CR1 lacks. Adjusted p: Westfall & Young (1993), algorithm 2.8.

    Valid with enough clusters that carry the tested contrast in each arm; with few,
    the restricted bootstrap rejects too seldom.
    """
    n_clusters = 1 + max(int(each.cluster.max()) for each in hypotheses)
    prepared = [_Prepared.of(each) for each in hypotheses]
    observed = np.array([each.observed()[0] for each in prepared])
    drawn = np.empty((len(hypotheses), n_draws))
    for first in range(0, n_draws, CHUNK):
        size = min(CHUNK, n_draws - first)
        draws = WEBB[rng.integers(0, len(WEBB), (size, n_clusters))]
        for place, each in enumerate(prepared):
            drawn[place, first : first + size] = each.drawn(draws)
    return adjust_min_p(observed=observed, drawn=drawn)


def adjust_min_p(*, observed: ArrayLike, drawn: ArrayLike) -> tuple[Vector, Vector]:
    """Return single and step-down adjusted p from (m,) statistics and (m, B) draws under the null; large is extreme."""
    t, null = np.asarray(observed, dtype=np.float64), np.asarray(drawn, dtype=np.float64)
    n_draws = null.shape[1]
    p = np.array([(1 + (row >= value).sum()) / (n_draws + 1) for row, value in zip(null, t, strict=True)])
    ordered = np.sort(null, axis=1)
    beyond = [n_draws - np.searchsorted(row, own) for row, own in zip(ordered, null, strict=True)]
    own_p = (np.array(beyond) + 1) / (n_draws + 1)  # what each draw's statistic would have had for p
    order = np.argsort(p, kind="stable")
    least = np.minimum.accumulate(own_p[order][::-1], axis=0)[::-1]
    steps = [(1 + (row <= p[place]).sum()) / (n_draws + 1) for row, place in zip(least, order, strict=True)]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return p, np.maximum(adjusted, p)


def statistics(hypothesis: Hypothesis, draws: Vector | None) -> Vector:
    """Return the Wald statistic of the data, (1,), or under the null of each row of draws, (B,)."""
    prepared = _Prepared.of(hypothesis)
    return prepared.observed() if draws is None else prepared.drawn(draws)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """Sums over clusters from which every draw's statistic follows.

    With the restricted residuals r, L the tested rows of (X'WX)^-1 and v a draw, the
    coefficients are b = sum_c v_c (X'WX)^-1 X_c'W r_c, and a cluster's score is what its
    own v_c r_c less the fit to all of v r leaves, ``v_c u_c - M_c b``. Its squares over
    clusters are a square of v, a product of v and b, and a square of b: nothing of
    draws times clusters is formed. With blocks, b goes on with the blocks' means of v r.

    x, y, weights : blocks taken out;  inverse : (k, k);  tested : columns
    own : (G, q) the u_c;  fitted : q of (G, k + blocks) the M_c
    pull : (G, k) X_c'W r_c;  means : (G, blocks) what each cluster's r adds to the blocks' means, or None
    """

    x: Vector
    y: Vector
    weights: Vector
    inverse: Vector
    tested: tuple[int, ...]
    cells: _Cells
    own: Vector
    fitted: tuple[Matrix, ...]
    pull: Vector
    means: Matrix | None

    @classmethod
    def of(cls, hypothesis: Hypothesis) -> _Prepared:
        w, cells = hypothesis.weights, _Cells.of(hypothesis)
        x = cells.demean(hypothesis.X, w)
        y = cells.demean(hypothesis.y[:, None], w)[:, 0]
        inverse = np.asarray(np.linalg.inv(x.T @ (w[:, None] * x)), dtype=np.float64)
        rows, root = inverse[list(hypothesis.tested)], np.sqrt(w)
        kept = [j for j in range(x.shape[1]) if j not in hypothesis.tested]
        rest = y - x[:, kept] @ np.linalg.lstsq(x[:, kept] * root[:, None], y * root)[0]
        pull = cells.sums(x * (w * rest)[:, None])
        along = [w * column for column in (x @ rows.T).T]
        fitted = tuple(cells.with_blocks(cells.sums(x * column[:, None]), column) for column in along)
        return cls(
            x=x, y=y, weights=w, inverse=inverse, tested=hypothesis.tested, cells=cells, own=pull @ rows.T,
            fitted=fitted, pull=pull, means=cells.of_blocks(w * rest),
        )  # fmt: skip

    @cached_property
    def squares(self) -> dict[tuple[int, int], tuple[Vector, Matrix, Matrix]]:
        """For each two tested columns, the squares of v, (G,), of v and b, and of b, in a cluster's score."""
        return {
            (i, j): (
                self.own[:, i] * self.own[:, j],
                _times(self.fitted[j], self.own[:, i]) + _times(self.fitted[i], self.own[:, j]),
                self.fitted[i].T @ self.fitted[j],
            )
            for i in range(len(self.tested)) for j in range(i + 1)
        }  # fmt: skip

    def observed(self) -> Vector:
        """Return the statistic of the data, (1,)."""
        beta = self.inverse @ (self.x.T @ (self.weights * self.y))
        left = self.weights * (self.y - self.x @ beta)
        scores = self.cells.sums(self.x * left[:, None]) @ self.inverse[:, list(self.tested)]
        return _wald(beta[None, list(self.tested)], (scores.T @ scores)[None])

    def drawn(self, draws: Vector) -> Vector:
        """Return the statistics under the null, (B,), of (B, G) draws."""
        draws = draws[:, : self.cells.n_clusters]
        beta = draws @ self.pull @ self.inverse
        wide = beta if self.means is None else np.hstack([beta, draws @ self.means])
        square, q = draws**2, len(self.tested)
        meat = np.empty((len(draws), q, q))
        for (i, j), (own, mixed, both) in self.squares.items():
            meat[:, i, j] = meat[:, j, i] = (
                square @ own - ((draws @ mixed) * wide).sum(axis=1) + (wide * (both @ wide.T).T).sum(axis=1)
            )
        return _wald(beta[:, list(self.tested)], meat)


def _times(matrix: Matrix, column: Vector) -> Matrix:
    return matrix * column[:, None] if isinstance(matrix, np.ndarray) else matrix.multiply(column[:, None]).tocsr()


def _wald(beta: Vector, meat: Vector) -> Vector:
    """Return b' V^-1 b for rows b, (B, q), and covariances V, (B, q, q)."""
    return np.asarray(np.einsum("bq,bq->b", beta, np.linalg.solve(meat, beta[:, :, None])[:, :, 0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Sums over clusters, and over clusters within absorbed blocks."""

    cluster: Codes
    n_clusters: int
    block: Codes | None
    weight: Vector

    @classmethod
    def of(cls, hypothesis: Hypothesis) -> _Cells:
        block = hypothesis.absorb
        block = None if block is None else np.unique(block, return_inverse=True)[1]
        weight = np.ones(0) if block is None else np.bincount(block, hypothesis.weights).astype(np.float64)
        return cls(cluster=hypothesis.cluster, n_clusters=int(hypothesis.cluster.max()) + 1, block=block, weight=weight)

    def demean(self, columns: Vector, w: Vector) -> Vector:
        """Take out weighted block means."""
        if self.block is None:
            return columns
        means = np.column_stack([np.bincount(self.block, w * column) for column in columns.T]) / self.weight[:, None]
        return np.asarray(columns - means[self.block])

    def sums(self, columns: Vector) -> Vector:
        """Sum columns over clusters, (G, j)."""
        return np.column_stack([np.bincount(self.cluster, column, self.n_clusters) for column in columns.T])

    def of_blocks(self, values: Vector) -> Matrix | None:
        """Return each cluster's sum of the values in each block over the block's weight, (G, blocks); None without."""
        if self.block is None:
            return None
        shape = (self.n_clusters, len(self.weight))
        return sparse.csr_array((values / self.weight[self.block], (self.cluster, self.block)), shape=shape)

    def with_blocks(self, sums: Vector, values: Vector) -> Matrix:
        """Join to clusters' sums, (G, j), those of the values in each block, unless there are none."""
        if self.block is None:
            return sums
        shape = (self.n_clusters, len(self.weight))
        return sparse.hstack(
            [sparse.csr_array(sums), sparse.csr_array((values, (self.cluster, self.block)), shape=shape)], format="csr"
        )
