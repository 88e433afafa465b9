"""Satterthwaite's degrees of freedom from each cluster's part in a contrast, without a G x G matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The absorbed blocks that each cluster meets: one cell for each cluster and block of it, sorted by cluster.

    owner, block : (E,) the cell's cluster and block
    middle : (B, 2, 2) what stands between two cells' sums of a block, plain and weighted
    """

    owner: Codes
    block: Codes
    middle: Vector

    @cached_property
    def start(self) -> Codes:
        """Each cluster's first cell, (G,)."""
        return _starts(self.owner)

    @cached_property
    def by_block(self) -> tuple[Codes, Codes, Codes]:
        """The cells sorted by block, where each block starts there, and the blocks in that order."""
        order = np.argsort(self.block, kind="stable")
        start = _starts(self.block[order])
        return order, start, self.block[order[start]]

    @cached_property
    def pairs(self) -> tuple[Codes, Codes, Codes]:
        """All pairs of cells of one cluster, sorted by their two blocks, and where each pair of blocks starts."""
        size = np.diff(np.r_[self.start, len(self.owner)])
        others = size[self.owner]
        first = np.repeat(np.arange(len(self.owner)), others)
        second = np.arange(len(first)) - np.repeat(np.cumsum(others) - others - self.start[self.owner], others)
        label = self.block[first] * len(self.middle) + self.block[second]
        order = np.argsort(label, kind="stable")
        return first[order], second[order], _starts(label[order])


def _starts(codes: Codes) -> Codes:
    return np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loadings:
    """Each cluster's part in q contrasts: the matrices p_c' p_d of Satterthwaite's formula, never formed.

    p_sc' p_td = [c = d] own_cst + left_sc middle left_td' + sum over blocks b of both
    clusters of sums_scb middle_b sums_tdb', where p_sc = (I - H)_c' g_sc.

    score : (G, q) the g_c' r_c whose squares sum to the variance
    own : (G, q, q) the g_sc' g_tc
    left : q arrays (G, r);  middle : (r, r)
    cells : the clusters' blocks, None where none are absorbed;  sums : q arrays (E, 2), 1'g and w'g in each cell
    """

    score: Vector
    own: Vector
    left: tuple[Vector, ...]
    middle: Vector
    cells: Cells | None
    sums: tuple[Vector, ...]
    factor: float

    def meat(self) -> Vector:
        """Return the (q, q) cluster-robust covariance of the contrasts."""
        return np.asarray(self.factor * self.score.T @ self.score)

    def expected(self) -> Vector:
        """Return the (q, q) expectation of the covariance when errors are independent with variance 1."""
        q = self.score.shape[1]
        return np.array([[self._expected(s, t) for t in range(q)] for s in range(q)])

    def expected_variance(self) -> Vector:
        """Return the diagonal of `expected`, (q,)."""
        return np.array([self._expected(s, s) for s in range(self.score.shape[1])])

    def degrees_of_freedom(self, expected: Vector) -> Vector:
        """Return Satterthwaite's degrees of freedom of each contrast (Bell & McCaffrey 2002, eq. 11).

        `expected` is `expected_variance()`, (q,).
        """
        spread = np.array([self.inner(s, s, s, s) for s in range(self.score.shape[1])])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(expected**2 / spread)

    def inner(self, s: int, t: int, u: int, v: int) -> float:
        """Return sum over clusters c, d of (p_sc' p_td) (p_uc' p_vd)."""
        own_st, own_uv = self.own[:, s, t], self.own[:, u, v]
        rest_uv = self._diagonal(u, v)
        rest_st = rest_uv if (s, t) == (u, v) else self._diagonal(s, t)
        total = own_st @ own_uv + own_st @ rest_uv + own_uv @ rest_st
        total += _trace(self.middle @ (self.left[s].T @ self.left[u]), self.middle @ (self.left[v].T @ self.left[t]))
        if self.cells is not None:
            mixed = self._mixed(s, t, u, v)
            total += mixed + (mixed if (s, t) == (u, v) else self._mixed(u, v, s, t)) + self._crossed(s, t, u, v)
        return float(total)

    def _mixed(self, s: int, t: int, u: int, v: int) -> float:
        """Contrasts s, t through `left`, contrasts u, v through the blocks."""
        assert self.cells is not None
        first = self._by_block(u, s)  # (B, 2, r)
        second = first if (u, s) == (v, t) else self._by_block(v, t)
        between = self.cells.middle[self.cells.by_block[2]] @ first
        return float(((second @ self.middle) * between).sum())

    def _by_block(self, u: int, s: int) -> Vector:
        """Sum over clusters the products of contrast u's sums in a block and s's `left`, (B, 2, r)."""
        assert self.cells is not None
        order, start, _ = self.cells.by_block
        products = self.sums[u][:, :, None] * self.left[s][self.cells.owner][:, None, :]
        return np.asarray(np.add.reduceat(products[order], start))

    def _crossed(self, s: int, t: int, u: int, v: int) -> float:
        """All four contrasts through the blocks."""
        assert self.cells is not None
        first, second, start = self.cells.pairs
        blocks, middle = self.cells.block, self.cells.middle
        one = self._by_pair(s, u)
        other = one if (s, u) == (t, v) else self._by_pair(t, v)
        between = middle[blocks[first[start]]] @ one @ middle[blocks[second[start]]]
        return float((between * other).sum())

    def _by_pair(self, s: int, u: int) -> Vector:
        """Sum over clusters the products of two contrasts' sums in two of their blocks, (pairs of blocks, 2, 2)."""
        assert self.cells is not None
        first, second, start = self.cells.pairs
        products = self.sums[s][first][:, :, None] * self.sums[u][second][:, None, :]
        return np.asarray(np.add.reduceat(products, start))

    def _expected(self, s: int, t: int) -> float:
        return float(self.own[:, s, t].sum() + self._diagonal(s, t).sum())

    def _diagonal(self, s: int, t: int) -> Vector:
        total: Vector = np.einsum("gi,gi->g", self.left[s] @ self.middle, self.left[t])
        if self.cells is not None:
            middle = self.cells.middle[self.cells.block]
            own = np.einsum("ei,eij,ej->e", self.sums[s], middle, self.sums[t])
            total += np.add.reduceat(own, self.cells.start)
        return total


def _trace(first: Vector, second: Vector) -> float:
    return float(np.einsum("ij,ji->", first, second))
