"""Text: every value is read as text first, written so that one value reads the same from every kind of file.

Whole numbers lose a decimal part of zeros ("28.0" and 28 are "28"; "007" stays
"007"), other numbers that a file holds as numbers take their shortest form,
truth values are "true" and "false" however a file spells them, and dates are
year-month-day, followed by the time where a file holds one that is not
midnight. Blanks around a text are dropped; an empty text is missing (None).
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.plan.codes import code_text

Texts = NDArray[np.object_]
NOTHING: Texts = np.array([None], dtype=object)

WHOLE_UNTIL = 1e16
TRUTHS = {"true", "false"}


def canonical(text: str) -> str | None:
    """Return a text as every kind of file would give it, or None where it is empty."""
    code = text.strip()
    if code.endswith("0") and "." in code:
        code = code_text(code)
    elif len(code) in (4, 5) and code.lower() in TRUTHS:
        code = code.lower()
    return code or None


def text_of(value: object) -> str | None:
    """Return one value of any type as text, or None where it is missing."""
    match value:
        case str():
            return canonical(value)
        case bool() | np.bool_():
            return "true" if value else "false"
        case int() | np.integer():
            return str(int(value))
        case float() | np.floating():
            return text_of_float(value)
        case decimal.Decimal():
            return canonical(format(value, "f")) if value.is_finite() else None
        case _ if value is None or value is pd.NA or value is pd.NaT:
            return None
        case datetime.datetime():
            midnight = value.time() == datetime.time() and value.tzinfo is None
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
    return canonical(str(value))


def text_of_float(value: float | np.floating[Any]) -> str | None:
    """Return the shortest text that reads back as the same number of the same precision."""
    if math.isnan(value):
        return None
    whole = float(value).is_integer() and abs(float(value)) < WHOLE_UNTIL
    return str(int(value)) if whole else str(value)


def texts_of(values: object) -> Texts:
    """Return a column's values as an array of text and None; each distinct value is written once."""
    if isinstance(values, np.ma.MaskedArray):
        texts = texts_of(values.data)
        texts[np.ma.getmaskarray(values)] = None
        return texts
    column = as_column(values)
    if column.dtype == object:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind not in ("string", "floating"):
            return texts_of_mixed(column)
        if kind == "floating":
            column = column.astype(np.float64)
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # lists and the like have no hash
        return texts_of_mixed(column)
    if column.dtype == np.float64:
        distinct = distinct.tolist()
    write = canonical if column.dtype == object else text_of_float if column.dtype.kind == "f" else text_of
    return np.array([*map(write, distinct), None], dtype=object)[codes]


def as_column(values: Any) -> Any:
    """Return values as an array of one type: text as objects, however the frame stores it."""
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=object) if isinstance(values.dtype, pd.StringDtype) else values.array
    if isinstance(values, np.ndarray):
        return pd.Series(values).array if values.dtype.kind in "mM" else values
    listed = list(values)
    column = np.empty(len(listed), dtype=object)
    column[:] = listed
    return column


def texts_of_mixed(values: Iterable[object]) -> Texts:
    """Return values of several types as text: 1, 1.0 and True are equal to a hash table, and not the same text."""
    return np.array([text_of(value) for value in values], dtype=object)
