"""A check's verdict: frozen, with its numbers and its sentence; the picture is drawn elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

from whoworks import columns

CHECK_IDS = (
    "attrition",  # per outcome: units whose outcome is missing, against the WWC's boundary
    "cluster_attrition",  # per outcome: what was assigned as a whole and has no outcome at all
    "group_attrition",  # per outcome: whether the arms' losses differ by group of a moderator
    "balance",  # per outcome: pre-tests of the analysed; "characteristics"; "joint": the re-assignment test
    "one_arm",  # per variable measured before: a trait of one arm only, beyond what drawing the arms would leave
    "clusters",  # how many clusters each arm has
    "cluster_sizes",  # how unequal they are, and whether one dominates
    "overlap",  # how near the known probabilities come to 0 or 1
    "sample_ratio",  # what was drawn against the probabilities the plan states
    "interference",  # per level: groups that hold more than one arm
    "ceiling_floor",  # per outcome, arms taken away: share at its highest and lowest value
    "distinct_values",  # per outcome, arms taken away: how many values it takes
    "far_values",  # per number, measured before or outcome with the arms taken away: values far from all others
)


class Verdict(StrEnum):
    """What a check concludes."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_ASSESSABLE = "not assessable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at the design.

    `check_id` names the check ("balance"), `subject` what was looked at ("joint",
    or an outcome's name), `value` is held against `threshold` in the check's own
    unit (NaN where it has none), and `sentence` says it in plain words. `table`
    holds the numbers behind it, one tidy row each, for tables and figures.
    """

    check_id: str
    subject: str
    verdict: Verdict
    value: float
    threshold: float
    n_units: int
    n_clusters: int
    sentence: str
    table: pd.DataFrame = field(default_factory=pd.DataFrame)


def tidy(checks: tuple[Check, ...]) -> pd.DataFrame:
    """Return one row per check, with the columns of ``checks.csv``."""
    rows = [{name: getattr(check, name) for name in columns.CHECKS} for check in checks]
    return pd.DataFrame(rows, columns=list(columns.CHECKS))
