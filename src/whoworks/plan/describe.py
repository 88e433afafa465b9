"""The plan in plain sentences, as a funder reads it; words only, no numbers from the data."""

from __future__ import annotations

from collections.abc import Iterator

from whoworks.language import listed, plural
from whoworks.plan.kept import say_kept
from whoworks.plan.moderators import Larger, Moderator
from whoworks.plan.outcomes import Outcome
from whoworks.plan.plan import Plan


def describe_plan(plan: Plan) -> list[str]:
    """Return the plan as sentences, in the order in which a reader asks."""
    return [
        *describe_study(plan),
        describe_arms(plan),
        *describe_design(plan),
        *describe_outcomes(plan),
        *describe_moderators(plan),
        *describe_rest(plan),
    ]


def quote(words: str) -> str:
    """Return the plan's own words in the quotation marks of running text."""
    return f"\u201c{words}\u201d"


def describe_study(plan: Plan) -> Iterator[str]:
    """Say what is asked, since when, and of which rows."""
    if plan.study.question:
        yield f"The question: {plan.study.question}"
    if plan.study.registered:
        yield f"The study was registered on {plan.study.registered.isoformat()}."
    for table in plan.records:
        if table.keep:
            kept = listed([say_kept(plan, table, condition) for condition in table.conditions])
            yield f"Of the table {quote(table.name)}, the rows in which {kept} are kept."


def describe_arms(plan: Plan) -> str:
    """Say which arms are compared."""
    treatments = listed([quote(plan.arms.label(code)) for code in plan.arms.treatments])
    each = "is" if len(plan.arms.treatments) == 1 else "are each"
    return f"{treatments} {each} compared with {quote(plan.arms.label(plan.arms.control))}, as assigned."


def describe_design(plan: Plan) -> Iterator[str]:
    """Say who was given an arm, within what, and with which probability."""
    design = plan.design
    within = f" within {listed([plural(block) for block in design.blocks])}" if design.blocks else ""
    carrier = plural(design.assigned)
    on = f" on {design.assigned_on.isoformat()}" if design.assigned_on else ""
    if design.kind == "matched":
        yield (
            f"{carrier.capitalize()} were not given their arms by chance; they are matched{within} on what was "
            "measured before. The comparison describes, and carries less weight than a randomised trial."
        )
        return
    if design.drawn != design.assigned:
        drawn = plural(design.drawn)
        yield f"{drawn.capitalize()} were assigned at random{on} to {carrier}{within}."
        yield f"Each {design.assigned} has one arm."
    else:
        yield f"{carrier.capitalize()} were assigned at random{on}{within}."
    yield describe_probability(plan)
    if design.cluster:
        yield f"The plan asks that {plural(design.cluster)} be counted as the clusters."


def describe_probability(plan: Plan) -> str:
    """Say where the probability of each arm comes from."""
    given, drawn = plan.design.probability, plural(plan.design.drawn)
    if isinstance(given, float):
        return f"The probability of being assigned {quote(plan.arms.label(plan.arms.treatments[0]))} was {given:.4g}."
    if isinstance(given, dict):
        shares = [f"{share:.4g} for {quote(plan.arms.label(code))}" for code, share in given.items()]
        return f"The probability of assignment was {listed(shares)}."
    if given == "blocks":
        block = listed(plan.design.blocks)
        return (
            f"The probability of each arm is its share of the {drawn} drawn in each {block}, among the arms compared."
        )
    if given is None:
        return f"The probability of each arm is its share of the {drawn} drawn, among the arms compared."
    return f"The probability of assignment is in the column {quote(given)}."


def describe_outcomes(plan: Plan) -> Iterator[str]:
    """Say what is measured, which outcome comes first and what would matter."""
    primary = [outcome.label for outcome in plan.outcomes if outcome.primary]
    other = [outcome.label for outcome in plan.outcomes if not outcome.primary]
    yield f"Primary outcome{'s' if len(primary) > 1 else ''}: {listed(primary)}."
    if other:
        yield f"Other outcome{'s' if len(other) > 1 else ''}: {listed(other)}."
    for outcome in plan.outcomes:
        yield from describe_outcome(plan, outcome)


def describe_outcome(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Say what is particular to one outcome."""
    if outcome.baseline:
        labels = {moderator.name: moderator.label for moderator in plan.moderators}
        in_wave = {measure.name: f" ({measure.wave})" if measure.wave else "" for measure in outcome.baseline}
        names = [
            labels.get(measure.name)
            or measure.label
            or plan.covariates.labels.get(measure.column)
            or measure.column + in_wave[measure.name]
            for measure in outcome.baseline
        ]
        yield f"For {outcome.label}, the measure before assignment is {listed(names)}."
    if outcome.meaningful is not None:
        points = "percentage point" if outcome.meaningful == 1 else "percentage points"
        unit = {"sd": "SD", "units": "of its units", "points": points}[outcome.meaningful_in]
        yield f"For {outcome.label}, the smallest difference that would matter is {outcome.meaningful:g} {unit}."
    if outcome.better == "lower":
        yield f"For {outcome.label}, lower is better."


def describe_moderators(plan: Plan) -> Iterator[str]:
    """Say for whom the effect is asked, and which of these questions were planned."""
    planned = [moderator for moderator in plan.moderators if moderator.planned]
    explored = [moderator.label for moderator in plan.moderators if not moderator.planned]
    if planned:
        labels = listed([moderator.label for moderator in planned])
        yield f"Planned beforehand: whether the difference depends on {labels}."
    for moderator in planned:
        yield from describe_expectation(moderator)
    if explored:
        yield f"Explored besides: {listed(explored)}."
    if plan.moderators:
        yield "All of these are declared as measured before assignment."


def describe_expectation(moderator: Moderator) -> Iterator[str]:
    """Say which direction was expected beforehand."""
    if isinstance(moderator.expect, Larger):
        group = moderator.values.get(moderator.expect.larger) or moderator.expect.larger
        yield f"For {moderator.label}, the larger difference was expected in the group {quote(group)}."
    elif moderator.expect:
        verb = {"increasing": "grow", "decreasing": "shrink"}[moderator.expect]
        yield f"With more of {moderator.label}, the difference was expected to {verb}."


def describe_rest(plan: Plan) -> Iterator[str]:
    """Say what else is used and what is only described."""
    measures = (*plan.moderators, *(measure for outcome in plan.outcomes for measure in outcome.baseline))
    named = {name for measure in measures for name in (measure.name, measure.column)}
    also = [moderator.label for moderator in plan.moderators if moderator.column in plan.covariates.columns]
    rest = [plan.covariates.label(column) for column in plan.covariates.columns if column not in named]
    if also:
        yield f"Used for precision as well: {listed(list(dict.fromkeys(also)))}."
    if rest:
        yield f"Used for precision only: {listed(rest)}."
    if plan.takeup.column:
        yield f"Whether the programme was received is in the column {quote(plan.takeup.column)}."
    if plan.implementation.columns:
        columns = listed(plan.implementation.columns)
        yield f"Measured after assignment, and described only: {columns}."
    if plan.target is not None:
        places = plural(plan.place_level or "student")
        yield f"The study's {places} are held against {plan.target.name}, by the means that the plan gives."
    if plan.privacy.drop:
        n_dropped = len(plan.privacy.drop)
        yield "1 column is never read." if n_dropped == 1 else f"{n_dropped} columns are never read."
