"""Which units an outcome's analysis keeps, counted in the ledger; and whether enough are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Design
from whoworks.design.levels import count_distinct
from whoworks.errors import InfeasibleError
from whoworks.language import plural
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Panel

Mask = NDArray[np.bool_]

MISSING = "outcome missing"
ALONE = f"{MISSING}, or missing for all other arms of its block"


def find_analysed(panel: Panel, design: Design, outcome: str) -> Mask:
    """Mark the units of the design, (n,), whose outcome tells something about the difference between arms.

    They have the outcome, and so has someone of another arm in their block: what
    is left of a block with one arm is compared with nothing.
    """
    observed: Mask = panel.values[outcome].notna().to_numpy()[design.rows]
    if not design.block.any():
        return observed
    arm, block = design.arm[observed], design.block[observed]
    n_found = count_distinct(within=block, codes=arm, n=int(design.block.max()) + 1)
    return np.asarray(observed & (n_found[design.block] > 1))


def count_analysed(panel: Panel, design: Design) -> Ledger:
    """Return the design's ledger with, for each outcome, the units that are left out and those analysed.

    Who lacks the outcome and who has nobody to be compared with are one count, so
    that neither tells the other where it is small.
    """
    ledger = design.ledger
    codes = np.array(design.arms, dtype=object)[design.arm]
    for outcome in panel.plan.outcomes:
        kept = find_analysed(panel, design, outcome.name)
        observed = panel.values[outcome.name].notna().to_numpy()[design.rows]
        reason = ALONE if (observed & ~kept).any() else MISSING
        for step, why, units in (("excluded", reason, ~kept), ("analysed", "", kept)):
            ledger = ledger.counting(
                step=step, reason=why, outcome=outcome.name, arm=list(codes[units]), cluster=design.cluster[units]
            )
        ledger.require_sums(list(codes[kept]), outcome.name)
    return ledger


def leave_out_alone(panel: Panel, design: Design) -> Panel:
    """Return the panel in which who has an outcome and nobody to be compared with lacks it, for checks and findings.

    An outcome that does not enter an analysis is lost to it, whatever the reason:
    checks speak of the same students as findings.
    """
    values = panel.values
    for outcome in panel.plan.outcomes:
        column = values[outcome.name].to_numpy(dtype=np.float64, copy=True)
        column[design.rows[~find_analysed(panel, design, outcome.name)]] = np.nan
        values = values.assign(**{outcome.name: column})
    return replace(panel, values=values)


def require_outcome(panel: Panel, design: Design, outcome: str) -> None:
    """Refuse an outcome that fewer than two clusters of some arm have.

    Raises
    ------
    InfeasibleError
        Naming the outcome, the arm and what can still be said.
    """
    kept = find_analysed(panel, design, outcome)
    observed = panel.values[outcome].notna().to_numpy()[design.rows]
    for place, label in enumerate(design.arm_labels):
        n = len(np.unique(design.cluster[kept & (design.arm == place)]))
        if n < 2:
            word = plural(design.cluster_level)
            among = "" if (kept == observed).all() else " in blocks where every arm has it"
            found = "is missing for everyone" if not observed.any() else f"was measured in {n} of the {word}{among}"
            raise InfeasibleError(
                f"The outcome '{panel.variable(outcome).label or outcome}' {found} in the arm '{label}', so its "
                f"effect cannot be estimated; at least two {word} in each arm are needed. Check the outcome's column "
                f"and [missing], or take the outcome out of the plan."
            )
