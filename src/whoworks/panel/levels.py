"""Levels: students in classes in schools; every unit once, and every class in one school."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import PanelError, first_few
from whoworks.panel.exclusions import Exclusions
from whoworks.plan.plan import Plan
from whoworks.records.text import Texts

UNIT = "student"


def required_levels(plan: Plan) -> list[str]:
    """Return the levels without which a unit cannot be analysed, smallest first."""
    design = plan.design
    needed = {UNIT, design.assigned, design.drawn, design.site, design.cluster, *design.blocks}
    return [level for level in plan.levels if level in needed]


def leave_without_level(plan: Plan, levels: dict[str, Texts], out: Exclusions) -> None:
    """Take out the rows that lack the code of a level that the design needs."""
    for level in required_levels(plan):
        out.take_out(pd.isna(levels[level]), f"no {level} id")


def require_levels(plan: Plan, levels: dict[str, Texts], table: str) -> None:
    """Refuse units that stand in several rows, and places that lie in two larger ones."""
    if UNIT in levels:
        require_single_rows(levels[UNIT], table)
    for lower, upper in pairwise(level for level in plan.levels if level != UNIT):
        split = splitting(levels[lower], levels[upper])
        if len(split):
            raise PanelError(
                f"{len(split)} code(s) of the level '{lower}' lie in more than one {upper}: {first_few(split)}. A "
                f"{lower} lies in one {upper}; if {lower} codes start anew in every {upper}, make a "
                "column that joins both codes."
            )


def require_single_rows(unit: Texts, table: str) -> None:
    """Refuse units that stand in several rows; they are counted, not named."""
    rows_of_unit = pd.Series(unit, dtype=object).value_counts()
    repeated = rows_of_unit[rows_of_unit > 1]
    if len(repeated):
        raise PanelError(
            f"{len(repeated)} {UNIT}(s) stand in more than one row of '{table}' ({int(repeated.sum())} rows), and each "
            "has one row in the analysis. Remove the repeats, keep one kind of row with records.keep, or, where the "
            "rows are of different times, declare [waves]."
        )


def splitting(place: Texts, values: Texts) -> list[str]:
    """Return the places that hold more than one value, in order; missing values are no value."""
    (places, names), codes = pd.factorize(place), pd.factorize(values)[0]
    both = (places >= 0) & (codes >= 0)
    width = int(codes.max(initial=0)) + 1
    pairs = np.unique(places[both] * width + codes[both])
    return sorted(str(names[code]) for code in np.flatnonzero(np.bincount(pairs // width) > 1))


def level_where_constant(levels: dict[str, Texts], values: NDArray[np.generic]) -> str:
    """Return the largest level within whose places a variable never varies; "student" where it varies in all."""
    found = UNIT
    codes = pd.factorize(values)[0]
    for level, place in levels.items():
        places = pd.factorize(place)[0]
        both = (places >= 0) & (codes >= 0)
        value_of_place = np.zeros(places.max(initial=-1) + 1, dtype=np.int64)
        value_of_place[places[both]] = codes[both]
        if level != UNIT and np.array_equal(value_of_place[places[both]], codes[both]):
            found = level
    return found
