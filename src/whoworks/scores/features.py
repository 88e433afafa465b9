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


def coded_columns(values: pd.DataFrame, variables: Sequence[Variable]) -> tuple[NDArray[np.float64], list[bool]]:
    """Return one column per covariate for learners by trees, and which are codes of categories.

    Categories become the number of their level, NaN where missing. (n, p) and p flags
    """
    columns = []
    for variable in variables:
        column = values[variable.name]
        if variable.kind is Kind.CATEGORY:
            codes = column.cat.codes.to_numpy().astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(column.to_numpy(dtype=np.float64))
    flags = [variable.kind is Kind.CATEGORY for variable in variables]
    return (np.column_stack(columns) if columns else np.zeros((len(values), 0))), flags
