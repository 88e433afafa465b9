"""Families of tests: what was planned is adjusted together, and so is everything that was merely looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from numpy.typing import ArrayLike, NDArray

from whoworks.findings.finding import Finding
from whoworks.inference.multiplicity import benjamini_hochberg, holm

EXPLORATORY = "exploratory"
WEIGHTING = "weighting"


def is_test(finding: Finding, among: Sequence[Finding]) -> bool:
    """Tell whether a finding is the one test that stands for its moderator, outcome and contrast.

    A moderator with three groups or more is represented by its joint test, any
    other by its difference; the heterogeneity test stands for itself.
    """
    if finding.question in ("joint", "heterogeneity"):
        return True
    if finding.question != "difference" or finding.moderator == WEIGHTING:
        return False
    subject = (finding.outcome, finding.wave, finding.contrast, finding.moderator)
    return not any(
        other.question == "joint" and (other.outcome, other.wave, other.contrast, other.moderator) == subject
        for other in among
    )


def adjust_families(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with adjusted p-values, families and the number of tests in each.

    Planned tests of the primary outcome and main contrast: one family per
    domain, Holm (1979). All other tests: one family, Benjamini & Hochberg (1995).
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, finding in enumerate(findings):
        if is_test(finding, findings):
            planned = finding.status == "confirmatory"
            members[f"planned: {finding.domain or finding.outcome}" if planned else EXPLORATORY].append(place)
    adjusted = list(findings)
    for family, places in members.items():
        method: Callable[[ArrayLike], NDArray] = benjamini_hochberg if family == EXPLORATORY else holm  # type: ignore[type-arg]
        values = method([findings[place].p_value for place in places])
        for place, value in zip(places, values, strict=True):
            adjusted[place] = replace(
                findings[place], p_adjusted=float(value), family=family, n_tests=len(places),
                adjustment="Benjamini-Hochberg" if family == EXPLORATORY else "Holm",
            )  # fmt: skip
    return tuple(adjusted)
