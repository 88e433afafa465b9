"""Drawing: streams of random numbers, bags of clusters, honest parts.

Everything is drawn cluster by cluster within strata of arm (and block), so no
part is left with one arm by bad luck, and a cluster's students always travel
together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whoworks.forests.arena import Bagging, Draws, Strata, count_splitting
from whoworks.kernels import kernel

SPLIT, VALUE = 1, 2

splitting = kernel(count_splitting)  # Python asks it too, without waiting for a compiler


@kernel
def draw_unit(rng: NDArray[np.uint64]) -> float:
    """Draw a number in [0, 1) with 53 random bits; splitmix64 (Steele, Lea & Flood 2014)."""
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    x = rng[0]
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return float(np.int64(x >> np.uint64(11))) * 2.0**-53


@kernel
def draw_below(rng: NDArray[np.uint64], n: int) -> int:
    """Draw a whole number from 0 to n - 1."""
    return int(draw_unit(rng) * n)


@kernel
def draw_poisson(rng: NDArray[np.uint64], mean: float) -> int:
    """Draw a Poisson number by multiplying uniforms (Knuth); for means up to some hundreds."""
    limit, product, count = np.exp(-mean), draw_unit(rng), 0
    while product > limit:
        product *= draw_unit(rng)
        count += 1
    return count


@kernel
def round_at_random(rng: NDArray[np.uint64], value: float) -> int:
    """Round up or down so that the mean is kept; whole numbers draw nothing."""
    low = int(np.floor(value + 1e-9))
    rest = value - low
    if rest > 1e-9 and draw_unit(rng) < rest:
        return low + 1
    return low


@kernel
def shuffle_front(values: NDArray[np.int64], start: int, stop: int, n: int, rng: NDArray[np.uint64]) -> None:
    """Bring ``n`` of ``values[start:stop]``, drawn without replacement, to the front."""
    for i in range(start, start + n):
        j = i + draw_below(rng, stop - i)
        values[i], values[j] = values[j], values[i]


@kernel
def draw_bag(strata: Strata, bagging: Bagging, draws: Draws, rng: NDArray[np.uint64]) -> None:
    """Draw a bag: the share of every stratum's clusters, to the front of its part of ``bag``."""
    for i in range(len(strata.clusters)):
        draws.bag[i] = strata.clusters[i]
    for s in range(len(strata.start) - 1):
        start, stop = strata.start[s], strata.start[s + 1]
        draws.bag_size[s] = round_at_random(rng, bagging.bag_share * (stop - start))
        shuffle_front(draws.bag, start, stop, draws.bag_size[s], rng)


@kernel
def draw_parts(strata: Strata, bagging: Bagging, draws: Draws, rng: NDArray[np.uint64]) -> None:
    """Draw a tree's clusters from the bag and give each a role, stratum by stratum."""
    draws.role[:] = 0
    for s in range(len(strata.start) - 1):
        start, n_bag = strata.start[s], draws.bag_size[s]
        n = round_at_random(rng, bagging.tree_share * n_bag)
        shuffle_front(draws.bag, start, start + n_bag, n, rng)
        n_split = round_at_random(rng, splitting(n, bagging.split_share))
        for i in range(n):
            draws.role[draws.bag[start + i]] = SPLIT if i < n_split else VALUE


@kernel
def list_rows(strata: Strata, draws: Draws, role: int, honest: bool, rows: NDArray[np.uint32]) -> int:
    """List the rows of the clusters with a role, in canonical order; without honesty, of any role."""
    n = 0
    for c in range(len(draws.role)):
        if draws.role[c] == role or (not honest and draws.role[c] != 0):
            for r in range(strata.row_start[c], strata.row_start[c + 1]):
                rows[n] = r
                n += 1
    return n


@kernel
def mark_bag(strata: Strata, draws: Draws, bits: NDArray[np.uint8]) -> None:
    """Set the bit of every cluster in the bag, eight clusters a byte."""
    for s in range(len(strata.start) - 1):
        start = strata.start[s]
        for i in range(start, start + draws.bag_size[s]):
            c = draws.bag[i]
            bits[c >> 3] |= np.uint8(1 << (c & 7))
