"""Which covariates a prognosis may use: parameters are paid for in clusters, not in students."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.design.levels import count_distinct
from whoworks.panel.panel import Kind, Panel, Role, Variable

Codes = NDArray[np.int64]

MANY_CLUSTERS = 40  # below: common slopes on the baseline and on covariates that vary within clusters, nothing else
CLUSTERS_PER_COLUMN = 10  # a covariate that is constant within clusters needs about this many of them


def affordable(
    panel: Panel, *, outcome: Variable, rows: Codes, cluster: Codes, without: Collection[str] = ()
) -> tuple[Variable, ...]:
    """Return the covariates that the number of clusters can pay for, in the plan's order.

    What does not vary among the units is left out. The outcome's own baselines come first. With fewer than 40 clusters
    only covariates that vary within clusters follow; from 40 on also those that
    are constant within clusters, one column for every ten clusters. What `without` names is no candidate.
    """
    baselines, others = ([v for v in each if v.name not in without] for each in _candidates(panel, outcome))
    values = panel.values.iloc[rows]
    baselines, others = ([v for v in each if values[v.name].nunique() > 1] for each in (baselines, others))
    if len(np.unique(cluster)) == len(cluster):
        within, between = others, []
    else:
        varies = {variable.name: _varies_within(values[variable.name], cluster) for variable in others}
        within = [variable for variable in others if varies[variable.name]]
        between = [variable for variable in others if not varies[variable.name]]
    n_clusters = len(np.unique(cluster))
    budget = n_clusters // CLUSTERS_PER_COLUMN if n_clusters >= MANY_CLUSTERS else 0
    for variable in between:
        if _n_columns(variable) <= budget:
            budget -= _n_columns(variable)
            within.append(variable)
    return tuple(baselines + [variable for variable in others if variable in within])


def is_baseline(variable: Variable) -> bool:
    """Tell whether the variable is a pre-test of an outcome."""
    return Role.BASELINE in variable.roles


def _candidates(panel: Panel, outcome: Variable) -> tuple[list[Variable], list[Variable]]:
    planned = next(o for o in panel.plan.outcomes if o.name == outcome.name)
    names = [measure.name for measure in planned.baseline]
    baselines = [panel.variable(name) for name in names]
    roles = {Role.BASELINE, Role.MODERATOR, Role.COVARIATE}
    others = [v for v in panel.variables if roles & set(v.roles) and v.name not in names]
    return baselines, others


def _varies_within(values: pd.Series[float], cluster: Codes) -> bool:
    codes = pd.factorize(values)[0]
    known = codes >= 0
    distinct = count_distinct(within=cluster[known], codes=codes[known], n=int(cluster.max(initial=-1)) + 1)
    return bool((distinct > 1).any())


def _n_columns(variable: Variable) -> int:
    return 1 if variable.kind is Kind.NUMBER else max(1, len(variable.levels) - 1)
