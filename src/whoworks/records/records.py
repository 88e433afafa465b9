"""Records: the rows as received, every value still text, with where they came from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from whoworks.records.text import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where one table came from: file name (never its folder), sha256 of its bytes, rows and columns.

    `encoding` is how a text file was decoded ("utf-8", "windows-1252"), empty
    for other kinds of file. A table handed in as a frame has no file name, and
    its sha256 is that of its columns as text.
    """

    table: str
    file: str
    sha256: str
    n_rows: int
    n_columns: int
    encoding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: a frame of text (None where missing) with a `RangeIndex`, without the columns that are dropped."""

    name: str
    frame: pd.DataFrame
    provenance: Provenance

    def texts(self, column: str) -> Texts:
        """Return one column as an array of text and None."""
        texts: Texts = self.frame[column].to_numpy(dtype=object)
        return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The tables of a study in the plan's order; the first is the spine, to which the others are joined.

    `index` is the caller's own index of the spine where it was handed in as a
    frame: ``records.index[panel.position]`` gives each unit's label back.
    """

    tables: tuple[Table, ...]
    index: pd.Index | None = None

    @property
    def spine(self) -> Table:
        """The table whose rows become units."""
        return self.tables[0]

    def table(self, name: str) -> Table:
        """Return the table called `name`; StopIteration when there is none."""
        return next(table for table in self.tables if table.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader of one kind of file returns: names and columns of text, in the file's order."""

    names: tuple[str, ...]
    columns: tuple[Texts, ...]
    encoding: str = ""
