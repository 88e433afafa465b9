"""Clusters: what inference counts, at least what was assigned as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whoworks.design.design import Codes
from whoworks.design.levels import STUDENT, Level, name_culprits, renumber, split_codes
from whoworks.errors import DesignError
from whoworks.language import plural

MIN_SITES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The clusters of all of the panel's units: codes, the level's word and the reason, a sentence."""

    codes: Codes
    word: str
    reason: str


def choose_cluster(*, assigned: Level, drawn: Level, site: Level | None, named: Level | None, rows: Codes) -> Clusters:
    """Choose what inference counts.

    A cluster named by the plan is obeyed where it never splits what carries the
    arm. Otherwise: the level that carries the arm; the site, where students were
    assigned one by one within 10 or more sites, so that ranges count how sites
    differ; else the student.

    Raises
    ------
    DesignError
        When the named cluster splits what carries the arm.
    """
    if named is not None:
        require_whole(named, assigned, rows)
        kept = f"no {assigned.word} is split by it"
        if named.word == assigned.word:
            kept = "it is what carries the arm"
        return Clusters(
            codes=named.codes, word=named.word, reason=f"The plan names the {named.word} as the cluster, and {kept}."
        )
    if assigned.word != STUDENT:
        return Clusters(codes=assigned.codes, word=assigned.word, reason=explain_assigned(assigned, drawn))
    n_sites = 0 if site is None else len(np.unique(site.codes[rows]))
    if site is not None and n_sites >= MIN_SITES:
        reason = (
            f"{plural(STUDENT).capitalize()} were assigned one by one within {n_sites} {plural(site.word)}; the "
            f"{site.word} is the cluster, so that the ranges count how {plural(site.word)} differ."
        )
        return Clusters(codes=site.codes, word=site.word, reason=reason)
    return Clusters(codes=assigned.codes, word=STUDENT, reason=explain_student(site, n_sites))


def explain_assigned(assigned: Level, drawn: Level) -> str:
    """Say why the level that carries the arm is the cluster."""
    word = assigned.word
    if drawn.word == word:
        return f"Each {word} was assigned to an arm as a whole, so the {word} is the cluster."
    return (
        f"{plural(drawn.word).capitalize()} were drawn into {plural(word)}, and each {word} carries one arm "
        f"as a whole, so the {word} is the cluster."
    )


def explain_student(site: Level | None, n_sites: int) -> str:
    """Say why each student is a cluster."""
    within = ""
    if site is not None:
        found = f"one {site.word}" if n_sites == 1 else f"{n_sites} {plural(site.word)}"
        within = f" within {found} (fewer than {MIN_SITES})"
    return f"Students were assigned one by one{within}, so each student is a cluster."


def require_whole(named: Level, assigned: Level, rows: Codes) -> None:
    """Raise when the named cluster splits what carries the arm."""
    culprits = split_codes(inner=assigned.codes[rows], outer=named.codes[rows])
    if not len(culprits):
        return
    raise DesignError(
        f"design.cluster = '{named.word}' splits {len(culprits)} {plural(assigned.word)}"
        f"{name_culprits(assigned, culprits)}. A cluster holds whole {plural(assigned.word)}, which carry the arm: "
        f"name a larger level, or take design.cluster out and the {assigned.word} is the cluster."
    )


def choose_sensitivity(*, cluster: Codes, block: Codes) -> Codes | None:
    """Return the block's codes where blocks are coarser than clusters, for the standard error printed beside.

    None without blocks, and where a block is not made of whole clusters and more than one of them.
    """
    n_blocks, n_clusters = len(np.unique(block)), len(np.unique(cluster))
    if n_blocks < 2 or n_blocks >= n_clusters or len(split_codes(inner=cluster, outer=block)):
        return None
    return renumber(block)
