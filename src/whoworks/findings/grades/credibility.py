"""How far a claim about a subgroup may be believed: derived from the evidence, never typed.

After ICEMAN (Schandelmaier et al. 2020, CMAJ 192), in five words: high,
moderate, low, very low, not assessable. The adjusted p of the difference sets
the grade; each cap that applies lowers it and is listed with the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from whoworks.findings.finding import SETTLED, Finding, Findings
from whoworks.findings.moderation import Moderation
from whoworks.findings.sensitivity.fragility import has_unconfirmed_cut, lost_scale, turns_without_a_site
from whoworks.findings.setting import FEW_CLUSTERS
from whoworks.plan.moderators import Larger, Moderator
from whoworks.plan.outcomes import Outcome

GRADES = ("very low", "low", "moderate", "high")
NOT_ASSESSABLE = "not assessable"
OTHER_FOLDS = "the prognosis learned on other folds gives a lower grade"
Fragility = Callable[[Finding], Moderation | None]


def grade(
    finding: Finding,
    *,
    among: Findings,
    moderator: Moderator | None,
    outcome: Outcome,
    is_main_contrast: bool,
    design_failed: bool,
    fragility: Fragility,
) -> Finding:
    """Return the finding with its credibility and the caps that applied.

    `finding` is the test that stands for a moderator, or for a candidate, of
    which the plan could expect nothing (`moderator` is None); `design_failed`
    says that attrition or baseline balance failed its check; `fragility` opens
    the regression behind the test, and is asked only when a grade is at stake.
    """
    p = finding.p_adjusted
    if np.isnan(p):
        return replace(finding, credibility=NOT_ASSESSABLE)
    direction = found_direction(finding, among=among, moderator=moderator)
    level = _by_p(p, expected=direction == "as planned")
    if level == 0:
        return replace(finding, credibility=GRADES[0])
    caps: list[tuple[int, str]] = []
    if finding.status != "confirmatory" and outcome.primary and is_main_contrast:
        caps.append((2, "exploratory: moderate at most until another pilot confirms it"))
    if not (outcome.primary and is_main_contrast):
        caps.append((1, "not the primary outcome and main contrast: low at most"))
    if direction == "opposite":
        caps.append((1, "the direction is opposite to the plan's: low at most"))
    if design_failed:
        caps.append((1, "attrition or baseline balance failed its check: low at most"))
    if 0 < finding.smallest_cell_clusters < FEW_CLUSTERS:
        caps.append((1, "fewer than 10 clusters in a group and arm: low at most"))
    moderation = fragility(finding)
    if moderation is not None and (scale := lost_scale(moderation)):
        caps.append((1, f"the difference does not survive {scale}: low at most"))
    level = min([level, *(cap for cap, _ in caps)])
    if moderation is not None and _turns_without_a_site(moderation):
        caps.append((0, "leaving out one site admits a meaningful difference the other way: one step down"))
        level -= 1
    if moderation is not None and has_unconfirmed_cut(moderation):
        caps.append((0, "the number itself does not confirm the cut point: one step down"))
        level -= 1
    lower, deals = _lower_grades(finding, direction)
    if lower:
        caps.append((0, f"{OTHER_FOLDS} in {lower} of {deals} tries: one step down"))
        level -= 1
    return replace(finding, credibility=GRADES[max(level, 0)], caps=tuple(words for _, words in caps))


def _turns_without_a_site(moderation: Moderation) -> bool:
    meaningful = moderation.setting.meaningful / moderation.setting.scale.times  # as estimates are, a proportion
    return bool(meaningful > 0) and turns_without_a_site(moderation, meaningful=meaningful)


def _lower_grades(finding: Finding, direction: str) -> tuple[int, int]:
    """Count the deals of clusters into folds whose adjusted p would give a lower grade, and all deals."""
    dealt = () if finding.steadiness is None else finding.steadiness.p_adjusted
    own = _by_p(finding.p_adjusted, expected=direction == "as planned")
    lower = sum(np.isnan(p) or _by_p(p, expected=direction == "as planned") < own for p in dealt)
    return int(lower), len(dealt)


def found_direction(finding: Finding, *, among: Findings, moderator: Moderator | None) -> str:
    """Return "as planned", "opposite", or "" where the plan expected nothing."""
    if moderator is None or moderator.expect is None:
        return ""
    if not isinstance(moderator.expect, Larger):
        rising = finding.estimate > 0
        return "as planned" if rising == (moderator.expect == "increasing") else "opposite"
    subject = {"outcome": finding.outcome, "wave": finding.wave, "contrast": finding.contrast}
    groups = among.where(question="subgroup", moderator=finding.moderator, weighting="student", **subject)
    effects: Mapping[str, float] = {g.level: g.estimate for g in groups if not np.isnan(g.estimate)}
    if moderator.expect.larger not in effects:
        return ""
    largest = max(effects, key=lambda level: effects[level])
    return "as planned" if largest == moderator.expect.larger else "opposite"


def _by_p(p: float, *, expected: bool) -> int:
    if p > SETTLED:
        return 0
    if p > 0.01:
        return 2 if expected else 1
    return 2 if p > 0.005 else 3
