"""What the user handed over, checked: outcomes, arms, propensities, clusters, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import ForestError

Vector = NDArray[np.float64]


def read_outcomes(y: Any, n: int) -> Vector:
    """Return outcomes as (n, m); missing ones are refused."""
    outcome = np.asarray(y, dtype=np.float64)
    outcome = outcome[:, None] if outcome.ndim == 1 else outcome
    if outcome.ndim != 2 or len(outcome) != n:
        raise ForestError(f"y has {len(outcome)} rows, X has {n}: they must be the same students in the same order.")
    n_missing = int((~np.isfinite(outcome)).any(axis=1).sum())
    if n_missing:
        raise ForestError(
            f"y is missing or infinite in {n_missing} of {n} rows: leave these rows out before growing the forest."
        )
    return outcome


def read_arms(z: Any, n: int) -> tuple[NDArray[np.uint8], int]:
    """Return the arm of each row, coded 0 (control), 1, ..., and the number of arms."""
    values = np.asarray(z)
    if values.shape != (n,):
        raise ForestError(f"z has shape {values.shape}; it needs one arm for each of the {n} rows.")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.full(n, np.nan)
    found = np.unique(numbers)
    n_arms = len(found)
    if np.isnan(numbers).any() or not np.array_equal(found, np.arange(n_arms)):
        raise ForestError("z must hold the arm as assigned, coded 0 for control and 1, 2, ... for treatments.")
    if n_arms < 2:
        raise ForestError("z holds one arm only: a causal forest needs students who were, and were not, offered it.")
    if n_arms > 32:
        raise ForestError(f"z holds {n_arms} different values; at most 32 arms are possible.")
    return numbers.astype(np.uint8), n_arms


def read_propensity(propensity: Any, n: int, n_arms: int) -> Vector:
    """Return the known probabilities of arms 1, 2, ... as (n, K - 1).

    A number or one per row with two arms; with more, one per arm or a table of
    rows by arms, control first.
    """
    if propensity is None:
        raise ForestError(
            "propensity is missing: give the probability of each arm by design (e.g. propensity=0.5). It is never "
            "learned: a learner recognises each classroom by its covariates and so predicts its arm perfectly."
        )
    given = np.asarray(propensity, dtype=np.float64)
    if n_arms == 2 and given.shape in ((), (n,)):
        e = np.broadcast_to(given, (n,))[:, None]
    elif given.shape == (n_arms,) or given.shape == (n, n_arms):
        shares = np.broadcast_to(given, (n, n_arms))
        if np.abs(shares.sum(axis=1) - 1.0).max() > 1e-6:
            raise ForestError("The probabilities of the arms must add up to 1 in every row.")
        e = shares[:, 1:]
    else:
        raise ForestError(
            f"propensity has shape {given.shape}; with {n_arms} arms and {n} rows it must be "
            + ("a number or one per row." if n_arms == 2 else f"({n_arms},) or ({n}, {n_arms}), control first.")
        )
    if not np.isfinite(e).all() or e.min() <= 0.0 or e.sum(axis=1).max() >= 1.0:
        raise ForestError("propensity must lie strictly between 0 and 1: rows sure to hold one arm are no trial.")
    return np.ascontiguousarray(e)


def read_groups(labels: Any, n: int, what: str) -> NDArray[np.int64]:
    """Return whole numbers 0, 1, ... for the labels of clusters or blocks."""
    values = pd.Series(np.asarray(labels).ravel() if not isinstance(labels, pd.Series) else labels.to_numpy())
    if len(values) != n:
        raise ForestError(f"{what} has {len(values)} entries; it needs one for each of the {n} rows.")
    codes, _ = pd.factorize(values)
    if (codes < 0).any():
        raise ForestError(f"{what} is missing in {int((codes < 0).sum())} of {n} rows: every row needs one.")
    return codes.astype(np.int64)


def read_weights(sample_weight: Any, n: int) -> Vector:
    """Return non-negative weights with mean 1."""
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or weight.min() < 0.0 or not weight.sum() > 0.0:
        raise ForestError(f"sample_weight needs one finite, non-negative number for each of the {n} rows.")
    return np.asarray(weight / weight.mean())
