"""What predicted effects and a search through the data suggest, in sentences: rankings, profiles and candidates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whoworks.findings.finding import Finding
from whoworks.findings.searches.candidates import AGAIN
from whoworks.findings.searches.ranking import AREA, TOP_THIRD
from whoworks.findings.searches.rules import AND, BESIDE, Condition, read_rule
from whoworks.language import plural
from whoworks.report.amounts import amount, evidence_of
from whoworks.report.labels import Words
from whoworks.report.numbers import percent
from whoworks.report.phrases import doubt, effect_of, test_of
from whoworks.report.places import trait_amount, trait_distance
from whoworks.report.states import State

BETWEEN = " - "


def about_ranking(finding: Finding, words: Words) -> str:
    """Name what a ranking's estimate is about."""
    who = "the third of students" if finding.level == TOP_THIRD else "those"
    return f"how {effect_of(finding, words)} among {who} ranked first by prediction differs from that among all"


def tell_ranking(finding: Finding, words: Words, state: State) -> str:
    """Tell what ranking by prediction is worth: the effect among the first against that among all."""
    effect, size = effect_of(finding, words), amount(finding, words, size=True)
    larger = "larger" if finding.estimate >= 0 else "smaller"
    bracket = f"{evidence_of(finding, words, compared=True)}{test_of(finding)}"
    if finding.level not in (AREA, TOP_THIRD):
        first = f"in the {percent(float(finding.level), 0)} of students ranked first by prediction"
        return f"{first}, {effect} is {size} {larger} than among all {bracket}."
    who = "in the third of students ranked first by prediction"
    if finding.level == AREA:
        who = "among those ranked first by prediction (the mean over all shares taken)"
    if state is State.CLEAR:
        return f"{effect} {who} is {size} {larger} than among all {bracket}."
    if state is State.SUGGESTIVE:
        return f"{effect} {who} may be {size} {larger} than among all {bracket}; {doubt(finding)}."
    return (
        f"we cannot tell whether {effect} {who} differs from that among all: the estimate is {size} {larger} {bracket}."
    )


def tell_rule(finding: Finding, words: Words) -> str:
    """Write a candidate's rule in the plan's words; two cuts of one number are one range."""
    rule = read_rule(finding.level, tuple(finding.moderator.split(BESIDE)))
    told: list[str] = []
    for moderator in dict.fromkeys(condition.moderator for condition in rule):
        cuts = {c.sign: c for c in rule if c.moderator == moderator}
        if set(cuts) == {">", "<="}:
            named = words.moderator(moderator)
            told.append(f"{named} above {cuts['>'].value} and at most {cuts['<='].value}")
        else:
            told += [tell_condition(condition, words) for condition in rule if condition.moderator == moderator]
    return AND.join(told)


def tell_condition(condition: Condition, words: Words) -> str:
    """Write one cut: a group's words, or a number and its edge."""
    named = words.moderator(condition.moderator)
    value = words.level(condition.moderator, condition.value)
    return {
        "=": f"\u201c{value}\u201d" if value == named else f"\u201c{value}\u201d ({named})",
        "is not": f"{named} other than \u201c{value}\u201d",
        "<=": f"{named} of at most {condition.value}",
        ">": f"{named} above {condition.value}",
    }[condition.sign]


def about_candidate(finding: Finding, words: Words) -> str:
    """Name a candidate, a group that the data proposed, or how stable the proposal is."""
    if finding.level == AGAIN:
        return f"how often {moderators_told(finding, words)} is proposed again"
    return f"the group {name_group(finding, words)}, which the data proposed"


def name_group(finding: Finding, words: Words) -> str:
    """Name a candidate's group: its own words where every cut has some, else ``with`` what its numbers are."""
    rule = read_rule(finding.level, tuple(finding.moderator.split(BESIDE)))
    return tell_rule(finding, words) if all(c.sign == "=" for c in rule) else f"with {tell_rule(finding, words)}"


def moderators_told(finding: Finding, words: Words) -> str:
    """Name the moderators of a candidate's rule."""
    return " with ".join(words.moderator(name) for name in finding.moderator.split(BESIDE))


def tell_candidate(finding: Finding, words: Words, state: State) -> str:
    """Tell what became of a group in the clusters that had no part in proposing it."""
    if finding.level == AGAIN:
        named = moderators_told(finding, words)
        return f"{named}: proposed again in {percent(finding.estimate, 0)} of further splits."
    effect, others = effect_of(finding, words), plural(words.cluster(finding.cluster))
    larger = "larger" if finding.estimate >= 0 else "smaller"
    bracket = f"{evidence_of(finding, words, compared=True)}{test_of(finding)}"
    size = amount(finding, words, size=True)
    rule, elsewhere = name_group(finding, words), tested_elsewhere(others)
    who = f"those {rule}" if rule.startswith("with ") else rule
    group = f"for {who} than for all others"
    if state is State.CLEAR:
        return f"{elsewhere}{effect} was {size} {larger} {group} {bracket}."
    if state is State.SUGGESTIVE:
        return f"{elsewhere}{effect} may be {size} {larger} {group} {bracket}; {doubt(finding)}."
    return (
        f"{elsewhere}we cannot tell whether {effect} for {who} differs from that for all others: the "
        f"estimate is {size} {larger} for the first {bracket}."
    )


def tested_elsewhere(clusters: str) -> str:
    """Say where a candidate comes from and where it was tested: how its sentence begins."""
    return f"proposed by half of the {clusters} and tested in the other half: "


def tell_again(found: Sequence[Finding], words: Words) -> str:
    """Say in one sentence how often each candidate's moderators are proposed when the halves are drawn anew."""
    parts = [percent(f.estimate, 0) if math.isfinite(f.estimate) else "a part that is not shown" for f in found]
    shares = [f"{moderators_told(f, words)} in {part}" for f, part in zip(found, parts, strict=True)]
    named = shares[0] if len(shares) == 1 else f"{', '.join(shares[:-1])} and {shares[-1]}"
    return (
        f"With the halves drawn anew, groups were proposed along {named} of the draws. The draws share their "
        "data: this describes and tests nothing."
    )


def about_profile(finding: Finding, words: Words) -> str:
    """Name what a profile compares: a number, or the share in one group of a category."""
    code, _, _ = finding.level.rpartition(": ")
    return words.trait(finding.moderator, code)


def tell_profile(finding: Finding, words: Words, state: State) -> str:
    """Tell what the students of a sorted group are like, or how top and bottom group differ."""
    trait = about_profile(finding, words)
    group = finding.level.rpartition(": ")[2]
    quantity = finding.quantity
    if BETWEEN not in group:
        size = trait_amount(finding)
        return f"{trait}: {quantity} {size} in group {group} of the students sorted by prediction."
    highest, lowest = group.split(BETWEEN)
    return (
        f"{trait}: the {quantity} in group {highest} of the students sorted by prediction differs by "
        f"{trait_distance(finding)} from that in group {lowest}{test_of(finding)}."
    )
