"""Attrition by group: whether the arms lost outcomes more unequally in one group of a moderator than in another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import in_words, percent, points, written_p
from whoworks.design.design import Codes, Design
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test
from whoworks.panel.panel import BlindPanel, Kind, Role, Variable

Mask = NDArray[np.bool_]

# Groups' differences between arms further apart than this could make a difference between their effects: about what
# the WWC's cautious boundary allows between arms where few outcomes are missing.
UNEQUAL = 0.05
ALPHA = 0.05  # shared by all moderators and treatments of one outcome (Bonferroni)
MIN_STUDENTS, MIN_CLUSTERS = 20, 3  # of a group in each arm, below which it is not judged
FEW_DF = 4.0
LARGEST = 30_000_000  # entries of the clusters' matrices in the joint test, beyond which a moderator is not judged


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLoss:
    """What one treatment and control lost in each group of one moderator.

    levels : words of the groups judged; n, missing : (groups, 2) students and those without the outcome, control first
    p_value : that the arms' difference is the same in every group, NaN where it cannot be told
    """

    variable: Variable
    arm: int
    levels: tuple[str, ...]
    n: Codes
    missing: Codes
    p_value: float

    @property
    def differential(self) -> NDArray[np.float64]:
        """Share lost under treatment less share lost under control, by group."""
        return np.asarray(self.missing[:, 1] / self.n[:, 1] - self.missing[:, 0] / self.n[:, 0], dtype=np.float64)

    @property
    def spread(self) -> float:
        """How far the groups' differences lie apart."""
        return float(np.ptp(self.differential))


def check_group_attrition(blind: BlindPanel, design: Design, labels: Mapping[str, str]) -> tuple[Check, ...]:
    """Check, for each outcome, whether along any moderator the arms' losses differ by group.

    Losses alike in both arms leave a difference between groups' effects as it
    is, and so do losses that differ between arms by as much in every group. A
    number is cut at its median. Warns where groups lie 5 points apart and the
    test over groups (CR2, HTZ) says more than chance.
    """
    moderators = [variable for variable in blind.variables if Role.MODERATOR in variable.roles]
    checks = []
    for outcome in blind.observed.columns:
        lost = ~blind.observed[outcome].to_numpy(dtype=bool)[design.rows]
        losses = list(_judge_all(blind.values.iloc[design.rows], moderators, lost, design))
        checks.append(_compose(outcome, labels.get(outcome, outcome), losses, design, len(moderators)))
    return tuple(checks)


def _judge_all(values: pd.DataFrame, moderators: list[Variable], lost: Mask, design: Design) -> Iterator[GroupLoss]:
    for variable in moderators:
        code, levels = split_groups(values[variable.name], variable)
        for arm in range(1, len(design.arms)):
            loss = judge_groups(code=code, levels=levels, lost=lost, design=design, arm=arm, variable=variable)
            if loss is not None:
                yield loss


def split_groups(column: pd.Series, variable: Variable) -> tuple[Codes, tuple[str, ...]]:
    """Return each unit's group, (n,) with -1 where missing, and the groups' words; a number is cut at its median."""
    if variable.kind == Kind.CATEGORY:
        return column.cat.codes.to_numpy().astype(np.int64), variable.level_labels or variable.levels
    numbers = column.to_numpy(dtype=float)
    if np.isnan(numbers).all():
        return np.full(len(numbers), -1, dtype=np.int64), ()
    middle = float(np.nanmedian(numbers))
    code = np.where(np.isnan(numbers), -1, (numbers > middle).astype(np.int64))
    return code, ("lower half", "upper half")


def judge_groups(
    *, code: Codes, levels: tuple[str, ...], lost: Mask, design: Design, arm: int, variable: Variable
) -> GroupLoss | None:
    """Compare one treatment's and control's losses by group; None where fewer than two groups can be judged."""
    two = (design.arm == 0) | (design.arm == arm)
    cells = [[two & (code == level) & (design.arm == each) for each in (0, arm)] for level in range(len(levels))]
    kept = [
        level for level, both in enumerate(cells)
        if all(cell.sum() >= MIN_STUDENTS and len(np.unique(design.cluster[cell])) >= MIN_CLUSTERS for cell in both)
    ]  # fmt: skip
    n_clusters = len(np.unique(design.cluster[two]))
    if len(kept) < 2 or n_clusters * (8 * len(kept)) ** 2 > LARGEST:
        return None
    return GroupLoss(
        variable=variable, arm=arm, levels=tuple(levels[level] for level in kept),
        n=np.array([[cell.sum() for cell in cells[level]] for level in kept]),
        missing=np.array([[(cell & lost).sum() for cell in cells[level]] for level in kept]),
        p_value=_test(code=code, kept=kept, keep=two & np.isin(code, kept), lost=lost, design=design, arm=arm),
    )  # fmt: skip


def _test(*, code: Codes, kept: list[int], keep: Mask, lost: Mask, design: Design, arm: int) -> float:
    """Return the p that the arms' difference in losses is the same in every group; NaN where it cannot be told."""
    if not lost[keep].any():
        return math.nan
    member = (code[keep, None] == np.array(kept)[None, :]).astype(np.float64)
    z = (design.arm[keep] == arm).astype(np.float64)
    block = design.block[keep]
    absorb = block if block.max() > block.min() else None
    main = member if absorb is None else member[:, 1:]
    columns = np.hstack([main, z[:, None], z[:, None] * member[:, 1:]])
    fit = cluster_robust(
        X=columns, y=lost[keep].astype(np.float64), cluster=design.cluster[keep], absorb=absorb,
        weights=1 / design.probability[keep, design.arm[keep]],
    )  # fmt: skip
    rows = np.eye(columns.shape[1])[main.shape[1] + 1 :]
    if fit.aliased[main.shape[1] + 1 :].any():
        return math.nan
    if len(rows) > 1:
        test = joint_test(fit=fit, contrasts=rows)
        return test.p_value if test.df >= FEW_DF else math.nan
    told = fit.linear(rows)
    return float(told.p_value[0]) if told.df[0] >= FEW_DF else math.nan


def _compose(outcome: str, label: str, losses: list[GroupLoss], design: Design, n_moderators: int) -> Check:
    judged = [loss for loss in losses if math.isfinite(loss.p_value) or not loss.missing.any()]
    alarm = ALPHA / max(len(judged), 1)
    raised = [loss for loss in judged if loss.spread > UNEQUAL and loss.p_value <= alarm]
    verdict = Verdict.NOT_ASSESSABLE if not judged else Verdict.WARN if raised else Verdict.PASS
    widest = max(raised or judged, key=lambda loss: loss.spread, default=None)
    return Check(
        check_id="group_attrition",
        subject=outcome,
        verdict=verdict,
        value=math.nan if widest is None else widest.spread,
        threshold=UNEQUAL,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=_explain(label, verdict, widest, len({loss.variable.name for loss in judged}), design)
        if n_moderators
        else f"{label}: the plan names no moderator, so there are no groups in which to compare what the arms lost.",
        table=pd.DataFrame([row for loss in losses for row in _tabulate(loss, outcome, design)]),
    )


def _explain(label: str, verdict: Verdict, widest: GroupLoss | None, n_judged: int, design: Design) -> str:
    """Say along which moderator the arms' losses differ by group, in the two groups furthest apart."""
    if widest is None:
        return f"{label}: along no moderator are two groups large enough to compare what the arms lost in each."
    if verdict is not Verdict.WARN:
        said = "the arms did not lose outcomes more unequally in one group than in another"
        return f"{label}: along {in_words(n_judged, 'moderator')} looked at, {said}."
    parts = []
    for place in (int(np.argmax(widest.differential)), int(np.argmin(widest.differential))):
        shares = widest.missing[place] / widest.n[place]
        parts.append(
            f"{percent(float(shares[1]))} under {design.arm_labels[widest.arm]} and {percent(float(shares[0]))} under "
            f"{design.arm_labels[0]} among \u201c{widest.levels[place]}\u201d"
        )
    return (
        f"{label}: what is missing differs between arms by {widest.variable.label or widest.variable.name}: "
        f"{', against '.join(parts)}, {points(widest.spread)} points apart ({written_p(widest.p_value)}). A "
        "difference between these groups' effects may be made by who was lost."
    )


def _tabulate(loss: GroupLoss, outcome: str, design: Design) -> Iterator[dict[str, object]]:
    """Yield one group's numbers as a row; shares in [0, 1]."""
    for place, level in enumerate(loss.levels):
        yield {
            "outcome": outcome,
            "variable": loss.variable.name,
            "level": level,
            "arm": design.arms[loss.arm],
            "control": design.arms[0],
            "n_treated": int(loss.n[place, 1]),
            "n_control": int(loss.n[place, 0]),
            "n_missing_treated": int(loss.missing[place, 1]),
            "n_missing_control": int(loss.missing[place, 0]),
            "differential": float(loss.differential[place]),
            "p_value": loss.p_value,
        }
