"""A world: how students differ, what the programme does to whom, and what goes wrong on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

from whoworks.errors import DesignError

FRL_SHARE = 0.48
EL_SHARE = 0.08
SPRING_MEAN = 218.0
FALL_MEAN = 210.0
POINTS_PER_SD = 15.0
PASS_SHARE = 0.45
PEAK_WIDTH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is true. Effects are in SD of the outcome without the programme (15 points).

    Without the programme, student i of class c in school s has the fall score
    ``210 + 15 x`` and the spring score ``218 + 15 y``, where x and y are standard
    normal, each the sum of a school, a class and a student part with variances
    ``icc / 2``, ``icc / 2`` and ``1 - icc``; x and y correlate by `correlation`
    within each of the three. Lower fall scores go with free or reduced-price
    lunch F (48 % of students) and English learning E (8 %). Classes have their
    own devices (D = 1) or share them, half each, independently of all else.

    The offer changes the spring score of student i by ``15 tau_i``,

    ``tau_i = average + by_frl (F - .48) + by_el (E - .08) + by_devices (D - 1/2)
    + by_both (F - .48)(D - 1/2) + varying v_i + by_size (n / mean n - 1)
    + by_share (e - mean e) + peak (exp(-2 x^2) - 1 / sqrt(5))``

    with v standard normal, half of its variance between schools and half between
    classes of a school; n the size of the class (of the school, where schools or
    students are assigned) and e the share of the block that is offered the programme.

    Parameters
    ----------
    name, summary, equations
        The world's name; in one sentence what it is for; what is true in it.
    average, by_frl, by_el, by_devices, by_both, varying, by_size, by_share, peak
        As above.
    correlation
        Of fall with spring scores between schools, between classes of a school, and within classes.
    coached
        In worlds with a third arm: what it adds to every student's effect; None elsewhere.
    binary
        The outcome is ``passed``: would the spring score exceed the cut that 45 % exceed without the programme?
    heavy_tails
        The student's own part of y that x does not explain is t with 3 degrees of freedom, scaled to the same variance.
    take_up
        Share that uses the programme without and with an offer. The offer acts
        through use alone, so that users because of the offer gain
        ``tau_i / (difference of the shares)`` and all others nothing.
    attrition
        Share without a spring score in the control arm and in other arms, for students of average fall score.
    attrition_slope
        In other arms, the log-odds of losing the spring score fall by this per SD of the fall score.
    size_by_arm
        Size of offered classes relative to the others; students are then drawn into classes.
    block_shares
        Shares of blocks that are offered the programme, taken in turn; empty where all blocks have the same.
    share_to_outcome
        Blocks with larger shares score higher without the programme: SD of y per unit of share.
    missing
        Share of each covariate's values that is missing at random.
    planned
        Columns of the moderators that the plan registers; the others are explored.
    """

    name: str
    summary: str
    equations: str
    average: float = 0.0
    by_frl: float = 0.0
    by_el: float = 0.0
    by_devices: float = 0.0
    by_both: float = 0.0
    varying: float = 0.0
    by_size: float = 0.0
    by_share: float = 0.0
    peak: float = 0.0
    correlation: tuple[float, float, float] = (0.7, 0.7, 0.7)
    coached: float | None = None
    binary: bool = False
    heavy_tails: bool = False
    take_up: tuple[float, float] = (0.0, 1.0)
    attrition: tuple[float, float] = (0.04, 0.04)
    attrition_slope: float = 0.0
    size_by_arm: float = 1.0
    block_shares: tuple[float, ...] = ()
    share_to_outcome: float = 0.0
    missing: float = 0.03
    planned: tuple[str, ...] = ("frl", "devices")

    def __post_init__(self) -> None:
        if self.take_up[1] - self.take_up[0] <= 0:
            raise DesignError(f"World '{self.name}': take_up is {self.take_up}; the offer must raise use.")
        if self.binary and (self.take_up != (0.0, 1.0) or any(self._uneven)):
            raise DesignError(f"World '{self.name}': a binary outcome takes an average effect alone and full take-up.")

    @property
    def _uneven(self) -> tuple[float, ...]:
        return (
            self.by_frl, self.by_el, self.by_devices, self.by_both, self.varying,
            self.by_size, self.by_share, self.peak, self.share_to_outcome,
        )  # fmt: skip

    @property
    def arms(self) -> tuple[str, ...]:
        """The codes of the arms, control first."""
        return ("usual", "adaptive") if self.coached is None else ("usual", "adaptive", "coached")

    @property
    def outcome(self) -> str:
        """The column of the outcome."""
        return "passed" if self.binary else "rit_spring"

    @property
    def peak_mean(self) -> float:
        """E[exp(-x^2 / (2 w^2))] for standard normal x: w / sqrt(1 + w^2)."""
        return PEAK_WIDTH / math.sqrt(1 + PEAK_WIDTH**2)

    @property
    def complier_share(self) -> float:
        """Share of students who use the programme because it is offered."""
        return self.take_up[1] - self.take_up[0]
