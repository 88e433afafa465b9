"""A p-value from the assignment itself: drawn again as the design drew it, and everything small computed again.

Used beside the t test where an arm has few clusters. The statistic is
studentised by CR2. The null is that the offer changed no unit's outcome by more
or less than `effect`: zero for an average, the estimated average for a
difference between groups. The prognosis is arm-blind, so that it need not be
learned again. Rosenbaum (2002), Observational Studies, chapter 2; studentised
as in Wu & Ding (2021), JASA 116.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whoworks.design.design import Codes, Design
from whoworks.design.redraw import MOST_ENUMERATED, count_draws, draw_many, list_assigned, list_draws, smallest_p
from whoworks.findings.redrawing.studentised import StudentisedEffect
from whoworks.findings.regression import control_units
from whoworks.scores.scores import Scores

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

N_DRAWS = 1999


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomizationTest:
    """A p-value over re-drawn assignments.

    p_value : share of draws (the actual one included) at least as extreme
    n_draws : how many, all of them where `is_exact`
    smallest : the smallest p that this design can give
    """

    p_value: float
    n_draws: int
    is_exact: bool
    smallest: float


def randomization_test(
    scores: Scores,
    design: Design,
    *,
    statistic: Callable[[Scores], float],
    effect: float,
    rng: np.random.Generator,
) -> RandomizationTest:
    """Compare a statistic with its values under re-drawn assignments.

    Parameters
    ----------
    statistic : of scores to a t statistic; larger in absolute value is more extreme
    effect : constant effect that the null assumes, in the outcome's units; the
        outcome under another assignment is ``y - effect z + effect z*``

    Draws keep each block's counts (among units of one probability), and leave arms outside the contrast where
    they are: nothing is assumed of their effects. All draws are enumerated when
    there are 10,000 or fewer.
    """
    place = design.places(scores.rows)
    treatment, control = _compared(scores, design.arm[place])
    two = (design.arm == control) | (design.arm == treatment)
    compared = {"arm": design.arm[two], "assigned": design.assigned[two], "block": design.exchangeable[two]}
    units, total = list_assigned(**compared), count_draws(**compared)
    is_exact = total <= MOST_ENUMERATED
    drawn = list_draws(units) if is_exact else draw_many(units, n_draws=N_DRAWS, rng=rng)
    smallest = smallest_p(**compared, contrast=(control, treatment))
    observed = abs(statistic(scores))
    arms, unit = _with_arms_that_stay(drawn, units.unit, design.arm, two)
    told = _over_draws(scores, design, statistic, arms, unit[place], effect)
    hits = int((np.abs(told) >= observed * (1 - 1e-9)).sum())
    p = hits / len(drawn) if is_exact else (hits + 1) / (len(drawn) + 1)
    return RandomizationTest(p_value=float(p), n_draws=len(drawn), is_exact=is_exact, smallest=smallest)


def _with_arms_that_stay(drawn: Codes, unit: Codes, arm: Codes, two: Mask) -> tuple[Codes, Codes]:
    """Return (D, u) arms of what is drawn, and beside them one that every arm keeps, and each unit's place there, (n,).

    Units outside the contrast take the place of their own arm.
    """
    stays = np.arange(int(arm.max()) + 1)
    everyone = drawn.shape[1] + arm
    everyone[two] = unit
    return np.hstack([drawn, np.tile(stays, (len(drawn), 1))]), everyone


def _over_draws(
    scores: Scores, design: Design, statistic: Callable[[Scores], float], drawn: Codes, unit: Codes, effect: float
) -> Vector:
    """Return the statistic under each of (D, u) draws: of all at once where it can be told so, else one by one.

    unit : (n,) the place among the u of each unit scored
    """
    place = design.places(scores.rows)
    base = scores.y - effect * scores.z
    told = None
    if isinstance(statistic, StudentisedEffect):
        treatment, control = _compared(scores, design.arm[place])
        others = (k for k in range(len(design.arms)) if k not in (treatment, control))
        told = statistic.over_draws(
            scores, drawn=drawn, unit=unit, compared=(treatment, *others), probability=design.probability[place],
            base=base, effect=effect,
        )  # fmt: skip
    told = np.full(len(drawn), np.nan) if told is None else told
    for draw in np.flatnonzero(np.isnan(told)):
        told[draw] = statistic(_reassigned(scores, design, drawn[draw][unit], place, base, effect))
    return told


def _reassigned(scores: Scores, design: Design, arm: Codes, place: Codes, base: Vector, effect: float) -> Scores:
    """Return the scores as they would be under other arms, (n,) codes, given the null's outcomes."""
    treatment, control = _compared(scores, design.arm[place])
    others = [k for k in range(len(design.arms)) if k not in (treatment, control)]
    z = (arm == treatment).astype(np.float64)
    other = (arm[:, None] == np.array(others, dtype=np.int64)[None, :]).astype(np.float64)
    own = design.probability[place, arm]
    return replace(scores, y=base + effect * z, z=z, other=other, own=own)


def _compared(scores: Scores, arm: Codes) -> tuple[int, int]:
    """Return the arms that the scores compare, as they were assigned: the treatment, and what it is held against."""
    return int(arm[scores.z == 1][0]), int(arm[control_units(scores)][0])
