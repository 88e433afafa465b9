"""The design held against the data: who was assigned what, within what, with which probability."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from whoworks.design.cluster import choose_cluster, choose_sensitivity
from whoworks.design.design import Codes, Design
from whoworks.design.levels import Level, count_distinct, cross_levels, name_culprits, read_level, renumber, split_codes
from whoworks.design.probability import know_probability
from whoworks.errors import DesignError
from whoworks.language import plural
from whoworks.panel.ledger import Entry
from whoworks.panel.panel import Panel

Mask = NDArray[np.bool_]


def build_design(panel: Panel) -> Design:
    """Hold the plan's design against the panel's data, and keep the units it can carry.

    Units of blocks that lack an arm are left out and counted. One arm, or one cluster in an arm,
    is no error here: `require_feasible` judges that, after the checks.

    Raises
    ------
    DesignError
        When the data contradict the plan: an arm that varies within what was
        assigned, something assigned that straddles blocks, a cluster that
        splits what carries the arm, a probability that is none.
    """
    declared, plan = panel.plan.design, panel.plan
    assigned = read_level(panel, declared.assigned)
    drawn = read_level(panel, declared.drawn)
    block = cross_levels(tuple(read_level(panel, word) for word in declared.blocks), len(panel.units))
    site = read_level(panel, declared.site) if declared.site else None
    named = read_level(panel, declared.cluster) if declared.cluster else None
    arm = read_arm(panel)

    require_one_arm(assigned, arm, column=plan.arms.column)
    require_unsplit(assigned, block)
    require_drawn_within(drawn, assigned)
    complete = find_complete(arm=arm, block=block, n_arms=len(plan.arms.codes))
    rows = np.flatnonzero(complete).astype(np.int64)

    cluster = choose_cluster(assigned=assigned, drawn=drawn, site=site, named=named, rows=rows)
    sensitivity = choose_sensitivity(cluster=cluster.codes[rows], block=block.codes[rows])
    probability = know_probability(panel, arm=arm[rows], drawn=drawn, block=block, rows=rows)
    lacking = "with only one arm" if len(plan.arms.codes) == 2 else "that lacks an arm"
    gone = count_left_out(~complete, arm, cluster.codes, plan.arms.codes, f"{block.word} {lacking}")
    return Design(
        kind=declared.kind,
        rows=rows,
        arms=plan.arms.codes,
        arm_labels=tuple(plan.arms.label(code) for code in plan.arms.codes),
        arm=arm[rows],
        probability=probability,
        assigned=renumber(assigned.codes[rows]),
        drawn=renumber(drawn.codes[rows]),
        block=renumber(block.codes[rows]),
        site=None if site is None else renumber(site.codes[rows]),
        cluster=renumber(cluster.codes[rows]),
        cluster_level=cluster.word,
        cluster_reason=cluster.reason,
        sensitivity=sensitivity,
        sensitivity_level="" if sensitivity is None else block.word,
        assigned_level=assigned.word,
        drawn_level=drawn.word,
        block_level=block.word,
        site_level=declared.site,
        ledger=panel.ledger.plus(gone),
        probability_from="shares" if declared.probability in (None, "blocks") else "plan",
    )


def read_arm(panel: Panel) -> Codes:
    """Return each unit's arm as an index into the plan's arms, control first."""
    places = {code: place for place, code in enumerate(panel.plan.arms.codes)}
    return np.array([places[code] for code in panel.units["arm"]], dtype=np.int64)


def require_one_arm(assigned: Level, arm: Codes, *, column: str) -> None:
    """Raise when something that was assigned as a whole holds more than one arm."""
    culprits = split_codes(inner=assigned.codes, outer=arm)
    if not len(culprits):
        return
    raise DesignError(
        f"{len(culprits)} of {len(assigned.names)} values of '{assigned.column}' hold more than one arm"
        f"{name_culprits(assigned, culprits)}. The plan says '{column}' was assigned to whole {plural(assigned.word)}. "
        f"If it was assigned at a lower level, set design.assigned to that level; if the codes are used again "
        f"elsewhere, give each {assigned.word} a code of its own; if these were contaminated, keep the arm they were "
        f"assigned and record what they received under [takeup]."
    )


def require_unsplit(assigned: Level, block: Level) -> None:
    """Raise when something that was assigned as a whole lies in more than one block."""
    culprits = split_codes(inner=assigned.codes, outer=block.codes)
    if not len(culprits):
        return
    raise DesignError(
        f"{len(culprits)} of {len(assigned.names)} values of '{assigned.column}' lie in more than one block "
        f"('{block.column}'){name_culprits(assigned, culprits)}. Arms were drawn separately within each block, so each "
        f"{assigned.word} lies in one. If the codes are used again elsewhere, give each {assigned.word} a code of its "
        f"own; if arms were not drawn within '{block.column}', take it out of design.blocks."
    )


def require_drawn_within(drawn: Level, assigned: Level) -> None:
    """Raise when what was drawn is larger than what carries the arm."""
    culprits = split_codes(inner=drawn.codes, outer=assigned.codes)
    if not len(culprits):
        return
    raise DesignError(
        f"{len(culprits)} of {len(drawn.names)} values of '{drawn.column}' hold more than one {assigned.word}"
        f"{name_culprits(drawn, culprits)}. design.drawn is '{drawn.word}' and design.assigned is "
        f"'{assigned.word}', but what is drawn goes to an arm as a whole: it is the {assigned.word} or a part of it. "
        f"If the codes are used again elsewhere, give each {drawn.word} a code of its own."
    )


def find_complete(*, arm: Codes, block: Level, n_arms: int) -> Mask:
    """Mark the units whose block holds every arm compared.

    All are kept without blocks, and where an arm is absent altogether: the
    checks of such a study should still see who was there.
    """
    if not block.word or len(np.unique(arm)) < n_arms:
        return np.ones(len(arm), dtype=np.bool_)
    n_found = count_distinct(within=block.codes, codes=arm, n=len(block.names))
    complete: Mask = n_found[block.codes] == n_arms
    return complete


def count_left_out(gone: Mask, arm: Codes, cluster: Codes, codes: tuple[str, ...], reason: str) -> Iterable[Entry]:
    """Count the units marked `gone`, one entry per arm that lost any."""
    for place, code in enumerate(codes):
        lost = gone & (arm == place)
        if lost.any():
            n_rows, n_clusters = int(lost.sum()), len(np.unique(cluster[lost]))
            yield Entry(step="excluded", reason=reason, arm=code, n_rows=n_rows, n_units=n_rows, n_clusters=n_clusters)
