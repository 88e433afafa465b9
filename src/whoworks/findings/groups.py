"""A moderator's groups: fixed by the plan, cut at points that no outcome moved."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator
from whoworks.scores.scores import Scores

Codes = NDArray[np.int64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Groups of the analysed units along one moderator.

    code : (n,) index into `levels`, -1 where the moderator is missing
    levels : the plan's codes in order of display (the first is the reference),
        or ranges in words for a number that is cut
    """

    code: Codes
    levels: tuple[str, ...]

    def member(self, level: int) -> Mask:
        """Return which units are in a level, (n,)."""
        return np.asarray(self.code == level)

    def indicators(self, levels: tuple[int, ...]) -> Vector:
        """Return 1 and an indicator of each level but the first of those given, (n, len(levels))."""
        columns = [np.ones(len(self.code)), *(self.member(level).astype(np.float64) for level in levels[1:])]
        return np.column_stack(columns)


def group_categories(panel: Panel, scores: Scores, moderator: Moderator) -> Groups:
    """Return the plan's groups of a category."""
    column = cast("pd.Categorical[str]", panel.values[moderator.name].array)
    return Groups(code=column.codes[scores.rows].astype(np.int64), levels=panel.variable(moderator.name).levels)


def moderator_numbers(panel: Panel, scores: Scores, moderator: Moderator) -> Vector:
    """Return a number's values for the analysed units, NaN where missing, (n,)."""
    return panel.values[moderator.name].to_numpy(dtype=np.float64)[scores.rows]


def group_numbers(panel: Panel, scores: Scores, moderator: Moderator) -> Groups:
    """Cut a number where the plan says: at the median, the terciles or given edges; ties go down.

    Quantiles are taken over units at the moderator's own level: over teachers,
    not over their students. Cut points depend on the whole panel, never on
    whose outcome was observed.
    """
    edges = _edges(panel, moderator)
    values = moderator_numbers(panel, scores, moderator)
    code = np.where(np.isnan(values), -1, np.searchsorted(edges, np.nan_to_num(values), side="left"))
    return Groups(code=code.astype(np.int64), levels=_ranges(edges))


def own_level_values(panel: Panel, moderator: Moderator) -> Vector:
    """Return a moderator's values with one entry per unit of its own level, missing left out."""
    numbers = panel.values[moderator.name].to_numpy(dtype=np.float64)
    known = ~np.isnan(numbers)
    if moderator.level in panel.plan.levels and moderator.level in panel.units:
        place = pd.factorize(panel.units[moderator.level])[0]
        known &= place >= 0
        first = np.unique(place[known], return_index=True)[1]
        return np.asarray(numbers[known][first], dtype=np.float64)
    return np.asarray(numbers[known], dtype=np.float64)


def own_level_spread(panel: Panel, moderator: Moderator) -> float:
    """Return the SD of a moderator over units of its own level: what "per SD" means."""
    return float(np.std(own_level_values(panel, moderator), ddof=1))


def _edges(panel: Panel, moderator: Moderator) -> Vector:
    if isinstance(moderator.cut, tuple):
        return np.array(moderator.cut, dtype=np.float64)
    shares = [0.5] if moderator.cut == "median" else [1 / 3, 2 / 3]
    return np.unique(np.quantile(own_level_values(panel, moderator), shares, method="inverted_cdf"))


def _ranges(edges: Vector) -> tuple[str, ...]:
    middle = tuple(f"above {low:.6g} to {high:.6g}" for low, high in pairwise(edges))
    return (f"up to {edges[0]:.6g}", *middle, f"above {edges[-1]:.6g}")
