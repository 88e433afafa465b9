"""Clusters: how many each arm has, and how unequal they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, listed, percent
from whoworks.design.design import Codes, Design
from whoworks.design.levels import STUDENT

FEW_CLUSTERS = 10
MIN_CLUSTERS = 2
# A cluster dominates an arm when it holds more than a quarter of its units and more than twice an equal share.
DOMINATING = 0.25


def tabulate_clusters(*, cluster: Codes, arm: Codes, n_arms: int) -> pd.DataFrame:
    """Return one row per arm: number of clusters, their sizes, and how many equal ones they are worth.

    `effective_clusters` is (sum n)^2 / sum n^2, the number of equal clusters with the
    same concentration (Kish 1965).
    """
    rows = []
    for code in range(n_arms):
        sizes = np.unique(cluster[arm == code], return_counts=True)[1]
        some = len(sizes) > 0
        rows.append(
            {
                "n_clusters": len(sizes),
                "n_units": int(sizes.sum()),
                "median_size": float(np.median(sizes)) if some else 0.0,
                "share_largest": float(sizes.max() / sizes.sum()) if some else np.nan,
                "effective_clusters": float(sizes.sum() ** 2 / (sizes**2).sum()) if some else 0.0,
            }
        )
    return pd.DataFrame(rows)


def describe_arms(design: Design) -> pd.DataFrame:
    """Return the clusters of each arm, with the arms' codes and words."""
    table = tabulate_clusters(cluster=design.cluster, arm=design.arm, n_arms=len(design.arms))
    table.insert(0, "arm", design.arms)
    table.insert(1, "arm_label", design.arm_labels)
    return table


def check_clusters(design: Design) -> tuple[Check, ...]:
    """Check that each arm has clusters enough: under 10 the range is rough, under 2 there is none."""
    table = describe_arms(design)
    fewest = int(table["n_clusters"].min())
    counts = listed(
        [
            f"{counted(int(n), design.cluster_level)} under {label}"
            for n, label in zip(table["n_clusters"], design.arm_labels, strict=True)
        ]
    )
    verdict, remark = Verdict.PASS, ""
    if fewest < MIN_CLUSTERS:
        verdict, remark = Verdict.FAIL, " With fewer than two in an arm no range can be given."
    elif fewest < FEW_CLUSTERS:
        verdict, remark = Verdict.WARN, f" With fewer than {FEW_CLUSTERS} in an arm ranges are wide and rough."
    check = Check(
        check_id="clusters",
        subject=design.cluster_level,
        verdict=verdict,
        value=float(fewest),
        threshold=float(FEW_CLUSTERS),
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=f"There are {counts}. {design.cluster_reason}{remark}",
        table=table,
    )
    return (check,)


def check_cluster_sizes(design: Design) -> tuple[Check, ...]:
    """Check that no cluster dominates its arm, and say how unequal clusters are."""
    table = describe_arms(design)
    limits = np.maximum(DOMINATING, 2 / table["n_clusters"].to_numpy())
    shares = table["share_largest"].to_numpy()
    widest = int(np.argmax(shares - limits))
    share, limit = float(shares[widest]), float(limits[widest])
    sizes = np.unique(design.cluster, return_counts=True)[1]
    check = Check(
        check_id="cluster_sizes",
        subject=design.cluster_level,
        verdict=Verdict.WARN if share > limit else Verdict.PASS,
        value=share,
        threshold=limit,
        n_units=len(design.rows),
        n_clusters=len(sizes),
        sentence=explain_sizes(design.cluster_level, sizes, share, limit, design.arm_labels[widest]),
        table=table,
    )
    return (check,)


def explain_sizes(word: str, sizes: Codes, share: float, limit: float, arm_label: str) -> str:
    """Say how large clusters usually are and what the largest of them holds; no smallest or largest size."""
    if word == STUDENT:
        return "Each student is a cluster, so all clusters are of one size."
    variation = sizes.std() / sizes.mean()
    said = (
        f"A {word} holds {np.median(sizes):,.0f} students in the middle of the range (sizes vary by "
        f"{percent(float(variation))} of their mean); the largest holds {percent(share)} of the students "
        f"under {arm_label}"
    )
    return f"{said}, so that one {word} weighs heavily in what is found." if share > limit else f"{said}."
