"""Features as one byte each: quantile bins for numbers, levels for categories.

Cuts are data values and a row goes left when it is at or below the cut, so a
monotone transform of a feature changes nothing, on old rows or new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whoworks.errors import ForestError
from whoworks.forests.arena import MISSING
from whoworks.forests.table import Table
from whoworks.forests.threads import over_threads

MOST_BINS = MISSING  # codes 0..254; 255 is missing
WORTH_THREADS = 20_000  # rows from which columns are shared out over threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """How one column becomes codes.

    ``edges`` holds the upper value of each bin of a number (the last bin is
    open), ``levels`` the levels of a category; exactly one is given.
    """

    name: str
    edges: NDArray[np.float64] | None = None
    levels: tuple[Any, ...] | None = None

    @property
    def is_categorical(self) -> bool:
        """Whether the column holds levels."""
        return self.levels is not None

    @property
    def is_cut_by_sets(self) -> bool:
        """Whether cuts are sets of levels: two levels have but one cut, which is quicker found as that of a number."""
        return self.levels is not None and len(self.levels) > 2


def bin_edges(values: NDArray[np.float64], most: int = MOST_BINS) -> NDArray[np.float64]:
    """Upper values of at most ``most`` bins, the last left open.

    Each distinct value has its own bin while they are few; beyond, edges are
    the data values at evenly spaced ranks.  Duplicating every row changes
    nothing.
    """
    present = np.sort(values[~np.isnan(values)])
    if len(present) == 0:
        return np.empty(0)
    is_last = np.append(present[1:] != present[:-1], True)
    distinct = present[is_last]
    if len(distinct) <= most:
        return np.ascontiguousarray(distinct[:-1])
    # inverse of the empirical distribution at k / most
    at = -(-np.arange(1, most) * len(present) // most) - 1
    edges = np.unique(present[at])
    return np.asarray(edges[edges < present[-1]])


def fit_number(name: str, column: NDArray[np.float64]) -> Feature:
    """Quantile bins of a numeric column."""
    if np.isinf(column).any():
        raise ForestError(f"Feature {name!r} holds infinite values: replace them by a number or leave them missing.")
    return Feature(name=name, edges=bin_edges(column))


def fit_levels(name: str, present: list[Any]) -> Feature:
    """Levels of a categorical column, in sorted order."""
    levels = tuple(sorted(present, key=lambda level: (str(type(level)), level)))
    if len(levels) > MOST_BINS:
        raise ForestError(
            f"Feature {name!r} has {len(levels)} levels; at most {MOST_BINS} are possible. A column with so many "
            "levels usually names classrooms or students: leave it out, or group its levels."
        )
    return Feature(name=name, levels=levels)


def encode_number(feature: Feature, column: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Code numbers by bin; a missing value gets code 255."""
    assert feature.edges is not None
    codes = np.searchsorted(feature.edges, column, side="left").astype(np.uint8)
    codes[np.isnan(column)] = MISSING
    return codes


def encode_levels(feature: Feature, place: NDArray[np.int64], present: list[Any]) -> NDArray[np.uint8]:
    """Code levels by position; missing values (place -1) and levels never seen get code 255."""
    assert feature.levels is not None
    position = {level: k for k, level in enumerate(feature.levels)}
    codes = [position.get(level, MISSING) for level in present]
    return np.array([*codes, MISSING], np.uint8)[place]


def fit_features(table: Table, *, n_threads: int = 1) -> tuple[Feature, ...]:
    """Learn every column's bins or levels."""

    def fit(j: int) -> Feature:
        name, column = table.names[j], table.columns[j]
        return fit_number(name, column.values) if column.levels is None else fit_levels(name, column.present()[1])

    return tuple(over_threads(fit, range(len(table.names)), _worth(table, n_threads)))


def encode(features: tuple[Feature, ...], table: Table, *, n_threads: int = 1) -> NDArray[np.uint8]:
    """Return the codes of all columns, row-major (n, p).

    Raises
    ------
    ForestError
        When a column holds levels where the forest was grown on numbers.
    """
    codes = np.empty((table.n_rows, len(features)), np.uint8)

    def fill(j: int) -> None:
        feature, column = features[j], table.columns[j]
        if feature.is_categorical:
            codes[:, j] = encode_levels(feature, *column.present())
        elif column.levels is not None:
            raise ForestError(f"Feature {feature.name!r} holds levels; the forest was grown on numbers: convert it.")
        else:
            codes[:, j] = encode_number(feature, column.values)

    list(over_threads(fill, range(len(features)), _worth(table, n_threads)))
    return codes


def _worth(table: Table, n_threads: int) -> int:
    return n_threads if table.n_rows >= WORTH_THREADS else 1
