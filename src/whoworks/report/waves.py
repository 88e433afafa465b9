"""Whether an effect grows or fades between waves, in sentences."""

from __future__ import annotations

from whoworks.findings.finding import Finding
from whoworks.findings.planned.growth import CHANGE
from whoworks.report.amounts import amount, evidence_of
from whoworks.report.labels import Words, outcome_of
from whoworks.report.phrases import doubt, effect_of, test_of
from whoworks.report.states import State


def about_growth(finding: Finding, words: Words) -> str:
    """Name an effect among those measured at both waves, or its change."""
    effect = effect_of(finding, words)
    if finding.quantity != CHANGE:
        return f"{effect} among students measured at both waves"
    return f"whether {effect} is another than on {earlier_outcome(finding, words)}"


def tell_growth(finding: Finding, words: Words, state: State) -> str:
    """Tell the effect at one wave, or how much larger or smaller it is than at an earlier one."""
    effect = effect_of(finding, words)
    if finding.quantity != CHANGE:
        told = f"{amount(finding, words)} {evidence_of(finding, words)}"
        return f"among students measured at both waves, {effect} is estimated at {told}."
    size, tested = amount(finding, words, size=True), test_of(finding)
    larger = "larger" if finding.estimate >= 0 else "smaller"
    bracket, earlier = evidence_of(finding, words, compared=True), earlier_outcome(finding, words)
    who = "among students measured at both"
    if state is State.CLEAR:
        return f"{effect} was {size} {larger} than on {earlier}, {who} {bracket}{tested}."
    if state is State.SUGGESTIVE:
        return f"{effect} may be {size} {larger} than on {earlier}, {who} {bracket}{tested}; {doubt(finding)}."
    return (
        f"we cannot tell whether {effect} is larger or smaller than on {earlier}: {who} the estimate is {size} "
        f"{larger} {bracket}{tested}."
    )


def earlier_outcome(finding: Finding, words: Words) -> str:
    """Return the words of the same outcome at the wave that a change starts from."""
    wave = finding.reference
    return words.outcome(f"{finding.outcome}@{wave}" if wave else outcome_of(finding))
