"""The regression behind one moderator's test, and the cut points that a claim rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.groups import group_categories, group_numbers, moderator_numbers, own_level_spread
from whoworks.findings.holder import count_by
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A cut along a number, and the number.

    above : (n,) whether a unit lies above the cut
    number : (n,) the number, in any unit
    compared : (n,) the units on either side that the cut compares
    among : (n,) the units among which the number has to confirm it
    """

    above: Mask
    number: Vector
    compared: Mask
    among: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """The regression behind one moderator's test: its basis, its units, and the contrasts that should be zero.

    A number is counted in SD over units of its own level, as its finding is. `cuts`
    are those on which the claim, or what is shown beside it, rests.
    """

    setting: Setting
    basis: Vector
    keep: Mask
    contrasts: Vector
    cuts: tuple[Cut, ...] = ()


def open_moderation(panel: Panel, setting: Setting, moderator: Moderator) -> Moderation | None:
    """Return the regression behind a moderator's test, counting what holds it; None where it is not assessable."""
    setting = count_by(panel, setting, moderator)
    if moderator.kind == "number":
        values = moderator_numbers(panel, setting.scores, moderator)
        keep = ~np.isnan(values)
        if not setting.is_assessable(keep) or np.ptp(values[keep]) == 0:
            return None
        scaled = np.where(keep, (values - np.nanmean(values)) / own_level_spread(panel, moderator), 0.0)
        basis = np.column_stack([np.ones(len(values)), scaled])
        cuts = _shown_cuts(panel, setting, moderator, number=scaled, keep=keep) if moderator.cut else ()
        return Moderation(setting=setting, basis=basis, keep=keep, contrasts=np.array([[0.0, 1.0]]), cuts=cuts)
    groups = group_categories(panel, setting.scores, moderator)
    kept = setting.assessable(groups)
    if len(kept) < 2:
        return None
    keep = np.isin(groups.code, kept)
    return Moderation(
        setting=setting, basis=groups.indicators(kept), keep=keep, contrasts=np.eye(len(kept))[1:]
    )  # fmt: skip


def _shown_cuts(panel: Panel, setting: Setting, moderator: Moderator, *, number: Vector, keep: Mask) -> tuple[Cut, ...]:
    """Return the highest of a number's groups against the lowest, of those with three clusters in each arm."""
    groups = group_numbers(panel, setting.scores, moderator)
    kept = setting.assessable(groups)
    if len(kept) < 2:
        return ()
    above = groups.member(kept[-1])
    return (Cut(above=above, number=number, compared=above | groups.member(kept[0]), among=keep),)
