"""The ledger: every row received is either analysed or counted out, by arm, with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from whoworks import columns
from whoworks.errors import PanelError

RECEIVED, JOINED, EXCLUDED, ANALYSED = "received", "joined", "excluded", "analysed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One count: rows that arrived, left or remained at one step, in one arm.

    `step` is one of ``received``, ``excluded`` and ``analysed``, which add up,
    and ``joined``, which says what the tables beside the spine brought and
    takes no part in the sums; `reason` is a short phrase in plain words ("arm
    not in the plan: reg+A"); `outcome` is empty before the analysis of an
    outcome begins; `arm` is empty where no arm is known. Counts are of rows,
    units and clusters; a count that has no meaning yet is -1.
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

    def counting(
        self, *, step: str, reason: str, arm: Sequence[str], outcome: str = "", cluster: ArrayLike | None = None
    ) -> Ledger:
        """Return a ledger with one more entry per arm among the units of which `arm` holds the arm codes.

        Arms keep the order in which the ledger received them. `cluster` holds
        the units' clusters, counted where it is given.
        """
        places = np.asarray(arm, dtype=object)
        clusters = None if cluster is None else np.asarray(cluster)
        counts = Counter(places.tolist())
        received = [entry.arm for entry in self.entries if entry.step == RECEIVED]
        return self.plus(
            Entry(
                step=step,
                reason=reason,
                outcome=outcome,
                arm=code,
                n_rows=counts[code],
                n_units=counts[code],
                n_clusters=-1 if clusters is None else len(np.unique(clusters[places == code])),
            )
            for code in dict.fromkeys([*received, *counts])
            if counts[code]
        )

    def remaining(self, outcome: str = "") -> dict[str, int]:
        """Return rows received less rows excluded, by arm: before any outcome, or for one outcome."""
        left: Counter[str] = Counter()
        for entry in self.entries:
            if entry.step == RECEIVED:
                left[entry.arm] += entry.n_rows
            elif entry.step == EXCLUDED and entry.outcome in ("", outcome):
                left[entry.arm] -= entry.n_rows
        return {code: count for code, count in left.items() if count}

    def require_sums(self, arm: Sequence[str], outcome: str = "") -> None:
        """Refuse a ledger whose sums do not leave exactly the units of which `arm` holds the arm codes."""
        expected, found = self.remaining(outcome), dict(Counter(arm))
        if expected != found:
            raise PanelError(
                f"The ledger does not add up{f' for {outcome}' if outcome else ''}: received less excluded leaves "
                f"{expected} by arm, and {found} are there. Rows were lost without a reason; please report this."
            )

    def tidy(self) -> pd.DataFrame:
        """Return one row per entry, with the columns of ``ledger.csv``."""
        rows = [{name: getattr(entry, name) for name in columns.LEDGER} for entry in self.entries]
        return pd.DataFrame(rows, columns=list(columns.LEDGER))
