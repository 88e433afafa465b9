"""The roster: the records as a district would export them, from which nothing of the truth can be read."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.design.design import Vector
from whoworks.simulate.cohort import SETTINGS, Cohort
from whoworks.simulate.layout import Layout
from whoworks.simulate.potential import Potential
from whoworks.simulate.traits import Streams
from whoworks.simulate.world import FALL_MEAN, POINTS_PER_SD, World

Labels = NDArray[np.object_]


def write_roster(world: World, layout: Layout, cohort: Cohort, potential: Potential, streams: Streams) -> pd.DataFrame:
    """Write one row per student, with a student code that says nothing."""
    n = len(cohort.fall)
    school, klass = place_codes(layout)
    drop = _gaps(world, cohort, streams["gap"])
    used = potential.use[np.arange(n), cohort.arm]
    columns: dict[str, object] = {
        "student_id": np.array([f"st{10_000 + row}" for row in range(n)], dtype=object),
        "class_id": klass[cohort.klass],
        "school_id": school[cohort.school],
        **({"pair_id": _pair_codes(cohort)} if layout.block_level == "pair" else {}),
        "setting": np.array(SETTINGS, dtype=object)[cohort.setting],
        "teacher_years": _with_gaps(cohort.years, drop["teacher_years"]),
        "devices": np.array(["shared", "own"], dtype=object)[cohort.devices],
        "arm": np.array(world.arms, dtype=object)[cohort.arm],
        "rit_fall": _with_gaps(np.round(FALL_MEAN + POINTS_PER_SD * cohort.fall), drop["rit_fall"]),
        "frl": _answers("NY", cohort.frl, drop["frl"]),
        "el": _answers("NY", cohort.el, drop["el"]),
        "sex": _answers("MF", cohort.girl, drop["sex"]),
        "logged_in": used.astype(np.int64),
        "minutes_used": np.where(used, np.round(streams["use"].gamma(4.0, 11.0, n)), 0.0),
        world.outcome: _observed(world, cohort, potential, streams),
    }
    return pd.DataFrame(columns)


def place_codes(layout: Layout) -> tuple[Labels, Labels]:
    """Codes of schools ("S07") and of classes ("S07-C2")."""
    home = layout.school_of_class
    digits = max(2, len(str(layout.schools)))
    first = np.searchsorted(home, home)
    school = np.array([f"S{number + 1:0{digits}d}" for number in range(layout.schools)], dtype=object)
    rooms = [
        f"{school[place]}-C{room + 1}" for place, room in zip(home, np.arange(layout.classes) - first, strict=True)
    ]
    return school, np.array(rooms, dtype=object)


def _pair_codes(cohort: Cohort) -> Labels:
    return np.array([f"P{number + 1:03d}" for number in range(int(cohort.pair.max()) + 1)], dtype=object)[cohort.pair]


def _observed(world: World, cohort: Cohort, potential: Potential, streams: Streams) -> Vector:
    n = len(cohort.fall)
    lot = streams["loss"].random(n)
    base = np.where(cohort.arm == 0, *world.attrition)
    odds = base / (1 - base) * np.exp(-world.attrition_slope * np.where(cohort.arm == 0, 0.0, cohort.fall))
    outcome = np.round(potential.outcome[np.arange(n), cohort.arm])
    return _with_gaps(outcome, lot < odds / (1 + odds))


def _gaps(world: World, cohort: Cohort, rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    names = ("rit_fall", "frl", "el", "sex")
    drop = {name: rng.random(len(cohort.fall)) < world.missing for name in names}
    classes = rng.random(int(cohort.klass.max()) + 1) < world.missing
    return drop | {"teacher_years": classes[cohort.klass]}


def _with_gaps(values: NDArray[np.generic], drop: NDArray[np.bool_]) -> Vector:
    return np.where(drop, np.nan, values.astype(np.float64))


def _answers(words: str, code: NDArray[np.int64], drop: NDArray[np.bool_]) -> Labels:
    return np.where(drop, np.array(None, dtype=object), np.array(list(words), dtype=object)[code])
