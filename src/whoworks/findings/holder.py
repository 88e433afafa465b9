"""What holds a trait: the schools that a trait of schools was dealt to, and not the classes or students within them.

A difference along a trait of schools is a difference between schools. Schools
whose effects differ along nothing recorded differ along any trait by chance, by
as much as there are few of them, however many classes or students each has. So
where a moderator belongs to units larger than the clusters of the design, its
differences count those: the estimate is the same, its error and degrees of
freedom are the schools' (Donner & Klar 2000, Design and Analysis of Cluster
Randomization Trials, chapter 1: the unit of inference is what was sampled).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.design.design import Design
from whoworks.design.levels import STUDENT, count_distinct, renumber, split_codes
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The units that hold a trait: `word` is their level in the plan, `codes` (n,) of the design's units."""

    word: str
    codes: Codes

    @property
    def number(self) -> int:
        """How many there are."""
        return int(self.codes.max()) + 1


def find_holder(panel: Panel, design: Design, moderator: Moderator) -> Holder | None:
    """Return the units larger than the design's clusters that hold a moderator; None where there are none.

    They are of the level that the plan declares for the moderator; where it
    declares none, the largest within each of whose units the moderator is the
    same. Not counted are units that do not hold whole clusters, and those whose
    own column is the moderator: what is asked then is how these very units differ,
    grade from grade, and not whether a trait of theirs matters. A trait that each
    group has one unit of is a trait all the same, and one unit a group tells nothing.
    """
    if moderator.level == STUDENT:
        return None
    for word in _levels(panel, moderator):
        if panel.plan.levels[word] == moderator.column:
            continue
        codes = renumber(pd.factorize(panel.units[word].iloc[design.rows])[0])
        if not _holds_clusters(codes, design.cluster):
            continue
        holder = Holder(word=word, codes=codes)
        trait = pd.factorize(panel.values[moderator.name].iloc[design.rows])[0].astype(np.int64)
        known = trait >= 0
        n_values = count_distinct(within=codes[known], codes=trait[known], n=holder.number)
        if n_values.max() == 1:
            return holder
    return None


def count_by(panel: Panel, setting: Setting, moderator: Moderator) -> Setting:
    """Return the setting in which the units that hold a moderator are the clusters, where they are larger.

    The prognosis enters as it did, by the means of the design's own clusters.
    """
    holder = find_holder(panel, setting.design, moderator)
    return setting if holder is None else count(setting, holder)


def count(setting: Setting, holder: Holder) -> Setting:
    """Return the setting in which the holder's units are the clusters."""
    scores, design = setting.scores, setting.design
    own = scores.cluster if scores.divided_by is None else scores.divided_by
    cluster = renumber(holder.codes[design.places(scores.rows)])
    return replace(
        setting, scores=replace(scores, cluster=cluster, divided_by=own),
        design=replace(design, cluster=holder.codes, cluster_level=holder.word),
    )  # fmt: skip


def _levels(panel: Panel, moderator: Moderator) -> Iterator[str]:
    """Yield the levels that may hold the moderator, the largest first."""
    for word in reversed(panel.plan.levels):
        if word != STUDENT and word in panel.units and moderator.level in ("", word):
            yield word


def _holds_clusters(codes: Codes, cluster: Codes) -> bool:
    """Tell whether units are fewer than the clusters, and each cluster lies in one."""
    return len(np.unique(codes)) < len(np.unique(cluster)) and not len(split_codes(inner=cluster, outer=codes))
