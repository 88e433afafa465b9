"""The ledger: every row received is either analysed or counted out, by arm, with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from whoworks import columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One count: rows that arrived, left or remained at one step, in one arm.

    `step` is one of ``received``, ``excluded`` and ``analysed``; `reason` is a
    short phrase in plain words ("arm not in the plan: reg+A"); `outcome` is
    empty before the analysis of an outcome begins; `arm` is empty where no arm
    is known. Counts are of rows, units and clusters; a count that has no
    meaning yet is -1.
    """

    step: str
    reason: str
    outcome: str = ""
    arm: str = ""
    n_rows: int
    n_units: int = -1
    n_clusters: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Counts in the order in which they happened; adding returns a new ledger."""

    entries: tuple[Entry, ...] = ()

    def plus(self, entries: Iterable[Entry]) -> Ledger:
        """Return a ledger with more entries at its end."""
        return Ledger(entries=self.entries + tuple(entries))

    def tidy(self) -> pd.DataFrame:
        """Return one row per entry, with the columns of ``ledger.csv``."""
        rows = [{name: getattr(entry, name) for name in columns.LEDGER} for entry in self.entries]
        return pd.DataFrame(rows, columns=list(columns.LEDGER))
