"""What is true of one pilot: the values that its findings are held against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.truth.cells import Cell

from whoworks.findings.finding import Finding
from whoworks.findings.rules import follow_rule, read_rule
from whoworks.run import Run
from whoworks.simulate.pilot import Pilot, draw_pilot
from whoworks.simulate.potential import Potential


class Truth:
    """What is true of one pilot, in SD of the outcome.

    given : what an interval should cover, by finding_id (`given_blocks` of `tell_truth`)
    population : over all schools of the world: 0 where a test's null holds
    differs : whether effects differ along any moderator that is recorded
    systematic : by student_id, each effect less what nothing recorded follows
    """

    def __init__(self, *, entries: list[dict[str, Any]], scale: float, differs: bool, systematic: pd.Series) -> None:
        self.given = {entry["finding_id"]: _scaled(entry["given_blocks"], scale) for entry in entries}
        self.population = {entry["finding_id"]: _scaled(entry["population"], scale) for entry in entries}
        self.scale, self.differs, self.systematic = scale, differs, systematic

    @classmethod
    def of(cls, cell: Cell, pilot: Pilot, potential: Potential, seed: int) -> Truth:
        """Take it from the pilot's own truth and potential outcomes."""
        world, scale = cell.truth_world, float(pilot.truth["sd_without_programme"])
        if world.varying:
            potential = draw_pilot(replace(world, varying=0.0), cell.layout, seed=seed)[1]
        differs = world.binary or any((world.by_frl, world.by_el, world.by_devices, world.by_both, world.peak))
        return cls(
            entries=pilot.truth["estimands"], scale=scale, differs=differs,
            systematic=pd.Series(
                potential.effects[:, 0] * (100.0 if world.binary else 1.0) / scale, index=pilot.records["student_id"]
            ),
        )  # fmt: skip

    def of_rule(self, run: Run, finding: Finding) -> float:
        """Return a candidate's true difference: mean systematic effect of those inside its rule less those outside."""
        setting = run.settings[0]
        rule = read_rule(finding.level, tuple(m.name for m in run.plan.moderators))
        inside, known = follow_rule(rule, run.panel, setting)
        effect = self.systematic[setting.scores.id].to_numpy()
        return float(effect[inside].mean() - effect[known & ~inside].mean())


def _scaled(value: float | None, scale: float) -> float:
    return np.nan if value is None else value / scale
