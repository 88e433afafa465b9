"""Means and shares over students whose number is not told: a share to ten digits is that of one number of students.

39.34426230 % is 72 of 183, and of few other numbers of students. A whole percentage, as the
page has it, is a share of any number; a mean of whole numbers is told with two decimals. All
of a row moves with its mean or share, so that nothing beside it holds the digits.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from whoworks.findings.finding import Finding
from whoworks.findings.sites.profile import INDEX, PROFILE, TARGET
from whoworks.report.complements import SHARES

TAKEUP = "takeup"
PLACES = 2  # decimals of a mean, or of a share in 0 to 1
SIZES = {"estimate": "effect_size", "conf_low": "effect_size_low", "conf_high": "effect_size_high"}

Means = Mapping[tuple[str, ...], float]


def read_means(findings: Iterable[Finding]) -> Means:
    """Return the means and shares of the site profile; a distance from a target moves with its own."""
    return {_trait(f): f.estimate for f in findings if f.question == PROFILE}


def find_coarse(findings: Iterable[Finding], uncounted: Collection[str]) -> frozenset[str]:
    """Return what is told coarsely: all that is not counted, and an index of likeness that rests on any of it."""
    compared = {f.moderator for f in findings if f.question == TARGET}
    return frozenset(uncounted) | ({TARGET} if compared & set(uncounted) else set())


def coarsen(finding: Finding, means: Means) -> Finding:
    """Return a mean or share, and what stands beside it, without the digits that tell of how many; others as they are.

    Errors are rounded up, so that none becomes nothing.
    """
    if finding.question not in (*SHARES, TAKEUP):
        return finding
    if finding.question == TARGET and finding.level == INDEX and not finding.moderator:
        return replace(finding, estimate=_at(finding.estimate))
    times = 100.0 if finding.unit == "percentage points" else 1.0
    mean = means.get(_trait(finding), math.nan) if finding.question == TARGET else finding.estimate
    mean = mean if math.isfinite(mean) else finding.estimate
    told = {"estimate": (finding.estimate - mean) + times * _at(mean / times)}
    told |= {name: times * _at(getattr(finding, name) / times) for name in ("conf_low", "conf_high")}
    sizes = {size: _at(_scaled(finding, name, told[name])) for name, size in SIZES.items()}
    error = finding.std_error
    up = times * math.ceil(round(error / times * 10**PLACES, 9)) / 10**PLACES if math.isfinite(error) else error
    return replace(finding, **told, **sizes, std_error=up, statistic=_at(finding.statistic))  # type: ignore[arg-type]


def _trait(finding: Finding) -> tuple[str, ...]:
    return finding.outcome, finding.wave, finding.contrast, finding.moderator, finding.level


def _at(value: float) -> float:
    return round(value, PLACES) if math.isfinite(value) else value


def _scaled(finding: Finding, name: str, told: float) -> float:
    """Return the size in SD of what is told, by the SD in which the finding's own was given."""
    exact, size = getattr(finding, name), float(getattr(finding, SIZES[name]))
    return size * told / exact if exact else size
