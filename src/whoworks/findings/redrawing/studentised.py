"""The studentised effect under many assignments at once: what a p-value by re-drawing compares.

Where arms, their probabilities and blocks are constant within clusters, every
quantity of the CR2 t statistic follows from each cluster's cross-products of a
few columns, which no draw changes: a draw decides only which of them belongs to
which arm. Draws in which the regression is not of full rank, or a leverage is
one but for more than rounding, are left to the regression itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Codes
from whoworks.findings.regression import divides_prognosis, fit_effects, has_uneven_blocks
from whoworks.scores.scores import Scores

if TYPE_CHECKING:
    from whoworks.findings.redrawing.redrawn_t import Columns

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_COLUMNS = 3  # of the basis and the prognosis, for which the statistic is told of many draws at once
NEGLIGIBLE = 1e-12  # eigenvalues of a cluster's cross-products, against its largest


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentisedEffect:
    """The t statistic of the effect's last coefficient on a basis, (n, p) with first column 1, among the units kept."""

    basis: Vector
    keep: Mask

    @classmethod
    def of_average(cls, scores: Scores) -> StudentisedEffect:
        """Return the average effect's."""
        n = len(scores.y)
        return cls(basis=np.ones((n, 1)), keep=np.ones(n, dtype=np.bool_))

    def __call__(self, scores: Scores) -> float:
        """Return it from the regression; no spread counts as no evidence."""
        contrast = np.eye(self.basis.shape[1])[-1]
        level = replace(scores, y=self.level(scores.y, scores.block))
        told = fit_effects(level, basis=self.basis, keep=self.keep).effects(contrast)
        return float(np.nan_to_num(told.statistic[0]))

    def level(self, y: Vector, block: Codes) -> Vector:
        """Take its mean among the units kept out of each block, (n,).

        Blocks, or the constant, are in the regression: no t changes, but for less
        rounding where outcomes are large beside their spread.
        """
        kept = np.bincount(block, self.keep)
        mean = np.bincount(block, np.where(self.keep, y, 0.0)) / np.maximum(kept, 1)
        return np.asarray(y - mean[block], dtype=np.float64)

    def over_draws(
        self, scores: Scores, *, drawn: Codes, unit: Codes, compared: tuple[int, ...], probability: Vector,
        base: Vector, effect: float,
    ) -> Vector | None:  # fmt: skip
        """Return it under each of D draws, NaN where the regression has to judge; None where it has to for all.

        Parameters
        ----------
        drawn, unit : (D, u) arms of what is drawn, and (n,) each unit's place among the u
        compared : the treatment's code, then those of arms outside the contrast; control is the other one
        probability : (n, arms) of each arm
        base, effect : outcomes are ``base + effect z``
        """
        sums = ClusterSums.of(self, scores, unit=unit, probability=probability, base=base)
        return None if sums is None else sums.statistic(drawn, compared=compared, effect=effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSums:
    """What each of G clusters contributes, whatever the draw, over columns C = [basis, h]: r of them, p of the basis.

    gram : (G, r, r) C'C;  cross : (G, r) C' base;  unit : (G,) its place among what is drawn
    weight : (G, arms) 1 / probability;  block : (G,) codes, all 0 where none are absorbed
    """

    gram: Vector
    cross: Vector
    unit: Codes
    weight: Vector
    block: Codes
    width: int

    @classmethod
    def of(
        cls, asked: StudentisedEffect, scores: Scores, *, unit: Codes, probability: Vector, base: Vector
    ) -> ClusterSums | None:
        """Sum over clusters; None where what is drawn, probability or block changes within one, or columns are many."""
        keep = asked.keep
        first, code = np.unique(scores.cluster[keep], return_index=True, return_inverse=True)[1:]
        within = (unit[keep], probability[keep], scores.block[keep])
        if not all(np.array_equal(each, each[first][code]) for each in within):
            return None
        if has_uneven_blocks(scores):
            return None
        if scores.h is not None and divides_prognosis(scores, keep):
            return None
        columns = asked.basis[keep] if scores.h is None else np.column_stack([asked.basis, scores.h])[keep]
        if columns.shape[1] > MOST_COLUMNS:
            return None
        order, level = np.argsort(code, kind="stable"), asked.level(base, scores.block)
        columns, starts = columns[order], np.searchsorted(code[order], np.arange(len(first)))
        return cls(
            gram=np.add.reduceat(columns[:, :, None] * columns[:, None, :], starts),
            cross=np.add.reduceat(columns * level[keep][order][:, None], starts),
            unit=within[0][first], weight=1 / within[1][first],
            block=np.unique(within[2][first], return_inverse=True)[1], width=asked.basis.shape[1],
        )  # fmt: skip

    def statistic(self, drawn: Codes, *, compared: tuple[int, ...], effect: float) -> Vector:
        """Return the t statistic of each of (D, u) draws, NaN where the regression has to judge."""
        from whoworks.findings.redrawing.redrawn_t import (  # compiled: only where draws are asked for
            WIDE,
            Clusters,
            tell_draws,
        )

        spare = (0, WIDE - self.gram.shape[1])
        gram = np.pad(self.gram, ((0, 0), spare, spare))
        length, turn = np.linalg.eigh(gram)
        real = length > NEGLIGIBLE * length.max(axis=1, keepdims=True)
        root = np.sqrt(np.where(real, length, 0.0))[:, :, None]
        axes = np.ascontiguousarray(np.swapaxes(turn, 1, 2))
        clusters = Clusters(
            gram=gram, cross=np.pad(self.cross, ((0, 0), spare)), forth=root * axes,
            back=np.where(root > 0, 1 / np.where(root > 0, root, 1.0), 0.0) * axes,
            weight=self.weight, block=self.block,
        )  # fmt: skip
        return tell_draws(
            clusters, self._columns(compared), np.take(drawn, self.unit, axis=1), compared[0], float(effect)
        )

    def _columns(self, compared: tuple[int, ...]) -> Columns:
        """Return how X follows from C: the basis (no 1 where blocks are absorbed), each arm's copy of it, h, blocks."""
        from whoworks.findings.redrawing.redrawn_t import Columns

        r, p = self.gram.shape[1], self.width
        blocks = np.arange(int(self.block.max()) + 1)
        absorbed = len(blocks) > 1
        main = p - 1 if absorbed else p
        h = main + p * len(compared)
        width = h + (r - p) + (len(blocks) if absorbed else 0)
        source = np.full((self.weight.shape[1], len(blocks), width), -1)
        source[:, :, :main] = np.arange(p - main, p)
        for place, arm in enumerate(compared):
            source[arm, :, main + place * p : main + (place + 1) * p] = np.arange(p)
        source[:, :, h : h + r - p] = p
        if absorbed:
            source[:, blocks, h + r - p + blocks] = 0
        order = np.argsort(source < 0, axis=2, kind="stable")
        return Columns(
            place=order, source=np.take_along_axis(source, order, axis=2), filled=(source >= 0).sum(axis=2),
            width=width, asked=main + p - 1,
        )  # fmt: skip
