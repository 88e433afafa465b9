"""What a ranking is worth: the targeting operator characteristic and the area under it.

For units with scores G_i sorted by a priority, highest first,

    TOC(q) = mean of G over the first share q  -  mean of G over all
    AUTOC  = (1 / n) sum_j TOC(j / n)

(Yadlowsky, Fleming, Shah, Brunskill & Wager 2025, JASA, definitions 1 and 2).
Units of equal priority count as their average over every order. Priorities of
different folds come from different rules, so that each fold is ranked by itself
and the folds' curves are averaged, weighted by their numbers of units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

LARGEST_TABLE = 4_000_000  # cells of samples by units held in memory at a time


def targeting_curve(*, score: Vector, priority: Vector, fold: Codes, shares: Vector, held: Mask) -> Vector:
    """Return TOC at each share, then AUTOC, for each of several samples of the units.

    Parameters
    ----------
    score, priority, fold : (n,) arrays
    shares : (q,) in (0, 1]; a share that falls within a unit takes its part of it
    held : (S, n) booleans, the units in each sample

    Returns
    -------
    (S, q + 1), in the units of the score; NaN for a sample without units
    """
    total, weight = np.zeros((len(held), len(shares) + 1)), np.zeros((len(held), 1))
    for k in np.unique(fold):
        place = np.flatnonzero(fold == k)
        order = place[np.argsort(-priority[place], kind="stable")]
        ties = np.flatnonzero(np.r_[True, np.diff(priority[order]) != 0])
        step = max(1, LARGEST_TABLE // len(order))
        for first in range(0, len(held), step):
            part = held[first : first + step, order].astype(np.float64)
            n = part.sum(axis=1)
            some = n > 0
            curve = _fold_curve(score[order], ties, part[some], shares)
            rows = np.arange(first, first + len(part))[some]
            total[rows] += n[some, None] * curve
            weight[rows] += n[some, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(total / weight, dtype=np.float64)


def _fold_curve(score: Vector, ties: Codes, held: Vector, shares: Vector) -> Vector:
    """Return TOC and AUTOC of units already in order; `ties` says where each run of equal priorities begins."""
    if len(ties) < len(score):
        inside = np.add.reduceat(held, ties, axis=1)
        mean = np.add.reduceat(held * score, ties, axis=1) / np.maximum(inside, 1)
        value = np.repeat(mean, np.diff(np.r_[ties, len(score)]), axis=1)
    else:
        value = np.broadcast_to(score, held.shape)
    taken, gained = np.cumsum(held, axis=1), np.cumsum(held * value, axis=1)
    n, average = taken[:, -1], gained[:, -1] / taken[:, -1]
    curve = np.empty((len(held), len(shares) + 1))
    rows = np.arange(len(held))
    for column, share in enumerate(shares):
        wanted = share * n
        at = np.argmax(taken >= wanted[:, None] - 1e-9, axis=1)
        reached = gained[rows, at] - (taken[rows, at] - wanted) * value[rows, at]
        curve[:, column] = reached / wanted - average
    curve[:, -1] = (held * gained / np.maximum(taken, 1)).sum(axis=1) / n - average
    return curve


def draw_halves(*, cluster: Codes, stratum: Codes, n_samples: int, rng: np.random.Generator) -> tuple[Mask, float]:
    """Draw half of the clusters of each stratum, several times.

    Parameters
    ----------
    cluster : (n,) codes
    stratum : (n,) codes, constant within clusters: the arms that the cluster holds

    Returns
    -------
    held : (n_samples, n) booleans
    factor : h / (G - h) for h of G clusters drawn: the mean squared deviation of the
        samples' statistics times this factor estimates the sampling variance
        (Politis, Romano & Wolf 1999, section 2.2, with the finite-sample factor)
    """
    _, first, place = np.unique(cluster, return_index=True, return_inverse=True)
    own = stratum[first]
    chosen = np.zeros((n_samples, len(first)), dtype=np.bool_)
    drawn = 0
    for code in np.unique(own):
        members = np.flatnonzero(own == code)
        half = max(1, len(members) // 2)
        drawn += half
        shuffled = rng.permuted(np.broadcast_to(members, (n_samples, len(members))), axis=1)
        np.put_along_axis(chosen, shuffled[:, :half], True, axis=1)
    rest = len(first) - drawn
    return chosen[:, place], drawn / rest if rest else np.inf
