"""Measures: what outcomes look like with the arms taken away."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, percent
from whoworks.design.design import Codes, Vector
from whoworks.panel.panel import Kind, PooledPanel

# Common reading of ceiling and floor: more than 15 % at the highest or lowest value (Terwee et al. 2007).
CEILING_SHARE = 0.15
FEW_VALUES = 5
FEW_STUDENTS = 10  # below so many at an end, or away from it, their share is not told


def check_ceiling_floor(pooled: PooledPanel, rows: Codes, cluster: Codes) -> tuple[Check, ...]:
    """Check, for each outcome that is a number, how many units are at its highest or lowest value."""
    return tuple(
        judge_ends(pooled.outcomes[variable.name].to_numpy(dtype=float)[rows], cluster, variable.name, variable.label)
        for variable in pooled.variables
        if variable.kind == Kind.NUMBER
    )


def judge_ends(values: Vector, cluster: Codes, name: str, label: str) -> Check:
    """Judge one outcome's share at either end of what was seen."""
    seen = values[~np.isnan(values)]
    varies = len(seen) > 0 and seen.min() < seen.max()
    low, high = (int((seen == end).sum()) for end in (seen.min(), seen.max())) if varies else (0, 0)
    floor, ceiling = (low / len(seen), high / len(seen)) if varies else (math.nan, math.nan)
    worst = max(floor, ceiling)
    verdict, remark = Verdict.PASS, ""
    if not varies:
        verdict = Verdict.NOT_ASSESSABLE
    elif worst > CEILING_SHARE:
        end = "ceiling" if ceiling >= floor else "floor"
        verdict, remark = Verdict.WARN, f" At such a {end} the outcome cannot show how far students differ."
    said = f"{label}: of {counted(len(seen), 'student')}, {tell_share(high, len(seen))} are at the highest value seen "
    said += f"and {tell_share(low, len(seen))} at the lowest.{remark}"
    return Check(
        check_id="ceiling_floor",
        subject=name,
        verdict=verdict,
        value=worst,
        threshold=CEILING_SHARE,
        n_units=len(seen),
        n_clusters=len(np.unique(cluster[~np.isnan(values)])),
        sentence=said if varies else f"{label}: the outcome does not vary, so it has no ceiling or floor to speak of.",
        table=pd.DataFrame(
            {
                "outcome": name,
                "end": ["lowest", "highest"],
                "n_there": [low, high],
                "n_elsewhere": [len(seen) - low, len(seen) - high],
                "share": [floor, ceiling],
            }
        ),
    )


def tell_share(n: int, total: int) -> str:
    """Write a share of students; few, or all but few, are not told by their share."""
    if n < FEW_STUDENTS:
        return f"fewer than {FEW_STUDENTS}"
    return f"all but fewer than {FEW_STUDENTS}" if total - n < FEW_STUDENTS else percent(n / total)


def check_distinct_values(pooled: PooledPanel, rows: Codes, cluster: Codes) -> tuple[Check, ...]:
    """Check that each outcome varies, and that a number takes more than a handful of values."""
    checks = []
    for variable in pooled.variables:
        values = pooled.outcomes[variable.name].to_numpy(dtype=float)[rows]
        binary = variable.kind == Kind.BINARY
        check = judge_distinct(values, cluster, variable.name, variable.label, 2 if binary else FEW_VALUES + 1)
        if binary and variable.level_labels:
            counted_as = f"Effects count those with \u201c{variable.level_labels[-1]}\u201d."
            check = replace(check, sentence=f"{check.sentence} {counted_as}")
        checks.append(check)
    return tuple(checks)


def judge_distinct(values: Vector, cluster: Codes, name: str, label: str, enough: int) -> Check:
    """Judge one outcome's number of distinct values."""
    seen = values[~np.isnan(values)]
    codes, counts = np.unique(seen, return_counts=True)
    n_values = len(codes)
    most = counts.max() / len(seen) if n_values else math.nan
    count = counted(len(seen), "student")
    if n_values == 0:
        verdict, said = Verdict.FAIL, "the outcome is missing for everyone." if len(values) else "nobody is left."
    elif n_values == 1:
        verdict, said = Verdict.FAIL, f"all of {count} have the same value, so nothing can differ."
    elif n_values < enough:
        verdict, said = (
            Verdict.WARN,
            f"only {n_values} different values among {count}; means of so few values are coarse.",
        )
    else:
        verdict, said = Verdict.PASS, f"{n_values:,} different values among {count}."
    return Check(
        check_id="distinct_values",
        subject=name,
        verdict=verdict,
        value=float(n_values),
        threshold=float(enough),
        n_units=len(seen),
        n_clusters=len(np.unique(cluster[~np.isnan(values)])),
        sentence=f"{label}: {said}",
        table=pd.DataFrame({"outcome": name, "distinct": [n_values], "share_most_common": [most]}),
    )
