"""Finished replicates on disk: one small file per chunk, so that a run that is stopped goes on where it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.truth.cells import Cell

COLUMNS = (
    "number", "procedure", "target", "estimate", "se", "df", "p", "p_drawn", "low", "high", "credibility", "truth",
    "null", "code",
)  # fmt: skip
TEXT = {"procedure", "target", "credibility", "code"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Replicates `start` to before `stop` of a cell."""

    cell: Cell
    start: int
    stop: int

    @property
    def weight(self) -> float:
        """About how many seconds of one processor it takes, against other chunks."""
        each = self.cell.weight + (2.0 if self.predicts else 0.0)
        return (self.stop - self.start) * each

    @property
    def predicts(self) -> bool:
        """Whether effects are predicted in it."""
        return self.start < self.cell.forest_replicates


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder of chunks."""

    folder: Path

    def path(self, chunk: Chunk) -> Path:
        """Return where a chunk's rows are."""
        return self.folder / chunk.cell.name / f"{chunk.start:05d}-{chunk.stop:05d}.parquet"

    def has(self, chunk: Chunk) -> bool:
        """Tell whether a chunk is finished."""
        return self.path(chunk).exists()

    def write(self, chunk: Chunk, rows: list[dict[str, Any]], *, code: str) -> None:
        """Write a finished chunk, whole or not at all; `code` names the version of the code that made it."""
        frame = pd.DataFrame(rows, columns=list(COLUMNS)).assign(code=code)
        for name in COLUMNS:
            if name in TEXT:
                frame[name] = frame[name].astype(object).fillna("").astype(str)
            elif name == "null":
                frame[name] = frame[name].astype(object).fillna(value=False).astype(bool)
            else:
                frame[name] = frame[name].astype(float)
        path = self.path(chunk)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}.half")
        frame.to_parquet(half, index=False)
        half.replace(path)

    def read(self, cell: Cell) -> pd.DataFrame:
        """Return the rows of a cell's finished replicates, in their order."""
        files = sorted((self.folder / cell.name).glob("*.parquet"))
        parts = [pd.read_parquet(path, use_threads=False) for path in files]  # Arrow's threads have aborted a long run
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def cut_chunks(cell: Cell, *, length: int) -> list[Chunk]:
    """Cut a cell's replicates into chunks; those that predict effects are cut five times finer."""
    edges = [*range(0, cell.forest_replicates, max(1, length // 5))]
    edges += [*range(cell.forest_replicates, cell.replicates, length), cell.replicates]
    return [Chunk(cell=cell, start=a, stop=b) for a, b in pairwise(edges)]
