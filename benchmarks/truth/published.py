"""What is published is the state of the work: a run anywhere goes on after the replicates that the table holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.truth.cells import Cell
from benchmarks.truth.diagnosands import Diagnosand, tell
from benchmarks.truth.pooling import pool
from benchmarks.truth.store import Chunk, Store
from benchmarks.truth.table import COLUMNS, DOCS, KEY, TABLE, read_printed, rows_of, write_table

REACHED = DOCS / "truth_cells.csv"
HELD = (*KEY, "without", "with", "codes")  # replicates without and with predicted effects, and who ran them
AMONG = " among the assessable"
LEAST = 50  # replicates that join a cell at a time: of fewer, too few reject for what is told of those that do


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A table and how far each cell is in it.

    rows : the table, its estimates as they are printed
    reached : one row per cell: the first `without` replicates that predict no effects are in the table, and the first
        `with` of those that do
    """

    rows: pd.DataFrame
    reached: pd.DataFrame

    @classmethod
    def nothing(cls) -> Published:
        """Return a table without cells."""
        return cls(rows=pd.DataFrame(columns=list(COLUMNS)), reached=pd.DataFrame(columns=list(HELD)))

    @classmethod
    def read(cls, table: Path = TABLE, reached: Path = REACHED) -> Published:
        """Read what is published."""
        return cls(rows=read_printed(table), reached=pd.read_csv(reached, dtype={"codes": str}))

    def write(self, table: Path = TABLE, reached: Path = REACHED) -> None:
        """Write it, the same rows to the same bytes."""
        write_table(self.rows, table)
        write_table(self.reached, reached)

    def of(self, cell: Cell) -> tuple[int, int]:
        """Return how many replicates of a cell are in the table, without and with predicted effects."""
        own = _own(self.reached, cell)
        return (int(own["without"].iloc[0]), int(own["with"].iloc[0])) if len(own) else (0, 0)

    def lacks(self, chunk: Chunk) -> bool:
        """Tell whether a chunk's replicates come after those in the table."""
        without, predicting = self.of(chunk.cell)
        return chunk.start >= (predicting if chunk.predicts else chunk.cell.forest_replicates + without)

    def add(self, store: Store, cells: Iterable[Cell]) -> Published:
        """Return the table with what the store has of the replicates that follow, without a gap, on those in it."""
        rows, reached = [], []
        for cell in cells:
            held, told = _own(self.rows, cell), _own(self.reached, cell)
            without, predicting = self.of(cell)
            found = store.read(cell)
            least = LEAST if len(held) else 1
            more = _following(found, predicting, cell.forest_replicates, least)
            beyond = _following(found, cell.forest_replicates + without, cell.replicates, least)
            fresh = found[found["number"].isin([*more, *beyond])]
            if not len(fresh):
                rows.append(held)
                reached.append(told)
                continue
            rows.append(pd.DataFrame(rows_of(cell, _pooled(held, tell(fresh))), columns=list(COLUMNS)))
            codes = {*" ".join(told["codes"]).split(), *fresh["code"]}
            counts = (without + len(beyond), predicting + len(more), " ".join(sorted(codes)))
            reached.append(pd.DataFrame([(*cell.key, *counts)], columns=list(HELD)))
        return Published(rows=_stacked(rows, COLUMNS), reached=_stacked(reached, HELD))

    def join(self, store: Store, cells: Iterable[Cell]) -> Published:
        """Return the table with the procedures that the store has rows of, in the place of what it told of them."""
        rows = self.rows
        for cell in cells:
            found, held = store.read(cell), _own(rows, cell)
            stale = held.index[held["procedure"].isin(found["procedure"])]
            fresh = pd.DataFrame(rows_of(cell, tell(found)), columns=list(COLUMNS))
            rows = _stacked([rows.drop(index=stale), fresh], COLUMNS)
        return replace(self, rows=_stacked([own for _, own in rows.groupby(KEY, sort=False)], COLUMNS))


def _own(frame: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Return a cell's rows."""
    kept = pd.Series(data=True, index=frame.index)
    for name, value in zip(KEY, cell.key, strict=True):
        kept &= frame[name] == value
    return frame[kept]


def _stacked(parts: list[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    kept = [part for part in parts if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(columns))


def _following(found: pd.DataFrame, start: int, stop: int, least: int) -> list[int]:
    """Return the numbers from `start` to before `stop` that are there without a gap; none where they are too few."""
    there, number = set(found["number"].astype(int)), start
    while number in there and number < stop:
        number += 1
    return list(range(start, number)) if number - start >= least else []


def _pooled(held: pd.DataFrame, fresh: list[Diagnosand]) -> list[Diagnosand]:
    """Return the diagnosands of a cell over what was in the table and what is new."""
    old = {(row["procedure"], row["diagnosand"]): _read(row) for _, row in held.iterrows()}
    new = {(one.procedure, one.name): one for one in fresh}
    told = old | new
    for key in told:
        # where a rate among the assessable is not told apart, all were
        whole = key[0], key[1].removesuffix(AMONG)
        one, other = old.get(key, old.get(whole)), new.get(key, new.get(whole))
        if one and other:
            told[key] = replace(pool(one, other, **spreads(key, old, new)), name=key[1])
    return list(told.values())


Told = dict[tuple[str, str], Diagnosand]


def spreads(key: tuple[str, str], old: Told, new: Told) -> dict[str, Any]:
    """Return what "SE / spread" divides by, as `pool` asks for it: the variance of errors of either, and of both.

    Bias and RMSE of both are exact, and with them the variance. Nothing for what divides by nothing that is told.
    """
    target, _, measure = key[1].rpartition(": ")
    if measure != "SE / spread":
        return {}
    names = [(key[0], f"{target}: {name}") for name in ("RMSE", "bias")]
    parts = [[told[name] for name in names] for told in (old, new)]
    both = [pool(*pair) for pair in zip(*parts, strict=True)]
    old_one, new_one, of_both = (rmse.value**2 - bias.value**2 for rmse, bias in (*parts, both))
    return {"per": (old_one, new_one), "of_both": of_both}


def _read(row: pd.Series) -> Diagnosand:
    return Diagnosand(
        procedure=row["procedure"], name=row["diagnosand"], replicates=int(row["replicates"]),
        value=float(row["value"]), mc_error=float(row["mc_error"]), low=float(row["low"]), high=float(row["high"]),
    )  # fmt: skip
