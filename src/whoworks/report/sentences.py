"""One sentence per finding, by a fixed grammar: direction and certainty come from the numbers, never from a pen."""

from __future__ import annotations

import math
from collections.abc import Callable

from whoworks.checks.wording import written_p
from whoworks.findings.finding import Finding
from whoworks.findings.multiplicity.families import WEIGHTING
from whoworks.findings.planned.average import REDRAWN
from whoworks.findings.planned.contrasts import is_split
from whoworks.findings.planned.takeup import is_full
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.findings.searches.omnibus import ALL_MODERATORS
from whoworks.findings.searches.variance_ratio import VARIANCE_RATIO
from whoworks.language import plural
from whoworks.report.amounts import amount, base, detectable, evidence_of, in_sd, level_word, places_of, unit_word
from whoworks.report.arms import about_best_arm, tell_best_arm
from whoworks.report.companions import (
    about_crossed,
    about_gap,
    about_split,
    tell_crossed,
    tell_gap,
    tell_projection,
    tell_split,
    tell_variance_ratio,
)
from whoworks.report.labels import Words, capital, outcome_of
from whoworks.report.numbers import fixed, percent, span
from whoworks.report.phrases import (
    apart,
    between,
    doubt,
    effect_of,
    grid,
    group,
    may_raise,
    moved,
    p_name,
    raised,
    raises,
    smallest,
    taken,
    test_of,
    too_small,
    where_larger,
)  # fmt: skip
from whoworks.report.places import about_site_profile, tell_site_profile, tell_target
from whoworks.report.states import State, is_settled, leaves_zero_out, read_p, read_state
from whoworks.report.targeting import (
    about_candidate,
    about_profile,
    about_ranking,
    tell_candidate,
    tell_profile,
    tell_ranking,
)
from whoworks.report.waves import about_growth, tell_growth

UNASSESSED, NO_P = "p not assessable", "no p"


def tell(finding: Finding, words: Words, *, notes: bool = True) -> str:
    """Return the finding's sentence; `notes` adds what is unusual about the estimate."""
    state = read_state(finding)
    if state is State.WITHHELD:
        return capital(f"{subject(finding, words)}: withheld, because too few students or clusters stand behind it.")
    if state is State.NOT_ASSESSABLE:
        why = "; ".join(plain(note).removeprefix("not assessable: ") for note in finding.notes)
        return capital(f"{subject(finding, words)}: not assessable ({why or 'too little stands behind it'}).")
    sentence = capital(GRAMMAR.get(finding.question, tell_effect)(finding, words, state))
    return f"{sentence} {tell_notes(finding)}".rstrip() if notes else sentence


def tell_notes(finding: Finding) -> str:
    """Say what is unusual about an estimate; then its p by re-drawing, where there is one, and how that was made."""
    redrawn = tell_redrawn(finding)
    notes = [note for note in finding.notes if not note.startswith(REDRAWN)]
    how = [note.removeprefix(REDRAWN) for note in finding.notes if note.startswith(REDRAWN)]
    own = NO_P + " from the regression" * bool(redrawn)
    said = capital("; ".join(plain(note).replace(UNASSESSED, own) for note in notes))
    parts = [said] * bool(said) + [" ".join([redrawn, *how])] * bool(redrawn)
    return f"({'. '.join(parts)}.)" if parts else ""


def tell_redrawn(finding: Finding) -> str:
    """Write the p by re-drawing the assignment; "" where there is none."""
    drawn = finding.p_randomization
    return "" if math.isnan(drawn) else f"By re-drawing the assignment, {written_p(drawn)}"


def plain(note: str) -> str:
    """Return a note in a reader's words, where it names a method."""
    if "(Anderson-Rubin)" in note:
        return "the range also counts how roughly the share of students whom the offer moved is known"
    return note


def tell_average(finding: Finding, words: Words, state: State) -> str:
    """Tell an average; of taking the programme up, among whom it is known and what that takes for granted."""
    told = tell_effect(finding, words, state)
    if finding.estimand != "cace" or words.matched:
        return told
    return f"among students whom the offer moved to take it up, and if it acts only through that, {told}"


def tell_effect(finding: Finding, words: Words, state: State) -> str:
    """Tell an effect: of everyone, or within one group."""
    outcome = words.outcome(outcome_of(finding))
    where = f"{group(finding, words)}, " if finding.moderator else ""
    amounts, bracket = amount(finding, words, size=True), evidence_of(finding, words, flip=finding.estimate < 0)
    also = f"; that is {in_sd(finding, words, size=True)}" if in_sd(finding, words) else ""
    who = taken(finding, words)
    if state is State.CLEAR:
        return f"{where}{who} {raised(finding, words)} {outcome} by {amounts} {bracket}{also}."
    if state is State.SUGGESTIVE:
        return (
            f"{where}{who} {may_raise(finding, words)} {outcome} by {amounts} {bracket}{also}; "
            f"{doubt(finding)}, so this is suggestive only."
        )
    if state is State.NO_MEANINGFUL:
        return (
            f"{where}{who} {moved(finding, words)} {outcome} by {amount(finding, words)} "
            f"{evidence_of(finding, words)}: the whole range is smaller than the {smallest(finding, words)} that "
            "the plan calls meaningful."
        )
    return (
        f"{where}we cannot tell whether {who} {raises(finding, words)} {outcome}: the estimate is "
        f"{amount(finding, words)}, consistent with anything in its range {evidence_of(finding, words)}."
    )


def tell_difference(finding: Finding, words: Words, state: State) -> str:
    """Tell how an effect differs between two groups, or along a number."""
    if finding.moderator == WEIGHTING:
        return tell_weighting(finding, words, state)
    if finding.moderator == PREDICTED:
        return tell_sorted_difference(finding, words, state)
    if is_split(finding):
        return tell_split(finding, words, state)
    effect, across = effect_of(finding, words), between(finding, words)
    larger = "larger" if finding.estimate >= 0 else "smaller"
    amounts, bracket = amount(finding, words, size=True), evidence_of(finding, words, compared=True)
    tested = test_of(finding)
    could = f"; {detectable(finding, words)}" if detectable(finding, words) else ""
    if state is State.CLEAR:
        return f"{effect} was {amounts} {larger} {across} {bracket}{tested}."
    if state is State.SUGGESTIVE:
        return f"{effect} may be {amounts} {larger} {across} {bracket}{tested}; {doubt(finding)}{could}."
    if state is State.NO_MEANINGFUL:
        if is_settled(finding):
            return f"{effect} was {amounts} {larger} {across} {bracket}{tested}: {too_small(finding, words)}."
        unsettled = f"; {doubt(finding)}" if leaves_zero_out(finding) else ""
        could = f"{unsettled}; {too_small(finding, words)}"
    return (
        f"we cannot tell whether {effect} differs {apart(finding, words)}: the estimate is {amounts} {larger} "
        f"{where_larger(finding, words)} {bracket}{tested}{could}."
    )


def tell_joint(finding: Finding, words: Words, state: State) -> str:
    """Tell a joint test over several groups; the groups' estimates and the statistic stand beside it."""
    effect, named = effect_of(finding, words), words.moderator(finding.moderator)
    groups = f"the {int(finding.df_num) + 1} groups of {named}" if finding.df_num >= 1 else named
    bracket = f"(tested together, {written_p(read_p(finding), name=p_name(finding))}; {base(finding, words)})"
    if state is State.CLEAR:
        return f"{effect} differs across {groups} {bracket}."
    return f"we cannot tell whether {effect} differs across {groups} {bracket}."


def tell_curve(finding: Finding, words: Words, state: State) -> str:
    """Tell the effect at one value of a number."""
    at = f"at {words.moderator(finding.moderator)} = {grid(finding.level)}"
    return f"{at}, {effect_of(finding, words)} is estimated at {amount(finding, words)} {evidence_of(finding, words)}."


def tell_heterogeneity(finding: Finding, words: Words, state: State) -> str:
    """Tell whether predicted differences show up where the model never looked."""
    if finding.moderator == VARIANCE_RATIO:
        return tell_variance_ratio(finding, words, state)
    effect, unseen = effect_of(finding, words), plural(words.cluster(finding.cluster))
    if finding.moderator == ALL_MODERATORS:
        bracket = f"tested together {evidence_of(finding, words)}{test_of(finding)}"
        if state is State.CLEAR:
            return f"{effect} differs along at least one of the moderators, {bracket}."
        return f"we cannot tell whether {effect} differs along any of the moderators, {bracket}."
    test = test_of(finding) or ", p not assessable: too few clusters stand behind its error"
    bracket = f"{evidence_of(finding, words)}{test}"
    slope = f"slope {fixed(finding.estimate, 2)} {bracket}; 0 would mean not at all, 1 in full"
    if math.isnan(finding.estimate):
        slope = f"test statistic {fixed(finding.statistic, 2)} {bracket}"
    if state is State.CLEAR and not finding.estimate < 0:
        return f"differences in {effect} that were predicted show up among {unseen} the model never saw: {slope}."
    return f"we cannot tell from these predictions whether {effect} differs between students: {slope}."


def tell_takeup(finding: Finding, words: Words, state: State) -> str:
    """Tell how far the offer moved take-up."""
    treatment, control = words.arms_of(finding.contrast)
    if is_full(finding):
        return (
            f"every student under {treatment} took the programme up, and no student under {control} did "
            f"({base(finding, words)}): the average speaks of taking it up as well."
        )
    higher = "higher" if finding.estimate >= 0 else "lower"
    return (
        f"the share of students who took the programme up was {amount(finding, words, size=True)} {higher} under "
        f"{treatment} than under {control} {evidence_of(finding, words, flip=finding.estimate < 0)}."
    )


def tell_sorted(finding: Finding, words: Words, state: State) -> str:
    """Tell the effect in a group sorted by prediction: description, never a claim."""
    if "-" in finding.level:
        return tell_sorted_difference(finding, words, state)
    return (
        f"in group {finding.level} of the students sorted by predicted effect (group 1: the smallest predicted), "
        f"{effect_of(finding, words)} is estimated at {amount(finding, words)} {evidence_of(finding, words)}."
    )


def tell_sorted_difference(finding: Finding, words: Words, state: State) -> str:
    """Tell the distance between the groups with the largest and the smallest predicted effects."""
    return (
        f"between the students with the largest and the smallest prediction, {effect_of(finding, words)} is estimated "
        f"to differ by {amount(finding, words)} {evidence_of(finding, words)}."
    )


def tell_weighting(finding: Finding, words: Words, state: State) -> str:
    """Tell whether it matters that students or clusters count equally."""
    cluster = words.cluster(finding.cluster)
    larger = "larger" if finding.estimate >= 0 else "smaller"
    bracket = evidence_of(finding, words, compared=True)
    judged = "a difference that we cannot tell from none"
    if state is State.CLEAR:
        judged = f"the effect goes with how large a {cluster} is, and the two answer different questions"
    elif state is State.NO_MEANINGFUL:
        judged = "less than the plan calls meaningful"
    what = words.outcome(outcome_of(finding))
    if len(words.plan.arms.treatments) > 1:
        what = effect_of(finding, words)
    return (
        f"counting each student equally gives an estimate for {what} that is "
        f"{amount(finding, words, size=True)} {larger} {bracket} than counting each {cluster} equally: {judged}."
    )


def tell_site_variation(finding: Finding, words: Words, state: State) -> str:
    """Tell how far an effect differs between sites, or what it is in one of them, unnamed."""
    effect, site = effect_of(finding, words), words.plan.design.site
    places = places_of(finding, words)
    told = f"{fixed(finding.estimate, places)} {unit_word(finding, words)}"
    ends = f"({level_word(finding)} {span(finding.conf_low, finding.conf_high, places)}; {base(finding, words)})"
    if finding.level:
        return (
            f"in {site} {finding.level} of those large enough to show, smallest first, {effect} is estimated at "
            f"{told} {ends}, drawn towards the mean of all {plural(site)}."
        )
    spread = f"the standard deviation of {effect} between {plural(site)} is estimated at {told} {ends}"
    if finding.conf_low > 0:
        near = f"in about two of three {plural(site)} the {words.effect} lies within that of their mean"
        return f"{effect} differs between {plural(site)}: {spread}; {near}."
    return f"we cannot tell whether {effect} differs between {plural(site)}: {spread}."


def tell_new_site(finding: Finding, words: Words, state: State) -> str:
    """Tell what a site that did not take part may expect, were it like those that did."""
    effect, site = effect_of(finding, words), words.plan.design.site
    places = places_of(finding, words)
    return (
        f"in a new {site} like these, {effect} is expected between {fixed(finding.conf_low, places)} and "
        f"{fixed(finding.conf_high, places)} {unit_word(finding, words)}, around a mean over {plural(site)} of "
        f"{amount(finding, words)} ({percent(finding.conf_level, 1)} prediction interval; {base(finding, words)})."
    )


GRAMMAR: dict[str, Callable[[Finding, Words, State], str]] = {
    "average": tell_average,
    "difference": tell_difference,
    "joint": tell_joint,
    "curve": tell_curve,
    "heterogeneity": tell_heterogeneity,
    "sorted-group": tell_sorted,
    "profile": tell_profile,
    "takeup": tell_takeup,
    "site-variation": tell_site_variation,
    "new-site": tell_new_site,
    "gap": tell_gap,
    "projection": tell_projection,
    "for-whom-where": tell_crossed,
    "ranking": tell_ranking,
    "candidate": tell_candidate,
    "best-arm": tell_best_arm,
    "growth": tell_growth,
    "site-profile": tell_site_profile,
    "target": tell_target,
}

ABOUT: dict[str, Callable[[Finding, Words], str]] = {
    "gap": about_gap,
    "for-whom-where": about_crossed,
    "ranking": about_ranking,
    "candidate": about_candidate,
    "best-arm": about_best_arm,
    "growth": about_growth,
    "profile": about_profile,
    "site-profile": about_site_profile,
    "target": about_site_profile,
}


def subject(finding: Finding, words: Words) -> str:
    """Name what a finding is about, without its number."""
    effect = effect_of(finding, words)
    if finding.question in ABOUT:
        return ABOUT[finding.question](finding, words)
    if finding.question == "takeup":
        return "how far the offer moved take-up"
    if finding.moderator == VARIANCE_RATIO:
        return f"the variance of {words.outcome(outcome_of(finding))} by arm"
    if is_split(finding):
        return about_split(finding, words)
    if finding.moderator == WEIGHTING:
        return f"{effect}, counting clusters in place of students"
    if finding.question == "difference" and finding.moderator != PREDICTED:
        return f"the difference in {effect} {apart(finding, words)}"
    if finding.moderator == PREDICTED and not finding.level:
        return f"whether predicted differences in {effect} show up"
    if finding.moderator == PREDICTED:
        if "-" in finding.level:
            return f"how {effect} differs between the students with the largest and the smallest prediction"
        return f"{effect} in group {finding.level} of the students sorted by predicted effect"
    if finding.question == "site-variation":
        return f"how far {effect} differs between {plural(words.plan.design.site)}"
    if finding.question == "new-site":
        return f"{effect} in a new {words.plan.design.site}"
    if finding.question == "curve":
        return f"{effect} at {words.moderator(finding.moderator)} = {grid(finding.level)}"
    if finding.moderator and finding.level:
        return f"{effect} {group(finding, words)}"
    return f"{effect} across {words.moderator(finding.moderator)}" if finding.moderator else effect
