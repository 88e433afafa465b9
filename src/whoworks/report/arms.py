"""Several treatments, in sentences: what the one that looks best does, and which arms may be the best."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.findings.planned.best_arm import MAY_BE_BEST, PICKED
from whoworks.language import listed
from whoworks.report.amounts import amount, evidence_of
from whoworks.report.labels import Words, capital, outcome_of
from whoworks.report.numbers import percent
from whoworks.report.states import State, leaves_zero_out


def about_best_arm(finding: Finding, words: Words) -> str:
    """Name what is told of the best arm."""
    if finding.quantity == PICKED:
        return f"which treatment is the best for {words.outcome(outcome_of(finding))}"
    return f"whether {words.arm(finding.level)} is the best arm for {words.outcome(outcome_of(finding))}"


def tell_best_arm(finding: Finding, words: Words, state: State) -> str:
    """Tell the effect of the treatment that looks best, or how one arm stands against the best of the others."""
    outcome, arm = words.outcome(outcome_of(finding)), words.arm(finding.level)
    size, bracket = amount(finding, words, size=True), evidence_of(finding, words, flip=finding.estimate < 0)
    higher = "higher" if finding.estimate >= 0 else "lower"
    if finding.quantity != PICKED:
        judged = "may be the best arm" if finding.quantity == MAY_BE_BEST else "is ruled out as the best arm"
        return f"{arm} {judged} for {outcome}: it is {size} {higher} than the best of the other arms {bracket}."
    control = words.arm(finding.reference)
    told = (
        f"the treatment that looks best for {outcome} is {arm}: the estimate is {size} {higher} than under {control} "
        f"{bracket}; the range allows for its having been picked because it looks best"
    )
    return f"{told}." if leaves_zero_out(finding) else f"{told}, and includes zero."


def tell_standings(findings: Sequence[Finding], words: Words) -> str:
    """Say in one sentence which arms may be the best for an outcome, and which are ruled out; empty where none is."""
    stood = [f for f in findings if f.quantity != PICKED and not f.suppressed and math.isfinite(f.estimate)]
    if not stood:
        return ""
    may = [words.arm(f.level) for f in stood if f.quantity == MAY_BE_BEST]
    out = [words.arm(f.level) for f in stood if f.quantity != MAY_BE_BEST]
    level, outcome = percent(stood[0].conf_level, 1), words.outcome(outcome_of(stood[0]))
    if len(may) == 1:
        return capital(f"for {outcome}, {may[0]} is the best arm at {level} confidence: all others are ruled out.")
    alike = f"for {outcome}, we cannot tell which of {listed(may)} is the best"
    if not out:
        return capital(f"{alike}.")
    return capital(f"{alike}; {listed(out)} {'is' if len(out) == 1 else 'are'} ruled out at {level} confidence.")
