"""What the design fixes: arms, probabilities, blocks and clusters, each known before any outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.panel.ledger import Ledger

Codes = NDArray[np.int64]
Vector = NDArray[np.float64]

ALIKE = 1e-6  # of a probability: units of a block that differ by less may be exchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The declared design, held against the data, for the units whose blocks have every arm compared.

    All arrays have one entry per kept unit, in the panel's order.

    rows : (n,) positions of the kept units in `Panel.units`
    arms : the plan's arm codes, control first; `arm_labels` are their words
    arm : (n,) index into `arms`; 0 is control
    probability : (n, len(arms)) known probability of each arm; rows sum to 1
    assigned, drawn : (n,) codes of the unit that carries the arm, and of what was drawn
    block : (n,) codes of the block within which assignment was drawn; zeros where there are none
    site : (n,) codes of the site, or None where the plan names none
    cluster : (n,) codes of the clusters that inference counts
    cluster_level : the level that names the cluster ("class"); `cluster_reason` says why, in a sentence
    sensitivity : (n,) codes of the block for the standard error printed beside, or None; `sensitivity_level` its level
    block_level, assigned_level, drawn_level, site_level : the plan's words for them ("" where there is none)
    ledger : the panel's ledger, followed by what was left out here
    probability_from : "plan" where the plan states the probabilities, "shares" where they are what was drawn
    """

    kind: str
    rows: Codes
    arms: tuple[str, ...]
    arm_labels: tuple[str, ...]
    arm: Codes
    probability: Vector
    assigned: Codes
    drawn: Codes
    block: Codes
    site: Codes | None
    cluster: Codes
    cluster_level: str
    cluster_reason: str
    sensitivity: Codes | None
    sensitivity_level: str
    assigned_level: str
    drawn_level: str
    block_level: str
    site_level: str
    ledger: Ledger
    probability_from: str = "plan"

    def places(self, rows: Codes) -> Codes:
        """Return where units, given by their positions in `Panel.units`, stand in the arrays of the design."""
        return np.asarray(np.searchsorted(self.rows, rows), dtype=np.int64)

    @property
    def exchangeable(self) -> Codes:
        """(n,) codes of blocks, divided by probability where it differs in one: what may be drawn again together."""
        return divide_by_probability(self.block, self.probability)


def differs_within(probability: Vector, block: Codes) -> bool:
    """Tell whether a probability, (n,) or (n, arms), differs within a block, and not for want of digits alone."""
    if not len(block) or (np.ptp(probability, axis=0) <= ALIKE).all():
        return False
    _, first, place = np.unique(block, return_index=True, return_inverse=True)
    return bool(np.abs(probability - probability[first][place]).max() > ALIKE)


def divide_by_probability(block: Codes, probability: Vector) -> Codes:
    """Return codes of blocks, (n,), divided by a probability, (n,) or (n, arms), where it differs in one."""
    if not differs_within(probability, block):
        return block
    known = np.column_stack([block, np.rint(probability / ALIKE)])
    return np.unique(known, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
