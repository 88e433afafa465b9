"""The probability of each arm, known by design and never learned from the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whoworks.columns import PROBABILITY
from whoworks.design.design import ALIKE, Codes, Vector
from whoworks.design.levels import Level, name_culprits
from whoworks.errors import DesignError, first_few
from whoworks.language import plural
from whoworks.panel.panel import Panel
from whoworks.plan.design import RAREST


def know_probability(panel: Panel, *, arm: Codes, drawn: Level, block: Level, rows: Codes) -> Vector:
    """Return the (n, arms) probability of each arm for the kept units, as the plan states it.

    A number is the treatment's (two arms); a mapping gives each arm's; a column
    gives each unit's own; "blocks" is the share of what was drawn within each
    block, or in the whole study where there are none. Shares are taken among
    the arms kept, before outcomes are looked at.

    Raises
    ------
    DesignError
        When a column does not give every unit a probability between 0 and 1, or
        gives parts of what was drawn as a whole different ones.
    """
    arms = panel.plan.arms.codes
    stated = panel.plan.design.probability
    if stated is None or stated == "blocks":
        return drawn_shares(arm=arm, drawn=drawn.codes[rows], block=block.codes[rows], n_arms=len(arms))
    if isinstance(stated, Mapping):
        return np.tile([stated[code] for code in arms], (len(rows), 1))
    if isinstance(stated, float):
        return np.tile([1 - stated, stated], (len(rows), 1))
    treated = panel.units[PROBABILITY].to_numpy(dtype=float)[rows]
    require_inside(treated, stated, block, rows)
    require_whole(treated, stated, drawn, rows)
    return np.column_stack([1 - treated, treated])


def drawn_shares(*, arm: Codes, drawn: Codes, block: Codes, n_arms: int) -> Vector:
    """Return each unit's (n, arms) shares of what was drawn in its block.

    Each code of `drawn` is counted once: classes where intact classes were
    drawn, students where students were drawn into classes.
    """
    if not len(arm):
        return np.zeros((0, n_arms))
    once = np.unique(drawn, return_index=True)[1]
    counts = np.zeros((int(block.max()) + 1, n_arms))
    np.add.at(counts, (block[once], arm[once]), 1.0)
    shares: Vector = counts[block] / counts[block].sum(axis=1, keepdims=True)
    return shares


def require_inside(treated: Vector, column: str, block: Level, rows: Codes) -> None:
    """Raise when a column of probabilities has values outside (0, 1), naming the blocks where it has."""
    outside = ~((treated >= RAREST) & (treated <= 1 - RAREST))
    if not outside.any():
        return
    blocks = block.names[np.unique(block.codes[rows][outside])]
    where = f" ('{block.column}': {first_few(blocks)})" if block.word else ""
    raise DesignError(
        f"The column '{column}' holds no probability from {RAREST:g} to {1 - RAREST:g} for {int(outside.sum())} of "
        f"{len(treated)} units{where}. Every unit needs the probability with which it could have been given the "
        f"treatment; units that could only be given one arm tell nothing about the difference, so leave them out with "
        f"records.keep."
    )


def require_whole(treated: Vector, column: str, drawn: Level, rows: Codes) -> None:
    """Raise when a column of probabilities varies within what was drawn as a whole, naming where it does."""
    codes = drawn.codes[rows]
    low, high = np.full(len(drawn.names), np.inf), np.full(len(drawn.names), -np.inf)
    np.minimum.at(low, codes, treated)
    np.maximum.at(high, codes, treated)
    culprits = np.flatnonzero(high - low > ALIKE)
    if not len(culprits):
        return
    n_rows = int(np.isin(codes, culprits).sum())
    raise DesignError(
        f"The column '{column}' holds more than one probability within {len(culprits)} of {len(np.unique(codes))} "
        f"values of '{drawn.column}', with {n_rows} units{name_culprits(drawn, culprits)}. Each {drawn.word} was drawn "
        f"as a whole and had one chance of the treatment, so give all of a {drawn.word} the same; if its members were "
        f"drawn one by one, set design.drawn to their level instead of {plural(drawn.word)}."
    )
