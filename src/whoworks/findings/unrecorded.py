"""Students without a record of a moderator: left out of its questions only, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from whoworks.findings.finding import Finding
from whoworks.findings.setting import Setting
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

MANY = 0.05  # share of the students analysed, or difference of the arms' shares, above which it is a caveat


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecorded:
    """Students analysed and those of them without the record; control first, then treatment.

    `tellable` is whether the plan's smallest cell lets their number be told.
    """

    without: tuple[int, int]
    of: tuple[int, int]
    tellable: bool

    @property
    def share(self) -> float:
        """Share of both arms' students without the record."""
        return sum(self.without) / sum(self.of)

    @property
    def shares(self) -> tuple[float, float]:
        """Share of each arm's students without the record."""
        return self.without[0] / self.of[0], self.without[1] / self.of[1]

    @property
    def matters(self) -> bool:
        """Whether many are left out, or more of one arm than of the other."""
        return self.share > MANY or abs(self.shares[1] - self.shares[0]) > MANY

    @property
    def counted(self) -> str:
        """Who has no record, in words: ``1,638 of 17,299 students (9 %)``."""
        return f"{sum(self.without):,} of {sum(self.of):,} students ({100 * self.share:.0f} %)"


def count_unrecorded(panel: Panel, setting: Setting, moderator: str) -> Unrecorded:
    """Count, by arm, the students analysed who have no record of a moderator."""
    absent = panel.values[moderator].isna().to_numpy()[setting.scores.rows]
    arms = [(absent & arm, arm) for arm in (setting.control, setting.treated)]
    return Unrecorded(
        without=(int(arms[0][0].sum()), int(arms[1][0].sum())), of=(int(arms[0][1].sum()), int(arms[1][1].sum())),
        tellable=read_smallest_cell(panel.plan).may_share(setting, setting.everyone, absent),
    )  # fmt: skip


def note_unrecorded(
    panel: Panel, setting: Setting, moderator: Moderator, findings: Iterable[Finding]
) -> tuple[Finding, ...]:
    """Note on a moderator's tests how many students without its record they leave out."""
    lost = count_unrecorded(panel, setting, moderator.name)
    note = f"{lost.counted if lost.tellable else 'some students'} without a record of it are left out"
    noted = sum(lost.without) > 0
    return tuple(
        replace(f, notes=(note, *f.notes))
        if noted and f.question in ("difference", "joint") and np.isfinite([f.estimate, f.statistic]).any() else f
        for f in findings
    )  # fmt: skip
