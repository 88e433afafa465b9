"""Features as plain columns, for engines that take neither categories nor missing values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.table import Table

Vector = NDArray[np.float64]


def encode(features: Table, *, centre: Vector) -> tuple[Vector, NDArray[np.int64]]:
    """Return numbers filled with `centre` and indicators of every level but the first.

    Missing values are flagged by an indicator of their own. The second array
    says which feature each column comes from.
    """
    columns: list[Vector] = []
    source: list[int] = []
    for place, column in enumerate(features.columns):
        if column.levels is None:
            missing = np.isnan(column.values)
            parts = [np.where(missing, centre[place], column.values)]
        else:
            missing = column.values < 0
            parts = [(column.values == level).astype(np.float64) for level in range(1, len(column.levels))]
        columns += [*parts, missing.astype(np.float64)]
        source += [place] * (len(parts) + 1)
    return np.column_stack(columns), np.array(source, dtype=np.int64)


def centres(features: Table) -> Vector:
    """Return the mean of each number, (p,); 0 where all are missing and for categories."""
    means = np.zeros(len(features.columns))
    for place, column in enumerate(features.columns):
        if column.levels is None and not np.isnan(column.values).all():
            means[place] = np.nanmean(column.values)
    return means
