"""One replicate: a pilot through the same road as a report, and what was found beside what is true."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.truth.cells import TREES, Cell
from benchmarks.truth.peers import ask_grf, ask_peers
from benchmarks.truth.true_values import Truth

from whoworks.errors import InfeasibleError
from whoworks.findings.finding import Finding
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.plan.plan import Plan
from whoworks.run import Run
from whoworks.simulate.pilot import draw_pilot
from whoworks.study import Study

OURS = "whoworks"
ENTROPY = 20_261_122
EXTRA = ("sex", "rit_fall")  # moderators explored beside the planned ones, where effects are not predicted
Row = dict[str, Any]


def seed_of(number: int) -> int:
    """Return the seed of a replicate: the same in every cell, so that cells of one layout share their students."""
    return int(np.random.SeedSequence(ENTROPY, spawn_key=(number,)).generate_state(1)[0])


def replicate(cell: Cell, number: int) -> list[Row]:
    """Return one row per estimate of replicate `number`, ours and the peers'; effects in SD of the outcome."""
    seed, start = seed_of(number), time.process_time()
    pilot, potential = draw_pilot(cell.truth_world, cell.layout, seed=seed)
    predicts = number < cell.forest_replicates
    plan = shape_plan(pilot.plan, predicts=predicts)
    begun = time.process_time()
    try:
        run = Study.from_plan(plan, frame=pilot.records).run()
    except InfeasibleError:
        return [{"number": number, "procedure": OURS, "target": "refused", "estimate": 1.0}]
    spent = time.process_time() - begun
    truth = Truth.of(cell, pilot, potential)
    rows = [
        {"target": "refused", "estimate": 0.0},
        {"target": "seconds with predictions" if predicts else "seconds", "estimate": spent},
        {"target": "seconds to draw", "estimate": begun - start},
        *_stages(run, spent, predicts),
        *read_findings(run, truth),
    ]
    rows = [{"procedure": OURS, **row} for row in rows]
    rows += ask_peers(cell, run, truth, number=number)
    return [{"number": number, **row} for row in rows]


def replicate_of_grf(cell: Cell, number: int) -> list[Row]:
    """Return the rows of R's grf alone on replicate `number`, for a table that has the others' on it."""
    pilot, potential = draw_pilot(cell.truth_world, cell.layout, seed=seed_of(number))
    run = Study.from_plan(shape_plan(pilot.plan, predicts=False), frame=pilot.records).run()
    rows = ask_grf(cell, run, Truth.of(cell, pilot, potential), number=number)
    return [{"number": number, **row} for row in rows]


def _stages(run: Run, spent: float, predicts: bool) -> Iterator[Row]:
    """Share the processor's seconds out over the run's stages by the clock, reading and panel first."""
    total = sum(run.timings.values())
    for stage, seconds in run.timings.items():
        words = f"seconds with predictions, {stage}" if predicts else f"seconds, {stage}"
        yield {"target": words, "estimate": spent * seconds / total}


def shape_plan(plan: Plan, *, predicts: bool) -> Plan:
    """Ask for all moderators and predicted effects, or for the planned and two explored moderators and none.

    Where none are predicted, claims are not estimated again on other folds either: their rates are
    at most too high, since those deals only lower a grade.
    """
    chosen = {"engine": "whoworks"} if predicts else {"engine": "none", "refits": 0}
    analysis = plan.analysis.model_copy(update={"trees": TREES, **chosen})
    kept = tuple(m for m in plan.moderators if predicts or m.planned or m.column in EXTRA)
    return plan.model_copy(update={"analysis": analysis, "moderators": kept})


def read_findings(run: Run, truth: Truth) -> Iterator[Row]:
    """Yield a row per finding of the primary outcome and main contrast that the table speaks of."""
    main, average = run.settings[0].scores.contrast, {}
    for finding in run.findings:
        target = name_target(finding)
        if target and finding.contrast == main:
            row = {
                "target": target, "estimate": finding.estimate / truth.scale, "se": finding.std_error / truth.scale,
                "df": finding.df, "p": finding.p_value, "p_drawn": finding.p_randomization,
                "low": finding.conf_low / truth.scale, "high": finding.conf_high / truth.scale,
                "credibility": finding.credibility, **_true(finding, target, run, truth),
            }  # fmt: skip
            average = row if target == "average" else average
            yield row
    for target, knows in (("plain difference", False), ("oracle difference", True)):
        estimate, se = refer_average(run, knows=knows)
        yield {
            "target": target, "estimate": estimate / truth.scale, "se": se / truth.scale,
            "truth": average.get("truth", np.nan),
        }  # fmt: skip
    yield {"target": "trees chosen", "estimate": float(run.precision[0].learner == "gradient boosting")}


def refer_average(run: Run, *, knows: bool) -> tuple[float, float]:
    """Return a plain difference and its standard error, weighted by the shares drawn: nothing of it is learned.

    With `knows` it is adjusted as only one who made the world could: by the fall score alone, which
    is all that scores follow beside the arm, with slopes between and within clusters.
    """
    scores, design = run.settings[0].scores, run.design
    place = np.searchsorted(design.rows, scores.rows)
    by_student = run.plan.design.drawn == "student"
    unit = np.arange(len(design.arm)) if by_student else design.assigned
    first = np.unique(unit, return_index=True)[1]
    held = np.zeros((int(design.block.max()) + 1, int(design.arm.max()) + 1))
    np.add.at(held, (design.block[first], design.arm[first]), 1)
    share = (held / held.sum(axis=1, keepdims=True))[design.block, design.arm][place]
    blocked = scores.block.max() > scores.block.min()
    columns = np.column_stack([scores.z, scores.other] if blocked else [scores.z, scores.other, np.ones(len(place))])
    if knows:
        fall = run.panel.values["rit_fall"].iloc[scores.rows].to_numpy(dtype=float)
        fall = np.where(np.isnan(fall), np.nanmean(fall), fall)
        mean = pd.Series(fall).groupby(scores.cluster).transform("mean").to_numpy()
        columns = np.column_stack([columns, mean, fall - mean])
    fit = cluster_robust(
        X=columns, y=scores.y, cluster=scores.cluster, weights=1 / share, absorb=scores.block if blocked else None
    )
    told = fit.linear(np.eye(columns.shape[1])[0])
    return float(told.estimate[0]), float(told.std_error[0])


def _true(finding: Finding, target: str, run: Run, truth: Truth) -> Row:
    if finding.question == "candidate":
        value = truth.of_rule(run, finding)
        return {"truth": value, "null": abs(value) < 1e-9}
    if target in SEARCHES:
        return {"truth": np.nan, "null": not truth.differs}
    if finding.question == "joint":
        own = [value for name, value in truth.population.items() if f":difference:{finding.moderator}:" in name]
        return {"truth": np.nan, "null": all(value == 0.0 for value in own)}
    name = finding.finding_id
    return {"truth": truth.given.get(name, np.nan), "null": truth.population.get(name) == 0.0}


DIFFERENCES = ("difference between groups' effects", "change in the effect per SD of the moderator")
SEARCHES = ("omnibus", "calibration", "sorted groups", "ranking", "top third")


def name_target(finding: Finding) -> str:
    """Return what the table calls a finding; "" where it does not speak of it."""
    if finding.question == "average" and finding.estimand == "itt":
        return "average" if finding.weighting == "student" else "average, classes alike"
    if finding.question == "subgroup":
        return f"subgroup {finding.moderator}={finding.level}" if finding.status == "confirmatory" else ""
    if finding.question == "joint" or finding.quantity in DIFFERENCES:
        return f"{finding.question} {finding.moderator}"
    if finding.question == "heterogeneity":
        return {"all moderators": "omnibus", "predicted effect": "calibration"}.get(finding.moderator, "")
    if finding.question == "sorted-group" and "top group minus bottom" in finding.quantity:
        return "sorted groups"
    if finding.question == "ranking" and finding.level in ("AUTOC", "top third"):
        return "ranking" if finding.level == "AUTOC" else "top third"
    if finding.question == "candidate" and finding.status == "exploratory":
        return "candidate"
    return ""
