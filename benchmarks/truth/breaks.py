"""Deliberate breaks of the method: with each, named cells of the table have to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from whoworks.design import build as design_build
from whoworks.findings import regression
from whoworks.forests import left_out
from whoworks.forests.protocol import Predictions
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.leverages import Moments
from whoworks.scores import build as scores_build


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One break: what it puts in place of what, and the cell and diagnosand that has to turn from met to missed.

    replaced : (owner, name, replacement) each
    """

    replaced: tuple[tuple[Any, str, Callable[..., Any]], ...]
    words: str
    cell: tuple[str, str, int, float]
    diagnosand: str
    replicates: int


_adjust, _predict, _fit = Moments.adjust, left_out.predict_left_out, regression.fit_effects


def _cr1(self: Moments, kind: str) -> Any:
    return _adjust(self, "CR1" if kind == "CR2" else kind)  # type: ignore[arg-type]


def _students_alone(*, cluster: np.ndarray, **data: Any) -> Any:
    return cluster_robust(cluster=np.arange(len(cluster)), **data)


def _folds_by_row(*, cluster: np.ndarray, rng: np.random.Generator, **_: Any) -> np.ndarray:
    return rng.permutation(np.arange(len(cluster)) % 5)


def _partitions_by_row(*, cluster: np.ndarray, rngs: Any, **_: Any) -> np.ndarray:
    return np.array([rng.permutation(np.arange(len(cluster)) % 5) for rng in rngs])


def _learned_probability(panel: Any, *, arm: np.ndarray, rows: np.ndarray, **_: Any) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = [name for name in ("rit_fall", "teacher_years") if name in panel.values]
    room = np.unique(panel.units["class"], return_inverse=True)[1]
    x = np.column_stack([panel.values[names].iloc[rows].to_numpy(dtype=float), room[rows]])
    model = HistGradientBoostingClassifier(random_state=0, max_iter=30).fit(x, arm)
    return np.asarray(model.predict_proba(x).clip(0.01, 0.99))


def _on_what_is_left_of_the_arm(scores: Any, **asked: Any) -> Any:
    """Regress on z less its learned probability, as double machine learning does."""
    return _fit(replace(scores, z=scores.z - scores.e), **asked)


def _no_clusters(*_: Any) -> int:
    return 0


def _in_sample(engine: Any, inputs: Any, *, fold: np.ndarray, forward_fold: np.ndarray, seed: Any, **rest: Any) -> Any:
    """Predict every unit from a model that learned from it too."""
    fitted = engine.fit(inputs, rows=np.flatnonzero(inputs.learn), seed=int(seed.generate_state(1)[0]))
    honest: Predictions = _predict(engine, inputs, fold=fold, forward_fold=forward_fold[:1], seed=seed, **rest)
    tau = np.round(fitted.predict(inputs.features), 10)
    later = np.where(np.isnan(honest.forward), np.nan, tau)
    return type(honest)(
        tau=tau, fold=fold, forward=later, forward_fold=forward_fold[:1], engine=honest.engine,
        ignores=honest.ignores, importance=honest.importance,
    )  # fmt: skip


NULL = "class-varying"
STUDY = "whoworks.study"
BREAKS = {
    "CR1": Break(
        replaced=((Moments, "adjust", _cr1),), words="CR1 errors in place of CR2",
        cell=(NULL, "class", 12, 0.2), diagnosand="difference devices: size among the assessable", replicates=800),
    "iid": Break(
        replaced=((regression, "cluster_robust", _students_alone),), words="students counted as clusters",
        cell=(NULL, "class", 20, 0.2), diagnosand="average: coverage", replicates=50),
    "row-folds": Break(
        replaced=((scores_build, "assign_folds", _folds_by_row), (STUDY, "draw_partitions", _partitions_by_row)),
        words="folds that cut through classes",
        cell=(NULL, "class", 12, 0.2), diagnosand="ranking: size", replicates=60),
    "learned-propensity": Break(
        replaced=(
            (design_build, "know_probability", _learned_probability),
            ("whoworks.findings.planned.average", "fit_effects", _on_what_is_left_of_the_arm),
            (regression, "fewest_clusters", _no_clusters)),
        words="the propensity learned, and the outcome regressed on what it leaves of the arm",
        cell=(NULL, "class", 20, 0.2), diagnosand="average: SE / plain difference's", replicates=50),
    "in-sample": Break(
        replaced=((STUDY, "predict_left_out", _in_sample),), words="effects predicted in sample",
        cell=(NULL, "class", 40, 0.2), diagnosand="calibration: size", replicates=25),
}  # fmt: skip


@contextmanager
def breaking(name: str) -> Iterator[None]:
    """Break the method while the context lasts; the empty name breaks nothing."""
    with ExitStack() as stack:
        for owner, attribute, by in BREAKS[name].replaced if name else ():
            if isinstance(owner, str):
                stack.enter_context(patch(f"{owner}.{attribute}", by))
            else:
                stack.enter_context(patch.object(owner, attribute, by))
        yield
