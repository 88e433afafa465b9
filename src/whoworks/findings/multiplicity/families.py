"""Families of tests: what was planned is adjusted together, and so is everything that was merely looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whoworks.findings.finding import Finding
from whoworks.findings.planned.crossed import QUESTION, SAME
from whoworks.findings.planned.growth import CHANGE
from whoworks.findings.planned.growth import QUESTION as GROWTH
from whoworks.inference.multiplicity import benjamini_hochberg, holm

PLANNED = "planned"
EXPLORATORY = "exploratory"
AVERAGES = "exploratory averages"
PROFILES = "profiles"
SEARCHED = ("sorted-group", "ranking", "candidate", "profile")  # tested where exploratory; their other rows describe
WEIGHTING = "weighting"


def is_test(finding: Finding, among: Sequence[Finding]) -> bool:
    """Tell whether a finding is the one test that stands for its moderator, outcome and contrast.

    A moderator with three groups or more is represented by its joint test, any
    other by its difference; tests of heterogeneity, and of a difference that is
    the same in every context, stand for themselves. An average that was not
    planned is a test of the offer; the planned one is the study's question and
    shares its level with none. What is descriptive is no test.
    """
    if finding.question in ("joint", "heterogeneity"):
        return True
    if finding.question == "average":
        return (finding.status, finding.estimand, finding.weighting) == ("exploratory", "itt", "student")
    if finding.question in SEARCHED:
        return finding.status == "exploratory"
    if finding.question in (QUESTION, GROWTH):
        return finding.quantity in (SAME, CHANGE)
    if finding.question != "difference" or finding.status == "descriptive":
        return False
    return not any(other.question == "joint" and _subject(other) == _subject(finding) for other in among)


def adjust_families(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with adjusted p-values, families and the number of tests in each.

    Planned tests of primary outcomes and the main contrast: one family, Holm
    (1979), so that a report's claims share one level however many outcomes are
    primary. All other tests of differences: one family, Benjamini & Hochberg
    (1995). Averages that were not planned, of other outcomes and treatments, and
    profiles have a family each: many sure rejections among them would lower the
    bar for differences. A difference whose moderator is represented by its joint
    test is told with the larger of that p and its own, adjusted by Holm among the
    moderator's differences, and counts in no family; so is an average's other
    weighting, and its effect of taking up, beside the average itself.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, finding in enumerate(findings):
        if is_test(finding, findings):
            members[_family(finding)].append(place)
    adjusted = list(findings)
    for family, places in members.items():
        is_explored = family != PLANNED
        method: Callable[[ArrayLike], NDArray] = benjamini_hochberg if is_explored else holm  # type: ignore[type-arg]
        values = method([findings[place].p_value for place in places])
        for place, value in zip(places, values, strict=True):
            adjusted[place] = replace(
                findings[place], p_adjusted=float(value), family=family, n_tests=len(places),
                adjustment="Benjamini-Hochberg" if is_explored else "Holm",
            )  # fmt: skip
    return tuple(_follow_average(_follow_joint(adjusted)))


def _follow_joint(findings: Sequence[Finding]) -> list[Finding]:
    """Give the differences behind each joint test an adjusted p that is small only where the joint test's is."""
    told = list(findings)
    for joint in (f for f in findings if f.question == "joint" and f.family):
        places = [
            place for place, f in enumerate(findings)
            if f.question == "difference" and f.status != "descriptive" and _subject(f) == _subject(joint)
        ]  # fmt: skip
        for place, p in zip(places, holm([findings[place].p_value for place in places]), strict=True):
            told[place] = replace(
                findings[place], p_adjusted=float(np.maximum(p, joint.p_adjusted)), adjustment=joint.adjustment,
                n_tests=joint.n_tests,
            )  # fmt: skip
    return told


def _follow_average(findings: Sequence[Finding]) -> list[Finding]:
    """Give an average's other weighting and its effect of taking up a p that is no smaller than its adjusted one."""
    leading = {_subject(f): f for f in findings if f.family == AVERAGES}
    return [
        replace(
            f, p_adjusted=float(np.maximum(f.p_value, leading[_subject(f)].p_adjusted)),
            adjustment=leading[_subject(f)].adjustment, n_tests=leading[_subject(f)].n_tests,
        )
        if f.question == "average" and not f.family and _subject(f) in leading else f
        for f in findings
    ]  # fmt: skip


def _subject(finding: Finding) -> tuple[str, str, str, str]:
    return finding.outcome, finding.wave, finding.contrast, finding.moderator


def _family(finding: Finding) -> str:
    if finding.question == "profile":
        return PROFILES
    if finding.status == "confirmatory":
        return PLANNED
    return AVERAGES if finding.question == "average" else EXPLORATORY
