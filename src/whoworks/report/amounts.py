"""Amounts in words: an estimate in its units, its interval, its size in SD and percentile points."""

from __future__ import annotations

import math

from whoworks.findings.finding import Finding
from whoworks.report.labels import STATUS_WORDS, Words, outcome_of
from whoworks.report.numbers import MOST_DECIMALS, count, decimals, fixed, percent, percentile_points, ranged, span
from whoworks.report.states import leaves_zero_out

SD_PLACES = 2
POINT_PLACES = 1


def unit_word(finding: Finding, words: Words) -> str:
    """Return the unit of an estimate: points on the outcome's own scale, or percentage points."""
    binary = finding.unit == "percentage points" or words.is_binary(outcome_of(finding))
    return "percentage points" if binary else "points"


def places_of(finding: Finding, words: Words) -> int:
    """Return the decimals shown for an estimate in its own units: those of its outcome.

    More where a range that leaves zero out would be written as if it ended there.
    """
    if finding.question == "heterogeneity":
        return SD_PLACES
    places = outcome_places(finding, words)
    if leaves_zero_out(finding):
        nearest = min(abs(finding.conf_low), abs(finding.conf_high))
        while places < MOST_DECIMALS and not float(f"{nearest:.{places}f}"):
            places += 1
    return places


def outcome_places(finding: Finding, words: Words) -> int:
    """Return the decimals of an outcome: two digits of its average's error, so that all its numbers are alike.

    Of an outcome without an average, two digits of the estimate's own error;
    where it has none either, as many as a tenth of the outcome's SD has.
    """
    if unit_word(finding, words) == "percentage points":
        return POINT_PLACES
    error = words.errors.get(outcome_of(finding), finding.std_error)
    if math.isfinite(error) or not finding.effect_size:
        return decimals(error)
    return decimals(abs(finding.estimate / finding.effect_size) / 10)


def amount(finding: Finding, words: Words, *, size: bool = False) -> str:
    """Write the estimate with its unit; `size` drops the sign, for "9.0 points larger".

    A size that rounds to nothing has a bound in its place, so that none is told as nothing: "under 0.1 points larger".
    """
    value = abs(finding.estimate) if size else finding.estimate
    places = places_of(finding, words)
    unit = unit_word(finding, words)
    text = fixed(value, places)
    if size and is_nothing(value, places):
        text = f"under {fixed(10**-places, places)}"
    return with_unit(text, unit)


def with_unit(size: str, unit: str) -> str:
    """Write a size with its unit: ``1 point``, ``1.0 points``."""
    return f"{size} {unit.removesuffix('s') if size in ('1', 'under 1') else unit}"


def is_nothing(value: float, places: int) -> bool:
    """Whether a number would be written as zero."""
    return math.isfinite(value) and not float(f"{value:.{places}f}")


def interval(finding: Finding, words: Words, *, flip: bool = False) -> str:
    """Write the interval's two ends; `flip` turns the signs, for a difference told the other way round."""
    low, high = (-finding.conf_high, -finding.conf_low) if flip else (finding.conf_low, finding.conf_high)
    return span(low, high, places_of(finding, words))


def reach(finding: Finding, words: Words, sides: tuple[str, str] = ("smaller", "larger")) -> str:
    """Write the two ends of a difference that is told as larger or smaller: ``6.3 smaller to 9.3 larger``."""
    places, (below, above) = places_of(finding, words), sides
    if finding.conf_low < 0 < finding.conf_high:
        return f"{fixed(-finding.conf_low, places)} {below} to {fixed(finding.conf_high, places)} {above}"
    return interval(finding, words, flip=finding.estimate < 0)


def level_word(finding: Finding) -> str:
    """Name the interval: ``95 % interval``."""
    return f"{percent(finding.conf_level, 1)} interval"


def base(finding: Finding, words: Words) -> str:
    """Say what an estimate rests on: its clusters, its students and its standing."""
    parts = [words.clusters(finding.n_clusters, finding.cluster)] if finding.n_clusters else []
    if words.cluster(finding.cluster) != "student" and finding.n_units:
        parts.append(f"{count(finding.n_units)} students")
    standing = STATUS_WORDS.get(finding.status, finding.status)
    if finding.status == "exploratory" and finding.n_tests > 1:
        standing += f", one of {finding.n_tests} looks"
    return "; ".join([*parts, standing])


def evidence_of(finding: Finding, words: Words, *, flip: bool = False, compared: bool = False) -> str:
    """Write the bracket that follows a number: interval, clusters, students, standing."""
    if math.isnan(finding.conf_low) or math.isnan(finding.conf_high):
        return f"({base(finding, words)})"
    ends = reach(finding, words) if compared else interval(finding, words, flip=flip)
    return f"({level_word(finding)} {ends}; {base(finding, words)})"


def in_sd(finding: Finding, words: Words, *, size: bool = False) -> str:
    """Write the effect size with its range: ``0.19 SD (0.08 to 0.30)``; empty where there is none."""
    if math.isnan(finding.effect_size):
        return ""
    value, low, high = finding.effect_size, finding.effect_size_low, finding.effect_size_high
    if size and value < 0:
        value, low, high = -value, -high, -low
    unit = " SD by the Cox index" if words.is_binary(outcome_of(finding)) else " SD"
    return ranged(value, low, high, SD_PLACES, unit)


def in_percentiles(finding: Finding, words: Words) -> tuple[float, float, float] | None:
    """Return the improvement index and the ends of its range; None of a yes-or-no outcome, which has no middle."""
    if math.isnan(finding.effect_size) or words.is_binary(outcome_of(finding)):
        return None
    middle, low, high = finding.effect_size, finding.effect_size_low, finding.effect_size_high
    return percentile_points(middle), percentile_points(low), percentile_points(high)


def detectable(finding: Finding, words: Words) -> str:
    """Say which size this study could easily have missed; empty where that is not known."""
    if math.isnan(finding.mde):
        return ""
    sought = "a difference" if finding.moderator else f"{'a' if words.matched else 'an'} {words.effect}"
    size = fixed(finding.mde, places_of(finding, words))
    return f"{sought} smaller than {with_unit(size, unit_word(finding, words))} could easily be missed"
