"""What is true of one pilot: the values that its findings are held against."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from benchmarks.truth.cells import Cell

from whoworks.findings.finding import Finding
from whoworks.findings.searches.rules import follow_rule, read_rule
from whoworks.run import Run
from whoworks.simulate.pilot import Pilot
from whoworks.simulate.potential import Potential


class Truth:
    """What is true of one pilot, in SD of the outcome.

    given : what an interval should cover, by finding_id (`given_blocks` of `tell_truth`)
    population : over all schools of the world: 0 where a test's null holds
    differs : whether effects differ along any moderator that is recorded
    foreseen : by student_id, each effect as far as what is recorded tells. A group that some clusters propose is
        held against it: what was luck among them would else be counted as true, and estimates from the others as low
    """

    def __init__(self, *, entries: list[dict[str, Any]], scale: float, differs: bool, foreseen: pd.Series) -> None:
        self.given = {entry["finding_id"]: _scaled(entry["given_blocks"], scale) for entry in entries}
        self.population = {entry["finding_id"]: _scaled(entry["population"], scale) for entry in entries}
        self.scale, self.differs, self.foreseen = scale, differs, foreseen

    @classmethod
    def of(cls, cell: Cell, pilot: Pilot, potential: Potential) -> Truth:
        """Take it from the pilot's own truth and potential outcomes."""
        world, scale = cell.truth_world, float(pilot.truth["sd_without_programme"])
        differs = world.binary or any((world.by_frl, world.by_el, world.by_devices, world.by_both, world.peak))
        return cls(
            entries=pilot.truth["estimands"], scale=scale, differs=differs,
            foreseen=pd.Series(
                potential.foreseen[:, 0] * (100.0 if world.binary else 1.0) / scale, index=pilot.records["student_id"]
            ),
        )  # fmt: skip

    def of_rule(self, run: Run, finding: Finding) -> float:
        """Return a candidate's true difference: mean foreseen effect of those inside its rule less those outside."""
        setting = run.settings[0]
        rule = read_rule(finding.level, tuple(m.name for m in run.plan.moderators))
        inside, known = follow_rule(rule, run.panel, setting)
        effect = self.foreseen[setting.scores.id].to_numpy()
        return float(effect[inside].mean() - effect[known & ~inside].mean())


def _scaled(value: float | None, scale: float) -> float:
    return np.nan if value is None else value / scale
