"""Sample ratio: whether as many were drawn into each arm as the stated probabilities say."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import chi2

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, written_p
from whoworks.design.design import Codes, Design, Vector
from whoworks.design.levels import STUDENT
from whoworks.language import listed

ALARM = 0.001
MIN_EXPECTED = 5.0


def sample_ratio_p(*, arm: Codes, probability: Vector) -> float:
    """Return the p-value of the counts drawn into each arm under known probabilities.

    (O - E)' V^- (O - E) against chi-square with K - 1 degrees of freedom, where
    E sums the probabilities and V = sum_i diag(p_i) - p_i p_i' (Pearson's 1900
    statistic where all have the same probabilities; conservative where counts
    were fixed within blocks).  NaN where fewer than 5 are expected in an arm.
    """
    n_arms = probability.shape[1]
    expected = probability.sum(axis=0)
    if not len(arm) or expected.min() < MIN_EXPECTED:
        return math.nan
    gap = np.bincount(arm, minlength=n_arms) - expected
    spread = np.diag(expected) - probability.T @ probability
    return float(chi2.sf(gap @ np.linalg.pinv(spread) @ gap, n_arms - 1))


def check_sample_ratio(design: Design) -> tuple[Check, ...]:
    """Check the counts of what was drawn against the probabilities that the plan states.

    Far too many or too few in an arm means that units went missing before the
    records were made, or that the probabilities are not those that were used.
    """
    first = np.unique(design.drawn, return_index=True)[1]
    arm, probability = design.arm[first], design.probability[first]
    known = design.probability_from == "plan" and design.kind == "randomised"
    p = sample_ratio_p(arm=arm, probability=probability) if known else math.nan
    verdict = Verdict.NOT_ASSESSABLE if math.isnan(p) else Verdict.FAIL if p < ALARM else Verdict.PASS
    observed = np.bincount(arm, minlength=len(design.arms))
    expected = probability.sum(axis=0)
    unit = "drawn" if design.drawn_level == STUDENT else "clusters_drawn"
    table = pd.DataFrame({"arm": design.arms, f"n_{unit}": observed, "expected": expected if known else np.nan})
    check = Check(
        check_id="sample_ratio",
        subject=design.drawn_level,
        verdict=verdict,
        value=p,
        threshold=ALARM,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=explain_ratio(design, observed, expected, p, known=known),
        table=table,
    )
    return (check,)


def explain_ratio(design: Design, observed: Codes, expected: Vector, p: float, *, known: bool) -> str:
    """Say what was drawn, what the plan's probabilities expect, and what the difference means."""
    word = design.drawn_level
    counts = listed(
        [f"{counted(int(n), word)} under {label}" for n, label in zip(observed, design.arm_labels, strict=True)]
    )
    if design.kind == "matched":
        return f"{counts} are compared: the arms were matched, and nothing was drawn, so there is no ratio to check."
    if not known:
        return (
            f"{counts} were drawn; the probabilities are taken from these shares themselves, so the two cannot be "
            f"held against each other."
        )
    due = listed([f"{n:,.1f}" for n in expected])
    if math.isnan(p):
        return f"{counts} were drawn where {due} were expected: too few for a test of the ratio."
    if p < ALARM:
        return (
            f"{counts} were drawn where the plan's probabilities expect {due} ({written_p(p)}): units went missing "
            f"before the records were made, or other probabilities were used."
        )
    return f"{counts} were drawn where the plan's probabilities expect {due} ({written_p(p)}): as drawn by chance."
