"""Levels: students, classes and schools as codes, and how they nest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.design.design import Codes
from whoworks.errors import first_few
from whoworks.panel.levels import is_of_persons
from whoworks.panel.panel import Panel

STUDENT = "student"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the plan, as codes.

    word : the plan's word for it ("class"); words of several levels joined by " and "
    column : the plan's column for it
    codes : (n,) codes in the order of the sorted names
    names : (codes,) what each code stands for, as text
    """

    word: str
    column: str
    codes: Codes
    names: NDArray[np.object_]


def read_level(panel: Panel, word: str) -> Level:
    """Read a level of the plan; without a student level each row is its own unit."""
    levels = panel.plan.levels
    if word == STUDENT and word not in levels:
        rows = np.arange(len(panel.units), dtype=np.int64)
        return Level(word=word, column="unit_id", codes=rows, names=panel.units["unit_id"].to_numpy(dtype=object))
    codes, names = pd.factorize(panel.units[word], sort=True)
    return Level(word=word, column=levels[word], codes=codes.astype(np.int64), names=np.asarray(names, dtype=object))


def cross_levels(levels: tuple[Level, ...], n: int) -> Level:
    """Return the combinations of several levels as one: one code per combination that occurs.

    No level at all is one code for all `n` units.
    """
    if not levels:
        return Level(word="", column="", codes=np.zeros(n, dtype=np.int64), names=np.array(["all"], dtype=object))
    crossed = levels[0]
    for level in levels[1:]:
        paired, codes = np.unique(crossed.codes * len(level.names) + level.codes, return_inverse=True)
        first, second = np.divmod(paired, len(level.names))
        crossed = Level(
            word=f"{crossed.word} and {level.word}",
            column=f"{crossed.column}, {level.column}",
            codes=codes.astype(np.int64),
            names=np.array(
                [f"{crossed.names[a]} / {level.names[b]}" for a, b in zip(first, second, strict=True)], dtype=object
            ),
        )
    return crossed


def count_distinct(*, within: Codes, codes: Codes, n: int) -> Codes:
    """Count the distinct `codes` found in each of `n` groups; `within` holds each unit's group."""
    if not len(codes):
        return np.zeros(n, dtype=np.int64)
    width = int(np.ptp(codes)) + 1
    pairs = np.unique(within * width + (codes - codes.min()))
    return np.bincount(pairs // width, minlength=n).astype(np.int64)


def split_codes(*, inner: Codes, outer: Codes) -> Codes:
    """Return the codes of `inner` that lie in more than one code of `outer`."""
    if not len(inner):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(count_distinct(within=inner, codes=outer, n=int(inner.max()) + 1) > 1)


def name_culprits(level: Level, culprits: Codes) -> str:
    """Name the first few codes of a level; those of persons are counted, never named."""
    hidden = is_of_persons(level.word, len(level.names), len(level.codes))
    return "" if hidden else f": {first_few(level.names[culprits])}"


def renumber(codes: Codes) -> Codes:
    """Return the same groups with codes 0, 1, 2, ... in the order they had."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
