"""The studentised effect under many assignments at once: what a p-value by re-drawing compares.

Where arms, their probabilities and blocks are constant within clusters, every
quantity of the CR2 t statistic follows from each cluster's cross-products of a
few columns, which no draw changes: a draw decides only which of them belongs to
which arm. Draws in which the regression is not of full rank, or a leverage is
one but for more than rounding, are left to the regression itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Codes
from whoworks.findings.regression import CLUSTERS_TO_SPLIT, fewest_clusters, fit_effects
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEGLIGIBLE = 1e-12  # eigenvalues of a cluster's cross-products, against its largest
DOUBTFUL = 1e-7  # eigenvalues of the scaled cross-products, or of B_c, that the regression itself has to judge
GONE = (
    1e-11  # eigenvalues of B_c that are zero but for rounding: a leverage of one, which takes the generalised inverse
)
AT_ONCE = 500  # draws held in memory


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
        told = fit_effects(scores, basis=self.basis, keep=self.keep).effects(contrast)
        return float(np.nan_to_num(told.statistic[0]))

    def over_draws(
        self, scores: Scores, *, arms: Codes, compared: tuple[int, ...], probability: Vector, base: Vector,
        effect: float,
    ) -> Vector | None:  # fmt: skip
        """Return it under each of (D, n) arms, NaN where the regression has to judge; None where clusters are cut.

        Parameters
        ----------
        compared : the treatment's code, then those of arms outside the contrast; control is the other one
        probability : (n, arms) of each arm
        base, effect : outcomes are ``base + effect z``
        """
        sums = ClusterSums.of(self, scores, arms=arms, probability=probability, base=base)
        if sums is None:
            return None
        drawn = arms[:, self.keep][:, sums.first]
        parts = [
            sums.statistic(drawn[start : start + AT_ONCE], compared=compared, effect=effect)
            for start in range(0, len(drawn), AT_ONCE)
        ]
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSums:
    """What each of G clusters contributes, whatever the draw, over columns C = [basis, h]: r of them, p of the basis.

    gram : (G, r, r) C'C;  cross : (G, r) C' base;  first : (G,) the first of its units among those kept
    weight : (G, arms) 1 / probability;  block : (G,) codes, all 0 where none are absorbed
    """

    gram: Vector
    cross: Vector
    first: Codes
    weight: Vector
    block: Codes
    width: int

    @classmethod
    def of(
        cls, asked: StudentisedEffect, scores: Scores, *, arms: Codes, probability: Vector, base: Vector
    ) -> ClusterSums | None:
        """Sum over clusters; None where arm, probability or block changes within one, or h enters in two parts."""
        keep = asked.keep
        first, code = np.unique(scores.cluster[keep], return_index=True, return_inverse=True)[1:]
        chance, block = probability[keep], scores.block[keep]
        drawn = arms[:, keep]
        whole = (drawn == drawn[:, first][:, code]).all() and np.array_equal(chance, chance[first][code])
        if not whole or not np.array_equal(block, block[first][code]):
            return None
        if scores.h is not None and fewest_clusters(scores, keep) >= CLUSTERS_TO_SPLIT:
            return None
        columns = asked.basis[keep] if scores.h is None else np.column_stack([asked.basis, scores.h])[keep]
        products = np.einsum("ni,nj->nij", columns, columns)
        gram = np.zeros((len(first), *products.shape[1:]))
        cross = np.zeros((len(first), columns.shape[1]))
        np.add.at(gram, code, products)
        np.add.at(cross, code, columns * base[keep][:, None])
        return cls(
            gram=gram, cross=cross, first=first, weight=1 / chance[first],
            block=np.unique(block[first], return_inverse=True)[1], width=asked.basis.shape[1],
        )  # fmt: skip

    def statistic(self, drawn: Codes, *, compared: tuple[int, ...], effect: float) -> Vector:
        """Return the t statistic of each of (D, G) draws, NaN where the regression has to judge."""
        regressors, place = self._regressors(drawn, compared)  # (D, G, r, q): X_c = C_c regressors_c
        weight = np.take_along_axis(self.weight[None], drawn[:, :, None], axis=2)[:, :, 0]
        weight = weight / weight.mean(axis=1, keepdims=True)
        cross = self.cross + effect * (drawn == compared[0])[:, :, None] * self.gram[:, :, 0]
        products = np.swapaxes(regressors, 2, 3) @ (self.gram @ regressors)  # (D, G, q, q)
        inverse, doubtful = _invert(np.einsum("dg,dgij->dij", weight, products))
        spread = np.einsum("dg,dgij->dij", weight**2, products)
        slopes = np.einsum("dij,dgrj,dg,dgr->di", inverse, regressors, weight, cross, optimize=True)
        rest = cross - np.einsum("gri,dgi->dgr", self.gram, np.einsum("dgrq,dq->dgr", regressors, slopes))
        along = np.einsum("dgrq,dq->dgr", regressors, inverse[:, :, place])
        pull, lost = self._adjusted(along, rest, regressors, weight, inverse, spread)
        error = np.sqrt(((weight * pull) ** 2).sum(axis=1))
        doubtful |= lost | ~(error > 0)
        return np.where(doubtful, np.nan, slopes[:, place] / np.where(doubtful, 1.0, error))

    def _regressors(self, drawn: Codes, compared: tuple[int, ...]) -> tuple[Vector, int]:
        """Return how the columns of X follow from C in each draw and cluster, and the place of the effect asked."""
        r, p = self.gram.shape[1], self.width
        n_blocks = int(self.block.max()) + 1
        absorbed = n_blocks > 1
        main = p - 1 if absorbed else p
        q = main + p * len(compared) + (r - p) + (n_blocks if absorbed else 0)
        x = np.zeros((*drawn.shape, r, q))
        for column in range(main):
            x[:, :, p - main + column, column] = 1.0
        for place, arm in enumerate(compared):
            for column in range(p):
                x[:, :, column, main + place * p + column] = drawn == arm
        if r > p:
            x[:, :, p, main + p * len(compared)] = 1.0
        if absorbed:
            x[:, np.arange(len(self.block)), 0, q - n_blocks + self.block] = 1.0
        return x, main + p - 1

    def _adjusted(
        self, along: Vector, rest: Vector, regressors: Vector, weight: Vector, inverse: Vector, spread: Vector
    ) -> tuple[Vector, Mask]:
        """Return a' M X_c' B_c^(-1/2) r_c for each draw and cluster, and which draws have a leverage of all but one.

        With C_c = U_c T_c, U_c orthonormal: B_c = I - U_c T_c K T_c' U_c', and its root likewise.
        """
        length, turn = np.linalg.eigh(self.gram)
        real = length > NEGLIGIBLE * length.max(axis=1, keepdims=True)
        root = np.sqrt(np.where(real, length, 0.0))
        forth = root[:, :, None] * np.swapaxes(turn, 1, 2)  # T
        back = np.where(real, 1 / np.where(real, root, 1.0), 0.0)[:, :, None] * np.swapaxes(turn, 1, 2)  # T+'
        kernel = 2 * weight[:, :, None, None] * inverse[:, None] - (inverse @ spread @ inverse)[:, None]
        side = forth @ regressors  # (D, G, r, q)
        shift, axes = np.linalg.eigh(side @ kernel @ np.swapaxes(side, 2, 3))
        left = 1 - shift
        gone, near = left < GONE, left < DOUBTFUL
        lost = (near & ~gone).any(axis=(1, 2))
        change = np.where(gone, 0.0, 1 / np.sqrt(np.where(near, 1.0, left))) - 1
        one = np.einsum("dgsr,dgs->dgr", axes, np.einsum("gsr,dgr->dgs", forth, along))
        other = np.einsum("dgsr,dgs->dgr", axes, np.einsum("gsr,dgr->dgs", back, rest))
        pull = np.einsum("dgr,dgr->dg", along, rest) + np.einsum("dgr,dgr,dgr->dg", one, change, other)
        return np.asarray(pull), np.asarray(lost)


def _invert(products: Vector) -> tuple[Vector, Mask]:
    """Invert each of (D, q, q) cross-products, and say which are too near to singular."""
    scale = np.sqrt(np.einsum("dii->di", products))
    scale = np.where(scale > 0, scale, 1.0)
    length, turn = np.linalg.eigh(products / (scale[:, :, None] * scale[:, None, :]))
    doubtful = np.asarray((length < DOUBTFUL).any(axis=1))
    safe = np.where(length < DOUBTFUL, 1.0, length)
    inverse = (turn / safe[:, None, :]) @ np.swapaxes(turn, 1, 2)
    return np.asarray(inverse / (scale[:, :, None] * scale[:, None, :])), doubtful
