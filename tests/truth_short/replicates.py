"""Many small pilots through the regression-only road: panel, design, scores, planned questions, grades."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from tests.findings.pilots import open_study, trim, unhurried
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.grades.credibility import grade
from whoworks.findings.moderation import open_moderation
from whoworks.findings.multiplicity.families import adjust_families, is_test
from whoworks.findings.planned.average import find_average
from whoworks.findings.planned.subgroups import find_moderation
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.simulate.pilot import make_pilot

REPLICATES = 400
SEED = 20_000
WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One world and layout; `blocks` "none" has one class a school, so that classes are all that varies."""

    world: str
    classes: int
    schools: int
    blocks: str = ""
    students_a_class: int = 12
    names: tuple[str, ...] = ("frl", "sex", "rit_fall")


CELLS = {
    "eight classes, no effect": Cell(world="no-effect", classes=8, schools=2, students_a_class=25),
    "twelve classes, no effect": Cell(world="no-effect", classes=12, schools=3, students_a_class=25),
    "twelve classes, effects vary": Cell(
        world="class-varying", classes=12, schools=12, blocks="none", students_a_class=25
    ),
    "forty classes, effects vary": Cell(
        world="class-varying", classes=40, schools=40, blocks="none", names=("frl", "devices", "rit_fall")
    ),
}


@cache
def replicate(name: str, n: int = REPLICATES) -> pd.DataFrame:
    """Return one row per finding and replicate, with its truth, over two processes; tell the time a replicate takes."""
    start = time.perf_counter()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(tabulate, [CELLS[name]] * n, range(SEED, SEED + n), chunksize=n // (4 * WORKERS)))
    sys.stderr.write(f"\n{name}: {1000 * (time.perf_counter() - start) / n:.0f} ms a replicate\n")
    return pd.DataFrame([row for part in parts for row in part])


def tabulate(cell: Cell, seed: int) -> list[dict[str, Any]]:
    """Return one row per finding of one pilot."""
    findings, truth = run_once(cell, seed)
    return [
        {
            "replicate": seed, "question": f.question, "moderator": f.moderator, "weighting": f.weighting,
            "estimate": f.estimate, "std_error": f.std_error, "df": f.df, "p": f.p_value, "low": f.conf_low,
            "high": f.conf_high, "credibility": f.credibility, "truth": truth.get(f.finding_id, np.nan),
        }
        for f in findings if f.question in ("average", "difference", "joint")
    ]  # fmt: skip


def run_once(cell: Cell, seed: int) -> tuple[list[Finding], dict[str, float]]:
    """Answer the plan's average and moderators in one pilot, adjusted and graded; nothing re-drawn."""
    layout = {"students": cell.classes * cell.students_a_class, "classes": cell.classes, "schools": cell.schools}
    pilot = trim(make_pilot(cell.world, seed=seed, blocks=cell.blocks, **layout), cell.names)
    opened = open_study(pilot.plan, pilot.records, seed=seed)
    setting, rng = unhurried(opened.main), np.random.default_rng(seed)
    found = list(find_average(setting, rng=rng))
    for moderator in pilot.plan.moderators:
        found += find_moderation(opened.panel, setting, moderator, rng=rng)
    items = adjust_families(found)
    graded = [give_grade(f, opened.panel, setting, items) if is_test(f, items) else f for f in items]
    return graded, {entry["finding_id"]: entry["population"] for entry in pilot.truth["estimands"]}


def give_grade(finding: Finding, panel: Panel, setting: Setting, items: tuple[Finding, ...]) -> Finding:
    """Grade a test as a run would whose checks all pass."""
    moderator = next(m for m in panel.plan.moderators if m.name == finding.moderator)
    return grade(
        finding, among=Findings(items=items), moderator=moderator, outcome=setting.outcome, is_main_contrast=True,
        design_failed=False, fragility=lambda _: open_moderation(panel, setting, moderator),
    )  # fmt: skip
