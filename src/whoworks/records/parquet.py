"""Parquet, read through DuckDB so that no other reader is needed."""

from __future__ import annotations

import re
from pathlib import Path

from whoworks.errors import RecordsError
from whoworks.records.records import Reading
from whoworks.records.text import texts_of

PATTERN = re.compile(r"([*?\[])")  # characters that DuckDB takes for a pattern of several files


def read_parquet(path: Path, *, file: str) -> Reading:
    """Read the columns of a parquet file."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            result = connection.execute("SELECT * FROM read_parquet(?)", [PATTERN.sub(r"[\1]", str(path))])
            names = tuple(column[0] for column in result.description)
            columns = result.fetchnumpy()
    except duckdb.Error:
        raise RecordsError(
            f"'{file}' is damaged or cut short: it is not a whole parquet file. Copy it again."
        ) from None
    return Reading(names=names, columns=tuple(texts_of(columns[name]) for name in columns))
