"""Frames handed in by the caller: pandas, or any frame that Narwhals reads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from whoworks.errors import RecordsError
from whoworks.records.records import Reading
from whoworks.records.text import texts_of

if TYPE_CHECKING:
    import narwhals as nw


def read_frame(frame: object) -> tuple[Reading, pd.Index | None]:
    """Return the columns of a frame as text, and its index where it has one; the frame is not changed."""
    if isinstance(frame, pd.DataFrame):
        names = tuple(str(name) for name in frame.columns)
        columns = tuple(texts_of(frame.iloc[:, place]) for place in range(len(names)))
        return Reading(names=names, columns=columns), frame.index
    import narwhals as nw

    try:
        read = nw.from_native(frame)  # type: ignore[call-overload]
    except TypeError:
        raise RecordsError(
            f"The records were handed in as {type(frame).__name__}, which is not a frame. Give a pandas DataFrame, or "
            "a frame that Narwhals reads, such as Polars or DuckDB."
        ) from None
    lazy = isinstance(read, nw.LazyFrame)
    eager = read.collect(None if read.implementation.is_polars() else "pandas") if lazy else read
    columns = tuple(texts_of(values_of(eager[name])) for name in eager.columns)
    return Reading(names=tuple(eager.columns), columns=columns), None


def values_of(series: nw.Series[Any]) -> object:
    """Return the values of a Narwhals series; a list would widen numbers of single precision and write them longer."""
    values = series.to_list()
    return np.array(values, dtype=np.float32) if str(series.dtype) == "Float32" else values


def hash_reading(reading: Reading) -> str:
    """Return a sha256 of names and values, which does not depend on the kind of frame they came in."""
    digest = hashlib.sha256()
    for name, column in zip(reading.names, reading.columns, strict=True):
        written = "\x1f".join(["\x00" if text is None else text for text in column.tolist()])
        digest.update(f"{name}\x1e{written}\x1e".encode(errors="surrogatepass"))
    return digest.hexdigest()
