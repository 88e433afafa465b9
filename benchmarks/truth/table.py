"""The table of the truth: every diagnosand of every cell with its bar, as a file anyone can read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from benchmarks.truth.bars import bar_of
from benchmarks.truth.cells import Cell
from benchmarks.truth.diagnosands import Diagnosand

COLUMNS = (
    "world", "assigned", "clusters", "icc", "procedure", "diagnosand", "replicates", "value", "mc_error", "low", "high",
    "met",
)  # fmt: skip
KEY = list(COLUMNS[:4])  # columns that name a cell
PRINTED = COLUMNS[7:11]  # columns of estimates, as text of four digits
DOCS = Path(__file__).parents[2] / "docs"
TABLE = DOCS / "truth.csv"


def rows_of(cell: Cell, told: Iterable[Diagnosand]) -> list[dict[str, object]]:
    """Return a cell's rows; `met` is "yes" or "no" where a bar is asked, "" elsewhere."""
    rows = []
    for found in told:
        bar = bar_of(cell, found)
        met = "" if bar is None else "no" if bar.is_missed(found) else "yes"
        rows.append(
            dict(zip(COLUMNS, (
                *cell.key, found.procedure, found.name, found.replicates, _printed(found.value),
                _printed(found.mc_error), _printed(found.low), _printed(found.high), met,
            ), strict=True))
        )  # fmt: skip
    return rows


def _printed(value: float) -> str:
    """Four significant digits, and no minus before a zero."""
    return f"{value + 0.0:.4g}"


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table, the same rows to the same bytes."""
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Return a written table: numbers as numbers, empty cells as empty text."""
    return as_numbers(read_printed(path))


def read_printed(path: Path) -> pd.DataFrame:
    """Return a written table with its estimates as they are printed, so that they are written the same again."""
    return pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys(PRINTED, str))


def as_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its estimates as numbers."""
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in PRINTED})
