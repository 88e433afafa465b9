"""Levels: students in classes in schools; every unit once, and every class in one school."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import PanelError, first_few
from whoworks.panel.exclusions import Exclusions
from whoworks.panel.spelling import ALIKE, spelled_alike
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
    """Refuse places in several spellings, units that stand in several rows, and places that lie in two larger ones.

    Students' codes are left as they are: short ones drawn by chance may differ in nothing but capital letters.
    """
    for level in plan.levels:
        if level != UNIT:
            require_one_spelling(level, levels[level])
    if UNIT in levels:
        require_single_rows(levels[UNIT], table)
    for lower, upper in pairwise(level for level in plan.levels if level != UNIT):
        split = splitting(levels[lower], levels[upper])
        if len(split):
            raise PanelError(
                f"{len(split)} code(s) of the level '{lower}' lie in more than one {upper}"
                f"{name_codes(lower, split, levels[lower])}. A {lower} lies in one {upper}; if {lower} codes "
                f"start anew in every {upper}, make a column that joins both codes."
            )


def require_one_spelling(level: str, texts: Texts) -> None:
    """Refuse a level of which one place has several codes by an oversight: it would count as several places."""
    alike = spelled_alike(texts)
    if alike:
        told = [" and ".join(map(repr, codes)) for codes in alike]
        raise PanelError(
            f"{sum(map(len, alike))} code(s) of the level '{level}' differ from one another only in {ALIKE}"
            f"{name_codes(level, told, texts)}. Spell each {level} in one way, so that it counts once; if they are "
            "different, give them codes that differ in more."
        )


def name_codes(level: str, culprits: Sequence[str], texts: Texts) -> str:
    """Name the first few codes of a level whose codes are `texts`; those of persons are counted, never named."""
    present = texts[~pd.isna(texts)]
    return "" if is_of_persons(level, len(pd.unique(present)), len(present)) else f": {first_few(culprits)}"


def is_of_persons(level: str, n_codes: int, n_rows: int) -> bool:
    """Tell whether a level's codes may be persons': students by their word, or nearly as many codes as rows."""
    return level == UNIT or 2 * n_codes >= n_rows


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
