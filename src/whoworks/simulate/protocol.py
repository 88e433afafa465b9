"""The study plan of a simulated pilot: the same questions in every world."""

from __future__ import annotations

import datetime as dt
from typing import Any

from whoworks.plan.plan import Plan
from whoworks.simulate.cohort import SETTINGS
from whoworks.simulate.layout import Layout
from whoworks.simulate.world import World

SCHEMA = 1
FILE = "pilot.csv"
REGISTERED = dt.date(2026, 8, 15)
ASSIGNED_ON = dt.date(2026, 9, 4)

ARM_LABELS = {
    "usual": "usual practice",
    "adaptive": "adaptive programme",
    "coached": "adaptive programme with coaching",
}
NO_YES = {"N": "no", "Y": "yes"}

MODERATORS: tuple[dict[str, Any], ...] = (
    {
        "column": "frl",
        "label": "free or reduced-price lunch",
        "level": "student",
        "values": {"N": "not eligible", "Y": "eligible"},
        "expect": {"larger": "Y"},
    },
    {
        "column": "devices",
        "label": "the class's devices",
        "level": "class",
        "values": {"shared": "shared devices", "own": "own devices"},
        "expect": {"larger": "own"},
    },
    {"column": "el", "label": "English learner", "level": "student", "values": NO_YES},
    {"column": "sex", "label": "sex", "level": "student", "values": {"M": "boys", "F": "girls"}},
    {"column": "rit_fall", "label": "mathematics (MAP RIT), fall", "level": "student", "kind": "number"},
    {"column": "teacher_years", "label": "teacher's years of experience", "level": "class", "kind": "number"},
    {"column": "setting", "label": "the school's setting", "level": "school", "values": {s: s for s in SETTINGS}},
)


def write_protocol(world: World, layout: Layout, *, shares: tuple[float, ...], seed: int) -> Plan:
    """Write the plan; `shares` are the arms' shares of what was drawn, control first: what counts without blocks."""
    return Plan.build(
        {
            "schema": SCHEMA,
            "study": {
                "name": f"{world.name.replace('-', ' ').capitalize()} adaptive mathematics pilot",
                "question": "Does the adaptive programme raise mathematics, for whom, and in which classrooms?",
                "registered": REGISTERED,
            },
            "records": [{"name": "pilot", "path": FILE}],
            "levels": _levels(layout),
            "arms": {
                "column": "arm",
                "control": world.arms[0],
                "treatments": list(world.arms[1:]),
                "labels": {code: ARM_LABELS[code] for code in world.arms},
            },
            "design": _design(world, layout, shares),
            "outcomes": [_outcome(world)],
            "moderators": [{**entry, "planned": entry["column"] in world.planned} for entry in MODERATORS],
            "covariates": {"columns": ["frl", "el", "sex"]},
            "takeup": {"column": "logged_in"},
            "implementation": {"columns": ["minutes_used"]},
            "analysis": {"seed": seed},
        }
    )


def _levels(layout: Layout) -> dict[str, str]:
    order = ["student", "class", "school"]
    if layout.block_level == "pair":
        order.insert(order.index(layout.assigned) + 1, "pair")
    return {level: f"{level}_id" for level in order}


def _design(world: World, layout: Layout, shares: tuple[float, ...]) -> dict[str, Any]:
    design: dict[str, Any] = {"kind": "randomised", "assigned": layout.assigned}
    if world.size_by_arm != 1.0:
        design["drawn"] = "student"
    design["assigned_on"] = ASSIGNED_ON
    if layout.block_level:
        design["blocks"] = [layout.block_level]
    if layout.assigned != "school":
        design["site"] = "school"
    design["probability"] = "blocks" if layout.block_level else _probability(world, shares)
    return design


def _probability(world: World, shares: tuple[float, ...]) -> float | dict[str, float]:
    return shares[1] if len(shares) == 2 else dict(zip(world.arms, shares, strict=True))


def _outcome(world: World) -> dict[str, Any]:
    score = {
        "column": "rit_spring",
        "label": "mathematics (MAP RIT), spring",
        "baseline": ["rit_fall"],
        "primary": True,
        "kind": "continuous",
        "domain": "mathematics",
        "better": "higher",
        "meaningful": 0.10,
        "meaningful_in": "sd",
    }
    if not world.binary:
        return score
    passed = {"column": "passed", "label": "passing the spring test of mathematics", "kind": "binary"}
    return {**score, **passed, "values": {"1": "passed", "0": "not yet"}, "meaningful": 5, "meaningful_in": "points"}
