"""Which units an outcome's analysis keeps, counted in the ledger; and whether enough are left."""

from __future__ import annotations

import numpy as np

from whoworks.design.design import Design
from whoworks.design.levels import plural
from whoworks.errors import InfeasibleError
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Panel


def count_analysed(panel: Panel, design: Design) -> Ledger:
    """Return the design's ledger with, for each outcome, the units that lack it and those analysed."""
    ledger = design.ledger
    codes = np.array(design.arms, dtype=object)[design.arm]
    for outcome in panel.plan.outcomes:
        observed = panel.values[outcome.name].notna().to_numpy()[design.rows]
        for step, reason, units in (("excluded", "outcome missing", ~observed), ("analysed", "", observed)):
            ledger = ledger.counting(
                step=step, reason=reason, outcome=outcome.name, arm=list(codes[units]), cluster=design.cluster[units]
            )
        ledger.require_sums(list(codes[observed]), outcome.name)
    return ledger


def require_outcome(panel: Panel, design: Design, outcome: str) -> None:
    """Refuse an outcome that fewer than two clusters of some arm have.

    Raises
    ------
    InfeasibleError
        Naming the outcome, the arm and what can still be said.
    """
    observed = panel.values[outcome].notna().to_numpy()[design.rows]
    for place, label in enumerate(design.arm_labels):
        n = len(np.unique(design.cluster[observed & (design.arm == place)]))
        if n < 2:
            word = plural(design.cluster_level)
            found = "is missing for everyone" if not observed.any() else f"was measured in {n} of the {word}"
            raise InfeasibleError(
                f"The outcome '{panel.variable(outcome).label or outcome}' {found} in the arm '{label}', so its "
                f"effect cannot be estimated; at least two {word} in each arm are needed. Check the outcome's column "
                f"and [missing], or take the outcome out of the plan."
            )
