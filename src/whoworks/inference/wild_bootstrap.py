"""Step-down min-p over several cluster-robust tests by one restricted wild cluster bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

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
    observed = np.array([statistics(each, None)[0] for each in hypotheses])
    drawn = np.empty((len(hypotheses), n_draws))
    for first in range(0, n_draws, CHUNK):
        size = min(CHUNK, n_draws - first)
        draws = WEBB[rng.integers(0, len(WEBB), (size, n_clusters))]
        for place, each in enumerate(hypotheses):
            drawn[place, first : first + size] = statistics(each, draws)
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
    """Return the Wald statistic of the data, (1,), or under the null of each row of draws, (B,).

    With the restricted residuals r, L the tested rows of (X'WX)^-1 and v a draw, the
    coefficients are sum_c v_c L X_c'W r_c, and a cluster's score is what its own
    v_c r_c less the fit to all of v r leaves: functions of sums over clusters.
    """
    w = hypothesis.weights
    cells = _Cells.of(hypothesis)
    x = cells.demean(hypothesis.X, w)
    y = cells.demean(hypothesis.y[:, None], w)[:, 0]
    inverse = np.linalg.inv(x.T @ (w[:, None] * x))
    rows = inverse[list(hypothesis.tested)]
    if draws is None:
        beta = inverse @ (x.T @ (w * y))
        scores = (cells.sums(x * (w * (y - x @ beta))[:, None]) @ rows.T)[None]
        return _wald(rows @ (x.T @ (w * y)), scores)
    draws = draws[:, : cells.n_clusters]
    kept = [j for j in range(x.shape[1]) if j not in hypothesis.tested]
    root = np.sqrt(w)
    free = np.linalg.lstsq(x[:, kept] * root[:, None], y * root)[0]
    rest = y - x[:, kept] @ free
    pull = cells.sums(x * (w * rest)[:, None])  # (G, k) X_c'W r_c
    beta = draws @ pull @ inverse  # (B, k)
    own = draws[:, :, None] * (pull @ rows.T)[None]  # (B, G, q)
    gram = np.stack([cells.sums(x * (w * column)[:, None]) for column in x.T], axis=2)  # (G, k, k)
    fitted = np.einsum("qk,gkl,bl->bgq", rows, gram, beta, optimize=True)
    scores = own - fitted - cells.of_blocks(x @ rows.T, w, rest, draws)
    return _wald(beta[:, list(hypothesis.tested)], scores)


def _wald(beta: Vector, scores: Vector) -> Vector:
    """Return b' (sum_c s_c s_c')^-1 b for rows b, (B, q), and scores (B, G, q)."""
    meat = np.einsum("bgq,bgr->bqr", scores, scores)
    beta = np.atleast_2d(beta)
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

    def of_blocks(self, columns: Vector, w: Vector, rest: Vector, draws: Vector) -> Vector:
        """Return what the blocks' means of v r take from clusters' sums of w columns, (B, G, q); 0 without blocks."""
        if self.block is None:
            return np.zeros(1)
        shape, place = (self.n_clusters, len(self.weight)), (self.cluster, self.block)
        means = draws @ sparse.csr_array((w * rest, place), shape=shape) / self.weight
        taken = [means @ sparse.csr_array((w * column, place), shape=shape).T for column in columns.T]
        return np.stack(taken, axis=2)
