"""The phrases that sentences share: what is compared, among whom, with which verb, and how settled it is."""

from __future__ import annotations

import math

from whoworks.checks.wording import written_p
from whoworks.findings.finding import Finding
from whoworks.language import plural
from whoworks.report.amounts import outcome_places, places_of, unit_word, with_unit
from whoworks.report.labels import Words, outcome_of
from whoworks.report.numbers import fixed
from whoworks.report.states import read_p


def effect_of(finding: Finding, words: Words) -> str:
    """Name the effect: what is compared, on what; a gap where nothing was randomised."""
    outcome, (treatment, control) = words.outcome(outcome_of(finding)), words.arms_of(finding.contrast)
    if words.matched:
        return f"the gap in {outcome} between {treatment} and {control}"
    kind = "take-up effect" if finding.estimand == "cace" else "effect"
    several = f" of {treatment}" if len(words.plan.arms.treatments) > 1 else ""
    return f"the {kind}{several} on {outcome}"


def group(finding: Finding, words: Words) -> str:
    """Name one group: ``among students with free lunch \u201celigible\u201d``."""
    return f"{population(finding, words)} with {words.trait(finding.moderator, finding.level)}"


def population(finding: Finding, words: Words) -> str:
    """Say who a moderator divides: students, or students in classes or schools."""
    moderator = words.find_moderator(finding.moderator)
    level = moderator.level if moderator is not None else ""
    return f"in {plural(level)}" if level and level != "student" else "among students"


def quoted(finding: Finding, code: str, words: Words) -> str:
    """Quote a group's words."""
    return f"\u201c{words.level(finding.moderator, code)}\u201d"


def between(finding: Finding, words: Words) -> str:
    """Say where the effect is larger or smaller, and than where."""
    if is_slope(finding):
        return f"for each SD more of {words.moderator(finding.moderator)}"
    return f"{group(finding, words)} than with {quoted(finding, finding.reference, words)}"


def where_larger(finding: Finding, words: Words) -> str:
    """Say where the effect is larger or smaller, once what it is compared with has been named."""
    if is_slope(finding):
        return f"for each SD more of {words.moderator(finding.moderator)}"
    return f"for {quoted(finding, finding.level, words)}"


def apart(finding: Finding, words: Words) -> str:
    """Say along what the effect may differ."""
    named = words.moderator(finding.moderator)
    if is_slope(finding):
        return f"along {named}"
    first, second = quoted(finding, finding.reference, words), quoted(finding, finding.level, words)
    return f"between {first} and {second} ({named})"


def is_slope(finding: Finding) -> bool:
    """Whether a difference is per SD of a number."""
    return finding.unit == "per SD" or not finding.reference


def taken(finding: Finding, words: Words) -> str:
    """Say what is compared: an assignment, taking it up, or, unrandomised, being there."""
    treatment, control = words.arms_of(finding.contrast)
    if words.matched:
        return f"{treatment}, set against {control},"
    if finding.estimand == "cace":
        return f"taking up {treatment}"
    return f"assignment to {treatment} rather than {control}"


def raised(finding: Finding, words: Words) -> str:
    """Return the verb of a clear effect."""
    if words.matched:
        return "goes with higher" if finding.estimate >= 0 else "goes with lower"
    return "raised" if finding.estimate >= 0 else "lowered"


def may_raise(finding: Finding, words: Words) -> str:
    """Return the verb of a suggestive effect."""
    if words.matched:
        return "may go with higher" if finding.estimate >= 0 else "may go with lower"
    return "may have raised" if finding.estimate >= 0 else "may have lowered"


def raises(finding: Finding, words: Words) -> str:
    """Return the verb of an open question."""
    return "goes with higher or lower" if words.matched else "raises or lowers"


def moved(finding: Finding, words: Words) -> str:
    """Return the verb of an effect too small to matter."""
    return f"is estimated to {'go with a difference in' if words.matched else 'have moved'}"


def smallest(finding: Finding, words: Words) -> str:
    """Write the smallest effect that matters, as the plan gives it, and in the estimate's units where that differs."""
    outcome = words.find_outcome(outcome_of(finding))
    if outcome.meaningful_in != "sd":
        return with_unit(f"{outcome.meaningful:g}", unit_word(finding, words))
    size = fixed(finding.meaningful, outcome_places(finding, words))
    also = f" ({with_unit(size, unit_word(finding, words))})"
    return f"{outcome.meaningful:g} SD{also}"


def too_small(finding: Finding, words: Words) -> str:
    """Say that a difference's whole range is smaller than what the plan calls meaningful."""
    most = fixed(max(abs(finding.conf_low), abs(finding.conf_high)), places_of(finding, words))
    at_most = with_unit(most, unit_word(finding, words))
    moderator = words.find_moderator(finding.moderator)
    carriers = plural(moderator.level if moderator is not None and moderator.level else "student")
    between = f" between {carriers} one SD apart" if is_slope(finding) else ""
    return (
        f"the range allows for at most {at_most}{between}, less than the "
        f"{smallest(finding, words)} that the plan calls meaningful"
    )


def doubt(finding: Finding) -> str:
    """Say what keeps an estimate whose interval leaves zero out from being settled."""
    if math.isfinite(finding.p_adjusted):
        return "it is not settled once the other questions asked are counted"
    return "too few clusters stand behind its error to settle it"


def test_of(finding: Finding) -> str:
    """Write the p-value that counts, after the interval; nothing where there is none."""
    p = read_p(finding)
    return "" if math.isnan(p) else f", {written_p(p, name=p_name(finding))}"


def p_name(finding: Finding) -> str:
    """Name the p-value that counts."""
    if finding.adjustment:
        return "adjusted p"
    return "p" if math.isfinite(finding.p_value) or math.isnan(finding.p_randomization) else "p by re-drawing"


def grid(level: str) -> str:
    """Write a grid value of a curve as a reader would."""
    try:
        return fixed(float(level), 0 if float(level).is_integer() else 2)
    except ValueError:
        return level
