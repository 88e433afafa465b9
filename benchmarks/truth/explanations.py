"""Why a bar is missed, where it is: one sentence with its evidence, or that it is not known yet."""

from __future__ import annotations

import pandas as pd
from benchmarks.truth.bars import Bar
from benchmarks.truth.cells import Cell

OPEN = "not explained yet"


def explain(cell: Cell, bar: Bar, row: pd.Series) -> str:
    """Return the explanation of a miss."""
    measure = str(row["diagnosand"]).rsplit(": ", 1)[1]
    if measure == "size" and bar.low == bar.high and row["high"] < bar.low:
        return (
            "safe: with few clusters, or groups that few of them hold, CR2 with Satterthwaite's degrees of freedom "
            "rejects less often than asked"
        )
    if cell.world == "attrition" and measure == "coverage":
        return (
            "scores are missing by arm and fall score at once: the effect among those measured is another one; reports "
            "of such pilots fail the attrition check and say so"
        )
    return OPEN
