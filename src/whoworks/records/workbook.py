"""Excel workbooks (xlsx): the one sheet that holds the records."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from whoworks.errors import RecordsError, first_few
from whoworks.records.cells import find_errors
from whoworks.records.records import Reading
from whoworks.records.text import text_of, texts_of

Row = Sequence[object]


def read_workbook(data: bytes, *, file: str) -> Reading:
    """Read the only sheet that holds anything; its first row names the columns, formulas give their last values."""
    sheets = read_sheets(data, file)
    filled = {name: rows for name, rows in sheets.items() if rows}
    if len(filled) > 1:
        raise RecordsError(
            f"'{file}' has {len(filled)} sheets that hold something ({first_few(filled)}), and the records must be "
            "on one. Save the sheet of the records as a file of its own."
        )
    rows = next(iter(filled.values()), [])
    header = [text_of(cell) or "" for cell in rows[0]] if rows else []
    body = [[*row, *[None] * (len(header) - len(row))] for row in rows[1:]]
    columns = (
        zip(*(row[: len(header)] for row in body), strict=True) if body else [np.empty(0, dtype=object)] * len(header)
    )
    return Reading(names=tuple(header), columns=tuple(texts_of(column) for column in columns))


def read_sheets(data: bytes, file: str) -> dict[str, list[Row]]:
    """Return the rows of each sheet, without the empty rows at its end."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_object(io.BytesIO(data)) as book:
            listed = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
            rows = {name: sheet.to_python(skip_empty_area=False) for name, sheet in listed.items()}
        return {name: without_empty_end(with_errors(rows[name], find_errors(data, name))) for name in rows}
    except calamine.CalamineError:
        raise RecordsError(f"'{file}' is damaged, or is not an Excel workbook. Save it again as xlsx or csv.") from None


def with_errors(rows: Iterable[Row], errors: Mapping[tuple[int, int], str]) -> list[list[object]]:
    """Write into the rows of a sheet the words of its cells without a value."""
    written = [list(row) for row in rows]
    for (row, column), word in errors.items():
        written += [[] for _ in range(row + 1 - len(written))]
        written[row] += [""] * (column + 1 - len(written[row]))
        written[row][column] = word
    return written


def without_empty_end(rows: Iterable[Row]) -> list[Row]:
    """Drop the rows after the last that holds anything: sheets keep formatted rows below their data."""
    listed = list(rows)
    while listed and all(cell in ("", None) for cell in listed[-1]):
        listed.pop()
    return listed
