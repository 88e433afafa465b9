"""Causal forests for trials: local effects of assignment, honest by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from whoworks.errors import ForestError
from whoworks.forests.arena import Sample, Strata
from whoworks.forests.estimator import BaseForest, cluster_weights, round_residuals
from whoworks.forests.importance import band_frame, redraw_arms, split_importance
from whoworks.forests.inputs import (
    Vector,
    read_arms,
    read_groups,
    read_outcomes,
    read_propensity,
    read_weights,
)
from whoworks.forests.order import canonical_layout, cluster_arms, make_strata, number_alike
from whoworks.forests.regression import RegressionForest
from whoworks.forests.table import Table, refuse_identifiers
from whoworks.forests.trees import Progress
from whoworks.forests.variance import cluster_degrees, variance_factors

FEWEST_CLUSTERS = 4  # an arm's half-sample must give a cluster to each honest part


class CausalForest(BaseForest):
    """Honest forest for the effect of assignment at x, whose bags hold whole clusters.

    Use it to rank, group and describe.  Its pointwise intervals under-cover
    wherever effects vary faster than leaves can follow, so no claim is ever
    read off a single prediction.

    Parameters
    ----------
    n_estimators : int
        Number of trees, rounded up to whole bags.
    trees_per_bag : int
        Trees that share a half-sample of clusters; two or more for a variance.
    min_samples_leaf : int
        Fewest rows of each arm, of the splitting part, in a child.
    min_clusters_leaf : int
        Fewest clusters of each arm in a child, in both parts.  With 0 a
        classroom covariate may isolate single classrooms, as in grf.
    max_features : int, float or None
        Candidates at a split: a number, a share, or by default a Poisson number
        with mean min(p, sqrt(p) + 20), as in grf.
    max_depth : int or None
        Depth beyond which nodes are not split.
    max_samples : float
        Share of clusters in a tree, at most one half.
    honest : bool
        Whether splits and leaf values come from different clusters.
    honesty_fraction : float, optional
        Share of a tree's clusters that choose its splits; the others estimate.
        By default half; where each row is its own cluster a tenth more of each
        stratum, at most fifty, as long as fifty still estimate.
    imbalance : float
        Smallest share of a node's information, n_0 n_1 / n, in a child.
    weighting : {"student", "cluster"}
        Whether each student or each cluster counts the same.
    n_jobs : int or None
        Threads; -1 for all.
    random_state : int or None
        Seed; the same seed gives the same bytes whatever the threads.

    References
    ----------
    Wager & Athey (2018), Estimation and inference of heterogeneous treatment
    effects using random forests.  Athey, Tibshirani & Wager (2019), Generalized
    random forests, eqs. 2-8.  Athey & Wager (2019), Estimating treatment effects
    with causal forests: an application (clusters).
    """

    def fit(
        self,
        X: Any,
        y: Any,
        z: Any,
        *,
        cluster: Any = None,
        propensity: Any = None,
        block: Any = None,
        prognosis: Any = None,
        sample_weight: Any = None,
        categorical: Sequence[Any] | None = None,
        progress: Progress | None = None,
    ) -> CausalForest:
        """Grow the forest.

        Parameters
        ----------
        X : frame or array of shape (n, p), or a table read before
            Features measured before assignment; missing values are kept. One
            that names the clusters or blocks is refused, but not in a table:
            in a part of its rows a feature may seem to.
        y : array of shape (n,) or (n, m)
            Outcomes; each has its own trees.
        z : array of shape (n,)
            Arm as assigned: 0 for control, 1, 2, ... for treatments.
        cluster : array of shape (n,), optional
            Cluster of each row; without it every row is its own.
        propensity : float or array
            Probability of the arms by design; required, never learned.  A number
            or (n,) with two arms; (K,) or (n, K), control first, with K arms.
        block : array of shape (n,), optional
            Block within which assignment was drawn.
        prognosis : array of shape (n,) or (n, m), optional
            E[y | x] from models that never saw the row's cluster; by default an
            out-of-bag regression forest.
        sample_weight : array of shape (n,), optional
            Weights.
        categorical : sequence of int or str, optional
            Columns whose values are levels.
        progress : callable, optional
            Called with (trees grown, trees in all), stage by stage.

        Raises
        ------
        ForestError
            With what was seen, what was expected and what to do.
        """
        self._check_parameters()
        table, codes = self._encode_training(X, categorical)
        n = len(codes)
        outcome = read_outcomes(y, n)
        arm, n_arms = read_arms(z, n)
        e = read_propensity(propensity, n, n_arms)
        weight = read_weights(sample_weight, n)
        groups = None if cluster is None else read_groups(cluster, n, "cluster")
        blocks = None if block is None else read_groups(block, n, "block")
        if not isinstance(X, Table):
            self._refuse_identifiers(table, cluster, groups, block, blocks)
        layout = canonical_layout(codes=codes, outcome=outcome, arm=arm, cluster=groups)
        order = layout.order
        self.layout_, self.codes_, self.n_arms_ = layout, codes[order], n_arms
        self.blocks_ = None if blocks is None else blocks[order]
        strata, arm_of = self._strata(arm[order], self.blocks_)
        self.factors_ = variance_factors(strata, arm_of, 0.5)
        self.degrees_ = cluster_degrees(strata, arm_of)
        self.exchange_ = number_alike(*e[order].T, *([] if self.blocks_ is None else [self.blocks_]))
        h = self._prognosis(prognosis, outcome[order], weight, progress)
        shared = cluster_weights(weight, layout, self.weighting)
        residual = np.stack([round_residuals(column) for column in (outcome[order] - h).T])
        z_residual = np.round((arm[order, None] == np.arange(1, n_arms)) - e[order], 10)
        self.sample_ = Sample(
            codes=self.codes_,
            y=residual[0],
            z=np.ascontiguousarray(z_residual),
            arm=arm[order],
            weight=shared,
            cell=(layout.cluster * n_arms + arm[order]).astype(np.int32),
            categorical=np.array([feature.is_cut_by_sets for feature in self.features_]),
        )
        self.strata_, self.residuals_ = strata, residual
        rules = self._rules(n_arms, bool(np.ptp(shared) > 0.0), codes.shape[1])
        self.trees_ = tuple(
            self._grow(self.sample_._replace(y=column), rules, strata, self.random_state, progress)
            for column in residual
        )
        return self

    def predict(self, X: Any, variance: bool = False) -> Any:
        """Return effects at new rows, in units of y, and their variance if asked.

        Shape (n,); (n, K - 1) for K arms, each against control; (n, m) for m
        outcomes; (n, K - 1, m) for both.
        """
        return self._predict(X, getattr(self, "n_arms_", 2) - 1, variance)

    def predict_oob(self, variance: bool = False) -> Any:
        """Return effects at the training rows from trees that never saw their cluster; shapes as ``predict``."""
        return self._predict(None, getattr(self, "n_arms_", 2) - 1, variance)

    def interval(self, X: Any = None, *, level: float = 0.95) -> tuple[Vector, Vector]:
        """Return where the forest's own mean may lie: lower and upper ends, shapes as ``predict``.

        Estimate -+ t standard errors, with as many degrees of freedom as the
        clusters and the bags leave (docs/decisions/0014).  The interval speaks
        of noise alone: where effects vary faster than leaves can follow, the
        forest's mean is not the effect.

        Parameters
        ----------
        X : frame or array, optional
            New rows; without it the training rows, out of bag.
        level : float
            Share of samples whose interval holds the forest's own mean.
        """
        return self._interval(X, getattr(self, "n_arms_", 2) - 1, level)

    @property
    def feature_importances_(self) -> Vector:
        """Weighted share of splits on each feature in the first four levels, over all outcomes."""
        self._require_fitted()
        return np.asarray(np.mean([split_importance(trees, self.n_features_in_) for trees in self.trees_], axis=0))

    def importance_band(
        self, *, n_draws: int = 20, n_estimators: int = 200, level: float = 0.95, random_state: int = 0
    ) -> pd.DataFrame:
        """Set importance beside the band it would lie in if the effect were the same for everyone.

        The assignment is drawn anew ``n_draws`` times as the design could have
        drawn it, the outcome carries the average effect along, and a forest is
        grown each time.  Importance is a description, not a test of moderators.

        Parameters
        ----------
        n_draws : int
            Assignments drawn anew.
        n_estimators : int
            Trees of each forest, also of the one the band is compared with.
        level : float
            Share of the null importances inside the band.
        random_state : int
            Seed.

        Returns
        -------
        DataFrame
            feature, importance, null_low, null_high, p_value; first outcome.
        """
        self._require_fitted()
        sample, p = self.sample_, self.n_features_in_
        rules = self._rules(self.n_arms_, bool(np.ptp(sample.weight) > 0.0), p)
        small = clone(self).set_params(n_estimators=n_estimators)
        w = sample.weight / sample.weight.sum()
        centred = sample.z - w @ sample.z
        effect = np.linalg.solve((centred.T * w) @ centred, (centred.T * w) @ sample.y)
        null = np.empty((n_draws, p))
        observed = split_importance(small._grow(sample, rules, self.strata_, random_state, None), p)
        for draw, stream in enumerate(np.random.SeedSequence(random_state).spawn(n_draws)):
            rng = np.random.default_rng(stream)
            arm, z = redraw_arms(sample, self.layout_, self.exchange_, rng)
            cell = (self.layout_.cluster * self.n_arms_ + arm).astype(np.int32)
            y = round_residuals(sample.y - sample.z @ effect + z @ effect)
            drawn = sample._replace(arm=arm, z=z, y=y, cell=cell)
            strata, _ = self._strata(arm, self.blocks_)
            null[draw] = split_importance(small._grow(drawn, rules, strata, int(rng.integers(2**31)), None), p)
        return band_frame(tuple(feature.name for feature in self.features_), observed, null, level)

    def _refuse_identifiers(self, table: Table, cluster: Any, groups: Any, block: Any, blocks: Any) -> None:
        if groups is not None:
            refuse_identifiers(table, cluster, groups, "cluster")
        if blocks is not None:
            refuse_identifiers(table, block, blocks, "block")

    def _strata(self, arm: NDArray[np.uint8], blocks: NDArray[np.int64] | None) -> tuple[Strata, NDArray[np.int64]]:
        """Return strata of clusters by arm and block, and their arms; refuse designs with too few clusters."""
        layout = self.layout_
        start = layout.row_start[:-1]
        for a in range(self.n_arms_):
            held = int(np.maximum.reduceat(arm == a, start).sum())
            if held < FEWEST_CLUSTERS:
                raise ForestError(
                    f"Arm {a} has {held} clusters; a forest needs at least {FEWEST_CLUSTERS} in every arm, because "
                    "half are drawn for a bag and these are divided between splitting and estimating. With so few, "
                    "compare the arms' means instead."
                )
        block_of = None
        if blocks is not None:
            low, high = np.minimum.reduceat(blocks, start), np.maximum.reduceat(blocks, start)
            block_of = np.where(low == high, low, -1)
        return make_strata(arm_of=cluster_arms(arm, layout, self.n_arms_), block_of=block_of, layout=layout)

    def _prognosis(self, given: Any, outcome: Vector, weight: Vector, progress: Progress | None) -> Vector:
        """Return E[y | x] in canonical order (n, m), learned out of bag by cluster unless given."""
        order = self.layout_.order
        if given is None:
            model = RegressionForest(
                n_estimators=max(200, int(self.n_estimators) // 4),
                weighting=self.weighting,
                n_jobs=self.n_jobs,
                random_state=self.random_state,
            )
            model.features_ = self.features_
            model._fit_prepared(self.codes_, outcome, weight, self.layout_, progress)
            h = np.asarray(model.predict_oob())
            canonical = h.reshape(len(h), -1)[order]
        else:
            h = np.asarray(given, dtype=np.float64)
            canonical = h.reshape(len(h), -1)[order] if h.size == outcome.size else np.empty((0, 0))
            if canonical.shape != outcome.shape or not np.isfinite(canonical).all():
                raise ForestError(f"prognosis must hold a finite number for each outcome: shape {outcome.shape}.")
        self.prognosis_ = np.empty_like(canonical)
        self.prognosis_[order] = canonical
        if canonical.shape[1] == 1:
            self.prognosis_ = self.prognosis_[:, 0]
        return canonical
