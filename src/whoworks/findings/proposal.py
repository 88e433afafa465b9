"""Proposing groups whose effect may differ, from one half of the clusters: a search that estimates nothing.

Every cut, and every pair of a promising cut with another, is judged by the score
test of its slope on the R-learner's residuals (Nie & Wager 2021, eq. 4), errors
correlated within clusters: with w the weight, z = +-1/2, r the outcome less prognosis
and block level, t the average effect there and R the rule's indicator less its mean,

    s_c = sum over the cluster of w z R (r - t z),     sum_c s_c / sqrt(sum_c s_c^2).

What is handed on are rules, never these statistics: they are the largest of many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whoworks.findings.rules import Condition, Rule, moderators_of
from whoworks.findings.setting import CLUSTERS_IN_A_LEVEL

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST = 3  # rules proposed
BEAM = 12  # conditions from which a pair is begun
LEAST_T = 1.0  # below, a rule is not worth a test that all others in the family pay for
SECOND_CUT = 1.0  # what a second cut must add to |t|, being the best of many more
LEAST_SHARE = 0.1  # of units on either side


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The units from which rules are proposed, sorted by cluster.

    member : (n, C) whether each condition holds
    pull : (n,) w z (r - t z)
    treated : (n,) the arm, of two
    starts : (G,) where each cluster begins
    """

    member: Mask
    pull: Vector
    treated: Mask
    starts: Codes

    @classmethod
    def of(
        cls, *, member: Mask, residual: Vector, treated: Mask, weights: Vector, cluster: Codes, block: Codes
    ) -> Half:
        """Sort units by cluster; take blocks' levels and the average effect out of the residual (outcome less h).

        Levels are those of these units alone: a block that lies in both halves
        must not carry the other half's outcomes over.
        """
        residual = residual - level_within(residual, treated=treated, weights=weights, block=block)
        order = np.argsort(cluster, kind="stable")
        z = np.where(treated, 0.5, -0.5)
        average = float((weights * z) @ residual / ((weights * z) @ z))
        pull = weights * z * (residual - average * z)
        starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) != 0])
        return cls(member=member[order], pull=pull[order], treated=treated[order], starts=starts)

    def judge(self, columns: Mask) -> Vector:
        """Return each rule's t, (q,) for (n, q) columns; 0 where a side has too few clusters or units."""
        size = self._sums(columns)  # (G, q) of each cluster inside
        share = size.sum(axis=0) / len(columns)
        sums = self._sums(columns * self.pull[:, None])
        sums -= share * np.add.reduceat(self.pull, self.starts)[:, None]
        length = np.sqrt((sums**2).sum(axis=0))
        t = np.divide(sums.sum(axis=0), length, out=np.zeros(len(share)), where=length > 0)
        enough = (share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE)
        treated = self._sums(columns & self.treated[:, None])
        for arm, held in ((self.treated, treated), (~self.treated, size - treated)):
            every = np.add.reduceat(arm, self.starts, dtype=np.float64)[:, None]
            for cell in (held > 0, held < every):
                enough &= cell.sum(axis=0) >= CLUSTERS_IN_A_LEVEL
        return np.where(enough, t, 0.0)

    def _sums(self, columns: NDArray[Any]) -> Vector:
        """Sum (n, q) columns over each cluster, (G, q): by a sparse matrix, since reduceat is slow along rows."""
        n = len(columns)
        values = columns.astype(np.float64, copy=False)
        if len(self.starts) == n:
            return values.copy() if values is columns else values
        cells = sparse.csr_array((np.ones(n), np.arange(n), np.r_[self.starts, n]), shape=(len(self.starts), n))
        return np.asarray(cells @ values)


def level_within(residual: Vector, *, treated: Mask, weights: Vector, block: Codes) -> Vector:
    """Return each block's mean of the two arms' weighted means, per unit; of one arm where it has no other."""
    code = np.unique(block, return_inverse=True)[1]
    arms = [np.bincount(code, weights * arm) for arm in (treated, ~treated)]
    sums = [np.bincount(code, weights * arm * residual) for arm in (treated, ~treated)]
    means = [np.divide(s, n, out=np.zeros(len(n)), where=n > 0) for s, n in zip(sums, arms, strict=True)]
    level = (means[0] + means[1]) / np.maximum((arms[0] > 0).astype(np.float64) + (arms[1] > 0), 1)
    return np.asarray(level[code], dtype=np.float64)


def propose_rules(half: Half, conditions: tuple[Condition, ...]) -> tuple[Rule, ...]:
    """Return the most promising rules, best first, at most three, no moderator used twice.

    One cut is told from the side that seems to gain more. A second cut costs 1 of
    |t|. What is left under 1 after that is not proposed.
    """
    if not conditions:
        return ()
    single = half.judge(half.member)
    ranked: list[tuple[float, Rule]] = [
        (float(t), (condition,)) for t, condition in zip(single, conditions, strict=True) if t > 0
    ]
    for first in np.argsort(-np.abs(single), kind="stable")[:BEAM]:
        if single[first] == 0:
            continue
        both = half.judge(half.member & half.member[:, [first]])
        ranked += [
            (abs(float(t)) - SECOND_CUT, (conditions[first], condition))
            for t, condition in zip(both, conditions, strict=True) if t != 0 and condition != conditions[first]
        ]  # fmt: skip
    proposed: list[Rule] = []
    used: set[str] = set()
    for t, rule in sorted(ranked, key=lambda pair: -pair[0]):
        if t >= LEAST_T and len(proposed) < MOST and used.isdisjoint(moderators_of(rule)):
            proposed.append(rule)
            used.update(moderators_of(rule))
    return tuple(proposed)
