"""The answer: the primary averages, what puts them in doubt, and how many acted on the offer."""

from __future__ import annotations

from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Verdict
from whoworks.findings.caveats.takeup import READINGS
from whoworks.findings.finding import Finding
from whoworks.language import plural
from whoworks.report.disclosure import Released
from whoworks.report.labels import Words, capital, outcome_of, shorten
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell, tell_redrawn

MOST_ANSWERS = 6
LONGEST = 570
DOUBTS = {
    "attrition": "more outcomes are missing than is safe, so that the students compared need not be alike",
    "cluster_attrition": "more {assigned} have no outcome at all than is safe, so that the rest need not be alike",
    "balance": "before assignment the arms were further apart than an analysis can make up for",
}


def tell_answer(released: Released, chosen: Selection, words: Words) -> tuple[str, ...]:
    """Return the answer: a sentence for each treatment on each primary outcome, what puts it in doubt, and take-up."""
    main = chosen.main
    if main is None:
        return ("No average effect was estimated; the sections that follow say why.",)
    headlines = [main, *(f for f in chosen.averages if f is not main and is_headline(f, words))]
    said = [tell_headline(finding, words) for finding in headlines[:MOST_ANSWERS]]
    rest = len(headlines) - MOST_ANSWERS
    said += [f"{rest} more of these averages {'is' if rest == 1 else 'are'} in the report."] if rest > 0 else []
    return (*said, *tell_doubts(released, main, words), *tell_offers(released))


def is_headline(finding: Finding, words: Words) -> bool:
    """Whether an average answers a primary question: a treatment against control, as offered, on a primary outcome."""
    arms = words.plan.arms
    against_control = finding.contrast in {f"{treatment} - {arms.control}" for treatment in arms.treatments}
    as_offered = finding.weighting == "student" and finding.estimand == "itt"
    return against_control and as_offered and words.find_outcome(outcome_of(finding)).primary


def tell_headline(finding: Finding, words: Words) -> str:
    """Tell an average, with its p by re-drawing the assignment where there is one."""
    told, redrawn = shorten(tell(finding, words, notes=False), LONGEST), tell_redrawn(finding)
    return f"{told} {redrawn}." if redrawn else told


def tell_doubts(released: Released, main: Finding, words: Words) -> list[str]:
    """Say which failed checks put the main answer itself in doubt."""
    failed = [check for check in released.evidence.checks if check.verdict is Verdict.FAIL]
    about = [check.check_id for check in failed if check.subject in (outcome_of(main), JOINT)]
    assigned = plural(words.plan.design.assigned)
    told = [why.format(assigned=assigned) for rule, why in DOUBTS.items() if rule in about]
    return [f"This is in doubt: {'; '.join(told)}."] if told else []


def tell_offers(released: Released) -> list[str]:
    """Say how many in each arm took the programme up, where not all did as they were assigned."""
    return [capital(caveat.sentence) for caveat in released.evidence.caveats if caveat.caveat_id in READINGS]
