"""``python -m benchmarks.truth``: run what is missing of the grid, and write its table and page.

Everything finished stays in the work folder: a run that is stopped goes on where it was. What is published is finished
too: a run on another machine goes on after the replicates that the table holds.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from benchmarks.truth.breaks import BREAKS
from benchmarks.truth.campaign import ROOT, run_campaign
from benchmarks.truth.cells import FULL, Cell, all_cells, quick_cells
from benchmarks.truth.page import BROKEN, write_page
from benchmarks.truth.peers import FOREST_REPLICATES
from benchmarks.truth.published import Published
from benchmarks.truth.replicate import replicate_of_grf
from benchmarks.truth.slices import check_slice, write_slice
from benchmarks.truth.store import Chunk, Store, cut_chunks
from benchmarks.truth.table import read_table, write_table

from benchmarks import grf

CHUNK = 25  # replicates of a file


def main(words: list[str] | None = None) -> int:
    """Run the command line."""
    given = read_words(words)
    kind = f"broken-{given.broken}" if given.broken else "quick" if given.quick else "replicates"
    store = Store(folder=given.work / kind)
    if given.check:
        return check_slice(given.check, backend=given.backend, jobs=given.jobs)
    if given.slice:
        write_slice(backend=given.backend, jobs=given.jobs)
        return 0
    if given.grf:
        return ask_grf_too(given)
    cells = choose_cells(given)
    goes_on = not (given.quick or given.broken or given.out or given.anew)
    published = Published.read() if goes_on else Published.nothing()
    if not given.table:
        chunks = [chunk for chunk in choose_chunks(cells, given) if published.lacks(chunk)]
        run_campaign(
            chunks, store, backend=given.backend, jobs=given.jobs, broken=given.broken, scheduler=given.scheduler
        )
    published = published.add(store, cells if given.quick or given.broken else all_cells())
    if given.broken:
        record_break(given.broken, published.rows)
    elif given.quick or given.out:
        out = given.out or given.work / "quick.csv"
        write_table(published.rows, out)
        sys.stderr.write(f"{out}\n")
    else:
        published.write()
        write_page(published)
    return 0


def ask_grf_too(given: argparse.Namespace) -> int:
    """Put R's grf beside the others in the published table, on the replicates that EconML's forest answered."""
    if not grf.is_there():
        sys.stderr.write("Rscript -e 'library(grf)' fails here: install R and grf, or set R_LIBS to where grf is.\n")
        return 2
    cells = [cell for cell in choose_cells(given) if cell.peer_replicates]
    chunks = [chunk for cell in cells for chunk in cut_chunks(cell, length=CHUNK)]
    store = Store(folder=given.work / "grf")
    run_campaign(
        [chunk for chunk in chunks if chunk.predicts and chunk.stop <= FOREST_REPLICATES], store,
        backend=given.backend, jobs=given.jobs, scheduler=given.scheduler, answer=replicate_of_grf,
    )  # fmt: skip
    published = Published.read().join(store, cells)
    published.write()
    write_page(published)
    return 0


def record_break(name: str, table: pd.DataFrame) -> None:
    """Write the named diagnosand of a broken method beside those of other breaks."""
    found = table[(table["diagnosand"] == BREAKS[name].diagnosand) & (table["procedure"] == "whoworks")]
    others = read_table(BROKEN) if BROKEN.exists() else found.head(0)
    rows = pd.concat([others[others["procedure"] != name], found.assign(procedure=name)])
    write_table(rows.sort_values("procedure"), BROKEN)


def read_words(words: list[str] | None) -> argparse.Namespace:
    """Read the command line's words."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few cells, few replicates, every diagnosand")
    parser.add_argument("--only", nargs="*", default=[], help="cells whose name holds one of these")
    parser.add_argument("--replicates", type=int, default=FULL, help="at most so many of a cell without predictions")
    parser.add_argument("--forests", type=int, default=FULL, help="at most so many of a cell with predictions")
    parser.add_argument("--backend", default="loky", choices=["loky", "dask", "sequential"])
    parser.add_argument("--scheduler", default="", help="address of a Dask scheduler; without one, a local cluster")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--anew", action="store_true", help="do not go on from what is published: run all of it")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "truth", help="where finished chunks are")
    parser.add_argument("--out", type=Path, help="write a table of what was run to this file alone")
    parser.add_argument("--break", dest="broken", default="", choices=["", *BREAKS], help="break the method on purpose")
    parser.add_argument("--table", action="store_true", help="run nothing, write table and page from what there is")
    parser.add_argument("--grf", action="store_true", help="ask R's grf about replicates that others answered before")
    parser.add_argument("--slice", action="store_true", help="write the first replicates' table for later comparison")
    parser.add_argument("--check", metavar="TEXT", help="run three cells of the slice again, picked by TEXT's hash")
    return parser.parse_args(words)


def choose_cells(given: argparse.Namespace) -> list[Cell]:
    """Return the cells asked for, with as many replicates as asked for."""
    if given.broken:
        found = BREAKS[given.broken]
        own = [cell for cell in all_cells() if cell.key == found.cell]
        forests = found.replicates if found.diagnosand.startswith(("calibration", "ranking")) else 0
        return [replace(own[0], replicates=found.replicates, forest_replicates=forests, peer_replicates=0)]
    cells = quick_cells() if given.quick else all_cells()
    kept = [cell for cell in cells if not given.only or any(part in cell.name for part in given.only)]
    return kept


def choose_chunks(cells: list[Cell], given: argparse.Namespace) -> list[Chunk]:
    """Cut the cells into chunks, and keep those asked for."""
    chunks = [chunk for cell in cells for chunk in cut_chunks(cell, length=CHUNK)]
    return [
        chunk
        for chunk in chunks
        if (
            chunk.stop <= given.forests
            if chunk.predicts
            else chunk.stop - chunk.cell.forest_replicates <= given.replicates
        )
    ]


if __name__ == "__main__":
    raise SystemExit(main())
