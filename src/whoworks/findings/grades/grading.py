"""Every claim of a run graded together: what stands for a moderator or a candidate, and what shares its grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Check, Verdict
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.grades.credibility import grade
from whoworks.findings.moderation import Moderation, open_moderation
from whoworks.findings.multiplicity.families import SEARCHED, WEIGHTING, is_test
from whoworks.findings.planned.gap import share_tests
from whoworks.findings.planned.growth import QUESTION as GROWTH
from whoworks.findings.planned.growth import grade_growth
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

DESIGN_CHECKS = ("attrition", "cluster_attrition", "balance")  # a failure here caps the claims it concerns


def grade_all(
    panel: Panel,
    settings: Sequence[Setting],
    findings: Findings,
    checks: Sequence[Check],
    opened: Mapping[str, Moderation | None],
) -> Findings:
    """Grade what stands for a moderator or a candidate; `opened` holds the candidates' regressions."""
    moderators = {moderator.name: moderator for moderator in panel.plan.moderators}
    by_key = {(s.outcome.column, s.outcome.wave, s.scores.contrast): s for s in settings}
    graded = []
    for finding in findings:
        if finding.question == GROWTH and is_test(finding, findings.items):
            graded.append(grade_growth(finding))
            continue
        is_candidate = finding.question == "candidate"
        is_claim = is_candidate or (finding.question not in (*SEARCHED, GROWTH) and finding.moderator in moderators)
        if not (is_claim and is_test(finding, findings.items)):
            graded.append(finding)
            continue
        setting = by_key[finding.outcome, finding.wave, finding.contrast]
        moderator = None if is_candidate else moderators[finding.moderator]

        def fragility(
            found: Finding, setting: Setting = setting, moderator: Moderator | None = moderator
        ) -> Moderation | None:
            return opened[found.finding_id] if moderator is None else open_moderation(panel, setting, moderator)

        graded.append(
            grade(
                finding, among=findings, moderator=moderator, outcome=setting.outcome,
                is_main_contrast=setting.is_main_contrast, design_failed=has_failed(checks, setting.scores.outcome),
                fragility=fragility,
            )
        )  # fmt: skip
    return Findings(items=share_tests(_share_grades(graded)))


def has_failed(checks: Sequence[Check], outcome: str) -> bool:
    """Tell whether attrition or baseline balance failed in a way that concerns an outcome.

    Who was lost, and how alike those left were at the start, is a matter of one
    outcome; whether the assignment as a whole could have been drawn, of all.
    """
    concerned = (outcome, JOINT, "")
    return any(
        check.verdict is Verdict.FAIL and check.check_id in DESIGN_CHECKS and check.subject in concerned
        for check in checks
    )


def _share_grades(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give a joint test's grade to the differences it stands for, so that none is read as more than it is."""
    joint = {(f.outcome, f.wave, f.contrast, f.moderator): f for f in findings if f.question == "joint"}
    return tuple(
        replace(f, credibility=joint[key].credibility, caps=joint[key].caps)
        if f.question == "difference"
        and f.moderator != WEIGHTING
        and (key := (f.outcome, f.wave, f.contrast, f.moderator)) in joint
        else f
        for f in findings
    )
