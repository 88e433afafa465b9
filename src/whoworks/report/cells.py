"""Cells: how few students or clusters of an arm are not told, and the account of what is withheld."""

from __future__ import annotations

from dataclasses import dataclass

from whoworks.findings.finding import Finding
from whoworks.plan.plan import Plan

WITHHELD = -2  # stands where a count may not be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """One row of ``suppressed.csv``: where something was withheld, and why; never the number."""

    file: str
    row: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The smallest cell that is printed: students and clusters, in each arm."""

    min_cell: int
    min_clusters: int

    @property
    def sentence(self) -> str:
        """The rule in plain words."""
        return f"fewer than {self.min_cell} students or {self.min_clusters} clusters in an arm"

    def is_small(self, finding: Finding) -> bool:
        """Whether a finding's smallest cell of one arm is too small to print."""
        return finding.smallest_cell < self.min_cell or finding.smallest_cell_clusters < self.min_clusters

    def is_few(self, n_units: float) -> bool:
        """Whether a count of students is above zero and too small to print."""
        return 0 < n_units < self.min_cell

    def may_tell(self, n_units: int, n_clusters: int = -1) -> bool:
        """Whether students may be counted: none, or enough of them in enough clusters (-1: clusters are not known)."""
        return n_units == 0 or (n_units >= self.min_cell and not 0 <= n_clusters < self.min_clusters)


def read_rule(plan: Plan) -> Rule:
    """Return the plan's smallest cell."""
    return Rule(min_cell=plan.report.min_cell, min_clusters=plan.report.min_clusters)
