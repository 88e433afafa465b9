"""Interference: groups in which more than one arm meets."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, percent
from whoworks.design.design import Codes, Design
from whoworks.design.levels import STUDENT, count_distinct
from whoworks.language import plural
from whoworks.panel.panel import BlindPanel

NOT_LEVELS = ("unit_id", "arm", "probability", STUDENT)


def check_interference(blind: BlindPanel, design: Design) -> tuple[Check, ...]:
    """Describe, for each level above what carries the arm, the groups that hold more than one arm.

    Nothing measures whether one arm reached the other; the check says where it could have.
    """
    levels = [name for name in blind.units.columns if name not in NOT_LEVELS]
    if design.assigned_level in levels:
        levels = levels[levels.index(design.assigned_level) + 1 :]
    if not levels:
        return (say_nothing(design),)
    units = blind.units.iloc[design.rows]
    return tuple(check_level(pd.factorize(units[name])[0], name, design) for name in levels)


def check_level(group: Codes, word: str, design: Design) -> Check:
    """Count the groups of one level that hold more than one arm."""
    known = group >= 0
    n_groups = int(group.max(initial=-1)) + 1
    n_arms = count_distinct(within=group[known], codes=design.arm[known], n=n_groups)
    sizes = np.bincount(group[known], minlength=n_groups)
    held, code, groups = np.unique(n_arms, return_inverse=True, return_counts=True)
    n_units = np.bincount(code, sizes, len(held)).astype(np.int64)
    summary = pd.DataFrame({"level": word, "arms_held": held, "groups": groups, "n_units": n_units})
    n_mixed = int((n_arms > 1).sum())
    return Check(
        check_id="interference",
        subject=word,
        verdict=Verdict.WARN if n_mixed else Verdict.PASS,
        value=n_mixed / n_groups if n_groups else math.nan,
        threshold=0.0,
        n_units=int(known.sum()),
        n_clusters=len(np.unique(design.cluster)),
        sentence=explain_mixing(n_mixed, n_groups, int(sizes[n_arms > 1].sum()) / max(len(group), 1), word),
        table=summary,
    )


def explain_mixing(n_mixed: int, n_groups: int, share: float, word: str) -> str:
    """Say in how many groups arms meet, and what that could do."""
    if not n_mixed:
        return f"None of the {counted(n_groups, word)} holds more than one arm."
    who, hold = f"{n_mixed:,} of {counted(n_groups, word)}", "holds" if n_mixed == 1 else "hold"
    if n_mixed == n_groups:
        who = f"The only {word}" if n_groups == 1 else f"All {counted(n_groups, word)}"
    of = f" ({say_share(share)} of students)" if n_mixed < n_groups or share < 1 else ""
    return (
        f"{who} {hold} more than one arm{of}: what one arm was offered may reach the other there, and nothing here "
        "measures whether it did."
    )


def say_share(share: float) -> str:
    """Write a share of students without decimals; one that is not all is not told as all."""
    return "over 99 %" if 0.995 <= share < 1 else percent(share, 0)


def say_nothing(design: Design) -> Check:
    """Return the check of a plan that names no level above what carries the arm."""
    return Check(
        check_id="interference",
        subject="",
        verdict=Verdict.NOT_ASSESSABLE,
        value=math.nan,
        threshold=0.0,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=(
            f"The plan names no level above the {design.assigned_level}, so nothing can be said about arms that meet "
            f"in larger groups than {plural(design.assigned_level)}."
        ),
    )
