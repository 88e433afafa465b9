"""Features as plain columns, for engines that take neither categories nor missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def encode(features: pd.DataFrame, *, centre: pd.Series[float]) -> tuple[Vector, NDArray[np.int64]]:
    """Return numbers filled with `centre` and indicators of every level but the first.

    Missing values are flagged by an indicator of their own. The second array
    says which feature each column comes from.
    """
    columns: list[Vector] = []
    source: list[int] = []
    for place, name in enumerate(features.columns):
        column = features[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            parts = [(codes == level).astype(np.float64) for level in range(1, len(column.cat.categories))]
            missing = codes < 0
        else:
            numbers = column.to_numpy(dtype=np.float64)
            missing = np.isnan(numbers)
            parts = [np.where(missing, centre[name], numbers)]
        columns += [*parts, missing.astype(np.float64)]
        source += [place] * (len(parts) + 1)
    return np.column_stack(columns), np.array(source, dtype=np.int64)


def centres(features: pd.DataFrame) -> pd.Series[float]:
    """Return the mean of each number, 0 where all are missing and for categories."""
    numbers = features.select_dtypes("number")
    return numbers.mean().reindex(features.columns).fillna(0.0)
