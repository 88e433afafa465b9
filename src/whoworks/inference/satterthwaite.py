"""Satterthwaite's degrees of freedom from each cluster's part in a contrast, without a G x G matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix: TypeAlias = Any  # an array, or scipy's csr_array where blocks are many: both take @ and *


@dataclass(frozen=True, slots=True, kw_only=True)
class Loadings:
    """Each cluster's part in q contrasts: the matrices p_c' p_d of Satterthwaite's formula, never formed.

    p_sc' p_td = [c = d] own_cst + left_sc middle left_td' + block_sc block_middle block_td',
    where p_sc = (I - H)_c' g_sc.

    score : (G, q) the g_c' r_c whose squares sum to the variance
    own : (G, q, q) the g_sc' g_tc
    left : q arrays (G, r);  middle : (r, r)
    block : q arrays (G, 2 B), none where no blocks are absorbed;  block_middle : (2 B, 2 B)
    """

    score: Vector
    own: Vector
    left: tuple[Vector, ...]
    middle: Vector
    block: tuple[Matrix, ...]
    block_middle: Matrix | None
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
        if self.block_middle is not None:
            total += self._mixed(s, t, u, v) + self._mixed(u, v, s, t)
            first = self.block_middle @ (self.block[s].T @ self.block[u])
            second = self.block_middle @ (self.block[v].T @ self.block[t])
            total += float((first * second.T).sum())
        return float(total)

    def _mixed(self, s: int, t: int, u: int, v: int) -> float:
        """Contrasts s, t through `left`, contrasts u, v through the blocks."""
        first = (self.block[u].T @ self.left[s]).T @ self.block_middle
        second = self.block[v].T @ self.left[t]
        return _trace(self.middle @ first, second)

    def _expected(self, s: int, t: int) -> float:
        return float(self.own[:, s, t].sum() + self._diagonal(s, t).sum())

    def _diagonal(self, s: int, t: int) -> Vector:
        total: Vector = np.einsum("gi,gi->g", self.left[s] @ self.middle, self.left[t])
        if self.block_middle is not None:
            total += np.asarray(((self.block[s] @ self.block_middle) * self.block[t]).sum(axis=1)).ravel()
        return total


def _trace(first: Vector, second: Vector) -> float:
    return float(np.einsum("ij,ji->", first, second))
