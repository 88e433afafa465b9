"""Clusters: how many each arm has, and how unequal they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, percent
from whoworks.design.design import Codes, Design, Vector
from whoworks.design.levels import STUDENT
from whoworks.language import listed

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
        sentence=f"There are {count_by_arm(design, table)}. {design.cluster_reason}{remark}",
        table=table,
    )
    return (check,)


def count_by_arm(design: Design, table: pd.DataFrame) -> str:
    """Write how many clusters each arm has; those that hold students of several arms are counted once."""
    word, total = design.cluster_level, len(np.unique(design.cluster))
    counts = [int(n) for n in table["n_clusters"]]
    if sum(counts) == total:
        named = zip(counts, design.arm_labels, strict=True)
        return listed([f"{counted(n, word)} under {label}" for n, label in named])
    if min(counts) == total:
        return f"{counted(total, word)}, each with students of {'both arms' if len(counts) == 2 else 'every arm'}"
    named = zip(counts, design.arm_labels, strict=True)
    return f"{counted(total, word)}: " + listed([f"{n:,} with students of {label}" for n, label in named])


def check_cluster_sizes(design: Design) -> tuple[Check, ...]:
    """Check that no cluster dominates its arm or holds one student alone, and say how unequal clusters are.

    The value counts the arms in which a cluster dominates: the largest cluster's
    own share would tell how many students one cluster holds.
    """
    table = describe_arms(design)
    limits = np.maximum(DOMINATING, 2 / np.maximum(table["n_clusters"].to_numpy(), 1))
    over = table["share_largest"].to_numpy() - limits
    dominated = int(np.nanargmax(over)) if (over > 0).any() else -1
    sizes = np.unique(design.cluster, return_counts=True)[1]
    has_single = design.cluster_level != STUDENT and bool((sizes == 1).any())
    check = Check(
        check_id="cluster_sizes",
        subject=design.cluster_level,
        verdict=Verdict.WARN if dominated >= 0 or has_single else Verdict.PASS,
        value=float((over > 0).sum()),
        threshold=0.0,
        n_units=len(design.rows),
        n_clusters=len(sizes),
        sentence=explain_sizes(design, sizes, limits, dominated, has_single=has_single),
        table=table.assign(is_dominated=over > 0, has_single=has_single),
    )
    return (check,)


def explain_sizes(design: Design, sizes: Codes, limits: Vector, dominated: int, *, has_single: bool) -> str:
    """Say how large clusters usually are, and whether one dominates or is one student; no cluster's own size."""
    word = design.cluster_level
    if word == STUDENT:
        return "Each student is a cluster, so all clusters are of one size."
    variation = sizes.std() / sizes.mean()
    said = (
        f"A {word} holds {np.median(sizes):,.0f} students in the middle of the range (sizes vary by "
        f"{percent(float(variation), 0)} of their mean)"
    )
    if dominated >= 0:
        said += f"; one holds over {100 * limits[dominated]:.3g} % of the students under "
        said += f"{design.arm_labels[dominated]}, so that it weighs heavily in what is found."
    else:
        said += f"; none holds over {100 * limits.max():.3g} % of an arm's students."
    if has_single:
        said += f" At least one {word} holds a single student: check its code, and read averages in which each "
        said += f"{word} counts equally with care, since that student counts there as much as a whole {word}."
    return said
