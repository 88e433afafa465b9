"""What all questions about one outcome and one contrast share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from whoworks.checks.wording import in_words
from whoworks.design.design import Design
from whoworks.design.folds import MIN_CLUSTERS, count_folds
from whoworks.design.levels import renumber
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.groups import Groups
from whoworks.findings.regression import EffectFit, control_units, fit_effects
from whoworks.findings.scale import Scale, measure_scale
from whoworks.inference.cluster_robust import Estimates
from whoworks.inference.joint_test import JointTest
from whoworks.inference.power import minimum_detectable
from whoworks.plan.outcomes import Outcome
from whoworks.scores.scores import Scores

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

TOO_FEW_DF = 4.0  # below, a t distribution says little: the interval is printed, the p is not
FEW_CLUSTERS = 10  # in an arm: below, a p by re-drawing the assignment is printed beside
FEW_DF = "p not assessable: fewer than 4 degrees of freedom"
NO_ERROR = "not assessable: outcomes do not vary enough to give the estimate an error"
NOT_DETERMINED = "not assessable: the data cannot tell it from differences between blocks or other groups"
UNTESTED = {"p_value": NAN, "statistic": NAN, "mde": NAN}  # the fields of a description that a test would fill
CLUSTERS_IN_A_LEVEL = 3  # of either arm: below, a level is not assessable


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One outcome and one contrast: scores, design, and how estimates are to be written down.

    `is_primary` and `is_main_contrast` decide what may be confirmatory.
    """

    scores: Scores
    design: Design
    outcome: Outcome
    scale: Scale
    confidence: float
    is_primary: bool
    is_main_contrast: bool

    @property
    def is_main(self) -> bool:
        """Whether this is the main contrast on the primary outcome."""
        return self.is_primary and self.is_main_contrast

    @cached_property
    def average(self) -> EffectFit:
        """The regression of the average effect, students counting equally."""
        return fit_effects(self.scores)

    @cached_property
    def treated(self) -> Mask:
        """Units assigned to the contrast's treatment, (n,)."""
        return np.asarray(self.scores.z == 1)

    @cached_property
    def control(self) -> Mask:
        """Units assigned to control, (n,)."""
        return control_units(self.scores)

    @cached_property
    def either(self) -> Mask:
        """Units of the contrast, assigned to its treatment or to control, (n,)."""
        return self.treated | self.control

    @cached_property
    def everyone(self) -> Mask:
        """All units analysed, those of other treatments too, (n,)."""
        everyone = np.ones(len(self.scores.y), dtype=np.bool_)
        everyone.setflags(write=False)
        return everyone

    def finding(self, *, question: str, quantity: str, **fields: object) -> Finding:
        """Return a finding with this setting's outcome, contrast and clusters filled in."""
        given: dict[str, object] = {
            "outcome": self.outcome.column, "wave": self.outcome.wave, "domain": self.outcome.domain,
            "contrast": self.scores.contrast, "cluster": self.design.cluster_level,
            "conf_level": self.confidence, "unit": self.unit, "meaningful": self.meaningful,
        }  # fmt: skip
        return Finding(question=question, quantity=quantity, **(given | fields))  # type: ignore[arg-type]

    @property
    def why_no_folds(self) -> str:
        """Why clusters could not be divided, where they are not."""
        arm = renumber(self.design.arm[self.design.places(self.scores.rows)])
        if not count_folds(cluster=renumber(self.scores.cluster), arm=arm):  # of any arm: all are in the one model
            fewest = in_words(MIN_CLUSTERS)
            return f"an arm has fewer than {fewest} clusters, too few to learn from some and predict others"
        return "blocks of few units tie the clusters together, so that none could be predicted from the others"

    @property
    def meaningful(self) -> float:
        """The smallest effect that the plan calls meaningful, in the unit of the findings; NaN where it names none."""
        if self.outcome.meaningful is None:
            return NAN
        is_sd = self.outcome.meaningful_in == "sd"
        return self.scale.times * self.scale.in_units(self.outcome.meaningful) if is_sd else self.outcome.meaningful

    @property
    def unit(self) -> str:
        """The unit of an estimate: the outcome's own, or percentage points."""
        return "percentage points" if self.scale.binary else "outcome"

    def inference(self, estimates: Estimates, index: int = 0, *, is_difference: bool = False) -> dict[str, object]:
        """Return the fields of a finding that one contrast's estimate and error fill.

        `is_difference` marks a difference between two effects (its effect size is
        linear). With fewer than 4 degrees of freedom the p is withheld and a note says so,
        as it does where there is none: outcomes do not vary, or the data cannot tell it.
        """
        estimate, error, df = (float(v[index]) for v in (estimates.estimate, estimates.std_error, estimates.df))
        low, high = (float(limit[index]) for limit in estimates.interval(self.confidence))
        size = self.scale.difference if is_difference else self.scale.effect_size
        times = self.scale.times
        statistic = float(estimates.statistic[index])
        return {
            "estimate": times * estimate, "std_error": times * error, "df": df, "df_num": 1.0,
            "statistic": statistic,
            "p_value": float(estimates.p_value[index]) if df >= TOO_FEW_DF else NAN,
            "conf_low": times * low, "conf_high": times * high,
            "effect_size": size(estimate), "effect_size_low": size(low), "effect_size_high": size(high),
            "sd_used": self.scale.name,
            "mde": times * float(minimum_detectable(std_error=error, df=df)),
            "notes": doubts(df=df, statistic=statistic),
        }  # fmt: skip

    def joint(self, test: JointTest) -> dict[str, object]:
        """Return the fields of a finding that a joint test fills; its p is withheld as that of one contrast is."""
        return {
            "statistic": test.statistic, "df_num": float(test.df_num), "df": test.df, "unit": "",
            "p_value": test.p_value if test.df >= TOO_FEW_DF else NAN,
            "notes": doubts(df=test.df, statistic=test.statistic),
        }  # fmt: skip

    def counts(self, *groups: Mask) -> dict[str, object]:
        """Return the counts of the units in any of the groups, and of the smallest group-by-arm cell."""
        everyone = np.logical_or.reduce(groups)
        cells = [group & arm for group in groups for arm in (self.treated, self.control)]
        treated, control = everyone & self.treated, everyone & self.control
        return {
            "n_units": int((treated | control).sum()),
            "n_clusters": self.n_clusters(treated | control),
            "n_treated_clusters": self.n_clusters(treated),
            "n_control_clusters": self.n_clusters(control),
            "smallest_cell": min(int(cell.sum()) for cell in cells),
            "smallest_cell_clusters": min(self.n_clusters(cell) for cell in cells),
        }

    def n_clusters(self, units: Mask) -> int:
        """Count the clusters with at least one of the units."""
        return int(np.count_nonzero(np.bincount(self.scores.cluster[units])))

    def fewest_clusters(self, group: Mask) -> int:
        """Count the clusters that a group has in the arm with fewer of them."""
        return min(self.n_clusters(group & arm) for arm in (self.treated, self.control))

    def is_assessable(self, group: Mask) -> bool:
        """Tell whether a group has three clusters in each arm."""
        return self.fewest_clusters(group) >= CLUSTERS_IN_A_LEVEL

    def assessable(self, groups: Groups) -> tuple[int, ...]:
        """Return the levels with three clusters in each arm."""
        return tuple(level for level in range(len(groups.levels)) if self.is_assessable(groups.member(level)))

    @cached_property
    def has_few_clusters(self) -> bool:
        """Whether an arm has fewer than ten clusters."""
        return self.fewest_clusters(self.everyone) < FEW_CLUSTERS


def doubts(*, df: float, statistic: float) -> tuple[str, ...]:
    """Say in a note why a test has no p; nothing where it has one."""
    if np.isnan(df):
        return (NOT_DETERMINED,)
    if np.isnan(statistic) and df > 0:
        return (NO_ERROR,)
    return (FEW_DF,) if df < TOO_FEW_DF else ()


def open_setting(
    scores: Scores, design: Design, *, outcome: Outcome, confidence: float, is_main_contrast: bool
) -> Setting:
    """Return the setting of one outcome's scores, its scale measured."""
    units = (scores.z == 1) | control_units(scores)
    scale = measure_scale(
        y=scores.y[units], treated=scores.z[units] == 1, cluster=scores.cluster[units], own=scores.own[units],
        binary=outcome.kind == "binary",
    )  # fmt: skip
    return Setting(
        scores=scores, design=design, outcome=outcome, scale=scale, confidence=confidence,
        is_primary=outcome.primary, is_main_contrast=is_main_contrast,
    )  # fmt: skip
