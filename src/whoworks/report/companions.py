"""What stands beside the differences, in sentences: gaps, contrasts within and between, crossings, projections."""

from __future__ import annotations

from whoworks.findings.finding import Finding
from whoworks.findings.planned.contrasts import AGREE, BETWEEN
from whoworks.findings.planned.crossed import CELL, SAME, cell_name, cross_name, pairs
from whoworks.findings.planned.gap import BEFORE, NARROWED, NARROWED_OR_TURNED, TURNED, WIDENED
from whoworks.language import plural
from whoworks.report.amounts import amount, base, evidence_of, level_word, reach
from whoworks.report.labels import Words, outcome_of
from whoworks.report.numbers import fixed
from whoworks.report.phrases import apart, between, doubt, effect_of, quoted, taken, test_of
from whoworks.report.states import State, leaves_zero_out

NARROWS = {
    NARROWED: ("narrowed", "may have narrowed", "narrower"),
    WIDENED: ("widened", "may have widened", "wider"),
    TURNED: ("turned round", "may have turned round", "towards the other side"),
    NARROWED_OR_TURNED: (
        "narrowed or turned round", "may have narrowed or turned round", "narrower or turned round",
    ),
}  # fmt: skip
CHANGED, FAVOUR = ("changed", "may have changed"), "in favour"
OPPOSITE = {"narrower": "wider", "wider": "narrower", "narrower or turned round": "wider", FAVOUR: "against"}


def about_gap(finding: Finding, words: Words) -> str:
    """Name a gap: the distance between two groups' outcomes."""
    second = finding.level.removesuffix(f" - {finding.reference}")
    groups = f"{quoted(finding, second, words)} and {quoted(finding, finding.reference, words)}"
    return f"the gap in {words.outcome(outcome_of(finding))} between {groups} ({words.moderator(finding.moderator)})"


def tell_gap(finding: Finding, words: Words, state: State) -> str:
    """Tell a gap without the programme, or what became of it."""
    gap = about_gap(finding, words)
    size, who, bracket = amount(finding, words, size=True), taken(finding, words), gap_evidence(finding, words)
    if finding.quantity == BEFORE:
        below = "above" if finding.estimate >= 0 else "below"
        first, second = (quoted(finding, code, words) for code in (finding.reference, finding.level))
        where = f"{first} ({words.moderator(finding.moderator)}) on {words.outcome(outcome_of(finding))}"
        control = words.arms_of(finding.contrast)[1]
        return f"under {control}, {second} is estimated to stand {size} {below} {where} {bracket}."
    did, may, word = NARROWS.get(finding.quantity, (*CHANGED, favours(finding, words)))
    by = size if finding.quantity in NARROWS else f"{size} {word}"
    if words.matched:
        treatment, control = words.arms_of(finding.contrast)
        word = word if finding.quantity in NARROWS else f"more {word}"
        told = f"{gap} is {size} {word} under {treatment} than under {control} {bracket}{test_of(finding)}"
        return f"{told}." if state is State.CLEAR else f"{told}; this is not settled."
    if state is State.CLEAR:
        return f"{who} {did} {gap} by {by} {bracket}{test_of(finding)}."
    if state is State.SUGGESTIVE:
        return f"{who} {may} {gap} by {by} {bracket}{test_of(finding)}; {doubt(finding)}."
    if state is State.NO_MEANINGFUL:
        return f"{who} moved {gap} by {by} {bracket}: the whole range is smaller than the plan calls meaningful."
    return (
        f"we cannot tell whether {who} narrows or widens {gap}: the estimate is {size} {word} "
        f"{bracket}{test_of(finding)}."
    )


def favours(finding: Finding, words: Words) -> str:
    """Say in whose favour a gap changed: of the group whose outcomes moved the better way against the other's."""
    is_gain = (finding.estimate >= 0) == (words.find_outcome(outcome_of(finding)).better == "higher")
    second = finding.level.removesuffix(f" - {finding.reference}")
    return f"{FAVOUR} of {quoted(finding, second if is_gain else finding.reference, words)}"


def gap_evidence(finding: Finding, words: Words) -> str:
    """Write the bracket after a gap or what became of it: ``6.3 wider to 9.3 narrower`` where either may be."""
    word = NARROWS[finding.quantity][2] if finding.quantity in NARROWS else FAVOUR
    is_before, is_open = finding.quantity == BEFORE, finding.conf_low < 0 < finding.conf_high
    if not is_open or not (is_before or word in OPPOSITE):
        return evidence_of(finding, words, flip=finding.estimate < 0)
    sides = (
        ("below", "above") if is_before else (OPPOSITE[word], word) if finding.estimate >= 0 else (word, OPPOSITE[word])
    )
    return f"({level_word(finding)} {reach(finding, words, sides)}; {base(finding, words)})"


def about_split(finding: Finding, words: Words) -> str:
    """Name a contrast within or between what carries the arm."""
    carrier, named = words.plan.design.assigned, words.moderator(finding.moderator)
    effect = effect_of(finding, words)
    if finding.level == AGREE:
        return f"whether {effect} differs by {named} within a {carrier} as it does between {plural(carrier)}"
    where = f"between {plural(carrier)}" if finding.level.startswith(BETWEEN) else f"within a {carrier}"
    return f"the difference in {effect} by {named} {where}"


def tell_split(finding: Finding, words: Words, state: State) -> str:
    """Tell a difference within or between classes, or whether they agree."""
    carrier, named = words.plan.design.assigned, words.moderator(finding.moderator)
    bracket, size = evidence_of(finding, words, compared=True), amount(finding, words, size=True)
    larger = "larger" if finding.estimate >= 0 else "smaller"
    if finding.level == AGREE:
        told = f"within, it is {size} {larger} {bracket}{test_of(finding)}"
        if state is State.CLEAR:
            return (
                f"the difference by {named} within a {carrier} is not the one between {plural(carrier)}: {told}, so "
                "the plain difference mixes two answers."
            )
        return (
            f"we cannot tell whether the difference by {named} within a {carrier} is another than between "
            f"{plural(carrier)}: {told}."
        )
    is_between = finding.level.startswith(BETWEEN)
    if finding.unit == "per SD":
        per = f"for each SD more of {named}" + (
            f" in the mean of a {carrier}" if is_between else f" within a {carrier}"
        )
    else:
        first, second = (quoted(finding, code, words) for code in (finding.reference, other_group(finding, words)))
        alone = f"in a {carrier} of {second} alone than in one of {first} alone"
        per = f"{alone} ({named})" if is_between else f"for {second} than for {first} of the same {carrier} ({named})"
    return f"{effect_of(finding, words)} is estimated to be {size} {larger} {per} {bracket}."


def other_group(finding: Finding, words: Words) -> str:
    """Return the code of the group that a moderator of two groups compares with its first."""
    levels = next((v.levels for v in words.variables if v.name == finding.moderator), ())
    return next((code for code in levels if code != finding.reference), "")


def tell_projection(finding: Finding, words: Words, state: State) -> str:
    """Tell what is left of a difference when the other moderators are held fixed."""
    larger = "larger" if finding.estimate >= 0 else "smaller"
    bracket, size = evidence_of(finding, words, compared=True), amount(finding, words, size=True)
    effect = effect_of(finding, words)
    if leaves_zero_out(finding):
        where = between(finding, words)
        return f"with the other moderators held fixed, {effect} is estimated to be {size} {larger} {where} {bracket}."
    return (
        f"we cannot tell whether {effect} still differs {apart(finding, words)} with the other moderators held fixed: "
        f"the estimate is {size} {larger} {between(finding, words)} {bracket}."
    )


def read_pair(finding: Finding, words: Words) -> tuple[str, str]:
    """Return the two moderators that a crossing is of; KeyError when the plan has no such pair."""
    named = {cross_name(a.name, b.name): (a.name, b.name) for a, b in pairs(words.plan)}
    return named[finding.moderator]


def read_cell(finding: Finding, words: Words) -> tuple[str, str]:
    """Return the words of a cell's group and of its context; of a difference, of the group compared."""
    student, context = read_pair(finding, words)
    groups = next((v.levels for v in words.variables if v.name == student), ())
    for code in sorted(groups, key=len, reverse=True):
        name = f"{code} - {finding.reference}" if finding.reference else code
        if finding.level.startswith(cell_name(name, "")):
            place = finding.level.removeprefix(cell_name(name, ""))
            return words.level(student, code), words.level(context, place)
    return finding.level, ""


def place_of(context: str, place: str, words: Words) -> str:
    """Say in which classes or schools a context is met: ``in classes with \u201cown devices\u201d (the devices)``."""
    moderator = words.find_moderator(context)
    holders = plural(moderator.level) if moderator is not None and moderator.level else words.places
    return f"in {holders} with \u201c{place}\u201d ({words.moderator(context)})"


def group_of(student: str, group: str) -> str:
    """Name a group with its moderator, once where the two are the same."""
    return f"\u201c{group}\u201d ({student})" if group != student else f"\u201c{group}\u201d"


def about_crossed(finding: Finding, words: Words) -> str:
    """Name a cell, a difference in one context, or the comparison of contexts."""
    student, context = read_pair(finding, words)
    effect, named = effect_of(finding, words), words.moderator(student)
    if finding.quantity == SAME:
        return f"whether the difference in {effect} by {named} is the same across {words.moderator(context)}"
    group, place = read_cell(finding, words)
    if finding.quantity == CELL:
        return f"{effect} for {group_of(named, group)} {place_of(context, place, words)}"
    return f"the difference in {effect} by {named} {place_of(context, place, words)}"


def tell_crossed(finding: Finding, words: Words, state: State) -> str:
    """Tell an effect in a cell, a difference in a context, or whether contexts differ in it."""
    if finding.quantity == SAME:
        return tell_same(finding, words, state)
    student, context = read_pair(finding, words)
    group, place = read_cell(finding, words)
    where, who = place_of(context, place, words), group_of(words.moderator(student), group)
    effect, larger = effect_of(finding, words), "larger" if finding.estimate >= 0 else "smaller"
    if finding.quantity == CELL:
        told = f"{amount(finding, words)} {evidence_of(finding, words)}"
        return f"{where}, {effect} for {who} is estimated at {told}."
    size, bracket = amount(finding, words, size=True), evidence_of(finding, words, compared=True)
    rest = f"\u201c{words.level(student, finding.reference)}\u201d"
    return f"{where}, {effect} is estimated to be {size} {larger} for {who} than for {rest} {bracket}."


def tell_same(finding: Finding, words: Words, state: State) -> str:
    """Tell whether two groups differ alike in every context; of two contexts, where they differ more."""
    student, context = read_pair(finding, words)
    asked = f"the difference in {effect_of(finding, words)} by {words.moderator(student)}"
    across = f"the same across {words.moderator(context)}"
    if finding.df_num > 1:
        degrees = f"{fixed(finding.df_num, 0)} and {fixed(finding.df, 1)} degrees of freedom"
        told = f"F = {fixed(finding.statistic, 2)} on {degrees} {evidence_of(finding, words)}"
    else:
        told = f"{tell_apart(finding, words)} {evidence_of(finding, words, compared=True)}"
    said = f"{told}{test_of(finding)}"
    if state is State.CLEAR:
        return f"{asked} is not {across}: {said}."
    return f"we cannot tell whether {asked} is {across}: {said}."


def tell_apart(finding: Finding, words: Words) -> str:
    """Say by how much the second group's effect exceeds the first's by more in the second of two contexts."""
    student, context = read_pair(finding, words)
    levels = {variable.name: variable.levels for variable in words.variables}
    larger = "larger" if finding.estimate >= 0 else "smaller"
    groups, places = ([words.level(name, code) for code in levels.get(name, ())] for name in (student, context))
    where = "in the second of the two contexts than in the first"
    if len(places) == 2:
        where = f"with \u201c{places[1]}\u201d than with \u201c{places[0]}\u201d"
    taken_as = f"taken as \u201c{groups[1]}\u201d minus \u201c{groups[0]}\u201d, " if len(groups) == 2 else ""
    return f"{taken_as}it is {amount(finding, words, size=True)} {larger} {where}"


def tell_variance_ratio(finding: Finding, words: Words, state: State) -> str:
    """Tell whether outcomes vary more or less under the programme."""
    treatment, control = words.arms_of(finding.contrast)
    outcome = words.outcome(outcome_of(finding))
    bracket = f"{evidence_of(finding, words)}{test_of(finding)}"
    ratio = f"the variance under {treatment} is {fixed(finding.estimate, 2)} times that under {control} {bracket}"
    if finding.conf_low > 1 or finding.conf_high < 1:
        if state is State.CLEAR:
            varies = "more" if finding.conf_low > 1 else "less"
            alike = "had everyone gained alike, it would vary alike, unless the scale squeezes high or low scores"
            return f"{outcome} varies {varies} under {treatment} than under {control}; {alike}: {ratio}."
        return f"{outcome} may not vary alike in both arms; {doubt(finding)}: {ratio}."
    return f"we cannot tell from how far {outcome} varies whether effects differ: {ratio}."
