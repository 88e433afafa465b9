"""Which findings each part of the report is about."""

from __future__ import annotations

from dataclasses import dataclass

from whoworks.findings.finding import Finding
from whoworks.findings.multiplicity.families import WEIGHTING
from whoworks.findings.planned.contrasts import is_split
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.report.disclosure import Released
from whoworks.report.labels import Words
from whoworks.report.next_study import is_planned

COMPANIONS = ("gap", "for-whom-where", "projection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The findings by the part of the report that tells them; in the order in which they were found."""

    main: Finding | None
    averages: tuple[Finding, ...]
    weightings: tuple[Finding, ...]
    planned: tuple[Finding, ...]
    explored: tuple[Finding, ...]
    heterogeneity: tuple[Finding, ...]
    sorted_groups: tuple[Finding, ...]
    profiles: tuple[Finding, ...]
    curves: tuple[Finding, ...]
    takeup: tuple[Finding, ...]
    companions: tuple[Finding, ...]
    ranking: tuple[Finding, ...]
    candidates: tuple[Finding, ...]
    best_arm: tuple[Finding, ...]
    growth: tuple[Finding, ...]
    sites: tuple[Finding, ...]
    site_profile: tuple[Finding, ...]
    target: tuple[Finding, ...]


def select(released: Released, words: Words) -> Selection:
    """Sort the findings into the parts of the report."""
    findings = tuple(released.evidence.findings)
    by_moderator = [
        f for f in findings
        if f.question in ("subgroup", "difference", "joint") and f.moderator not in ("", WEIGHTING, PREDICTED)
        and not is_split(f)
    ]  # fmt: skip
    averages = tuple(f for f in findings if f.question == "average")
    return Selection(
        main=find_main(averages, words),
        averages=averages,
        weightings=tuple(f for f in findings if f.question == "difference" and f.moderator == WEIGHTING),
        planned=tuple(f for f in by_moderator if is_planned(f, words)),
        explored=tuple(f for f in by_moderator if not is_planned(f, words)),
        heterogeneity=tuple(f for f in findings if f.question == "heterogeneity"),
        sorted_groups=tuple(f for f in findings if f.question == "sorted-group"),
        profiles=tuple(f for f in findings if f.question == "profile"),
        curves=tuple(f for f in findings if f.question == "curve"),
        takeup=tuple(f for f in findings if f.question == "takeup"),
        companions=tuple(f for f in findings if f.question in COMPANIONS or is_split(f)),
        ranking=tuple(f for f in findings if f.question == "ranking"),
        candidates=tuple(f for f in findings if f.question == "candidate"),
        growth=tuple(f for f in findings if f.question == "growth"),
        best_arm=tuple(f for f in findings if f.question == "best-arm"),
        sites=tuple(f for f in findings if f.question in ("site-variation", "new-site")),
        site_profile=tuple(f for f in findings if f.question == "site-profile"),
        target=tuple(f for f in findings if f.question == "target"),
    )


def find_main(averages: tuple[Finding, ...], words: Words) -> Finding | None:
    """Return the study's answer: the first primary outcome, the first treatment, students equally, the offer."""
    main = f"{words.plan.arms.treatments[0]} - {words.plan.arms.control}"
    primary = [(o.column, o.wave) for o in words.plan.outcomes if o.primary]
    for key in primary:
        for finding in averages:
            named = (finding.outcome, finding.wave) == key and finding.contrast == main
            if named and finding.weighting == "student" and finding.estimand == "itt":
                return finding
    return None
