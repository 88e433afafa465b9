"""Complements: counts that a total would turn into those of a group that is withheld, or of students without a record.

The average's students and clusters are told, and a moderator's groups, with
those who lack its record, add up to them. Where one of these parts may not be
told, no other part of the same moderator is counted: not in any outcome or
contrast, since the same students come back there, and not crossed with another
moderator. Estimates and ranges stay: they do not add up to a count.
"""

from __future__ import annotations

from collections.abc import Iterator

from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.planned.crossed import QUESTION as CROSSED
from whoworks.findings.planned.crossed import cell_name, cross_name, pairs
from whoworks.findings.smallest_cell import SmallestCell
from whoworks.report.evidence import Evidence

COUNTS = ("n_units", "n_clusters", "n_treated_clusters", "n_control_clusters")
TOGETHER = "all moderators"  # a projection leaves out the students who lack any
GROUPED = ("subgroup", "difference", "joint", "gap", "sorted-group", CROSSED)  # findings of groups of the students
SHARES = ("site-profile", "target", "profile")  # the share of a group times the students is its count

Place = tuple[str, str, str]


def is_withheld(finding: Finding, groups: frozenset[str], rule: SmallestCell) -> bool:
    """Whether a finding may not be told: its cell is small, or it is a share of students in a withheld group."""
    is_share = finding.question in SHARES and finding.unit == "percentage points"
    return rule.is_small(finding) or (is_share and finding.moderator in groups)


def find_withheld_groups(evidence: Evidence, rule: SmallestCell) -> frozenset[str]:
    """Return the moderators of which some group is withheld, in any outcome that is told of at all."""
    return frozenset(f.moderator for f in _list_parts(evidence, rule) if f.question == "subgroup" and rule.is_small(f))


def find_uncounted(evidence: Evidence, rule: SmallestCell) -> dict[str, tuple[str, ...]]:
    """Return which counts are not told, by what is counted (`counted_by`).

    Students alone where few of them lack what describes students and their clusters
    are all there; else, and where whole clusters drop out with the few, clusters as well.
    """
    parts, everyone = list(_list_parts(evidence, rule)), _find_averages(evidence)
    own = {variable.name for variable in evidence.variables if variable.level in ("", STUDENT)}
    whole = {variable.name for variable in evidence.variables} - own
    thin = {counted_by(f) for f in parts if f.question in GROUPED and rule.is_small(f)}
    lacking = {
        counted_by(f) for f in parts if _leaves_few(f, everyone[_place(f)], rule, by_cluster=f.moderator in whole)
    }
    crossed = set(_find_crossed(evidence, parts, thin | lacking, rule))
    together = {TOGETHER} if _is_told_together(parts, thin | lacking, rule) else set()
    dropping = {f.moderator for f in parts if f.cluster == STUDENT or _drops_clusters(f, everyone[_place(f)], rule)}
    by_student = own - thin - dropping
    return {
        name: COUNTS[:1] if name in by_student else COUNTS for name in sorted(thin | lacking | crossed | together)
    }  # fmt: skip


def counted_by(finding: Finding) -> str:
    """Return what divides the students that a finding counts: its moderator, all of them, or its question."""
    if finding.estimand == "cace":
        return "takeup"  # of those whose take-up is known, as the offer's effect on it is
    return TOGETHER if finding.question == "projection" else finding.moderator or finding.question


def _place(finding: Finding) -> Place:
    return finding.outcome, finding.wave, finding.contrast


def _find_averages(evidence: Evidence) -> dict[Place, Finding]:
    averages = evidence.findings.where(question="average", estimand="itt", weighting="student")
    return {_place(finding): finding for finding in averages}


def _list_parts(evidence: Evidence, rule: SmallestCell) -> Iterator[Finding]:
    """Yield the findings over some of an average's students, where the average itself is told."""
    everyone = _find_averages(evidence)
    for finding in evidence.findings:
        whole = everyone.get(_place(finding))
        if whole is not None and not rule.is_small(whole) and finding.question != "average":
            yield finding


def _leaves_few(part: Finding, whole: Finding, rule: SmallestCell, *, by_cluster: bool = False) -> bool:
    """Whether a part of the students leaves out few, or, of what describes whole clusters, those of few clusters."""
    rest = whole.n_units - part.n_units
    few_clusters = by_cluster and rest > 0 and any(0 < n < rule.min_clusters for n in _gone(part, whole))
    return rule.is_few(rest) or few_clusters or _drops_clusters(part, whole, rule)


def _drops_clusters(part: Finding, whole: Finding, rule: SmallestCell) -> bool:
    """Whether clusters drop out with the students left out, and tell that few of one arm are: each holds one or more.

    At most so many are of one arm as the other arm's lost clusters leave.
    """
    rest, (treated, control) = whole.n_units - part.n_units, _gone(part, whole)
    arms = ((treated, control), (control, treated))
    return part.cluster == whole.cluster and any(own > 0 and rule.is_few(rest - other) for own, other in arms)


def _gone(part: Finding, whole: Finding) -> tuple[int, int]:
    """Return how many clusters of each arm have nobody in a part of the students."""
    return whole.n_treated_clusters - part.n_treated_clusters, whole.n_control_clusters - part.n_control_clusters


def _is_told_together(parts: list[Finding], lost: set[str], rule: SmallestCell) -> bool:
    """Whether a projection's count would tell, beside a moderator's, how few lack another, or is one not told."""
    for together in (f for f in parts if f.question == "projection"):
        beside = [f for f in parts if f.question in ("difference", "joint") and _place(f) == _place(together)]
        if any(counted_by(f) in lost or _leaves_few(together, f, rule) for f in beside):
            return True
    return False


def _find_crossed(evidence: Evidence, parts: list[Finding], lost: set[str], rule: SmallestCell) -> Iterator[str]:
    """Yield the pairs of moderators whose cells add up to a count that is not told, or to all but few of a group."""
    for pair in ((student.name, context.name) for student, context in pairs(evidence.plan)):
        if not lost.isdisjoint(pair) or any(map(rule.is_few, _left_out(pair, parts))):
            yield cross_name(*pair)


def _left_out(pair: tuple[str, str], parts: list[Finding]) -> Iterator[int]:
    """Yield how many of each group of two moderators are in no cell of their crossing."""
    for place in {_place(f) for f in parts if f.moderator == cross_name(*pair)}:
        here = [f for f in parts if _place(f) == place and f.weighting == "student"]
        cells = {f.level: f.n_units for f in here if f.moderator == cross_name(*pair)}
        who, where = ({f.level: f.n_units for f in here if (f.question, f.moderator) == ("subgroup", m)} for m in pair)
        for group, n_units in who.items():
            yield n_units - sum(cells.get(cell_name(group, context), 0) for context in where)
        for context, n_units in where.items():
            yield n_units - sum(cells.get(cell_name(group, context), 0) for group in who)
