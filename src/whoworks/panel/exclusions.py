"""Exclusions: which rows of the spine leave before any outcome is looked at, each with its first reason."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from whoworks.panel.ledger import EXCLUDED, RECEIVED, Entry
from whoworks.records.text import Texts

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Exclusions:
    """Reasons by row, filled while the panel is built; a row that has a reason keeps it."""

    n_rows: int
    reasons: list[str] = field(default_factory=list)
    reason: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.reason = np.full(self.n_rows, -1, dtype=np.int64)

    @property
    def staying(self) -> Mask:
        """Which rows have not left."""
        return self.reason < 0

    def take_out(self, leaving: Mask, reason: str) -> None:
        """Take out the rows of `leaving` that are still there."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.reason[leaving & self.staying] = self.reasons.index(reason)

    def entries(self, *, arm: Texts, codes: tuple[str, ...], table: str) -> tuple[Entry, ...]:
        """Return what was received and what left, by arm: the plan's codes first, then others, then none."""
        present = set(arm.tolist())
        order = [code for code in codes if code in present]
        order += sorted(present - set(codes) - {""}) + [""] * ("" in present)
        made = [(RECEIVED, f"rows of '{table}'", np.ones(self.n_rows, dtype=bool))]
        made += [(EXCLUDED, reason, self.reason == place) for place, reason in enumerate(self.reasons)]
        return tuple(
            Entry(step=step, reason=reason, arm=code, n_rows=int(count))
            for step, reason, rows in made
            for code in order
            if (count := np.count_nonzero(arm[rows] == code))
        )
