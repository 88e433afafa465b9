"""Features as the user handed them over: read once, checked, and cut by row as often as a fit asks for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import ForestError

Codes = NDArray[np.int64]
Rows = Codes | NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature: numbers, or places among levels.

    values : (n,) floats, NaN where missing; where there are levels, (n,) places among them, -1 where missing
    levels : of a categorical feature, None of a number
    """

    values: NDArray[Any]
    levels: tuple[Any, ...] | None = None

    def present(self) -> tuple[Codes, list[Any]]:
        """Return each row's place among the levels that occur, -1 where missing, and these levels."""
        assert self.levels is not None
        occurs = np.bincount(self.values + 1, minlength=len(self.levels) + 1)[1:] > 0
        place = np.append(np.cumsum(occurs) - 1, -1)
        return place[self.values], [level for level, held in zip(self.levels, occurs, strict=True) if held]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Features by position."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def n_rows(self) -> int:
        """Return how many rows there are."""
        return len(self.columns[0].values)

    def take(self, rows: Rows) -> Table:
        """Return the rows at given places, or those that a mask keeps."""
        columns = tuple(Column(values=column.values[rows], levels=column.levels) for column in self.columns)
        return Table(names=self.names, columns=columns)

    def without(self, names: Collection[str]) -> Table:
        """Return the features but those named."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        return Table(names=tuple(self.names[j] for j in kept), columns=tuple(self.columns[j] for j in kept))


def read_features(X: Any, categorical: Sequence[Any] | None = None) -> Table:
    """Read a frame, an array, or a table read before; columns of pandas' category type are categorical too."""
    if isinstance(X, Table):
        return X
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
    columns = tuple(
        _read_levels(frame.iloc[:, j]) if chosen[j] else _read_numbers(name, frame.iloc[:, j])
        for j, name in enumerate(names)
    )
    return Table(names=names, columns=columns)


def _read_numbers(name: str, column: pd.Series[Any]) -> Column:
    try:
        return Column(values=column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError):
        raise ForestError(
            f"Feature {name!r} holds text, not numbers: name it in `categorical`, "
            "give it pandas' category type, or convert it."
        ) from None


def _read_levels(column: pd.Series[Any]) -> Column:
    if isinstance(column.dtype, pd.CategoricalDtype):
        values, levels = column.cat.codes.to_numpy(), column.cat.categories
    else:
        values, levels = pd.factorize(column)
    return Column(values=values.astype(np.int64), levels=tuple(levels.astype(object).tolist()))


def refuse_identifiers(table: Table, labels: Any, groups: Codes, what: str) -> None:
    """Refuse a feature that names the cluster or block: its effect would be classroom noise."""
    n_groups = int(groups.max()) + 1
    if not 1 < n_groups < len(groups):
        return
    given = getattr(labels, "name", None)
    first = np.unique(groups, return_index=True)[1]
    own = pd.Series(np.asarray(labels).ravel()[first])
    for name, column in zip(table.names, table.columns, strict=True):
        if name == given or _is_same(column, own, groups, first):
            raise ForestError(
                f"Feature {name!r} names the {what}: a forest may not split on who a classroom is, only on what it "
                "is like. Leave this column out of X."
            )


def _is_same(column: Column, own: pd.Series[Any], groups: Codes, first: Codes) -> bool:
    """Tell whether a feature holds the groups' own labels, as text or as numbers, or other names for each."""
    if column.levels is None:
        return bool((column.values[first] == pd.to_numeric(own, errors="coerce").to_numpy(dtype=np.float64)).all())
    if len(column.levels) < len(first):
        return False
    text = np.array([*(str(level) for level in column.levels), "nan"], dtype=object)[column.values[first]]
    labels = own.astype(str).to_numpy()
    if (text == labels).all():
        return True
    numbers = (pd.to_numeric(pd.Series(each), errors="coerce").to_numpy() for each in (text, labels))
    return bool(np.equal(*numbers).all()) or _renames(column.values, groups)


def list_renamed(table: Table, groups: Codes) -> tuple[str, ...]:
    """List the features that are no more than other names for the groups, of which there are two or more.

    A category with a level of its own for each group, or a number that is one
    thing in one of two groups and another in the other. Along three groups and
    more a number measures: what lies between two of them is said by neither.
    """
    n_groups = len(np.unique(groups))
    return tuple(
        name for name, column in zip(table.names, table.columns, strict=True)
        if n_groups > 1 and (n_groups == 2 or column.levels is not None) and _renames(column.values, groups)
    )  # fmt: skip


def _renames(values: NDArray[Any], groups: Codes) -> bool:
    """Tell whether every group has one value, missing counted as one, and no other group has it."""
    seen, code = np.unique(values, return_inverse=True)
    n_groups = len(np.unique(groups))
    return len(seen) == n_groups == len(np.unique(code * (np.int64(groups.max()) + 1) + groups))
