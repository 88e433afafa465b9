"""Regression forests: the local mean of an outcome, out of bag by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import Sample, Trees
from whoworks.forests.estimator import BaseForest, cluster_weights, round_residuals
from whoworks.forests.inputs import Vector, read_groups, read_outcomes, read_weights
from whoworks.forests.order import Layout, canonical_layout, make_strata
from whoworks.forests.table import refuse_identifiers
from whoworks.forests.trees import Progress
from whoworks.forests.variance import cluster_degrees, variance_factors


class RegressionForest(BaseForest):
    """Honest forest for E[y | x] whose bags hold whole clusters.

    Out-of-bag predictions come from trees that never saw the row's cluster,
    which makes them a prognosis fit for a clustered trial.

    Parameters
    ----------
    n_estimators : int
        Number of trees, rounded up to whole bags.
    trees_per_bag : int
        Trees that share a half-sample of clusters; two or more for a variance.
    min_samples_leaf : int
        Fewest rows of the splitting part in a child.
    min_clusters_leaf : int
        Fewest clusters of either part in a child.
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
        Smallest share of a node's rows in a child.
    weighting : {"student", "cluster"}
        Whether each row or each cluster counts the same.
    n_jobs : int or None
        Threads; -1 for all.
    random_state : int or None
        Seed; the same seed gives the same bytes whatever the threads.

    References
    ----------
    Athey, Tibshirani & Wager (2019), Generalized random forests, section 3.
    """

    def __init__(
        self,
        *,
        n_estimators: int = 500,
        trees_per_bag: int = 2,
        min_samples_leaf: int = 5,
        min_clusters_leaf: int = 0,
        max_features: int | float | None = None,
        max_depth: int | None = None,
        max_samples: float = 0.5,
        honest: bool = True,
        honesty_fraction: float | None = None,
        imbalance: float = 0.05,
        weighting: str = "student",
        n_jobs: int | None = -1,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            trees_per_bag=trees_per_bag,
            min_samples_leaf=min_samples_leaf,
            min_clusters_leaf=min_clusters_leaf,
            max_features=max_features,
            max_depth=max_depth,
            max_samples=max_samples,
            honest=honest,
            honesty_fraction=honesty_fraction,
            imbalance=imbalance,
            weighting=weighting,
            n_jobs=n_jobs,
            random_state=random_state,
        )

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        cluster: Any = None,
        sample_weight: Any = None,
        categorical: Sequence[Any] | None = None,
        progress: Progress | None = None,
    ) -> RegressionForest:
        """Grow the forest.

        Parameters
        ----------
        X : frame or array of shape (n, p)
            Features; missing values are kept.
        y : array of shape (n,) or (n, m)
            Outcomes.
        cluster : array of shape (n,), optional
            Cluster of each row; without it every row is its own.
        sample_weight : array of shape (n,), optional
            Weights.
        categorical : sequence of int or str, optional
            Columns whose values are levels.
        progress : callable, optional
            Called with (trees grown, trees in all).

        Raises
        ------
        ForestError
            With what was seen, what was expected and what to do.
        """
        self._check_parameters()
        table, codes = self._encode_training(X, categorical)
        outcome = read_outcomes(y, len(codes))
        weight = read_weights(sample_weight, len(codes))
        groups = None if cluster is None else read_groups(cluster, len(codes), "cluster")
        if groups is not None:
            refuse_identifiers(table, cluster, groups, "cluster")
        layout = canonical_layout(codes=codes, outcome=outcome, arm=np.zeros(len(codes), np.uint8), cluster=groups)
        return self._fit_prepared(codes[layout.order], outcome[layout.order], weight, layout, progress)

    def _fit_prepared(
        self, codes: NDArray[np.uint8], outcome: Vector, weight: Vector, layout: Layout, progress: Progress | None
    ) -> RegressionForest:
        """Grow on codes and outcomes in canonical order."""
        self.layout_, self.codes_ = layout, codes
        weight = cluster_weights(weight, layout, self.weighting)
        strata, arm_of = make_strata(arm_of=np.zeros(layout.n_clusters, np.int64), block_of=None, layout=layout)
        self.factors_ = variance_factors(strata, arm_of, 0.5)
        self.degrees_ = cluster_degrees(strata, arm_of)
        self.means_ = outcome.mean(axis=0)
        n, p = codes.shape
        rules = self._rules(1, bool(np.ptp(weight) > 0.0), p)
        trees: list[Trees] = []
        for m, mean in enumerate(self.means_):
            sample = Sample(
                codes=codes,
                y=round_residuals(outcome[:, m] - mean),
                z=np.zeros((n, 0)),
                arm=np.zeros(n, np.uint8),
                weight=weight,
                cell=layout.cluster.astype(np.int32),
                categorical=np.array([feature.is_cut_by_sets for feature in self.features_]),
            )
            trees.append(self._grow(sample, rules, strata, self.random_state, progress))
        self.trees_ = tuple(trees)
        return self

    def predict(self, X: Any, variance: bool = False) -> Any:
        """Return the local mean at new rows, (n,) or (n, m), and its variance if asked."""
        return self._shift(self._predict(X, 0, variance), variance)

    def predict_oob(self, variance: bool = False) -> Any:
        """Return the local mean at the training rows from trees that never saw their cluster."""
        return self._shift(self._predict(None, 0, variance), variance)

    def _shift(self, found: Any, variance: bool) -> Any:
        mean = self.means_ if len(self.means_) > 1 else self.means_[0]
        return (found[0] + mean, found[1]) if variance else found + mean
