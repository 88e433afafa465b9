"""Guard on waves: a wave that should have rows has some."""

from __future__ import annotations

import pandas as pd

from whoworks.errors import PanelError
from whoworks.panel.typing import SHARED
from whoworks.plan.agreement import every_measure
from whoworks.plan.plan import Plan
from whoworks.plan.waves import Waves
from whoworks.records.text import Texts, canonical

FEW = 10


def require_waves(plan: Plan, waves: Waves, texts: Texts) -> None:
    """Refuse a wave that the plan measures in and that no row is of.

    A wave after assignment may still be to come: it is refused only where the
    column holds codes that the plan does not name, of which it may be one.
    """
    counts = pd.Series(texts, dtype=object).value_counts()
    unnamed = set(counts.index) - {canonical(code) for code in waves.order.values()}
    for wave in dict.fromkeys(measure.wave for _, measure in every_measure(plan) if measure.wave):
        code = canonical(waves.order[wave])
        if code not in counts.index and (unnamed or wave in waves.before):
            raise PanelError(no_row_of(wave, str(code), waves.column, counts))


def no_row_of(wave: str, code: str, column: str, counts: pd.Series[int]) -> str:
    """Say that a wave has no row, and which codes there are where they can only be waves."""
    may_be_told = len(counts) <= FEW and bool((counts >= SHARED).all())
    held = f": it holds {', '.join(sorted(map(str, counts.index)))}" if may_be_told and len(counts) else ""
    return (
        f"No row has in '{column}' the code '{code}' of the wave '{wave}'{held}. Write under waves.order the code as "
        f"the column has it; where the wave is still to come, name all codes of '{column}' there."
    )
