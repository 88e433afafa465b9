"""What is said of who took part: a site's students on average, how sites differ, and how like a target they are."""

from __future__ import annotations

import math

from whoworks.findings.finding import Finding
from whoworks.findings.sites.profile import BETWEEN, INDEX
from whoworks.inference.likeness import grade_likeness
from whoworks.language import plural
from whoworks.report.labels import Words
from whoworks.report.numbers import MINUS, fixed
from whoworks.report.states import State

SHARE = "percentage points"
LIKENESS = {
    "very high": "are like {target}",
    "high": "are much like {target}",
    "medium": "are like {target} in part only",
    "low": "are unlike {target}",
}


def is_spread(finding: Finding) -> bool:
    """Whether a row of the profile says how far sites differ."""
    return finding.level.rpartition(": ")[2].startswith(BETWEEN)


def code_of(finding: Finding) -> str:
    """Return the group that a row of the profile is about; empty for a number."""
    return finding.level.rpartition(": ")[0] if is_spread(finding) else finding.level


def about_site_profile(finding: Finding, words: Words) -> str:
    """Name what a row of the profile, or a difference from the target, is about."""
    if finding.level == INDEX and not finding.moderator:
        return f"how like {finding.reference} the {plural(words.site)} of this study are"
    return words.trait(finding.moderator, code_of(finding))


def trait_amount(finding: Finding, beside: Finding | None = None) -> str:
    """Write a mean or a share; one that stands beside another mean has that one's decimals."""
    if math.isnan(finding.estimate):
        return "not known"
    if finding.unit == SHARE:
        return f"{fixed(finding.estimate, 0)} %"
    return fixed(finding.estimate, trait_places((beside or finding).estimate))


def trait_distance(finding: Finding, beside: Finding | None = None, *, size: bool = False) -> str:
    """Write how far means or shares lie apart, with the decimals of the mean beside it; `size` drops the sign."""
    if math.isnan(finding.estimate):
        return "not known"
    value = abs(finding.estimate) if size else finding.estimate
    if finding.unit != SHARE:
        return fixed(value, trait_places((beside or finding).estimate))
    told = fixed(value, 0)
    return f"{told} {SHARE[:-1] if told.lstrip(MINUS) == '1' else SHARE}"


def trait_places(value: float) -> int:
    """Return the decimals of a trait's mean: two of small numbers alone."""
    return 1 if abs(value) >= 5 else 2


def tell_site_profile(finding: Finding, words: Words, state: State) -> str:
    """Tell a trait's mean or share over students, or how far sites differ in it."""
    trait = about_site_profile(finding, words)
    if is_spread(finding):
        own = "shares" if finding.unit == SHARE else "means"
        return f"{trait}: the {plural(words.site)}' own {own} have a standard deviation of {trait_distance(finding)}."
    of = "of students" if finding.unit == SHARE else "on average over students"
    return f"{trait}: {trait_amount(finding)} {of}."


def tell_target(finding: Finding, words: Words, state: State) -> str:
    """Tell how far a trait lies from the target's, or how like the target the sites are."""
    if finding.level == INDEX and not finding.moderator:
        return tell_index(finding, words)
    side = "above" if finding.estimate >= 0 else "below"
    also = (
        f", {fixed(abs(finding.effect_size), 2)} of the {finding.sd_used}" if math.isfinite(finding.effect_size) else ""
    )
    size = trait_distance(finding, size=True)
    return f"{about_site_profile(finding, words)}: {size} {side} {finding.reference}{also}."


def tell_index(finding: Finding, words: Words) -> str:
    """Tell how like the target the sites are, over all traits of which the plan gives its mean."""
    grade = grade_likeness(finding.estimate)
    like = LIKENESS[grade].format(target=finding.reference)
    return (
        f"judged by the means that the plan gives, the {plural(words.site)} of this study {like}: the "
        "generalisability index from means is "
        f"{fixed(finding.estimate, 2)}, which counts as {grade} (1 is alike, 0 has nothing in common)."
    )
