"""What to test next, derived from the findings: the planned question left open, and how large a study it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from scipy.optimize import brentq

from whoworks.checks.wording import written_p
from whoworks.findings.finding import Finding
from whoworks.findings.multiplicity.families import WEIGHTING
from whoworks.findings.planned.contrasts import is_split
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.inference.power import minimum_detectable
from whoworks.language import plural
from whoworks.report.amounts import outcome_places, unit_word, with_unit
from whoworks.report.labels import Words, capital, outcome_of
from whoworks.report.numbers import count, fixed
from whoworks.report.phrases import apart, effect_of, p_name, quoted
from whoworks.report.states import NOT_ASSESSABLE, State, read_p, read_state

ANSWERED = (State.CLEAR, State.NO_MEANINGFUL)  # of a planned question: a larger study would tell no more of it


def propose(findings: Iterable[Finding], words: Words, average: Finding | None) -> tuple[str, ...]:
    """Return what the next pilot should settle, at most three sentences."""
    listed = tuple(findings)
    joint = [finding for finding in listed if finding.question == "joint"]
    differences = [finding for finding in listed if is_contrast_of_groups(finding)]
    planned = [finding for finding in differences if is_planned(finding, words)]
    parts = {asked(finding): finding for finding in joint}
    explored = [finding for finding in differences if asked(finding) not in parts] + joint
    said = [
        propose_average(average, words) if average is not None else "",
        propose_planned(planned, parts, words),
        propose_explored([finding for finding in explored if not is_planned(finding, words)], words),
    ]
    return tuple(sentence for sentence in said if sentence) or (
        f"Repeat the study in other {words.places}: nothing here has been confirmed elsewhere yet.",
    )


def asked(finding: Finding) -> tuple[str, str, str]:
    """Return the question that a difference belongs to; several groups have one joint test for all differences."""
    return finding.moderator, outcome_of(finding), finding.contrast


def is_contrast_of_groups(finding: Finding) -> bool:
    """Whether a finding compares two groups or runs along a moderator."""
    return (
        finding.question == "difference"
        and finding.moderator not in ("", WEIGHTING, PREDICTED)
        and finding.weighting == "student"
        and finding.estimand == "itt"
        and not is_split(finding)
    )


def is_planned(finding: Finding, words: Words) -> bool:
    """Whether a finding belongs to a planned moderator, a primary outcome and the first treatment."""
    moderator = words.find_moderator(finding.moderator)
    outcome = next(o for o in words.plan.outcomes if (o.column, o.wave) == (finding.outcome, finding.wave))
    main = f"{words.plan.arms.treatments[0]} - {words.plan.arms.control}"
    return bool(moderator and moderator.planned and outcome.primary and finding.contrast == main)


def shortfall(finding: Finding) -> float:
    """Return what could be detected over what would matter; NaN where either is not known."""
    return finding.mde / finding.meaningful if finding.meaningful > 0 else math.nan


def multiple(finding: Finding) -> float:
    """Return how many times as many clusters would detect what matters.

    The k at which ``(mde / meaningful) m(k df) / m(df) = sqrt(k)``: the error shrinks
    with the root of the number of clusters, and m, the t quantiles that a
    detectable difference is a multiple of, shrinks as degrees of freedom grow with it.
    """
    short, df = shortfall(finding), finding.df
    if not (short > 1 and df > 0):
        return short**2

    def left(times: float) -> float:
        here, there = (float(minimum_detectable(std_error=1.0, df=each)) for each in (df, df * times))
        return float(short * there / here - math.sqrt(times))

    return float(brentq(left, 1.0, short**2)) if left(short**2) < 0 else short**2


def clusters_needed(finding: Finding) -> int:
    """Return how many clusters would detect what matters, rounded up to two digits."""
    needed = finding.n_clusters * multiple(finding)
    step = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    return int(math.ceil(needed / step - 1e-9) * step)


def times_as_many(finding: Finding) -> str:
    """Write how many times as many clusters would detect what matters; decimals only of a small multiple."""
    times = multiple(finding)
    return fixed(times, 1 if times < 10 else 0)


def propose_average(finding: Finding, words: Words) -> str:
    """Say how large a study would settle the average, where this one did not."""
    if read_state(finding) not in (State.INCONCLUSIVE, State.SUGGESTIVE) or not shortfall(finding) > 1:
        return ""
    arms = f", {words.contrast(finding.contrast)}" if len(words.plan.arms.treatments) > 1 else ""
    return f"The average itself{arms}: {size_sentence(finding, words)}"


def propose_planned(planned: Iterable[Finding], parts: Mapping[tuple[str, str, str], Finding], words: Words) -> str:
    """Name a planned question that found no answer here; else the one left open that takes the largest study.

    `parts` are the joint tests, by the question that each answers and of which a difference is only a part.
    """
    claims = [(finding, parts.get(asked(finding), finding)) for finding in planned]
    for finding, claim in claims:
        if read_state(claim) in (State.WITHHELD, State.NOT_ASSESSABLE):
            return f"Could not be answered here: {question_of(finding, parts, words)}: {why_silent(claim, words)}."
    left = [finding for finding, claim in claims if read_state(claim) not in ANSWERED]
    if claims and not left:
        return f"Every planned question was settled here; the next step is to ask it again in other {words.places}."
    known = [finding for finding in left if math.isfinite(shortfall(finding))]
    if not known:
        return ""
    worst = max(known, key=lambda finding: shortfall(finding))
    if shortfall(worst) <= 1:
        other = "other " * (len(left) < len(claims))
        return (
            f"Every {other}planned difference that would matter was within this study's reach; the next step is to "
            f"repeat it in other {words.places}."
        )
    part = capital(size_sentence(worst, words))
    if asked(worst) in parts:
        first, second = quoted(worst, worst.reference, words), quoted(worst, worst.level, words)
        part = f"Its hardest part is {first} against {second}: {size_sentence(worst, words)}"
    return f"Needs the largest study of the planned questions: {question_of(worst, parts, words)}. {part}"


def why_silent(finding: Finding, words: Words) -> str:
    """Say why a question has no answer: the note that says so, else that too few stand behind it."""
    told = [note.removeprefix(NOT_ASSESSABLE).strip() for note in finding.notes if note.startswith(NOT_ASSESSABLE)]
    return "; ".join(told) or f"{words.too_few(finding.cluster)} stand behind it"


def question_of(finding: Finding, parts: Mapping[tuple[str, str, str], Finding], words: Words) -> str:
    """Write what a planned difference asks: between its two groups, or, under a joint test, between all of them."""
    along = f"by {words.moderator(finding.moderator)}" if asked(finding) in parts else apart(finding, words)
    return f"whether {effect_of(finding, words)} differs {along}"


def size_sentence(finding: Finding, words: Words) -> str:
    """Say what was within reach here and what a study of what matters would take."""
    places = outcome_places(finding, words)
    reach, matters = with_unit(fixed(finding.mde, places), unit_word(finding, words)), fixed(finding.meaningful, places)
    if not finding.n_clusters:  # not told: it would tell how few were in a group that is withheld
        return (
            f"this study could detect {reach}; to detect the {matters} that the plan calls "
            f"meaningful, about {times_as_many(finding)} times as many "
            f"{plural(words.cluster(finding.cluster))} like these are needed."
        )
    here = words.clusters(finding.n_clusters, finding.cluster)
    return (
        f"with {here} this study could detect {reach}; to detect the {matters} that the "
        f"plan calls meaningful, about {words.clusters(clusters_needed(finding), finding.cluster)} like these "
        "are needed."
    )


def propose_explored(explored: Iterable[Finding], words: Words) -> str:
    """Name the exploratory difference to plan next, or say that none stood out."""
    looked = [finding for finding in explored if not math.isnan(read_p(finding))]
    if not looked:
        return ""
    best = min(looked, key=read_p)
    state = read_state(best)
    if state not in (State.CLEAR, State.SUGGESTIVE):
        return "Nothing that was explored stood out enough to be planned next."
    arms = f", {words.contrast(best.contrast)}" if len(words.plan.arms.treatments) > 1 else ""
    named = f"{words.moderator(best.moderator)} (for {words.short_outcome(outcome_of(best))}{arms})"
    stood = f"{written_p(read_p(best), name=p_name(best))}{', not settled' * (state is State.SUGGESTIVE)}"
    if len(looked) == 1:
        return f"The one difference explored was by {named} ({stood}): plan it before outcomes are seen, or drop it."
    among = f"among the {count(best.n_tests)} comparisons " * (best.n_tests > len(looked))
    return (
        f"Of the differences {among}explored, that by {named} stood out most ({stood}): write it into the next plan "
        "before outcomes are seen."
    )
