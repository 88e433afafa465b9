"""All checks of a study, in the order in which a reader meets them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from whoworks.checks.attrition import check_attrition, check_cluster_attrition
from whoworks.checks.balance import check_balance
from whoworks.checks.clusters import check_cluster_sizes, check_clusters
from whoworks.checks.far_values import check_far_characteristics, check_far_outcomes
from whoworks.checks.group_attrition import check_group_attrition
from whoworks.checks.interference import check_interference
from whoworks.checks.measures import check_ceiling_floor, check_distinct_values
from whoworks.checks.one_arm import check_one_arm
from whoworks.checks.overlap import check_overlap
from whoworks.checks.reassignment import check_reassignment
from whoworks.checks.sample_ratio import check_sample_ratio
from whoworks.checks.verdict import Check, Verdict
from whoworks.design.design import Design
from whoworks.language import listed
from whoworks.panel.panel import BlindPanel, PooledPanel

Look = Callable[[], tuple[Check, ...]]
NEED_NO_COMPARISON = ("clusters", "ceiling_floor", "distinct_values", "far_values")


def run_checks(
    blind: BlindPanel, pooled: PooledPanel, design: Design, *, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Run every check; one that crashes becomes an ERROR verdict and is shown, never hidden.

    Checks of the design see arms without outcomes, checks of the measures
    outcomes without arms. Where an arm is absent, what compares arms is not
    assessable.
    """
    labels = {variable.name: variable.label or variable.name for variable in pooled.variables}
    looks: dict[str, Look] = {
        "attrition": lambda: check_attrition(blind, design, labels),
        "cluster_attrition": lambda: check_cluster_attrition(blind, design, labels),
        "group_attrition": lambda: check_group_attrition(blind, design, labels),
        "balance": lambda: check_balance(blind, design, labels) + check_reassignment(blind, design, rng),
        "one_arm": lambda: check_one_arm(blind, design),
        "clusters": lambda: check_clusters(design),
        "cluster_sizes": lambda: check_cluster_sizes(design),
        "overlap": lambda: check_overlap(design),
        "sample_ratio": lambda: check_sample_ratio(design),
        "interference": lambda: check_interference(blind, design),
        "ceiling_floor": lambda: check_ceiling_floor(pooled, design.rows, design.cluster),
        "distinct_values": lambda: check_distinct_values(pooled, design.rows, design.cluster),
        "far_values": lambda: (
            check_far_outcomes(pooled, design.rows, design.cluster)
            + check_far_characteristics(blind, design.rows, design.cluster)
        ),
    }
    absent = find_absent(design)
    done: list[Check] = []
    for check_id, look in looks.items():
        if absent and check_id not in NEED_NO_COMPARISON:
            done.append(refuse_comparison(check_id, absent, design))
        else:
            done += look_safely(check_id, look, design)
    return tuple(done)


def find_absent(design: Design) -> list[str]:
    """Return the labels of the arms in which nobody is."""
    return [label for code, label in enumerate(design.arm_labels) if not (design.arm == code).any()]


def refuse_comparison(check_id: str, absent: list[str], design: Design) -> Check:
    """Return the verdict of a check that compares arms where an arm is absent."""
    said = "Nobody is left to compare: no block holds every arm."
    if len(design.rows):
        said = f"Nobody is in the arm {listed([repr(label) for label in absent])}, so the arms cannot be compared."
    return state_verdict(check_id, Verdict.NOT_ASSESSABLE, said, design)


def look_safely(check_id: str, look: Look, design: Design) -> tuple[Check, ...]:
    """Run one check; a crash becomes a verdict that names the check and the kind of error, never data."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - a check that crashes is itself something to report
        kind = type(error).__name__
        said = f"The check '{check_id}' stopped with an error of its own ({kind}), so it says nothing about this study."
        return (state_verdict(check_id, Verdict.ERROR, said, design),)


def state_verdict(check_id: str, verdict: Verdict, sentence: str, design: Design) -> Check:
    """Return a check that has a verdict and a sentence and no numbers."""
    return Check(
        check_id=check_id,
        subject="",
        verdict=verdict,
        value=math.nan,
        threshold=math.nan,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=sentence,
    )
