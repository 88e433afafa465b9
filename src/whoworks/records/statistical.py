"""Files of statistics packages: Stata's dta and SPSS's sav; value labels stay codes."""

from __future__ import annotations

import io
import struct

import pandas as pd

from whoworks.errors import RecordsError
from whoworks.records.records import Reading
from whoworks.records.text import texts_of


def read_dta(data: bytes, *, file: str) -> Reading:
    """Read a Stata file; its extended missing values (.a to .z) are missing."""
    try:
        frame = pd.read_stata(io.BytesIO(data), convert_categoricals=False)
    except (ValueError, struct.error, KeyError, IndexError, EOFError):
        raise damaged(file, "Stata") from None
    return reading_of(frame)


def read_sav(data: bytes, *, file: str) -> Reading:
    """Read an SPSS file; values that it declares missing are missing."""
    import pyreadstat
    from pyreadstat import ReadstatError

    try:
        frame, _ = pyreadstat.read_sav(io.BytesIO(data), apply_value_formats=False)
    except (ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError):
        raise damaged(file, "SPSS") from None
    return reading_of(frame)


def reading_of(frame: pd.DataFrame) -> Reading:
    """Return a frame's columns as text."""
    names = tuple(str(name) for name in frame.columns)
    return Reading(names=names, columns=tuple(texts_of(frame.iloc[:, place]) for place in range(len(names))))


def damaged(file: str, package: str) -> RecordsError:
    """Say that a file is not whole."""
    return RecordsError(
        f"'{file}' is damaged or cut short: {package}'s format cannot be read to its end. Copy it again."
    )
