"""All moderators in one regression: which differences are still there when the others are held fixed.

Moderators go together: students with free lunch sit in other classes than the
rest. Each plain difference stands for everything that goes with its moderator;
here each is net of the others, linearly. Neither is a cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.finding import Finding
from whoworks.findings.groups import group_categories, moderator_numbers, own_level_spread
from whoworks.findings.holder import count_by
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import NOT_DETERMINED, TOO_FEW_DF, UNTESTED, Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

CLUSTERS_PER_COLUMN = 2  # in each arm, at least: with fewer, the regression fits the clusters and not the moderators
FEW_DF_RANGE = "fewer than 4 degrees of freedom: the range leans on assumptions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One column of the projection: a number in SD, or an indicator of a group against the first.

    setting : that which counts what holds the moderator
    """

    setting: Setting
    moderator: Moderator
    level: str
    reference: str
    column: Vector


def find_projection(panel: Panel, setting: Setting) -> tuple[Finding, ...]:
    """Estimate each moderator's difference in the effect with all other moderators held fixed.

    One row per number (per SD) and per group but the first. A companion to the
    differences: it describes, and carries no test. Units that lack any
    moderator are left out, and counted in a note. Nothing where there is one
    moderator, or fewer than two clusters in each arm for every column.
    """
    keep, terms = open_projection(panel, setting)
    per_arm = setting.fewest_clusters(keep)
    together = len({term.moderator.name for term in terms})
    if together < 2 or per_arm < CLUSTERS_PER_COLUMN * len(terms):
        return ()
    basis = np.column_stack([np.ones(len(keep)), *(term.column for term in terms)])
    told = {
        word: fit_effects(counted.scores, basis=basis, keep=keep).effects(np.eye(basis.shape[1])[1:])
        for word, counted in {term.setting.design.cluster_level: term.setting for term in terms}.items()
    }
    lost = int((~keep & setting.either).sum())
    left_out = (
        (f"{lost:,} students are left out: of each, at least one of the moderators is not known",) if lost else ()
    )
    found = []
    for index, term in enumerate(terms):
        estimates, counted = told[term.setting.design.cluster_level], term.setting
        fields = counted.inference(estimates, index, is_difference=True)
        df = float(estimates.df[index])
        doubt = () if df >= TOO_FEW_DF else (NOT_DETERMINED if np.isnan(df) else FEW_DF_RANGE,)
        fields |= UNTESTED | {"notes": (*doubt, *left_out)}
        fields |= {} if term.level else {"unit": "per SD"}
        found.append(
            counted.finding(
                question="projection", quantity="difference in the effect, the other moderators held fixed",
                moderator=term.moderator.name, level=term.level, reference=term.reference, status="descriptive",
                **fields, **_counts(term, keep),
            )
        )  # fmt: skip
    return tuple(found)


def open_projection(panel: Panel, setting: Setting) -> tuple[Mask, tuple[Term, ...]]:
    """Return the units that have every moderator, and the columns; groups too thin to compare are left out."""
    keep = setting.everyone
    terms: list[Term] = []
    for moderator in panel.plan.moderators:
        counted = count_by(panel, setting, moderator)
        known, own = (_number if moderator.kind == "number" else _groups)(panel, counted, moderator)
        if own:
            keep = keep & known
            terms += own
    columns = (term for term in terms if np.ptp(term.column[keep]) > 0) if keep.any() else ()
    return keep, tuple(columns)


def _number(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[Mask, list[Term]]:
    values = moderator_numbers(panel, setting.scores, moderator)
    known = ~np.isnan(values)
    spread = own_level_spread(panel, moderator)
    if not setting.is_assessable(known) or not spread > 0:
        return known, []
    column = np.where(known, (np.nan_to_num(values) - float(values[known].mean())) / spread, 0.0)
    return known, [Term(setting=setting, moderator=moderator, level="", reference="", column=column)]


def _groups(panel: Panel, setting: Setting, moderator: Moderator) -> tuple[Mask, list[Term]]:
    groups = group_categories(panel, setting.scores, moderator)
    kept = setting.assessable(groups)
    known = np.isin(groups.code, kept)
    terms = [
        Term(
            setting=setting, moderator=moderator, level=groups.levels[level], reference=groups.levels[kept[0]],
            column=groups.member(level).astype(np.float64),
        )
        for level in kept[1:]
    ]  # fmt: skip
    return known, terms


def _counts(term: Term, keep: Mask) -> dict[str, object]:
    """Count the units behind a column: a group and the rest, or everyone along a number."""
    if not term.level:
        return term.setting.counts(keep)
    member = keep & (term.column == 1)
    return term.setting.counts(member, keep & ~member)
