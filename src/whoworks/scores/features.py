"""Covariates as the learners' columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.panel.panel import Kind, Variable
from whoworks.scores.covariates import is_baseline
from whoworks.scores.splines import restricted_cubic_spline, spline_knots


def design_columns(values: pd.DataFrame, variables: Sequence[Variable], *, splines: bool) -> NDArray[np.float64]:
    """Return the linear learner's columns: numbers, indicators, missingness and bends in the baseline.

    Numbers are filled with their mean and joined by an indicator of what was
    missing; categories become indicators of all levels but the first, with
    missing as a level of its own. With `splines`, each baseline adds a
    restricted cubic spline with four knots. (n, p)
    """
    parts: list[NDArray[np.float64]] = []
    for variable in variables:
        column = values[variable.name]
        if variable.kind is Kind.CATEGORY:
            codes = column.cat.codes.to_numpy()
            levels = [level for level in range(-1, len(variable.levels)) if level != 0]
            parts += [(codes == level).astype(np.float64)[:, None] for level in levels]
            continue
        number = column.to_numpy(dtype=np.float64)
        missing = np.isnan(number)
        filled = np.where(missing, np.nanmean(number) if not missing.all() else 0.0, number)
        parts += [filled[:, None], missing.astype(np.float64)[:, None]]
        if splines and is_baseline(variable):
            parts.append(restricted_cubic_spline(filled, knots=spline_knots(number[~missing])))
    columns = np.hstack(parts) if parts else np.zeros((len(values), 0))
    return columns[:, columns.std(axis=0) > 0]


def coded_columns(values: pd.DataFrame, variables: Sequence[Variable]) -> NDArray[np.float64]:
    """Return the columns that learners by trees cut: numbers, and for categories each level but the first as 0 or 1.

    (n, p), NaN where missing.
    """
    columns = []
    for variable in variables:
        column = values[variable.name]
        if variable.kind is Kind.CATEGORY:
            codes = column.cat.codes.to_numpy()
            levels = range(1, max(2, len(column.cat.categories)))
            columns += [np.where(codes < 0, np.nan, codes == level) for level in levels]
        else:
            columns.append(column.to_numpy(dtype=np.float64))
    return np.column_stack(columns) if columns else np.zeros((len(values), 0))
