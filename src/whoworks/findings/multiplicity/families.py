"""Families of tests: what was planned is adjusted together, and so is everything that was merely looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from numpy.typing import ArrayLike, NDArray

from whoworks.findings.finding import Finding
from whoworks.findings.planned.crossed import QUESTION, SAME
from whoworks.findings.planned.growth import CHANGE
from whoworks.findings.planned.growth import QUESTION as GROWTH
from whoworks.inference.multiplicity import benjamini_hochberg, holm

EXPLORATORY = "exploratory"
PROFILES = "profiles"
SEARCHED = ("sorted-group", "ranking", "candidate", "profile")  # tested where exploratory; their other rows describe
WEIGHTING = "weighting"


def is_test(finding: Finding, among: Sequence[Finding]) -> bool:
    """Tell whether a finding is the one test that stands for its moderator, outcome and contrast.

    A moderator with three groups or more is represented by its joint test, any
    other by its difference; tests of heterogeneity, and of a difference that is
    the same in every context, stand for themselves. What is descriptive is no test.
    """
    if finding.question in ("joint", "heterogeneity"):
        return True
    if finding.question in SEARCHED:
        return finding.status == "exploratory"
    if finding.question in (QUESTION, GROWTH):
        return finding.quantity in (SAME, CHANGE)
    if finding.question != "difference" or finding.status == "descriptive":
        return False
    subject = (finding.outcome, finding.wave, finding.contrast, finding.moderator)
    return not any(
        other.question == "joint" and (other.outcome, other.wave, other.contrast, other.moderator) == subject
        for other in among
    )


def adjust_families(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with adjusted p-values, families and the number of tests in each.

    Planned tests of the primary outcome and main contrast: one family per
    domain, Holm (1979). All other tests of effects: one family, Benjamini &
    Hochberg (1995). Profiles have a family of their own: groups sorted by
    moderators differ along moderators, and many sure rejections in the family
    of effects would lower the bar there.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, finding in enumerate(findings):
        if is_test(finding, findings):
            members[_family(finding)].append(place)
    adjusted = list(findings)
    for family, places in members.items():
        is_explored = family in (EXPLORATORY, PROFILES)
        method: Callable[[ArrayLike], NDArray] = benjamini_hochberg if is_explored else holm  # type: ignore[type-arg]
        values = method([findings[place].p_value for place in places])
        for place, value in zip(places, values, strict=True):
            adjusted[place] = replace(
                findings[place], p_adjusted=float(value), family=family, n_tests=len(places),
                adjustment="Benjamini-Hochberg" if is_explored else "Holm",
            )  # fmt: skip
    return tuple(adjusted)


def _family(finding: Finding) -> str:
    if finding.question == "profile":
        return PROFILES
    planned = finding.status == "confirmatory"
    return f"planned: {finding.domain or finding.outcome}" if planned else EXPLORATORY
