"""Overlap: how near the known probabilities come to 0 or 1."""

from __future__ import annotations

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.design.design import Design, Vector

WARN_BELOW = 0.10
FAIL_BELOW = 0.02


def check_overlap(design: Design) -> tuple[Check, ...]:
    """Check that every unit could well have been given every arm.

    A unit's weight is the inverse of its arm's probability: where that is small,
    few units speak for many.
    """
    lowest, highest = design.probability.min(axis=0), design.probability.max(axis=0)
    extreme = float(lowest.min())  # no arm's is nearer 1: an arm's probabilities and the others' sum to 1
    verdict, remark = Verdict.PASS, ""
    if extreme < FAIL_BELOW:
        verdict, remark = (
            Verdict.FAIL,
            f" Under {FAIL_BELOW:g} or over {1 - FAIL_BELOW:g} a few units decide the estimate.",
        )
    elif extreme < WARN_BELOW:
        verdict, remark = Verdict.WARN, f" Under {WARN_BELOW:g} or over {1 - WARN_BELOW:g} a few units weigh heavily."
    check = Check(
        check_id="overlap",
        subject="probability",
        verdict=verdict,
        value=round(extreme, 2),  # the exact share of a small block would tell its counts
        threshold=WARN_BELOW,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=f"{explain_range(design, lowest, highest)}{remark}",
        table=tabulate_probability(design),
    )
    return (check,)


def explain_range(design: Design, lowest: Vector, highest: Vector) -> str:
    """Say which probabilities each treatment was given with."""
    parts = []
    for place in range(1, len(design.arms)):
        low, high = lowest[place], highest[place]
        spread = f"was {low:.2f} for everyone" if high - low < 1e-9 else f"ran from {low:.2f} to {high:.2f}"
        parts.append(f"the probability of being given {design.arm_labels[place]} {spread}")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def tabulate_probability(design: Design) -> pd.DataFrame:
    """Return one row per arm: the quartiles of its probability over all units, and the units it was given to."""
    low, first, middle, third, high = np.quantile(design.probability, [0, 0.25, 0.5, 0.75, 1], axis=0)
    return pd.DataFrame(
        {
            "arm": design.arms,
            "n_units": np.bincount(design.arm, minlength=len(design.arms)),
            "lowest": low,
            "first_quartile": first,
            "median": middle,
            "third_quartile": third,
            "highest": high,
        }
    )
