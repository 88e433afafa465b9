"""What causal and regression forests share: parameters, preparation, out-of-bag rules."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit
from sklearn.base import BaseEstimator

from whoworks.errors import ForestError
from whoworks.forests.arena import BY_COUNT, MISSING, Bagging, Rules, Sample, Strata, Trees
from whoworks.forests.inputs import Vector
from whoworks.forests.order import Layout
from whoworks.forests.pseudo import LARGEST_NODE
from whoworks.forests.quantise import Feature, encode, fit_features
from whoworks.forests.table import Table, read_features
from whoworks.forests.threads import count_threads
from whoworks.forests.trees import Progress, ask_trees, bag_seeds, grow_trees

FORMAT = 2  # of a pickled forest
POOLED_ROWS = 200  # over which it is judged how surely bags tell a variance


def round_residuals(values: Vector) -> Vector:
    """Round to 1e-10 of the size of the values.

    Learners that sum on threads differ in the last bit from run to run, which
    would flip a split here and there.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if not largest > 0.0:
        return values
    unit = 2.0 ** math.floor(math.log2(largest))
    return np.asarray(np.round(values / unit, 10) * unit)


def cluster_weights(weight: Vector, layout: Layout, weighting: str) -> Vector:
    """Return weights in canonical order; with ``weighting="cluster"`` each cluster's add up to the same."""
    weight = weight[layout.order]
    if weighting == "student":
        return weight
    if weighting != "cluster":
        raise ForestError(f'weighting is {weighting!r}; it must be "student" or "cluster".')
    totals = np.bincount(layout.cluster, weight)
    shared = weight / np.where(totals > 0.0, totals, 1.0)[layout.cluster]
    return np.asarray(shared / shared.mean())


class BaseForest(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters and steps shared by the forests; not for use on its own."""

    features_: tuple[Feature, ...]
    trees_: tuple[Trees, ...]
    codes_: NDArray[np.uint8]
    layout_: Layout
    factors_: tuple[float, Vector]
    degrees_: float

    def __init__(
        self,
        *,
        n_estimators: int = 2000,
        trees_per_bag: int = 2,
        min_samples_leaf: int = 5,
        min_clusters_leaf: int = 2,
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
        self.n_estimators = n_estimators
        self.trees_per_bag = trees_per_bag
        self.min_samples_leaf = min_samples_leaf
        self.min_clusters_leaf = min_clusters_leaf
        self.max_features = max_features
        self.max_depth = max_depth
        self.max_samples = max_samples
        self.honest = honest
        self.honesty_fraction = honesty_fraction
        self.imbalance = imbalance
        self.weighting = weighting
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check_parameters(self) -> None:
        if self.trees_per_bag < 1 or self.n_estimators < self.trees_per_bag:
            raise ForestError("n_estimators must be at least trees_per_bag, and trees_per_bag at least 1.")
        if self.min_samples_leaf < 1 or self.min_clusters_leaf < 0:
            raise ForestError("min_samples_leaf must be at least 1 and min_clusters_leaf at least 0.")
        if not 0.0 < self.max_samples <= 0.5:
            raise ForestError("max_samples must lie in (0, 0.5]: a tree grows on a part of a half-sample of clusters.")
        if self.honesty_fraction is not None and not 0.0 < self.honesty_fraction < 1.0:
            raise ForestError(
                "honesty_fraction must lie between 0 and 1: it is the share of clusters that choose splits."
            )
        if not 0.0 <= self.imbalance < 0.5:
            raise ForestError("imbalance must lie in [0, 0.5).")

    def _encode_training(self, X: Any, categorical: Sequence[Any] | None) -> tuple[Table, NDArray[np.uint8]]:
        table = read_features(X, categorical)
        n_threads = count_threads(self.n_jobs)
        if table.n_rows >= LARGEST_NODE:
            raise ForestError(f"X has {table.n_rows} rows; at most {LARGEST_NODE - 1} are possible.")
        self.features_ = fit_features(table, n_threads=n_threads)
        self.n_features_in_ = len(table.names)
        self.feature_names_in_ = np.array(table.names, dtype=object)
        return table, encode(self.features_, table, n_threads=n_threads)

    def _encode_new(self, X: Any) -> NDArray[np.uint8]:
        expected = tuple(feature.name for feature in self.features_)
        if isinstance(X, pd.DataFrame) and tuple(map(str, X.columns)) != expected:
            given = {str(name) for name in X.columns}
            missing = [name for name in expected if name not in given]
            if missing:
                raise ForestError(f"X lacks {len(missing)} features the forest was grown on: {', '.join(missing[:5])}.")
            X = X.loc[:, [c for name in expected for c in X.columns if str(c) == name]]
        n_given = len(X.names) if isinstance(X, Table) else np.shape(X)[1] if np.ndim(X) == 2 else len(expected)
        if n_given != len(expected):
            raise ForestError(f"X has {n_given} features; the forest was grown on {len(expected)}.")
        table = read_features(X, [j for j, feature in enumerate(self.features_) if feature.is_categorical])
        return encode(self.features_, table, n_threads=count_threads(self.n_jobs))

    def _rules(self, n_arms: int, weighted: bool, p: int) -> Rules:
        wanted = self.max_features
        if wanted is None:
            mean, is_poisson = float(min(p, math.ceil(math.sqrt(p)) + 20)), True
        else:
            mean, is_poisson = float(wanted if isinstance(wanted, (int, np.integer)) else max(1, wanted * p)), False
        return Rules(
            n_arms=n_arms,
            weighted=weighted,
            min_rows=int(self.min_samples_leaf),
            min_clusters=int(self.min_clusters_leaf),
            imbalance=float(self.imbalance),
            max_depth=int(self.max_depth if self.max_depth is not None else 2**31 - 1),
            max_features=mean,
            poisson=is_poisson,
        )

    def _bagging(self, by_row: bool) -> Bagging:
        by_default = BY_COUNT if by_row else 0.5
        return Bagging(
            bag_share=0.5, tree_share=2.0 * self.max_samples, honest=bool(self.honest), n_trees=int(self.trees_per_bag),
            split_share=float(self.honesty_fraction or by_default),
        )  # fmt: skip

    def _grow(self, sample: Sample, rules: Rules, strata: Strata, seed: Any, progress: Progress | None) -> Trees:
        n_bags = -(-int(self.n_estimators) // int(self.trees_per_bag))
        known = sample.codes[sample.codes != MISSING]
        by_row = len(strata.clusters) == len(sample.y)
        rules = rules._replace(
            by_row=by_row,
            holes=known.size < sample.codes.size,
            n_codes=int(known.max(initial=0)) + 1,
        )
        return grow_trees(
            sample,
            rules,
            strata,
            self._bagging(by_row),
            seeds=bag_seeds(seed, n_bags),
            n_threads=count_threads(self.n_jobs),
            progress=progress,
        )

    def _ask(self, codes: NDArray[np.uint8], cluster: NDArray[np.int32], d: int, variance: bool) -> list[Vector]:
        """Return effects and, if asked, scaled variances and their standard errors.

        Each is (n, outcomes, max(d, 1)), rows as in ``codes``.
        """
        found = [
            ask_trees(trees, codes, cluster, d=d, with_variance=variance, n_threads=count_threads(self.n_jobs))
            for trees in self.trees_
        ]
        value, *spread = (np.stack(parts, axis=1) for parts in zip(*found, strict=True) if parts[0] is not None)
        factor = np.where(cluster >= 0, self.factors_[1][np.maximum(cluster, 0)], self.factors_[0])[:, None, None]
        n_silent = int(np.isnan(value).any(axis=(1, 2)).sum())
        if n_silent:
            warnings.warn(
                f"{n_silent} of {len(codes)} rows have no prediction (NaN): no tree may speak for them. "
                "Grow more trees (n_estimators).",
                UserWarning,
                stacklevel=5,
            )
        return [value, *(part * factor for part in spread)]

    def _degrees(self, d: int, *, is_new: bool) -> Vector:
        """Degrees of freedom of the variances of each outcome and contrast, (outcomes, max(d, 1)).

        What the clusters leave and what the bags leave: their relative
        variances add.  The latter is pooled over training rows, because at a
        single row it would be small just where the variance happens to be.  For
        new rows all bags speak, out of bag half of them.
        """
        n = len(self.codes_)
        rows = np.linspace(0, n - 1, min(n, POOLED_ROWS)).astype(np.int64)
        cluster = np.full(len(rows), -1, np.int32) if is_new else self.layout_.cluster[rows].astype(np.int32)
        _, variance, error = self._ask(self.codes_[rows], cluster, d, True)
        bags = 2.0 * (np.nansum(variance, axis=0) / np.nansum(error, axis=0)) ** 2
        return np.asarray(1.0 / (1.0 / self.degrees_ + 1.0 / bags))

    def _require_fitted(self) -> None:
        if not hasattr(self, "trees_"):
            raise ForestError(f"This {type(self).__name__} is not grown yet: call fit first.")

    def _speak(self, X: Any, d: int, variance: bool) -> list[Vector]:
        """Return what ``_ask`` finds, in tidy shapes, at new rows or, with X None, out of bag."""
        self._require_fitted()
        if X is not None:
            codes = self._encode_new(X)
            return [tidy_shape(part) for part in self._ask(codes, np.full(len(codes), -1, np.int32), d, variance)]
        cluster = self.layout_.cluster.astype(np.int32)
        back = np.empty(len(cluster), np.int64)
        back[self.layout_.order] = np.arange(len(cluster))
        return [tidy_shape(part[back]) for part in self._ask(self.codes_, cluster, d, variance)]

    def _predict(self, X: Any, d: int, variance: bool) -> Any:
        found = self._speak(X, d, variance)
        return (found[0], found[1]) if variance else found[0]

    def _interval(self, X: Any, d: int, level: float) -> tuple[Vector, Vector]:
        if self.trees_per_bag < 2:
            raise ForestError("An interval needs trees_per_bag of 2 or more: the spread of bags is its variance.")
        if not 0.0 < level < 1.0:
            raise ForestError(f"level is {level}; it must lie between 0 and 1.")
        value, variance, _ = self._speak(X, d, True)
        quantile = stdtrit(self._degrees(d, is_new=X is not None), 0.5 + 0.5 * level)
        half = tidy_shape(quantile[None])[0] * np.sqrt(variance)
        return value - half, value + half

    def __getstate__(self) -> dict[str, Any]:
        """Arrays, parameters and a version; nothing compiled."""
        return {**self.__dict__, "_format": FORMAT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Refuse a forest written in another format."""
        found = state.pop("_format", None)
        if found != FORMAT:
            raise ForestError(f"This forest was saved in format {found}; this version reads {FORMAT}. Grow it again.")
        self.__dict__.update(state)


def tidy_shape(array: Vector) -> Vector:
    """Drop the axes of a single outcome or a single contrast; contrasts come before outcomes."""
    if array.shape[1] == 1:
        array = array[:, 0, 0] if array.shape[2] == 1 else array[:, 0, :]
    elif array.shape[2] == 1:
        array = array[:, :, 0]
    else:
        array = np.moveaxis(array, 1, 2)
    return np.ascontiguousarray(array)
