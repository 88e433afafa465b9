"""Each cluster's leverages in a weighted regression with absorbed blocks, and the correction they call for.

The notation is that of `whoworks.inference.cluster_robust`. For cluster c, Z_c
holds its rows of an orthonormal basis of X (so that M = I) and the indicators of
the blocks it meets; N = diag(I, 1 / w_b) makes P_cc = Z_c N Z_c'. With
V_c = [Z_c, W_c Z_c],

    B_c = I + V_c E_c V_c',   E_c = [[(P W^2 P) in the basis Z, -N], [-N, 0]],

so that the inverse root of B_c needs only the small matrices V_c' V_c and E_c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whoworks.inference.satterthwaite import Cells, Loadings

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Kind = Literal["CR0", "CR1", "CR2", "CR3"]

NEGLIGIBLE = 1e-13  # eigenvalues of a scaled Gram matrix below this are rounding error
MOST_ENTRIES = 1_000_000  # of the clusters' matrices in one part: bounds memory
SINGULAR = 1e-8  # eigenvalues of B_c below this are a leverage of one: generalised inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Absorbed blocks: each unit's code, and the sums of the weights and of their squares per block."""

    code: Codes
    weight: Vector
    square: Vector

    @classmethod
    def of(cls, block: Codes, weights: Vector) -> Blocks:
        """Sum weights and squared weights over each block."""
        weight = np.asarray(np.bincount(block, weights), dtype=np.float64)
        return cls(code=block, weight=weight, square=np.asarray(np.bincount(block, weights**2), dtype=np.float64))

    def demean(self, columns: Vector, weights: Vector) -> Vector:
        """Subtract each block's weighted mean from the columns, (n, j)."""
        sums = self.sums(columns * weights[:, None])
        return columns - (sums / self.weight[:, None])[self.code]

    def sums(self, columns: Vector) -> Vector:
        """Sum the columns, (n, j), over each block: (B, j), of no columns too."""
        sums = np.empty((len(self.weight), columns.shape[1]))
        for j, column in enumerate(columns.T):
            sums[:, j] = np.bincount(self.code, column, len(sums))
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What each cluster's correction and loadings are made of; units are sorted by cluster.

    z : (n, p) the rows of Z, with p = k + m and m the most blocks a cluster meets
    weights, residuals : (n,)
    start : (G,) each cluster's first unit
    slot : (G, m) the block behind each indicator column, -1 where there is none;  cells : the same, listed
    n_columns : k
    spread : (k, k) Q' W^2 Q;  cross : (B, k) the same between blocks' indicators and Q, over the blocks' weights
    """

    z: Vector
    weights: Vector
    residuals: Vector
    start: Codes
    slot: Codes
    n_columns: int
    blocks: Blocks | None
    cells: Cells | None
    spread: Vector
    cross: Vector

    @property
    def n_clusters(self) -> int:
        """G."""
        return len(self.start)

    @classmethod
    def of(cls, *, basis: Vector, weights: Vector, residuals: Vector, cluster: Codes, blocks: Blocks | None) -> Moments:
        """Describe the clusters; all arrays are sorted by cluster."""
        start = np.flatnonzero(np.r_[True, cluster[1:] != cluster[:-1]])
        slot, place = _slots(cluster, blocks, len(start))
        indicators = (place[:, None] == np.arange(slot.shape[1])).astype(np.float64)
        cross = (
            np.zeros((0, basis.shape[1]))
            if blocks is None
            else blocks.sums(weights[:, None] ** 2 * basis) / blocks.weight[:, None]
        )
        return cls(
            z=np.hstack([basis, indicators]), weights=weights, residuals=residuals, start=start, slot=slot,
            n_columns=basis.shape[1], blocks=blocks, cells=None if blocks is None else _cells(slot, blocks),
            spread=basis.T @ (weights[:, None] ** 2 * basis), cross=cross,
        )  # fmt: skip

    def adjust(self, kind: Kind) -> tuple[Vector, int]:
        """Return (n, k) rows of the A_c' W_c Q_c, and the count of zero eigenvalues.

        A cluster of few units (fewer than V has columns, or Z where weights are constant in each) is
        corrected through its own n_c x n_c matrix B_c, a larger one through V_c' V_c (Z_c' Z_c).
        """
        plain = self.weights[:, None] * self.z[:, : self.n_columns]
        if kind in ("CR0", "CR1"):
            return plain, 0
        adjusted, n_singular = np.empty_like(plain), 0
        size, p = np.diff(np.r_[self.start, len(self.z)]), self.z.shape[1]
        is_even = kind == "CR2" and bool((self.weights == np.repeat(self.weights[self.start], size)).all())
        few, through = (p, self._even) if is_even else (2 * p, self._large)
        for clusters in _alike(np.minimum(size, few), entries=size * p + p**2):
            rows = _rows(self.start[clusters], size[clusters])
            correct = self._small if size[clusters[0]] < few else through
            adjusted[rows], lost = correct(clusters, rows, plain[rows], kind)
            n_singular += lost
        return adjusted, n_singular

    def _small(self, clusters: Codes, rows: Codes, plain: Vector, kind: Kind) -> tuple[Vector, int]:
        """Correct clusters of one size through B_c, (C, m, m), itself."""
        m = len(rows) // len(clusters)
        z = self.z[rows].reshape(len(clusters), m, -1)
        w = self.weights[rows].reshape(len(clusters), m)
        columns = plain.reshape(len(clusters), m, -1)
        effect, half = self._effect(clusters), z.shape[2]
        projection = -z @ (effect[:, half:, :half] @ np.swapaxes(z, 1, 2))  # P_cc = Z N Z'
        if kind == "CR3":
            return _jackknife(projection * w[:, None, :], columns).reshape(plain.shape), 0
        pull = projection * w[:, None, :]
        excess = z @ (effect[:, :half, :half] @ np.swapaxes(z, 1, 2)) - pull - np.swapaxes(pull, 1, 2)
        if m == 1:
            shift, turn = excess[:, :, 0], np.ones_like(excess)
        else:
            shift, turn = np.linalg.eigh(excess)
        singular = shift < SINGULAR - 1
        root = np.where(singular, 0.0, 1 / np.sqrt(np.where(singular, 1.0, 1 + shift)))
        moved = turn @ (root[:, :, None] * (np.swapaxes(turn, 1, 2) @ columns))
        return moved.reshape(plain.shape), int(singular.sum())

    def _even(self, clusters: Codes, rows: Codes, plain: Vector, kind: Kind) -> tuple[Vector, int]:
        """Correct clusters in each of which weights are constant, through Z_c' Z_c, (C, p, p)."""
        z, size = self.z[rows], np.diff(np.r_[self.start, len(self.z)])[clusters]
        half, effect, own = z.shape[1], self._effect(clusters), self.weights[self.start[clusters]][:, None, None]
        shared = effect[:, :half, :half] + own * (effect[:, half:, :half] + effect[:, :half, half:])
        unit = np.eye(half)[:, : self.n_columns]
        f, lost = _inverse_root(_gram_plain(z, np.cumsum(size) - size), shared, own * unit)
        return _times(z, f, size), lost

    def _large(self, clusters: Codes, rows: Codes, plain: Vector, kind: Kind) -> tuple[Vector, int]:
        """Correct clusters through V_c' V_c, (C, 2p, 2p)."""
        z, w = self.z[rows], self.weights[rows]
        size = np.diff(np.r_[self.start, len(self.z)])[clusters]
        half, effect, unit = z.shape[1], self._effect(clusters), np.eye(z.shape[1])[:, : self.n_columns]
        gram, columns = _gram(z, w, np.cumsum(size) - size), np.vstack([np.zeros_like(unit), unit])
        if kind == "CR3":
            f, lost = _approximate_jackknife(gram, effect, columns), 0
        else:
            f, lost = _inverse_root(gram, effect, columns)
        return _times(z, f[:, :half], size) + w[:, None] * _times(z, f[:, half:], size), lost

    def _effect(self, clusters: Codes) -> Vector:
        """Return the E_c, (C, 2p, 2p); one for all, (1, 2p, 2p), where there are no blocks."""
        n = 1 if self.blocks is None else len(clusters)
        return _effect(self.spread, self.cross, self.slot[clusters], self.blocks, n)

    def load(self, adjusted: Vector, alpha: Vector, *, kind: Kind) -> Loadings:
        """Return the loadings of contrasts `alpha`, (k, q) in the orthonormal basis."""
        g = adjusted @ alpha  # (n, q)
        score = self._sum(g * self.residuals[:, None])
        own = np.stack([self._sum(g * column[:, None]) for column in g.T], axis=2)
        sides = np.hstack([self.z, self.weights[:, None] * self.z])
        projected = [self._sum(sides * column[:, None]) for column in g.T]  # q of (G, 2p)
        factor = self.n_clusters / (self.n_clusters - 1) if kind == "CR1" else 1.0
        sums: tuple[Vector, ...] = ()
        if self.blocks is None:
            left = projected
        else:
            sums = tuple(self._cell_sums(part) for part in projected)
            left = [self._with_cross(*parts) for parts in zip(projected, sums, strict=True)]
        return Loadings(
            score=score, own=own, left=tuple(left), middle=self._middle(), cells=self.cells, sums=sums, factor=factor
        )

    def _sum(self, rows: Vector) -> Vector:
        """Sum (n, j) rows over each cluster, (G, j)."""
        return rows if self.n_clusters == len(rows) else np.add.reduceat(rows, self.start)

    def _cell_sums(self, projected: Vector) -> Vector:
        """Return each cluster's sums over each of its blocks, 1'g and w'g: (E, 2)."""
        k, half = self.n_columns, projected.shape[1] // 2
        row, column = np.nonzero(self.slot >= 0)
        return np.column_stack([projected[row, first + k + column] for first in (0, half)])

    def _with_cross(self, projected: Vector, sums: Vector) -> Vector:
        """Return Q'g, Q'Wg and, for the blocks' part in P W^2 P, (1'g) cross: (G, 3 k)."""
        assert self.cells is not None
        k, half = self.n_columns, projected.shape[1] // 2
        crossed = np.add.reduceat(sums[:, :1] * self.cross[self.cells.block], self.cells.start)
        return np.hstack([projected[:, :k], projected[:, half : half + k], crossed])

    def _middle(self) -> Vector:
        k = self.n_columns
        parts = 2 if self.blocks is None else 3
        middle, index = np.zeros((parts * k, parts * k)), np.arange(k)
        middle[:k, :k] = self.spread
        middle[index, k + index] = middle[k + index, index] = -1.0
        if self.blocks is not None:
            middle[index, 2 * k + index] = middle[2 * k + index, index] = 1.0
        return middle


def _cells(slot: Codes, blocks: Blocks) -> Cells:
    """List the blocks that clusters meet, and what stands between two sums over one block: [[P W^2 P, -N], [-N, 0]]."""
    row, column = np.nonzero(slot >= 0)
    middle = np.zeros((len(blocks.weight), 2, 2))
    middle[:, 0, 0] = blocks.square / blocks.weight**2
    middle[:, 0, 1] = middle[:, 1, 0] = -1 / blocks.weight
    return Cells(owner=row, block=slot[row, column], middle=middle)


def _slots(cluster: Codes, blocks: Blocks | None, n_clusters: int) -> tuple[Codes, Codes]:
    """Count off the blocks each cluster meets: the (G, m) table, and each unit's column in it."""
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
    """Return each cluster's V_c' V_c, (C, 2p, 2p)."""
    plain, once, twice = (_gram_plain(z, start, factor=weights**power) for power in range(3))
    return np.block([[plain, once], [once, twice]])


def _gram_plain(z: Vector, start: Codes, *, factor: Vector | float = 1.0) -> Vector:
    """Return each cluster's Z_c' diag(factor) Z_c, (C, p, p)."""
    p = z.shape[1]
    gram = np.empty((len(start), p, p))
    for i in range(p):
        products = z[:, : i + 1] * (factor * z[:, i])[:, None]
        gram[:, i, : i + 1] = gram[:, : i + 1, i] = np.add.reduceat(products, start)
    return gram


def _times(z: Vector, f: Vector, size: Codes) -> Vector:
    """Return the Z_c f_c, (n, k), of clusters one after another."""
    moved, stop = np.empty((len(z), f.shape[2])), np.cumsum(size)
    for own, start, end in zip(f, (stop - size).tolist(), stop.tolist(), strict=True):
        np.matmul(z[start:end], own, out=moved[start:end])
    return moved


def _effect(spread: Vector, cross: Vector, slot: Codes, blocks: Blocks | None, n_clusters: int) -> Vector:
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


def _alike(size: Codes, *, entries: Codes) -> Iterator[Codes]:
    """Yield clusters of one size together, in parts that bound memory."""
    order = np.argsort(size, kind="stable")
    for clusters in np.split(order, np.flatnonzero(np.diff(size[order])) + 1):
        part = np.cumsum(entries[clusters]) // MOST_ENTRIES
        yield from np.split(clusters, np.flatnonzero(np.diff(part)) + 1)


def _rows(start: Codes, size: Codes) -> Codes:
    """Return the units of some clusters, one cluster after another."""
    offset = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    return np.asarray(np.repeat(start, size) + offset)


def _jackknife(leverage: Vector, columns: Vector) -> Vector:
    """A_c' W Q with A_c = (I - H_cc)^-1, undefined (NaN) where a leverage is one."""
    system = np.eye(leverage.shape[1]) - np.swapaxes(leverage, 1, 2)
    defined = np.linalg.cond(system) < 1 / SINGULAR
    solved = np.full(columns.shape, np.nan)
    solved[defined] = np.linalg.solve(system[defined], columns[defined])
    return solved


def _approximate_jackknife(gram: Vector, effect: Vector, columns: Vector) -> Vector:
    """A_c = (I - H_cc)^-1: with H_cc = Z N Z' W, A_c' V = V (I - N~ V'V)^-1 (Woodbury).

    Undefined where a leverage is one; then the cluster's columns are NaN.
    """
    half = gram.shape[1] // 2
    transposed = np.zeros_like(effect)
    transposed[:, half:, :half] = -effect[:, half:, :half]
    system = np.eye(2 * half) - transposed @ gram
    defined = np.linalg.cond(system) < 1 / SINGULAR
    solved = np.full((len(gram), *columns.shape), np.nan)
    solved[defined] = np.linalg.solve(system[defined], np.broadcast_to(columns, (int(defined.sum()), *columns.shape)))
    return solved


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
