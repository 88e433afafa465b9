"""The joint test of balance: whether the assignment is one that the design could well have drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, written_p
from whoworks.design.design import Codes, Design, Vector
from whoworks.design.redraw import (
    MOST_ENUMERATED,
    AssignedUnits,
    count_cells,
    count_draws,
    draw_many,
    list_assigned,
    list_draws,
    smallest_p,
)
from whoworks.panel.panel import BlindPanel, Kind, Role

JOINT = "joint"
N_DRAWS = 999
# Draws times assigned units held in memory at once.
CHUNK = 4_000_000
WARN_P = 0.05
FAIL_P = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class JointBalance:
    """The joint statistic, its p-value by re-drawing, and the p-value's own Monte-Carlo error (0 when enumerated)."""

    statistic: float
    p_value: float
    error: float
    n_draws: int
    is_enumerated: bool
    n_columns: int


def code_features(blind: BlindPanel, design: Design) -> Vector:
    """Return (n, columns) what was measured before assignment, as numbers.

    Numbers fill their missing values with the mean; categories become one
    column per level but the first; a variable with missing values adds one that
    marks them. Constant columns are left out.
    """
    values = blind.values.iloc[design.rows]
    before = {Role.BASELINE, Role.MODERATOR, Role.COVARIATE}
    columns: list[Vector] = []
    for variable in blind.variables:
        if not before & set(variable.roles):
            continue
        column = values[variable.name]
        absent = column.isna().to_numpy()
        columns.append(absent.astype(float))
        if variable.kind == Kind.CATEGORY:
            codes = column.astype(str).to_numpy()
            columns += [(codes == level) & ~absent for level in variable.levels[1:]]
        elif not absent.all():
            number = column.to_numpy(dtype=float)
            columns.append(np.where(absent, np.nanmean(number), number))
    if not columns:
        return np.zeros((len(values), 0))
    x = np.column_stack(columns).astype(float)
    varies = np.ptp(x, axis=0) > 0 if len(x) else np.zeros(x.shape[1], dtype=np.bool_)
    return x[:, varies]


def sum_within(*, x: Vector, block: Codes, unit: Codes) -> Vector:
    """Return each assigned unit's sums of x less the mean of its block: (assigned units, columns).

    The only pass over students: every draw works on these sums.
    """
    n_blocks = int(block.max(initial=-1)) + 1
    sums = np.zeros((n_blocks, x.shape[1]))
    np.add.at(sums, block, x)
    centred = x - (sums / np.bincount(block, minlength=n_blocks)[:, None])[block]
    total = np.zeros((int(unit.max(initial=-1)) + 1, x.shape[1]))
    np.add.at(total, unit, centred)
    return total


def joint_balance(*, x: Vector, arm: Codes, assigned: Codes, block: Codes, rng: np.random.Generator) -> JointBalance:
    """Test all columns of x at once by re-drawing the assignment.

    With t_u an assigned unit's sum of x (blocks' means taken off) and d_a =
    sum over units of arm a of t_u, stacked over treatments, the statistic is
    d' (V + lambda diag V)^-1 d, where V is d's covariance over the design's own
    draws (Hansen & Bowers 2008, eq. 9, for two arms) and lambda = columns /
    (assigned units - blocks) keeps it informative where columns are many. Its
    p-value comes from re-drawing what was assigned, so it is right whatever
    the statistic: enumerated up to 10,000 distinct draws, else (1 + draws as
    large) / (1 + draws).

    Parameters
    ----------
    x : (n, p) characteristics without missing values, none constant; p >= 1; their units do not matter
    arm, assigned, block : (n,) codes
    """
    units = list_assigned(arm=arm, assigned=assigned, block=block)
    total = sum_within(
        x=(x - x.mean(axis=0)) / x.std(axis=0), block=np.unique(block, return_inverse=True)[1], unit=units.unit
    )
    factor = cho_factor(ridge_covariance(total, units))
    seen = measure(np.asarray(units.arm)[None, :], total, factor)[0]
    enumerated = count_draws(arm=arm, assigned=assigned, block=block) <= MOST_ENUMERATED
    drawn = np.concatenate([measure(arms, total, factor) for arms in every_chunk(units, enumerated, rng)])
    as_large = int((drawn >= seen * (1 - 1e-9)).sum())
    p = as_large / len(drawn) if enumerated else (1 + as_large) / (1 + len(drawn))
    return JointBalance(
        statistic=float(seen),
        p_value=p,
        error=0.0 if enumerated else math.sqrt(p * (1 - p) / len(drawn)),
        n_draws=len(drawn),
        is_enumerated=enumerated,
        n_columns=x.shape[1],
    )


def every_chunk(units: AssignedUnits, enumerated: bool, rng: np.random.Generator) -> Iterator[Codes]:
    """Yield the draws a chunk at a time, so that memory stays bounded."""
    if enumerated:
        yield list_draws(units)
        return
    n_units = len(units.arm)
    size = max(1, CHUNK // n_units)
    for start in range(0, N_DRAWS, size):
        yield draw_many(units, n_draws=min(size, N_DRAWS - start), rng=rng)


def treatments(arms: Codes) -> range:
    """Return the codes of the arms after the first."""
    return range(1, int(arms.max(initial=0)) + 1)


def measure(arms: Codes, total: Vector, factor: tuple[Vector, bool]) -> Vector:
    """Return the statistic of each draw; `arms` is (draws, assigned units)."""
    d = np.concatenate([(arms == code).astype(float) @ total for code in treatments(arms)], axis=1)
    statistic: Vector = (d * cho_solve(factor, d.T).T).sum(axis=1)
    return statistic


def draw_covariance(total: Vector, units: AssignedUnits) -> Vector:
    """Return V, the covariance over the design's draws of d, stacked over treatments.

    Within a block of n units with n_a in arm a, cov(1[a], 1[b]) over draws gives
    cov(d_a, d_b) = (n n_a [a = b] - n_a n_b) / (n (n - 1)) sum_u t_u t_u', the
    t_u less their block's mean.
    """
    counts = count_cells(units)
    n = counts.sum(axis=1)
    sums = np.zeros((len(n), total.shape[1]))
    np.add.at(sums, units.block, total)
    t = total - (sums / n[:, None])[units.block]
    blocks = []
    for a in range(1, counts.shape[1]):
        shares = [n * counts[:, a] * (a == b) - counts[:, a] * counts[:, b] for b in range(1, counts.shape[1])]
        scaled = [share / (n * np.maximum(n - 1, 1)) for share in shares]
        blocks.append([(t * share[units.block][:, None]).T @ t for share in scaled])
    return np.block(blocks)


def ridge_covariance(total: Vector, units: AssignedUnits) -> Vector:
    """Return V + lambda diag V, and 1 where a column is the same for every assigned unit of a block: never singular."""
    v = draw_covariance(total, units)
    free = len(units.arm) - int(units.block.max(initial=-1)) - 1
    diagonal = np.diag(v)
    regular: Vector = v + np.diag(total.shape[1] / max(free, 1) * diagonal + (diagonal < 1e-9))
    return regular


def check_reassignment(blind: BlindPanel, design: Design, rng: np.random.Generator) -> tuple[Check, ...]:
    """Check jointly whether everything measured before looks as the drawing of the assignment would leave it."""
    x = code_features(blind, design)
    reason = find_obstacle(x, design)
    if reason:
        return (say_not_assessable(design, reason),)
    joint = joint_balance(x=x, arm=design.arm, assigned=design.assigned, block=design.exchangeable, rng=rng)
    verdict = Verdict.FAIL if joint.p_value <= FAIL_P else Verdict.WARN if joint.p_value <= WARN_P else Verdict.PASS
    check = Check(
        check_id="balance",
        subject=JOINT,
        verdict=verdict,
        value=joint.p_value,
        threshold=WARN_P,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=explain_joint(joint, design, verdict),
        table=tabulate_joint(joint),
    )
    return (check,)


def tabulate_joint(joint: JointBalance) -> pd.DataFrame:
    """Return the test's numbers as a row."""
    return pd.DataFrame(
        {
            "statistic": [joint.statistic],
            "p_value": [joint.p_value],
            "error": [joint.error],
            "draws": [joint.n_draws],
            "is_enumerated": [joint.is_enumerated],
            "columns_tested": [joint.n_columns],
        }
    )


def explain_joint(joint: JointBalance, design: Design, verdict: Verdict) -> str:
    """Say how the assignment compares with those the design could have drawn."""
    n_assigned = len(np.unique(design.assigned))
    units = counted(n_assigned, design.assigned_level)
    within = f" within {counted(len(np.unique(design.block)), design.block_level)}" if design.block_level else ""
    draws = f"{joint.n_draws:,} {'possible' if joint.is_enumerated else 'random'} re-assignments of {units}{within}"
    error = "" if joint.is_enumerated else f", Monte-Carlo error {joint.error:.3f}".replace(" 0.", " .")
    said = {
        Verdict.PASS: "differences as large as these are not unusual when arms are drawn as the plan says",
        Verdict.WARN: "differences as large as these are unusual when arms are drawn as the plan says",
        Verdict.FAIL: "differences as large as these hardly arise when arms are drawn as the plan says",
    }[verdict]
    return (
        f"All characteristics measured before assignment, taken together over {draws}: {said} "
        f"({written_p(joint.p_value)}{error})."
    )


def find_obstacle(x: Vector, design: Design) -> str:
    """Say why there is nothing to test, or too few draws to test it with; empty where there is a test."""
    if design.kind == "matched":
        return "the arms were matched, and nothing was drawn"
    if not x.shape[1]:
        return "nothing that varies was measured before assignment"
    if smallest_p(arm=design.arm, assigned=design.assigned, block=design.exchangeable) <= WARN_P:
        return ""
    count = count_draws(arm=design.arm, assigned=design.assigned, block=design.exchangeable)
    ways = "only one way" if count == 1 else f"only {count:,.0f} different ways"
    return f"the design can be drawn in {ways}, too few for a test at {WARN_P:g}"


def say_not_assessable(design: Design, reason: str) -> Check:
    """Return the joint check where there can be no test."""
    return Check(
        check_id="balance",
        subject=JOINT,
        verdict=Verdict.NOT_ASSESSABLE,
        value=math.nan,
        threshold=WARN_P,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=f"Whether characteristics taken together differ more than chance cannot be tested: {reason}.",
    )
