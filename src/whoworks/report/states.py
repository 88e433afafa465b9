"""What an estimate allows us to say: its state, each computed from the finding and the plan."""

from __future__ import annotations

import math
from enum import StrEnum

from whoworks.findings.finding import SETTLED, Finding

NOT_ASSESSABLE = "not assessable:"  # how the note of a finding begins that nothing is to be read from


class State(StrEnum):
    """How far an estimate carries."""

    CLEAR = "clear"
    SUGGESTIVE = "suggestive"
    INCONCLUSIVE = "inconclusive"
    NO_MEANINGFUL = "no meaningful difference"
    NOT_ASSESSABLE = "not assessable"
    WITHHELD = "withheld"


def read_state(finding: Finding) -> State:
    """Return a finding's state.

    Not assessable: no estimate and no test, or an estimate without error.
    Clear: p, adjusted where the finding belongs to a family, is .05 at most, as
    grades and caveats ask whatever the level of the ranges, and an interval, if
    there is one, leaves zero out: a one-sided p may be small where it does not.
    No meaningful difference: the whole interval lies inside what the plan calls
    meaningful, whether or not it holds zero, and so whether or not it is settled.
    Suggestive: the interval leaves zero out, and the p that counts does not agree.
    An interval that holds zero is inconclusive, however close: no trends are told.
    """
    if finding.suppressed:
        return State.WITHHELD
    if math.isnan(finding.statistic) and (math.isnan(finding.estimate) or is_doubted(finding)):
        return State.NOT_ASSESSABLE
    if is_within_meaningful(finding):
        return State.NO_MEANINGFUL
    if is_settled(finding):
        return State.CLEAR
    return State.SUGGESTIVE if leaves_zero_out(finding) else State.INCONCLUSIVE


def is_doubted(finding: Finding) -> bool:
    """Whether a note says that the estimate, if there is one, has nothing to be judged by."""
    return any(note.startswith(NOT_ASSESSABLE) for note in finding.notes)


def is_settled(finding: Finding) -> bool:
    """Whether the p that counts and the interval, if there is one, both leave zero out."""
    return read_p(finding) <= SETTLED and not finding.conf_low <= 0 <= finding.conf_high


def read_p(finding: Finding) -> float:
    """Return the p-value that counts: adjusted where tests share a level, else its own, else by re-drawing.

    A test that others share the level with and that has no p of its own has none
    at all: one by re-drawing the assignment would be held against no other.
    """
    if finding.adjustment:
        return finding.p_adjusted
    for p in (finding.p_value, finding.p_randomization):
        if not math.isnan(p):
            return p
    return math.nan


def leaves_zero_out(finding: Finding) -> bool:
    """Whether the interval lies on one side of zero."""
    return finding.conf_low > 0 or finding.conf_high < 0


def is_within_meaningful(finding: Finding) -> bool:
    """Whether an effect or a difference is smaller than what the plan calls meaningful, over its whole interval."""
    return finding.question in ("average", "subgroup", "difference", "gap") and finding.is_negligible
