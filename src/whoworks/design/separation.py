"""Separation: how seldom drawing the arms leaves what some assigned units hold to one of two arms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from whoworks.design.design import Codes, Vector

Mask = NDArray[np.bool_]


def smallest_chance(*, holds: Mask, arm: Mask, block: Codes) -> float:
    """Return the smallest p that `chance_of_separation` can give, whatever the draw: 1 where nothing can be told.

    It depends on how many units of each block hold the trait and on how many
    are in each arm, never on which: what is tested can be chosen by it
    (Tarone 1990, Biometrics 46).
    """
    held, size, treated = _count(holds, arm, block)
    fewest, most = np.maximum(0, held - (size - treated)), np.minimum(held, treated)
    ends = (_log_chance(at, held, size, treated).sum() for at in (fewest, most))
    return min(1.0, 2 * float(np.exp(min(ends))))


def chance_of_separation(*, holds: Mask, arm: Mask, block: Codes, rare: bool) -> float:
    """Return the exact two-sided p that so few of the units with a trait are drawn into one of two arms.

    Parameters
    ----------
    holds : (n,) whether each assigned unit holds the trait
    arm : (n,) whether it is in the second arm
    block : (n,) codes; each block's counts of the arms are the same in every draw
    rare : the arm in which the trait is rare

    Given how many units of a block hold it, those in one arm are hypergeometric
    (Fisher 1935), independently over blocks; the p is twice the lower tail of
    their sum. A trait of one unit gives 1, or nearly: it must be in some arm.
    """
    held, size, there = _count(holds, arm if rare else ~arm, block)
    seen = int((holds & (arm == rare)).sum())
    tail = np.ones(1)
    for counts in np.column_stack([held, size, there])[held > 0]:
        at = np.arange(min(seen, int(counts[0])) + 1)
        tail = np.convolve(tail, np.exp(_log_chance(at, *counts)))[: seen + 1]
    return min(1.0, 2 * float(tail.sum()))


def _count(holds: Mask, arm: Mask, block: Codes) -> tuple[Codes, Codes, Codes]:
    """Return each block's units with the trait, all its units, and those in the arm."""
    n_blocks = int(block.max(initial=-1)) + 1
    return (
        np.bincount(block[holds], minlength=n_blocks),
        np.bincount(block, minlength=n_blocks),
        np.bincount(block[arm], minlength=n_blocks),
    )


def _log_chance(at: Codes, held: Codes, size: Codes, there: Codes) -> Vector:
    """Return the log of the hypergeometric chance of `at` holders among the `there` units of an arm."""
    with np.errstate(invalid="ignore"):
        ways = _log_choose(held, at) + _log_choose(size - held, there - at) - _log_choose(size, there)
    possible = (at <= held) & (at <= there) & (there - at <= size - held)
    return np.where(possible, ways, -np.inf)


def _log_choose(n: Codes, k: Codes) -> Vector:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)
