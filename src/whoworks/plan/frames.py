"""What a plan has to know of a frame: its columns, which of them are numbers, and the codes of the arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whoworks.errors import PlanError
from whoworks.plan.codes import code_text
from whoworks.plan.guesses import FEW_VALUES
from whoworks.plan.missing import CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFacts:
    """Names of columns, those with numbers that are no groups, and the arm's codes in order (none when unknown)."""

    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()


def read_facts(frame: Any, arm: str) -> FrameFacts:
    """Return what a plan has to know of a frame; a list of names alone tells nothing but the names.

    Raises
    ------
    PlanError
        When `frame` is neither a frame nor a list of names.
    """
    if isinstance(frame, pd.DataFrame):
        names = [str(name) for name in frame.columns]
        columns = [frame.iloc[:, place] for place in range(len(names))]
        numeric = [pd.api.types.is_numeric_dtype(column) and column.nunique() > FEW_VALUES for column in columns]
        return gather(names, numeric, columns[names.index(arm)] if arm in names else ())
    if isinstance(frame, Sequence) and not isinstance(frame, str) and all(isinstance(name, str) for name in frame):
        return FrameFacts(columns=tuple(frame))
    import narwhals as nw

    try:
        read = nw.from_native(frame)
    except TypeError:
        kind = type(frame).__name__
        raise PlanError(f"the records are of the type '{kind}', which is no frame. Give a pandas DataFrame.") from None
    eager = read.collect() if isinstance(read, nw.LazyFrame) else read
    numeric = [eager[name].dtype.is_numeric() and eager[name].n_unique() > FEW_VALUES for name in eager.columns]
    return gather(eager.columns, numeric, eager[arm].drop_nulls().to_list() if arm in eager.columns else ())


def gather(names: Sequence[str], numeric: Sequence[bool], arm: Iterable[Any]) -> FrameFacts:
    """Put the facts together; `arm` holds the values of the arm's column."""
    numbers = tuple(name for name, is_number in zip(names, numeric, strict=True) if is_number)
    return FrameFacts(columns=tuple(names), numbers=numbers, arms=distinct_codes(arm))


def distinct_codes(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the distinct codes among values, sorted; values that are not there have none."""
    there = (
        value.item() if isinstance(value, np.generic) else value
        for value in pd.Series(list(values), dtype=object).dropna().unique()
    )
    codes = {code_text(value) if isinstance(value, str | int | float) else str(value) for value in there}
    return tuple(sorted(codes - {code.strip() for code in CODES}))
