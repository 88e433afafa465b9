"""A finding: one estimate with its design, its range and its standing; many of them make `Findings`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from whoworks import columns
from whoworks.findings.robustness import Robustness
from whoworks.findings.steadiness import Steadiness

NAN = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of ``findings.csv``; the field names are its columns, `finding_id` is derived.

    `outcome`, `moderator` and `level` hold the plan's codes (words are looked up
    when a sentence is written); `level` is the grid value for a curve. `unit` is
    "outcome", "percentage points", or "per SD"; `effect_size` is in SD of
    `sd_used`; `mde` and `meaningful` are the smallest effect within the study's
    reach and that the plan calls meaningful, in `unit`. NaN and "" mean: does not apply. `status` is "confirmatory",
    "exploratory" or "descriptive". `caps` lists what held the credibility down;
    `notes` says what is unusual about this estimate ("p not assessable: fewer
    than 4 degrees of freedom"); both in plain words. `robustness` holds second looks
    at a difference, `steadiness` what other folds would have made of it.
    """

    question: str
    outcome: str
    wave: str = ""
    domain: str = ""
    estimand: str = "itt"
    contrast: str
    weighting: str = "student"
    moderator: str = ""
    level: str = ""
    reference: str = ""
    quantity: str
    unit: str = "outcome"
    estimate: float = NAN
    std_error: float = NAN
    df_num: float = NAN
    df: float = NAN
    statistic: float = NAN
    p_value: float = NAN
    p_randomization: float = NAN
    p_adjusted: float = NAN
    adjustment: str = ""
    family: str = ""
    n_tests: int = 0
    conf_low: float = NAN
    conf_high: float = NAN
    conf_level: float = 0.95
    effect_size: float = NAN
    effect_size_low: float = NAN
    effect_size_high: float = NAN
    sd_used: str = ""
    mde: float = NAN
    meaningful: float = NAN
    n_units: int = 0
    n_clusters: int = 0
    n_treated_clusters: int = 0
    n_control_clusters: int = 0
    status: str = "exploratory"
    credibility: str = ""
    suppressed: bool = False
    cluster: str = ""
    caps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    smallest_cell: int = 0
    smallest_cell_clusters: int = 0
    robustness: Robustness | None = None
    steadiness: Steadiness | None = None

    @property
    def is_negligible(self) -> bool:
        """Whether the whole interval is smaller than what the plan calls meaningful.

        At 95 % this is two one-sided tests at 2.5 % (Schuirmann 1987).
        """
        return bool(-self.meaningful < self.conf_low and self.conf_high < self.meaningful)

    @property
    def finding_id(self) -> str:
        """The finding's name: outcome, wave, contrast, estimand, question, moderator, level and weighting."""
        parts = (self.outcome, self.wave, self.contrast, self.estimand, self.question)
        return ":".join((*parts, self.moderator, self.level, self.weighting))


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All findings of a run, in the order in which a reader meets them."""

    items: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per finding with the columns of ``findings.csv`` (a copy; nothing withheld)."""
        rows = [{name: getattr(finding, name) for name in columns.FINDINGS} for finding in self.items]
        return pd.DataFrame(rows, columns=list(columns.FINDINGS))

    def where(self, **fields: object) -> Findings:
        """Keep the findings whose fields equal those given."""
        kept = (f for f in self.items if all(getattr(f, name) == value for name, value in fields.items()))
        return Findings(items=tuple(kept))

    def average(self) -> pd.DataFrame:
        """Average effects, one row per outcome, contrast and weighting."""
        return self.where(question="average").frame

    def subgroups(self) -> pd.DataFrame:
        """Subgroups, their differences and joint tests."""
        frame = self.frame
        return frame[frame["question"].isin(["subgroup", "difference", "joint"])].reset_index(drop=True)
