"""Who is in the top and the bottom group by predicted effect: what they are like, not why they differ.

The classification analysis of Chernozhukov, Demirer, Duflo & Fernandez-Val
(2018, section 3.4): means of each moderator in both groups, and the difference
with errors correlated within clusters. Groups follow from moderators, so that
differences are the rule here; they say nothing of effects, and are adjusted
among themselves, apart from the tests of effects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.groups import Groups
from whoworks.findings.searches.exploration import rank_groups
from whoworks.findings.setting import TOO_FEW_DF, Setting
from whoworks.forests.protocol import Predictions
from whoworks.inference.cluster_robust import Estimates, cluster_robust
from whoworks.panel.panel import Panel

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One thing to compare: a number, or membership of one group of a category (0 / 1), NaN where missing.

    `codes` are the category's groups, from which any one share could be worked out
    once the others are told; None for a number.
    """

    moderator: str
    code: str
    values: Vector
    codes: Codes | None = None

    @property
    def is_share(self) -> bool:
        """Whether its mean is a share."""
        return bool(self.code)

    @property
    def n_groups(self) -> int:
        """How many groups of a category the units are in; 0 for a number."""
        return 0 if self.codes is None else len(np.unique(self.codes[self.codes >= 0]))

    def smallest_group(self, units: Mask) -> int:
        """Return how many of the units the category's smallest group has; all of them for a number."""
        if self.codes is None:
            return int(units.sum())
        found = np.unique(self.codes[self.codes >= 0])
        return min((int((self.codes[units] == code).sum()) for code in found), default=0)


def find_profiles(panel: Panel, setting: Setting, predictions: Predictions, *, n_groups: int) -> tuple[Finding, ...]:
    """Describe the top and the bottom of `n_groups` groups by every moderator; none where there are no groups."""
    if n_groups < 2:
        return ()
    groups = rank_groups(predictions.tau, predictions.fold, n_groups)
    either = setting.either
    return tuple(
        finding
        for trait in list_traits(panel, setting)
        for finding in _profile(setting, groups, trait, either & np.isfinite(trait.values))
    )


def list_traits(panel: Panel, setting: Setting) -> Iterator[Trait]:
    """Yield every moderator's numbers; of a category the share of each group, of two groups only the second's."""
    for name in dict.fromkeys(moderator.name for moderator in panel.plan.moderators):
        column = panel.values[name].iloc[setting.scores.rows]
        if not isinstance(column.dtype, pd.CategoricalDtype):
            yield Trait(moderator=name, code="", values=column.to_numpy(dtype=np.float64))
            continue
        codes = column.cat.codes.to_numpy().astype(np.int64)
        levels = list(enumerate(column.cat.categories))
        for place, level in levels[1:] if len(levels) == 2 else levels:
            values = np.where(codes < 0, np.nan, (codes == place).astype(np.float64))
            yield Trait(moderator=name, code=str(level), values=values, codes=codes)


def _profile(setting: Setting, groups: Groups, trait: Trait, known: Mask) -> Iterator[Finding]:
    """Yield the mean at the bottom, at the top, and the difference."""
    last = len(groups.levels) - 1
    bottom, top = groups.member(0) & known, groups.member(last) & known
    keep = bottom | top
    if setting.n_clusters(top) < 2 or setting.n_clusters(bottom) < 2:
        return
    values, cluster = trait.values[keep], setting.scores.cluster[keep]
    fit = cluster_robust(X=np.column_stack([np.ones(keep.sum()), top[keep]]), y=values, cluster=cluster)
    told = fit.linear([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    names = (groups.levels[0], groups.levels[-1], f"{groups.levels[-1]} - {groups.levels[0]}")
    counts = [_counts(setting, trait, *units) for units in ((bottom,), (top,), (top, bottom))]
    for place, (name, counted) in enumerate(zip(names, counts, strict=True)):
        is_difference = place == 2
        yield setting.finding(
            question="profile", quantity="share" if trait.is_share else "mean", moderator=trait.moderator,
            level=f"{trait.code}: {name}" if trait.is_share else name,
            reference=names[0] if is_difference else "",
            status="exploratory" if is_difference else "descriptive",
            **_fields(setting, trait, told, place, spread=float(values.std(ddof=1)) if is_difference else NAN),
            **counted,
        )  # fmt: skip


def _counts(setting: Setting, trait: Trait, *units: Mask) -> dict[str, object]:
    """Count as elsewhere, and let the smallest group of a category be the smallest cell: a share tells its size."""
    counts = setting.counts(*units)
    cells = [int(str(counts["smallest_cell"])), *(trait.smallest_group(each) for each in units)]
    return counts | {"smallest_cell": min(cells)}


def _fields(setting: Setting, trait: Trait, told: Estimates, place: int, *, spread: float) -> dict[str, object]:
    """Return one row's numbers; `spread` standardises a difference and is NaN for a mean, which is not tested."""
    times = 100.0 if trait.is_share else 1.0
    estimate, error, df = (float(v[place]) for v in (told.estimate, told.std_error, told.df))
    low, high = (float(limit[place]) for limit in told.interval(setting.confidence))
    fields: dict[str, object] = {
        "unit": "percentage points" if trait.is_share else "moderator",
        "estimate": times * estimate, "std_error": times * error, "df": df, "df_num": 1.0,
        "conf_low": times * low, "conf_high": times * high,
    }  # fmt: skip
    if np.isnan(spread):
        return fields
    has_p = df >= TOO_FEW_DF
    size = 1 / spread if spread > 0 else NAN
    return fields | {
        "statistic": float(told.statistic[place]), "p_value": float(told.p_value[place]) if has_p else NAN,
        "effect_size": size * estimate, "effect_size_low": size * low, "effect_size_high": size * high,
        "sd_used": "SD of the moderator in both groups",
        "notes": () if has_p or np.isnan(df) else ("p not assessable: fewer than 4 degrees of freedom",),
    }  # fmt: skip
