"""What the user handed over, checked: features, arms, propensities, clusters, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import ForestError

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of features by position, as given."""

    frame: pd.DataFrame
    names: tuple[str, ...]
    categorical: tuple[bool, ...]

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return len(self.frame)

    def numbers(self, j: int) -> Vector:
        """Return column ``j`` as floats, NaN where missing."""
        column = self.frame.iloc[:, j]
        try:
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            raise ForestError(
                f"Feature {self.names[j]!r} holds text, not numbers: name it in `categorical`, "
                "give it pandas' category type, or convert it."
            ) from None

    def levels(self, j: int) -> tuple[NDArray[np.int64], list[Any]]:
        """Return the levels of column ``j`` and each row's place among them, -1 where missing."""
        column = self.frame.iloc[:, j]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, levels = column.cat.codes.to_numpy(), column.cat.categories
            held, place = np.unique(codes[codes >= 0], return_inverse=True)
            own = np.full(len(codes), -1, np.int64)
            own[codes >= 0] = place
            return own, levels[held].astype(object).tolist()
        place, levels = pd.factorize(column)
        return place.astype(np.int64), levels.astype(object).tolist()


def read_features(X: Any, categorical: Sequence[Any] | None = None) -> Table:
    """Read a frame or an array; columns of pandas' category type are categorical too."""
    if isinstance(X, pd.DataFrame):
        frame = X
    else:
        array = np.asarray(X)
        if array.ndim != 2:
            raise ForestError(f"X has {array.ndim} dimensions; it needs two: rows and features.")
        frame = pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])
    if frame.shape[1] == 0:
        raise ForestError("X has no columns: a forest needs at least one feature.")
    names = tuple(str(name) for name in frame.columns)
    if len(set(names)) < len(names):
        raise ForestError("X has columns of the same name: rename them, so that a split can be named.")
    chosen = [isinstance(dtype, pd.CategoricalDtype) for dtype in frame.dtypes]
    for key in categorical if categorical is not None else ():
        if isinstance(key, (int, np.integer)) and 0 <= key < len(names):
            chosen[int(key)] = True
        elif str(key) in names:
            chosen[names.index(str(key))] = True
        else:
            raise ForestError(f"`categorical` names {key!r}, which is no column of X.")
    return Table(frame=frame, names=names, categorical=tuple(chosen))


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
    """Return positive weights with mean 1."""
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or weight.min() < 0.0 or not weight.sum() > 0.0:
        raise ForestError(f"sample_weight needs one finite, non-negative number for each of the {n} rows.")
    return np.asarray(weight / weight.mean())


def refuse_identifiers(table: Table, labels: Any, groups: NDArray[np.int64], what: str) -> None:
    """Refuse a feature that names the cluster or block: its effect would be classroom noise."""
    n_groups = int(groups.max()) + 1
    if not 1 < n_groups < len(groups):
        return
    given = getattr(labels, "name", None)
    first = np.unique(groups, return_index=True)[1]
    as_text = pd.Series(np.asarray(labels).ravel()[first]).astype(str).to_numpy()
    as_number = pd.to_numeric(pd.Series(as_text), errors="coerce").to_numpy()
    for j, name in enumerate(table.names):
        column = table.frame.iloc[:, j]
        is_coarse = isinstance(column.dtype, pd.CategoricalDtype) and len(column.cat.categories) < n_groups
        is_same = name == given or (not is_coarse and _is_same(column.iloc[first], as_text, as_number))
        if not is_same and table.categorical[j] and not is_coarse:
            codes = pd.factorize(column)[0]
            pairs = len(np.unique(codes * np.int64(n_groups) + groups))
            is_same = pairs == n_groups and len(np.unique(codes)) == n_groups
        if is_same:
            raise ForestError(
                f"Feature {name!r} names the {what}: a forest may not split on who a classroom is, only on what it "
                "is like. Leave this column out of X."
            )


def _is_same(column: pd.Series[Any], as_text: NDArray[np.object_], as_number: NDArray[np.float64]) -> bool:
    """Tell whether a feature's values are the labels of the groups, as text or as numbers."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return bool((column.to_numpy(dtype=np.float64, na_value=np.nan) == as_number).all())
    text = column.astype(str)
    if (text.to_numpy() == as_text).all():
        return True
    return bool((pd.to_numeric(text, errors="coerce").to_numpy() == as_number).all())
