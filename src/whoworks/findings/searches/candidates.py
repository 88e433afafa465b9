"""Candidates: groups that one half of the clusters proposes and the other half, unseen, puts to the test.

One split of clusters, by arm and block, never swapped. A candidate carries its
rule and the clusters that proposed it, and no number: what is estimated is
estimated in the other clusters, for every candidate, before its p is seen.
(Athey & Imbens 2016, PNAS 113, honest estimation.) The prognosis was learned
across both halves, but without arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.design.folds import deal_groups, join_small_blocks
from whoworks.design.levels import renumber
from whoworks.errors import HonestyError
from whoworks.findings.finding import Finding
from whoworks.findings.holder import count_by
from whoworks.findings.moderation import Cut, Moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches.proposal import Half, propose_rules
from whoworks.findings.searches.rules import (
    BESIDE,
    Condition,
    Rule,
    follow_rule,
    list_conditions,
    moderators_of,
    write_rule,
)
from whoworks.findings.setting import CLUSTERS_IN_A_LEVEL, Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

CLUSTERS_TO_TEST = 20  # in each arm; below, candidates are listed without estimates
N_SPLITS = 20  # further splits, which show how often the same moderators are proposed
AGAIN = "proposed again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A group proposed by some clusters, and no estimate: those clusters are not allowed one.

    rule : who is in it
    proposed_by : codes of the clusters (`Design.cluster`) whose outcomes suggested it
    """

    rule: Rule
    proposed_by: frozenset[int]


def find_candidates(
    panel: Panel, setting: Setting, *, seed: np.random.SeedSequence
) -> tuple[tuple[Finding, Moderation | None], ...]:
    """Propose groups in one half of the clusters and test each in the other.

    Returns each finding with the regression behind it, None where there is none:
    the candidates, then how often their moderators were proposed over further
    splits of all clusters (a description: those splits share their data).
    """
    setting, moderators = open_search(panel, setting)
    conditions = list_conditions(panel, moderators)
    held = [follow_rule((condition,), panel, setting)[0] for condition in conditions]
    member = np.column_stack(held) if held else np.zeros((len(setting.scores.y), 0), dtype=np.bool_)
    splits = split_clusters(setting, rngs=[np.random.default_rng(each) for each in seed.spawn(1 + N_SPLITS)])
    first = propose_candidates(setting, conditions, member, splits[0])
    others = [propose_candidates(setting, conditions, member, half) for half in splits[1:]] if first else []
    again = [{moderators_of(candidate.rule) for candidate in proposed} for proposed in others]
    per_arm = setting.fewest_clusters(setting.everyone)
    found: list[tuple[Finding, Moderation | None]] = []
    for candidate in first:
        if per_arm < CLUSTERS_TO_TEST:
            found.append((_listed(setting, candidate), None))
        else:
            found.append(estimate_candidate(panel, setting, candidate, units=~splits[0]))
    return (*found, *((_stability(setting, candidate, again), None) for candidate in first))


def open_search(panel: Panel, setting: Setting) -> tuple[Setting, tuple[Moderator, ...]]:
    """Return the moderators that candidates may cut, and the setting that counts the largest of what holds one.

    A trait of schools has to be proposed by some schools and shown by others. So
    what larger units than clusters hold is cut only where there are enough of
    these to be divided, and then they are what is divided for every candidate.
    """
    allowed, search = [], setting
    for moderator in panel.plan.moderators:
        counted = count_by(panel, setting, moderator)
        per_arm = counted.fewest_clusters(setting.everyone)
        if counted is setting or per_arm >= CLUSTERS_TO_TEST:
            allowed.append(moderator)
            search = min(search, counted, key=lambda each: int(each.scores.cluster.max()))
    return search, tuple(allowed)


def split_clusters(setting: Setting, *, rngs: Sequence[np.random.Generator]) -> tuple[Mask, ...]:
    """Return for each generator the half that proposes: whole clusters, balanced over arms and blocks, (n,) each."""
    scores = setting.scores
    place = setting.design.places(scores.rows)
    block = renumber(scores.block)
    group = join_small_blocks(cluster=renumber(scores.cluster), block=block, assigned=setting.design.assigned[place])
    arm = renumber(setting.design.arm[place])
    return tuple(
        np.asarray(deal_groups(group=group, block=block, arm=arm, n_folds=2, rng=rng)[group] == 0) for rng in rngs
    )


def propose_candidates(
    setting: Setting, conditions: tuple[Condition, ...], member: Mask, half: Mask
) -> tuple[Candidate, ...]:
    """Propose candidates from the units of one half, (n,); none where an arm there has fewer than three clusters.

    `member` is (n, C): for which units each condition holds.
    """
    scores = setting.scores
    units = half & setting.either
    if setting.fewest_clusters(units) < CLUSTERS_IN_A_LEVEL:
        return ()
    residual = setting.outcome.gain * (scores.y if scores.h is None else scores.y - scores.h)
    part = Half.of(
        member=member[units], residual=residual[units],
        treated=setting.treated[units], weights=1 / scores.own[units], cluster=scores.cluster[units],
        block=scores.block[units],
    )  # fmt: skip
    proposed_by = frozenset(_clusters(setting, half))
    return tuple(Candidate(rule=rule, proposed_by=proposed_by) for rule in propose_rules(part, conditions))


def held_out(candidate: Candidate, setting: Setting, *, units: Mask) -> Mask:
    """Return the units, (n,), once it is sure that none shares a cluster with those that proposed the candidate.

    Raises
    ------
    HonestyError
        When some do: an estimate there would be of the data that suggested it.
    """
    shared = candidate.proposed_by & frozenset(_clusters(setting, units))
    if shared:
        word = setting.design.cluster_level
        raise HonestyError(
            f"The group '{write_rule(candidate.rule)}' was proposed by {len(shared)} of the clusters ({word}) in which "
            f"it is now to be estimated; estimate it in clusters that had no part in proposing it."
        )
    return units


def estimate_candidate(
    panel: Panel, setting: Setting, candidate: Candidate, *, units: Mask
) -> tuple[Finding, Moderation | None]:
    """Estimate how the candidate's effect differs from that of all others, among units that had no part in it."""
    inside, known = follow_rule(candidate.rule, panel, setting)
    keep = held_out(candidate, setting, units=units) & known
    groups = (inside & keep, ~inside & keep)
    fields = _subject(candidate) | {
        "quantity": "effect in the group minus effect outside it, in clusters that had no part in proposing it",
    }  # fmt: skip
    if not all(setting.is_assessable(group) for group in groups):
        note = ("not assessable: fewer than three clusters in an arm inside or outside the group",)
        fields |= {"status": "exploratory", "notes": note} | setting.counts(*groups)
        return setting.finding(**fields), None  # type: ignore[arg-type]
    basis = np.column_stack([np.ones(len(inside)), inside])
    told = fit_effects(setting.scores, basis=basis, keep=keep).effects([0.0, 1.0])
    fields |= {"status": "exploratory"} | setting.inference(told, is_difference=True) | setting.counts(*groups)
    moderation = Moderation(
        setting=setting, basis=basis, keep=keep, contrasts=np.array([[0.0, 1.0]]),
        cuts=_cuts(panel, setting, candidate, keep=keep),
    )  # fmt: skip
    return setting.finding(**fields), moderation  # type: ignore[arg-type]


def _cuts(panel: Panel, setting: Setting, candidate: Candidate, *, keep: Mask) -> tuple[Cut, ...]:
    """Return the rule's cuts along numbers, each among the units for which its other conditions hold."""
    cuts = []
    for condition in candidate.rule:
        if condition.sign not in ("<=", ">"):
            continue
        number = panel.values[condition.moderator].to_numpy(dtype=np.float64)[setting.scores.rows]
        others = tuple(other for other in candidate.rule if other is not condition)
        among = keep & follow_rule(others, panel, setting)[0]
        spread = float(np.nanstd(number)) or 1.0
        scaled = np.nan_to_num((number - np.nanmean(number)) / spread)
        above = scaled > (float(condition.value) - np.nanmean(number)) / spread
        cuts.append(Cut(above=above, number=scaled, compared=among, among=among))
    return tuple(cuts)


def _subject(candidate: Candidate) -> dict[str, object]:
    return {
        "question": "candidate", "moderator": BESIDE.join(moderators_of(candidate.rule)),
        "level": write_rule(candidate.rule), "reference": "all others",
    }  # fmt: skip


def _listed(setting: Setting, candidate: Candidate) -> Finding:
    """List a candidate that too few clusters could test."""
    note = f"not assessable: fewer than {CLUSTERS_TO_TEST} clusters in an arm leave too few to test it in"
    fields = _subject(candidate) | {"quantity": "proposed, not tested", "status": "descriptive", "notes": (note,)}
    return setting.finding(**fields, **setting.counts(setting.everyone))  # type: ignore[arg-type]


def _stability(setting: Setting, candidate: Candidate, again: list[set[tuple[str, ...]]]) -> Finding:
    """Tell in how many of the further splits the same moderators were proposed together."""
    own = set(moderators_of(candidate.rule))
    times = sum(any(set(moderators) == own for moderators in proposed) for proposed in again)
    fields = _subject(candidate) | {
        "level": AGAIN, "reference": "", "status": "descriptive", "unit": "share of splits",
        "quantity": "share of further splits in which the same moderators were proposed",
        "estimate": times / len(again),
        "notes": (f"{times} of {len(again)} further splits; they share their data: a description, no test",),
    }  # fmt: skip
    return setting.finding(**fields, **setting.counts(setting.everyone))  # type: ignore[arg-type]


def _clusters(setting: Setting, units: Mask) -> list[int]:
    """Return the design's codes of the clusters with any of the units."""
    return [int(code) for code in np.unique(setting.design.cluster[setting.design.places(setting.scores.rows)][units])]
