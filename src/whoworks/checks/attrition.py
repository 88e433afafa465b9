"""Attrition: outcomes lost after assignment, overall and differently between arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, percent, places_apart, points
from whoworks.design.design import Codes, Design
from whoworks.design.levels import STUDENT
from whoworks.panel.panel import BlindPanel

Mask = NDArray[np.bool_]

# Highest differential attrition (percentage points) that the What Works Clearinghouse still calls low, by overall
# attrition in whole percent: handbook 4.0/4.1, table II.1; that 5.0 keeps it is [from memory: verify before citing].
WWC_CAUTIOUS = (
    5.7, 5.8, 5.9, 5.9, 6.0, 6.1, 6.2, 6.3, 6.3, 6.3, 6.3, 6.2, 6.2, 6.1, 6.0, 5.9, 5.9, 5.8, 5.7, 5.5,
    5.4, 5.3, 5.2, 5.1, 4.9, 4.8, 4.7, 4.5, 4.4, 4.3, 4.1, 4.0, 3.8, 3.6, 3.5, 3.3, 3.2, 3.1, 2.9, 2.8,
    2.6, 2.5, 2.3, 2.1, 2.0, 1.8, 1.6, 1.5, 1.3, 1.2, 1.0, 0.9, 0.7, 0.6, 0.4, 0.3, 0.2, 0.0,
)  # fmt: skip
WWC_OPTIMISTIC = (
    10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.7, 10.8, 10.9, 10.9, 10.9, 10.9, 10.9, 10.8, 10.8, 10.7, 10.6, 10.5, 10.3,
    10.2, 10.0, 9.9, 9.7, 9.5, 9.4, 9.2, 9.0, 8.8, 8.6, 8.4, 8.2, 8.0, 7.8, 7.6, 7.4, 7.2, 7.0, 6.7, 6.5, 6.3, 6.0, 5.8,
    5.6, 5.3, 5.1, 4.9, 4.6, 4.4, 4.2, 3.9, 3.7, 3.5, 3.2, 3.0, 2.8, 2.6, 2.3, 2.1, 1.9, 1.6, 1.4, 1.1, 0.9, 0.7, 0.5,
    0.3,
)  # fmt: skip
BOUNDARY = "the What Works Clearinghouse's boundary"
SELF_ASSESSED = "self-assessed, not issued by the Clearinghouse"
GRAVITY = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What one treatment and control lost, as shares, and what the boundary allows at that overall rate.

    `cautious` and `optimistic` are the stricter of the two readings of the
    table's row (rounded, floored), NaN where no difference is small enough;
    `readings_differ` says whether the choice of row changes the verdict.
    """

    arm: int
    n: tuple[int, int]
    missing: tuple[int, int]
    overall: float
    differential: float
    cautious: float
    optimistic: float
    verdict: Verdict
    readings_differ: bool


def allowed_differential(*, overall: float, boundary: tuple[float, ...], rounded: bool) -> float:
    """Return the boundary's highest low differential (a share) at an overall rate (a share); NaN beyond the table.

    How the WWC gives a fractional rate its row is not known: `rounded` takes the
    nearest whole percent, else the whole percent below.
    """
    row = math.floor(100 * overall + (0.5 if rounded else 0) + 1e-9)
    return boundary[row] / 100 if row < len(boundary) else math.nan


def judge_loss(*, lost: Mask, arm: Codes, treatment: int) -> Loss:
    """Hold what one treatment and control lost against the boundary, under both assumptions and both readings."""
    n = tuple(int((arm == code).sum()) for code in (0, treatment))
    missing = tuple(int(lost[arm == code].sum()) for code in (0, treatment))
    overall = sum(missing) / sum(n)
    differential = abs(missing[1] / n[1] - missing[0] / n[0])
    rows = [
        [allowed_differential(overall=overall, boundary=table, rounded=rounded) for rounded in (True, False)]
        for table in (WWC_CAUTIOUS, WWC_OPTIMISTIC)
    ]
    each = [judge_reading(differential, cautious, optimistic) for cautious, optimistic in zip(*rows, strict=True)]
    return Loss(
        arm=treatment,
        n=(n[0], n[1]),
        missing=(missing[0], missing[1]),
        overall=overall,
        differential=differential,
        cautious=float(np.min(rows[0])),
        optimistic=float(np.min(rows[1])),
        verdict=max(each, key=GRAVITY.__getitem__),
        readings_differ=each[0] != each[1],
    )


def judge_reading(differential: float, cautious: float, optimistic: float) -> Verdict:
    """Return the verdict of one reading of the table; NaN allows nothing."""
    slack = 1e-9
    if differential <= cautious + slack:
        return Verdict.PASS
    return Verdict.WARN if differential <= optimistic + slack else Verdict.FAIL


def check_attrition(blind: BlindPanel, design: Design, labels: Mapping[str, str]) -> tuple[Check, ...]:
    """Check, for each outcome, how many units lost it and how differently between arms.

    The denominator is every unit of the design; losses before the records were
    handed over cannot be seen.
    """
    checks = []
    for outcome in blind.observed.columns:
        lost = ~blind.observed[outcome].to_numpy(dtype=bool)[design.rows]
        checks.append(
            compose_check("attrition", outcome, labels.get(outcome, outcome), lost, design.arm, design, STUDENT)
        )
    return tuple(checks)


def check_cluster_attrition(blind: BlindPanel, design: Design, labels: Mapping[str, str]) -> tuple[Check, ...]:
    """Check, for each outcome, how many of the groups that carry the arm have no outcome at all.

    Nothing to see where students were assigned one by one.
    """
    if design.assigned_level == STUDENT:
        return ()
    _, first, group = np.unique(design.assigned, return_index=True, return_inverse=True)
    checks = []
    for outcome in blind.observed.columns:
        observed = blind.observed[outcome].to_numpy(dtype=bool)[design.rows]
        lost = np.bincount(group, weights=observed) == 0
        label = labels.get(outcome, outcome)
        checks.append(
            compose_check("cluster_attrition", outcome, label, lost, design.arm[first], design, design.assigned_level)
        )
    return tuple(checks)


def compose_check(check_id: str, outcome: str, label: str, lost: Mask, arm: Codes, design: Design, word: str) -> Check:
    """Judge every treatment against control and let the worst speak."""
    losses = [judge_loss(lost=lost, arm=arm, treatment=code) for code in range(1, len(design.arms))]
    worst = max(losses, key=lambda loss: (GRAVITY[loss.verdict], loss.differential))
    return Check(
        check_id=check_id,
        subject=outcome,
        verdict=worst.verdict,
        value=worst.differential,
        threshold=worst.cautious,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=explain_loss(worst, label, design.arm_labels, word),
        table=pd.DataFrame([tabulate_loss(loss, outcome, design) for loss in losses]),
    )


def explain_loss(loss: Loss, label: str, arm_labels: tuple[str, ...], word: str) -> str:
    """Say what was lost, by arm, and on which side of the boundary it lies."""
    if not sum(loss.missing):
        return f"{label}: each of {counted(sum(loss.n), word)} has {'an' if word != STUDENT else 'the'} outcome."
    shares = [missing / n for missing, n in zip(loss.missing, loss.n, strict=True)]
    places, apart = places_apart(shares[0], shares[1])
    lost = "have no outcome at all" if word != STUDENT else "have no outcome"
    if loss.verdict == Verdict.PASS:
        side = f"within the {points(loss.cautious)} points that {BOUNDARY} allows under cautious assumptions"
    elif loss.verdict == Verdict.WARN:
        narrow = "more than any" if math.isnan(loss.cautious) else f"more than the {points(loss.cautious)} points"
        side = (
            f"{narrow} {BOUNDARY} allows under cautious assumptions, within the "
            f"{points(loss.optimistic)} under optimistic ones"
        )
    elif math.isnan(loss.optimistic):
        side = f"at an overall rate that {BOUNDARY} calls high whatever the difference"
    else:
        side = f"more than the {points(loss.optimistic)} points {BOUNDARY} allows under optimistic assumptions"
    readings = " Rounding or flooring the overall rate changes this verdict; the stricter is given."
    return (
        f"{label}: {percent(loss.overall)} of {counted(sum(loss.n), word)} {lost}, {percent(shares[1], places)} under "
        f"{arm_labels[loss.arm]} and {percent(shares[0], places)} under {arm_labels[0]}, a difference of "
        f"{points(loss.differential, apart)} percentage points, {side} ({SELF_ASSESSED})."
        f"{readings if loss.readings_differ else ''}"
    )


def tabulate_loss(loss: Loss, outcome: str, design: Design) -> dict[str, object]:
    """Return one comparison's numbers as a row; shares in [0, 1]."""
    return {
        "outcome": outcome,
        "arm": design.arms[loss.arm],
        "control": design.arms[0],
        "n_treated": loss.n[1],
        "n_control": loss.n[0],
        "n_missing_treated": loss.missing[1],
        "n_missing_control": loss.missing[0],
        "overall": loss.overall,
        "differential": loss.differential,
        "allowed_cautious": loss.cautious,
        "allowed_optimistic": loss.optimistic,
        "has_disputed_row": loss.readings_differ,
        "verdict": loss.verdict.value,
    }
