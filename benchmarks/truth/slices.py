"""A slice of the table that can be made again in a minute: the same seeds have to give the same digits."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
from benchmarks.truth.campaign import joblib_backend, run_chunk
from benchmarks.truth.cells import Cell, all_cells
from benchmarks.truth.diagnosands import tell
from benchmarks.truth.store import COLUMNS, Chunk
from benchmarks.truth.table import DOCS, read_table, rows_of, write_table

SLICE = DOCS / "truth_slice.csv"
REPLICATES = 20  # the first of a cell in which no effects are predicted
PARTS = 4  # of a cell's replicates, so that two processors share them
CELLS = 3  # of a comparison
TIMES = "seconds"  # belong to a machine
MOST_STUDENTS = 500  # of a cell that is compared: three have to fit into a minute and a half
LAST_DIGIT = 1e-3  # four digits are printed: rounding may move the last by one between machines


def slice_cells() -> list[Cell]:
    """Return the cells that may be picked: every fourth of the small ones, so that the slice is soon made again."""
    return [cell for cell in all_cells() if cell.layout.students <= MOST_STUDENTS][::4]


def pick(text: str) -> list[Cell]:
    """Pick cells by a hash of the text: a commit, say."""

    def rank(cell: Cell) -> str:
        return hashlib.sha256(f"{text} {cell.name}".encode()).hexdigest()

    return sorted(slice_cells(), key=rank)[:CELLS]


def run_slice(cells: Sequence[Cell], *, backend: str, jobs: int) -> pd.DataFrame:
    """Run the slice of some cells and return its table."""
    from joblib import Parallel, delayed

    step = REPLICATES // PARTS
    chunks = [
        Chunk(cell=cell, start=cell.forest_replicates + k * step, stop=cell.forest_replicates + (k + 1) * step)
        for cell in cells for k in range(PARTS)
    ]  # fmt: skip
    with joblib_backend(backend, jobs, ""):
        done = Parallel(n_jobs=jobs)(delayed(run_chunk)(chunk) for chunk in chunks)
    rows: list[dict[str, object]] = []
    for cell in cells:
        own = [row for chunk, found, _ in done if chunk.cell == cell for row in found]
        frame = pd.DataFrame(own, columns=list(COLUMNS))
        gaps = {"credibility": "", "null": False}
        frame = frame.assign(**{name: frame[name].astype(object).fillna(value=fill) for name, fill in gaps.items()})
        rows += rows_of(cell, (told for told in tell(frame.astype({"null": bool})) if not told.name.startswith(TIMES)))
    return pd.DataFrame(rows)


def write_slice(*, backend: str, jobs: int) -> None:
    """Run the slice of every cell and write it down."""
    write_table(run_slice(slice_cells(), backend=backend, jobs=jobs), SLICE)


def check_slice(text: str, *, backend: str, jobs: int) -> int:
    """Run three cells again and compare their printed digits; return 1, and say where, if any differ."""
    cells = pick(text)
    again = run_slice(cells, backend=backend, jobs=jobs)
    written = read_table(SLICE)
    place = ["world", "assigned", "clusters", "icc", "procedure", "diagnosand"]
    keys = pd.MultiIndex.from_tuples([cell.key for cell in cells], names=place[:4])
    before = written[written.set_index(place[:4]).index.isin(keys)].set_index(place)
    after = again.set_index(place)
    after = after.assign(**{name: pd.to_numeric(after[name]) for name in ("value", "mc_error", "low", "high")})
    differ = sorted(set(before.index) ^ set(after.index))
    shared = before.index.intersection(after.index)
    for name in ("replicates", "value"):
        left, right = (table.loc[shared, name].to_numpy(dtype=float) for table in (before, after))
        differ += list(shared[~np.isclose(left, right, rtol=LAST_DIGIT, atol=LAST_DIGIT / 1e3, equal_nan=True)])
    names = ", ".join(cell.name for cell in cells)
    sys.stderr.write(f"{names}: {len(shared)} numbers compared, {len(differ)} differ\n")
    for one in differ[:10]:
        sys.stderr.write(f"  {one}\n")
    return int(bool(differ))
