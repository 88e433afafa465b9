"""The smallest cell that is told: students and clusters, in each arm."""

from __future__ import annotations

from dataclasses import dataclass

from whoworks.findings.finding import Finding
from whoworks.findings.setting import Mask, Setting
from whoworks.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallestCell:
    """What the plan lets be printed: at least so many students and clusters, in each arm."""

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

    def may_share(self, setting: Setting, among: Mask, member: Mask) -> bool:
        """Whether the members' share of each arm's units may be told: members and the others, both may be counted."""
        arms = [among & arm for arm in (setting.treated, setting.control)]
        parts = [arm & side for arm in arms for side in (member, ~member)]
        return all(self.may_tell(int(part.sum()), setting.n_clusters(part)) for part in parts)


def read_smallest_cell(plan: Plan) -> SmallestCell:
    """Return the plan's smallest cell."""
    return SmallestCell(min_cell=plan.report.min_cell, min_clusters=plan.report.min_clusters)
