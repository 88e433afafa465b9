"""Keep: the plan's conditions on rows, applied in order and counted one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from whoworks.panel.exclusions import Mask
from whoworks.panel.typing import number_of, numbers_of
from whoworks.plan.conditions import ORDERED, Condition
from whoworks.plan.kept import phrase_kept
from whoworks.plan.plan import Plan
from whoworks.records.demand import find_place
from whoworks.records.records import Records
from whoworks.records.text import Texts, canonical


def failing_rows(plan: Plan, records: Records, table: str) -> Iterator[tuple[Mask, str]]:
    """Yield, for each condition of a table, the rows that fail it and the reason in words."""
    declared = next(declared for declared in plan.records if declared.name == table)
    for condition in declared.conditions:
        place = find_place(records, table, condition.column)
        texts = records.table(table).texts(place[1] if place else condition.column)
        yield ~meets(condition, texts), f"not kept by {phrase_kept(plan, declared, condition)}"


def meets(condition: Condition, texts: Texts) -> Mask:
    """Tell which values meet a condition; a missing value equals nothing, and so meets only ``!=``."""
    if condition.op in ORDERED:
        numbers, limit = numbers_of(texts, condition.column), float(condition.values[0])
        compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[condition.op]
        met: Mask = compare(numbers, limit)
        return met
    equal = np.zeros(len(texts), dtype=bool)
    for value in condition.values:
        equal |= equals(texts, value)
    return ~equal if condition.op == "!=" else equal


def equals(texts: Texts, value: str | float) -> Mask:
    """Tell which values equal a code (a text) or a number."""
    codes, distinct = pd.factorize(texts)
    if isinstance(value, str):
        same = [text == canonical(value) for text in distinct]
    else:
        same = [number_of(text) == value for text in distinct]
    return np.array([*same, False], dtype=bool)[codes]
