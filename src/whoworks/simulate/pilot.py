"""A pilot: records, plan and truth of a trial in a world that is known."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whoworks.errors import WhoworksError
from whoworks.plan.files import write_whole
from whoworks.plan.plan import Plan
from whoworks.simulate.cohort import Cohort, draw_cohort
from whoworks.simulate.layout import Assigned, Blocks, Layout
from whoworks.simulate.potential import Potential, draw_potential
from whoworks.simulate.protocol import FILE, write_protocol
from whoworks.simulate.roster import write_roster
from whoworks.simulate.traits import open_streams
from whoworks.simulate.truth import tell_truth
from whoworks.simulate.world import World
from whoworks.simulate.worlds import find_world

SEED = 20260815
PLAN = "plan.toml"
TRUTH = "truth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What a district hands over, what was planned, and what is true.

    records : one row per student, as exported; no column holds a potential outcome
    plan : the study plan that fits the records
    truth : true effects under the names that findings have (`tell_truth`); ``truth.json`` adds the hashes of the others
    """

    records: pd.DataFrame
    plan: Plan
    truth: dict[str, Any]

    def write(self, folder: str | Path) -> Path:
        """Write ``pilot.csv``, ``plan.toml`` and ``truth.json`` into `folder`; the same pilot gives the same bytes.

        Raises
        ------
        WhoworksError
            When one of them is there and was not written by a pilot, or was changed since.
        """
        folder = Path(folder)
        texts = self.require_place(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole({folder / name: text for name, text in texts.items()})
        return folder

    def require_place(self, folder: Path) -> dict[str, str]:
        """Return the texts to write into `folder`, or refuse where that would cost somebody's own file."""
        texts = self._texts()
        own = _written_before(folder)
        lost = [name for name, text in texts.items() if not _may_replace(folder / name, text, own)]
        if lost:
            raise WhoworksError(
                f"{folder} already holds {' and '.join(lost)}, not written by whoworks or changed since. Nothing was "
                "touched; name an empty or a new folder."
            )
        return texts

    def _texts(self) -> dict[str, str]:
        table = self.records.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        texts = {FILE: table, PLAN: self.plan.to_toml()}
        truth = self.truth | {"files": {name: _sha256(text.encode()) for name, text in texts.items()}}
        return {**texts, TRUTH: json.dumps(truth, indent=2, ensure_ascii=False, allow_nan=False) + "\n"}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _written_before(folder: Path) -> dict[str, str] | None:
    """Return the hashes of the files that a pilot in `folder` was written with; None where none was."""
    try:
        truth = json.loads((folder / TRUTH).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(truth, dict) or "estimands" not in truth:
        return None
    files = truth.get("files")
    return files if isinstance(files, dict) else {}


def _may_replace(path: Path, text: str, own: dict[str, str] | None) -> bool:
    """Tell whether nothing of anybody's is lost when `path` holds `text`."""
    if not os.path.lexists(path):
        return True
    if not path.is_file():
        return False
    there = path.read_bytes()
    if there == text.encode():
        return True
    return own is not None and (path.name == TRUTH or own.get(path.name) == _sha256(there))


def make_pilot(
    world: str | World = "student-moderator",
    *,
    students: int = 1200,
    classes: int = 48,
    schools: int = 12,
    assigned: Assigned = "class",
    blocks: Blocks = "",
    share: float = 0.5,
    icc: float = 0.2,
    seed: int = SEED,
) -> Pilot:
    """Make a pilot in a world whose truth is known; the same arguments give the same pilot.

    Parameters
    ----------
    world
        The name of one of `whoworks.simulate.worlds.WORLDS`, or a `World` of one's own.
    students, classes, schools, assigned, blocks, share, icc
        The layout (`Layout`): sizes, what carries the arm, what it is drawn within,
        the share that is offered the programme, and the intraclass correlation.
    seed
        Pilots of one layout with the same seed share students, places and draw across worlds.

    Raises
    ------
    DesignError
        The world is unknown, or the layout cannot hold it.
    """
    layout = Layout(
        students=students, classes=classes, schools=schools, assigned=assigned, blocks=blocks, share=share, icc=icc
    )
    pilot, _ = draw_pilot(find_world(world) if isinstance(world, str) else world, layout, seed=seed)
    return pilot


def draw_pilot(world: World, layout: Layout, *, seed: int) -> tuple[Pilot, Potential]:
    """Draw a pilot, and beside it the potential outcomes of its students in the order of the records."""
    streams = open_streams(seed)
    cohort = draw_cohort(world, layout, streams)
    potential = draw_potential(world, layout, cohort, streams["use"])
    pilot = Pilot(
        records=write_roster(world, layout, cohort, potential, streams),
        plan=write_protocol(world, layout, shares=_arm_shares(world, layout, cohort), seed=seed),
        truth=tell_truth(world, layout, cohort, potential, seed=seed),
    )
    return pilot, potential


def _arm_shares(world: World, layout: Layout, cohort: Cohort) -> tuple[float, ...]:
    unit = {"class": cohort.klass, "school": cohort.school}.get(layout.assigned, np.arange(len(cohort.arm)))
    first = np.unique(unit, return_index=True)[1]
    counts = np.bincount(cohort.arm[first], minlength=len(world.arms))
    return tuple(float(count) / len(first) for count in counts)


def example() -> pd.DataFrame:
    """Return the records of the demonstration pilot: 1,200 generated students in 48 classes of 12 schools."""
    return make_pilot("lakeside").records
