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

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whoworks.findings.searches.rules import Condition, Rule, moderators_of
from whoworks.findings.setting import CLUSTERS_IN_A_LEVEL
from whoworks.inference.block_level import block_level

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST = 3  # rules proposed
BEAM = 12  # conditions from which a pair is begun
LEAST_T = 1.0  # below, a rule is not worth a test that all others in the family pay for
SECOND_CUT = 1.0  # what a second cut must add to |t|, being the best of many more
LEAST_SHARE = 0.1  # of units on either side
CELLS_AT_ONCE = 500_000  # clusters by conditions judged in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The units from which rules are proposed, sorted by cluster.

    member : (n, C) 1 where a condition holds, else 0
    carried : (3, n) of each unit 1, its pull w z (r - t z), and whether it is treated
    starts : (G + 1,) where each cluster begins, and the last ends
    totals : (3, G) each cluster's sums of what is carried
    """

    member: Vector
    carried: Vector
    starts: Codes
    totals: Vector

    @classmethod
    def of(
        cls, *, member: Mask, residual: Vector, treated: Mask, weights: Vector, cluster: Codes, block: Codes
    ) -> Half:
        """Sort units by cluster; take blocks' levels and the average effect out of the residual (outcome less h).

        Levels are those of these units alone: a block that lies in both halves
        must not carry the other half's outcomes over.
        """
        z = np.where(treated, 0.5, -0.5)
        residual = residual - block_level(residual, block, z=z, weights=weights)
        order = np.argsort(cluster, kind="stable")
        average = float((weights * z) @ residual / ((weights * z) @ z))
        pull = weights * z * (residual - average * z)
        carried = np.stack([np.ones(len(order)), pull[order], treated[order]])
        starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) != 0])
        return cls(
            member=member[order].astype(np.float64), carried=carried, starts=np.r_[starts, len(order)],
            totals=np.add.reduceat(carried, starts, axis=1),
        )  # fmt: skip

    def judge(self, within: Vector) -> Vector:
        """Return the t, (f, C), of every condition together with each of f others; 0 where a side has too few.

        `within` is (f, n), 1 for units that meet the other: ones alone judge single conditions.
        """
        step = max(1, CELLS_AT_ONCE // max(1, self.totals.shape[1] * self.member.shape[1]))
        return np.concatenate([self._judge(within[at : at + step]) for at in range(0, len(within), step)])

    def _judge(self, within: Vector) -> Vector:
        inside, pull, treated = np.moveaxis(self._sums(within), 1, 0)  # (f, G, C) each
        every, total, every_treated = self.totals[:, :, None]
        share = inside.sum(axis=1) / self.member.shape[0]
        pull = pull - share[:, None] * total
        length = np.sqrt((pull**2).sum(axis=1))
        t = np.divide(pull.sum(axis=1), length, out=np.zeros(share.shape), where=length > 0)
        enough = (share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE)
        for held, most in ((treated, every_treated), (inside - treated, every - every_treated)):
            for cell in (held > 0, held < most):
                enough &= np.count_nonzero(cell, axis=1) >= CLUSTERS_IN_A_LEVEL
        return np.where(enough, t, 0.0)

    def _sums(self, within: Vector) -> Vector:
        """Sum what is carried by units that meet both, over each cluster, (f, 3, G, C): one sparse product."""
        n, rows = self.member.shape[0], 3 * len(within)
        values = (within[:, None] * self.carried).ravel()
        ends = (n * np.arange(rows)[:, None] + self.starts[1:]).ravel()
        cells = sparse.csr_array((values, np.tile(np.arange(n), rows), np.r_[0, ends]), shape=(len(ends), n))
        return np.asarray(cells @ self.member).reshape(len(within), 3, -1, self.member.shape[1])


def propose_rules(half: Half, conditions: tuple[Condition, ...]) -> tuple[Rule, ...]:
    """Return the most promising rules, best first, at most three, no moderator used twice.

    One cut is told from the side that seems to gain more. A second cut costs 1 of
    |t|. What is left under 1 after that is not proposed.
    """
    if not conditions:
        return ()
    single = half.judge(np.ones((1, half.member.shape[0])))[0]
    beam = [int(first) for first in np.argsort(-np.abs(single), kind="stable")[:BEAM] if single[first] != 0]
    t = single[None, :]
    if beam:
        both = np.abs(half.judge(half.member.T[beam])) - SECOND_CUT
        both[np.arange(len(beam)), beam] = 0.0
        t = np.vstack([t, both])
    proposed: list[Rule] = []
    used: set[str] = set()
    for place in np.argsort(-t, axis=None, kind="stable"):
        row, last = np.unravel_index(place, t.shape)
        if t[row, last] < LEAST_T or len(proposed) == MOST:
            break
        rule = (conditions[last],) if row == 0 else (conditions[beam[row - 1]], conditions[last])
        if used.isdisjoint(moderators_of(rule)):
            proposed.append(rule)
            used.update(moderators_of(rule))
    return tuple(proposed)
