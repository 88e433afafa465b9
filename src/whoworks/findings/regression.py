"""The one regression behind every finding: the outcome on a basis, each arm times that basis, and the prognosis.

Weighted least squares of y on x, z x and h with blocks absorbed, weights the
inverse of the probability of the arm assigned, errors correlated within
clusters. With h's coefficient at 1 and two arms this is the AIPW estimate with
Hajek weights; left free it is a calibrated version of it, still consistent, and
unchanged by shifts of y (Robins & Rotnitzky 1995; Lin 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whoworks.design.design import differs_within
from whoworks.inference.cluster_robust import ClusterRobustFit, Estimates, cluster_robust
from whoworks.inference.joint_test import JointTest, joint_test
from whoworks.inference.satterthwaite import Loadings
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
Weighting = Literal["student", "cluster"]

CLUSTERS_TO_SPLIT = 20  # clusters in each arm from which h enters as its cluster mean and the deviation from it


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressors:
    """What a fit was made of: the regressors, and for each unit its weight, cluster and absorbed block (or None)."""

    X: Vector
    y: Vector
    weights: Vector
    cluster: Codes
    absorb: Codes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFit:
    """A fit whose columns `first` to `first + width` are the effect's coefficients on the basis."""

    fit: ClusterRobustFit
    first: int
    width: int
    regressors: Regressors

    @property
    def is_determined(self) -> bool:
        """Whether every coefficient of the effect can be told from the blocks and the columns before it."""
        return not self.fit.aliased[self.first : self.first + self.width].any()

    def effects(self, rows: ArrayLike) -> Estimates:
        """Estimate contrasts of the effect's coefficients, (q, width) rows; NaN where one is not determined.

        Of columns that span one another one is dropped, and the others' coefficients
        then speak of other groups than their own: only contrasts that no such choice
        changes are told.
        """
        embedded = self._embedded(rows)
        embedded[np.ix_(~self.fit.determines(embedded), self.fit.aliased)] = 1.0  # which makes them NaN
        return self.fit.linear(embedded)

    def joint(self, rows: ArrayLike) -> JointTest:
        """Test that several contrasts of the effect's coefficients are all zero; NaN where one is not determined."""
        if not self.is_determined:
            return JointTest.untold(len(np.atleast_2d(rows)))
        return joint_test(fit=self.fit, contrasts=self._embedded(rows))

    def loadings(self, rows: ArrayLike) -> Loadings:
        """Return what each cluster, in the order of its code, contributes to contrasts of the effect's coefficients."""
        return self.fit.loadings(self._embedded(rows))

    def _embedded(self, rows: ArrayLike) -> Vector:
        rows = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        wide = np.zeros((len(rows), len(self.fit.coefficients)))
        wide[:, self.first : self.first + self.width] = rows
        return wide


def fit_effects(
    scores: Scores,
    *,
    basis: Vector | None = None,
    keep: Mask | None = None,
    weighting: Weighting = "student",
    adjusted: bool = True,
    cluster: Codes | None = None,
) -> EffectFit:
    """Regress the outcome on a basis, the arms times that basis, and the prognosis.

    Parameters
    ----------
    basis : (n, p) array, optional
        First column 1; a constant where absent, which gives the average effect.
    keep : (n,) booleans, optional
        The units to use.
    weighting : {"student", "cluster"}
        Each student equally, or each cluster equally: then every unit also
        carries 1 / the number of its cluster's students.
    adjusted : bool
        Whether the prognosis is used, and the probability where it differs within blocks.
    cluster : (n,) codes, optional
        Other clusters than the design's, for a sensitivity.
    """
    keep = np.ones(len(scores.y), dtype=np.bool_) if keep is None else keep
    x = np.ones((len(scores.y), 1)) if basis is None else basis
    x, z, other = x[keep], scores.z[keep], scores.other[keep]
    clusters = (scores.cluster if cluster is None else cluster)[keep]
    weights = 1 / scores.own[keep]
    if weighting == "cluster":
        weights = weights / _cluster_size(scores.cluster[keep])
    blocks = scores.block[keep]
    absorb = blocks if blocks.max(initial=0) > blocks.min(initial=0) else None
    main = x if absorb is None else x[:, 1:]
    arms = [z[:, None] * x, *(column[:, None] * x for column in other.T)]
    prognosis = [*_prognosis_columns(scores, keep), *_probability_column(scores, keep)] if adjusted else []
    used = Regressors(
        X=np.hstack([main, *arms, *prognosis]), y=scores.y[keep], weights=weights, cluster=clusters, absorb=absorb
    )
    fit = cluster_robust(X=used.X, y=used.y, cluster=clusters, weights=weights, absorb=absorb)
    return EffectFit(fit=fit, first=main.shape[1], width=x.shape[1], regressors=used)


def _cluster_size(cluster: Codes) -> Vector:
    _, place, size = np.unique(cluster, return_inverse=True, return_counts=True)
    return np.asarray(size[place], dtype=np.float64)


def _prognosis_columns(scores: Scores, keep: Mask) -> list[Vector]:
    """Return h, or its cluster mean and the deviation from it, as `divides_prognosis` says."""
    if scores.h is None:
        return []
    h = scores.h[keep]
    if not divides_prognosis(scores, keep):
        return [h[:, None]]
    code = np.unique(_dividing(scores)[keep], return_inverse=True)[1]
    mean = (np.bincount(code, h) / np.bincount(code))[code]
    return [mean[:, None], (h - mean)[:, None]]


def divides_prognosis(scores: Scores, keep: Mask) -> bool:
    """Tell whether h enters as its cluster mean and the deviation from it: 20 clusters an arm, not of one unit each."""
    dividing = _dividing(scores)[keep]
    is_shared = len(np.unique(dividing)) < len(dividing)
    return is_shared and fewest_clusters(scores, keep) >= CLUSTERS_TO_SPLIT


def _probability_column(scores: Scores, keep: Mask) -> list[Vector]:
    """Return the treatment's probability where it differs within a block; nothing elsewhere, or without a model.

    Weights balance it over draws. In one draw of few clusters they do not, and what
    outcomes have to do with it would be taken for an effect.
    """
    if not (scores.has_folds and has_uneven_blocks(scores)):
        return []
    return [(scores.e[keep] - scores.e[keep].mean())[:, None]]


def has_uneven_blocks(scores: Scores) -> bool:
    """Tell whether the treatment's probability differs within a block."""
    return differs_within(scores.e, scores.block)


def _dividing(scores: Scores) -> Codes:
    return scores.cluster if scores.divided_by is None else scores.divided_by


def fewest_clusters(scores: Scores, keep: Mask) -> int:
    """Count the clusters that divide h, in the smallest of all arms of the fit among some units."""
    arms = [scores.z == 1, control_units(scores), *(column == 1 for column in scores.other.T)]
    counts = (int(np.count_nonzero(np.bincount(_dividing(scores)[arm & keep]))) for arm in arms)
    return min(count for count in counts if count)


def control_units(scores: Scores) -> Mask:
    """Return which units were assigned to the control arm, (n,)."""
    return np.asarray((scores.z == 0) & (scores.other.sum(axis=1) == 0))


def weighting_difference(scores: Scores) -> Estimates:
    """Estimate the student-weighted minus the cluster-weighted average effect.

    Both weightings are fitted in one stacked regression, every coefficient and
    block of its own, so that the difference carries their covariance. A
    difference says that cluster size is informative of the effect.
    """
    n = len(scores.y)
    weights = 1 / scores.own
    size = _cluster_size(scores.cluster)
    everyone = np.ones(n, dtype=np.bool_)
    columns = np.hstack(
        [scores.z[:, None], scores.other, *_prognosis_columns(scores, everyone), *_probability_column(scores, everyone)]
    )
    none = np.zeros_like(columns)
    fit = cluster_robust(
        X=np.vstack([np.hstack([columns, none]), np.hstack([none, columns])]),
        y=np.r_[scores.y, scores.y],
        cluster=np.r_[scores.cluster, scores.cluster],
        weights=np.r_[weights / weights.mean(), (weights / size) / (weights / size).mean()],
        absorb=np.r_[scores.block, scores.block + int(scores.block.max()) + 1],
    )
    contrast = np.zeros(2 * columns.shape[1])
    contrast[0], contrast[columns.shape[1]] = 1.0, -1.0
    return fit.linear(contrast)
