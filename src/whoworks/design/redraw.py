"""Drawing the assignment again as the design drew it: arms over assigned units, within blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from whoworks.design.design import Codes
from whoworks.design.levels import renumber

MOST_ENUMERATED = 10_000
LOG_EXACT = np.log(1e10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedUnits:
    """What was assigned, one entry each, in the order of its code.

    unit : (n,) place of each unit's own in `arm` and `block`
    arm, block : (assigned units,) codes
    """

    unit: Codes
    arm: Codes
    block: Codes


def list_assigned(*, arm: Codes, assigned: Codes, block: Codes) -> AssignedUnits:
    """Return the arm and block of each assigned unit; both are constant within it."""
    _, first, unit = np.unique(assigned, return_index=True, return_inverse=True)
    return AssignedUnits(unit=unit.astype(np.int64), arm=arm[first], block=renumber(block[first]))


def redraw_arms(*, arm: Codes, assigned: Codes, block: Codes, rng: np.random.Generator) -> Codes:
    """Draw the assignment once more: arms permuted over assigned units, each block's counts kept.

    Returns the (n,) arm that each unit would have been given. The draw depends
    on the generator and on the codes, never on the order of the units.
    """
    units = list_assigned(arm=arm, assigned=assigned, block=block)
    drawn: Codes = draw_many(units, n_draws=1, rng=rng)[0][units.unit]
    return drawn


def draw_many(units: AssignedUnits, *, n_draws: int, rng: np.random.Generator) -> Codes:
    """Return (n_draws, assigned units) arms, each row one draw of the assignment.

    Blocks of one size are permuted together: no loop over blocks or draws.
    """
    order = np.argsort(units.block, kind="stable")
    sizes = np.bincount(units.block)
    size_of = sizes[units.block[order]]
    drawn = np.empty((n_draws, len(order)), dtype=units.arm.dtype)
    for size in np.unique(size_of):
        places = order[size_of == size].reshape(-1, size)
        cards = np.broadcast_to(units.arm[places], (n_draws, *places.shape))
        drawn[:, places] = rng.permuted(cards, axis=2)
    return drawn


def count_draws(*, arm: Codes, assigned: Codes, block: Codes) -> float:
    """Return the number of distinct draws of the assignment: exact up to 1e10, inf where it overflows.

    Over blocks, the product of n! / (n_0! n_1! ...).
    """
    units = list_assigned(arm=arm, assigned=assigned, block=block)
    counts = count_cells(units)
    log_draws = float((gammaln(counts.sum(axis=1) + 1) - gammaln(counts + 1).sum(axis=1)).sum())
    if log_draws > LOG_EXACT:
        return float(np.exp(log_draws)) if log_draws < 700 else float("inf")
    return float(np.rint(np.exp(log_draws)))


def count_cells(units: AssignedUnits) -> Codes:
    """Return the (blocks, arms) counts of assigned units, which every draw keeps."""
    codes = renumber(units.arm)
    counts = np.zeros((int(units.block.max(initial=-1)) + 1, int(codes.max(initial=-1)) + 1), dtype=np.int64)
    np.add.at(counts, (units.block, codes), 1)
    return counts


def list_draws(units: AssignedUnits) -> Codes:
    """Return every distinct draw, one row each, (draws, assigned units); for 10,000 draws or fewer.

    The last block's arrangements change fastest.
    """
    codes = np.unique(units.arm)
    per_block = [arrange(counts) for counts in count_cells(units).tolist()]
    left = np.arange(math.prod(len(ways) for ways in per_block))
    drawn = np.empty((len(left), len(units.arm)), dtype=units.arm.dtype)
    for block in reversed(range(len(per_block))):
        left, way = np.divmod(left, len(per_block[block]))
        drawn[:, units.block == block] = codes[per_block[block]][way]
    return drawn


def arrange(counts: list[int]) -> Codes:
    """Return every distinct order of counts[0] zeros, counts[1] ones, and so on: (orders, places)."""
    size = sum(counts)
    if len(counts) == 1:
        return np.zeros((1, size), dtype=np.int64)
    ahead, rest = choose(size, counts[0]), arrange(counts[1:]) + 1
    cards = np.zeros((len(ahead), len(rest), size), dtype=np.int64)
    others = np.nonzero(~ahead)[1].reshape(len(ahead), 1, size - counts[0])
    np.put_along_axis(cards, others, rest[None], axis=2)
    return cards.reshape(len(ahead) * len(rest), size)


def choose(size: int, count: int) -> NDArray[np.bool_]:
    """Return every way to choose some of `size` places, (ways, size), in the order of the places chosen.

    What is left out runs through the same ways backwards, so the fewer are listed.
    """
    fewer = min(count, size - count)
    ways = math.comb(size, fewer)
    listed = itertools.chain.from_iterable(itertools.combinations(range(size), fewer))
    chosen = np.zeros((ways, size), dtype=np.bool_)
    chosen[np.arange(ways)[:, None], np.fromiter(listed, dtype=np.int64, count=ways * fewer).reshape(ways, fewer)] = (
        True
    )
    return chosen if fewer == count else ~chosen[::-1]


def enumerate_arms(*, arm: Codes, assigned: Codes, block: Codes) -> Iterator[Codes]:
    """Yield the (n,) arms of every distinct draw, one at a time; for designs of 10,000 draws or fewer."""
    units = list_assigned(arm=arm, assigned=assigned, block=block)
    for drawn in list_draws(units):
        yield drawn[units.unit]


def smallest_p(*, arm: Codes, assigned: Codes, block: Codes, contrast: tuple[int, int] = (0, 1)) -> float:
    """Return the smallest two-sided p that re-drawing can reach for a contrast of two arms.

    One draw among all of them; two where the mirror image, the two arms
    swapped everywhere, is itself a draw: 3 against 3 gives .10, 4 against 4
    .029, 5 pairs .0625.
    """
    units = list_assigned(arm=arm, assigned=assigned, block=block)
    first, second = (np.bincount(units.block, weights=units.arm == code) for code in contrast)
    extreme = 2 if np.array_equal(first, second) else 1
    return min(1.0, extreme / count_draws(arm=arm, assigned=assigned, block=block))
