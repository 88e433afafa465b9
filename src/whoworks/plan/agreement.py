"""What the plan's tables must agree on: each rule yields one sentence per breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from whoworks.columns import UNITS
from whoworks.plan.contents import Contents
from whoworks.plan.design import DesignTable
from whoworks.plan.missing_agreement import breaches_of_missing
from whoworks.plan.mistakes import closest, objection
from whoworks.plan.table import Measure
from whoworks.plan.target_agreement import breaches_of_target
from whoworks.plan.toml import write_line

STUDENT = "student"
USUAL_ORDER = (STUDENT, "class", "school", "district")


def find_breaches(plan: Contents) -> Iterator[str]:
    """Yield a sentence for everything that one table says and another contradicts."""
    yield from breaches_of_records(plan)
    yield from breaches_of_waves(plan)
    yield from breaches_of_levels(plan)
    yield from breaches_of_arms(plan)
    yield from breaches_of_design(plan)
    yield from breaches_of_probability(plan)
    yield from breaches_of_measures(plan)
    yield from breaches_of_time(plan)
    yield from breaches_of_keep(plan)
    yield from breaches_of_privacy(plan)
    yield from breaches_of_missing(plan)
    yield from breaches_of_target(plan)


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that are there more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def breaches_of_records(plan: Contents) -> Iterator[str]:
    """Tables have names of their own, and all but the first join one above."""
    names = [table.name for table in plan.records]
    for name in repeated(names):
        yield f"[[records]]: two tables are named '{name}'; give each a name of its own."
    for i, table in enumerate(plan.records):
        if i == 0 and table.join:
            yield objection(["records", i, "join"], "the first table is what the others join; it joins none")
        if i > 0 and not table.join:
            own_key = table.key[0] if table.key else "student_id"
            spine_key = plan.records[0].key[0] if plan.records[0].key else own_key
            line = write_line("join", {own_key: f"{names[0]}.{spine_key}"})
            yield objection(["records", i, "join"], f"'{table.name}' does not say how it joins '{names[0]}'", line)
        for own, target in table.join.items():
            if i > 0 and plan.split_column(target)[0] not in names[:i]:
                line = write_line("join", {own: f"{names[0]}.{target.rsplit('.', 1)[-1]}"})
                problem = f"'{target}' is not a column of a table above, written table.column"
                yield objection(["records", i, "join"], problem, line)


def breaches_of_waves(plan: Contents) -> Iterator[str]:
    """Waves have codes of their own; those that are used are declared."""
    known = list(plan.waves.order) if plan.waves else []
    for code in repeated(plan.waves.order.values() if plan.waves else ()):
        problem = f"several waves have the code '{code}', and a row is of one wave; give each its own"
        yield objection(["waves", "order"], problem)
    for name in plan.waves.before if plan.waves else ():
        if name not in known:
            yield objection(["waves", "before"], f"'{name}' is not in order, which has {', '.join(known)}")
    for place, measure in every_measure(plan):
        if not measure.wave or measure.wave in known:
            continue
        if plan.waves is None:
            yield objection([*place, "wave"], "the plan has no [waves], so nothing is measured in a wave")
        else:
            near = closest(measure.wave, known)
            problem = f"'{measure.wave}' is not a wave; the waves are {', '.join(known)}"
            yield objection([*place, "wave"], problem, write_line("wave", near) if near else "")


def every_measure(plan: Contents) -> Iterator[tuple[list[int | str], Measure]]:
    """Yield outcomes, baselines and moderators with their places."""
    for i, outcome in enumerate(plan.outcomes):
        yield ["outcomes", i], outcome
        for j, baseline in enumerate(outcome.baseline):
            yield ["outcomes", i, "baseline", j], baseline
    for i, moderator in enumerate(plan.moderators):
        yield ["moderators", i], moderator


def breaches_of_levels(plan: Contents) -> Iterator[str]:
    """Levels are distinct columns, smallest first, and none has the name of a column of ours."""
    for name in (name for name in plan.levels if name in UNITS):
        yield f"[levels]: '{name}' is what whoworks calls a column of its own; call the level something else."
    for column in repeated(plan.levels.values()):
        yield f"[levels]: two levels have the column '{column}'; keep one of them."
    usual = [name for name in plan.levels if name in USUAL_ORDER]
    for lower, upper in pairwise(usual):
        if USUAL_ORDER.index(lower) > USUAL_ORDER.index(upper):
            yield f"[levels]: '{upper}' stands after '{lower}'; levels are listed smallest first, so move it above."
    if STUDENT in plan.levels and next(iter(plan.levels)) != STUDENT:
        yield "[levels]: 'student' is the smallest level, so it is listed first."


def breaches_of_arms(plan: Contents) -> Iterator[str]:
    """Arms are distinct, and only arms that are compared have labels."""
    arms = plan.arms
    if arms.control in arms.treatments:
        yield objection(["arms", "treatments"], f"'{arms.control}' is the control, and cannot be a treatment too")
    for code in repeated(arms.treatments):
        yield objection(["arms", "treatments"], f"'{code}' is listed twice")
    for code in arms.labels:
        if code not in arms.codes:
            problem = f"'{code}' is not an arm of this plan, whose arms are {', '.join(arms.codes)}"
            yield objection(["arms", "labels"], problem)


def smallest_first(levels: Iterable[str]) -> list[str]:
    """Return levels with the student first and the usual words in their usual order; others keep their places."""
    listed = list(levels)
    usual = iter(sorted((level for level in listed if level in USUAL_ORDER), key=USUAL_ORDER.index))
    ordered = [next(usual) if level in USUAL_ORDER else level for level in listed]
    return sorted(ordered, key=lambda level: level != STUDENT)


def rank(plan: Contents, level: str) -> int:
    """Return a level's height; the student's is lowest even where no column names students."""
    return -1 if level == STUDENT and level not in plan.levels else list(plan.levels).index(level)


def is_level(plan: Contents, level: str) -> bool:
    """Tell whether a word is a level of the plan."""
    return level == STUDENT or level in plan.levels


def unknown_level(plan: Contents, place: list[int | str], level: str, *, in_list: bool = False) -> str:
    """Say that a level is not declared, with the nearest one or the line that declares it."""
    known = list(dict.fromkeys([STUDENT, *plan.levels]))
    near = closest(level, known)
    problem = f"'{level}' is not under [levels], which has {', '.join(plan.levels) or 'none'}"
    if near:
        return objection(place, problem, write_line(str(place[-1]), [near] if in_list else near))
    column = level if level.endswith("_id") else f"{level}_id"
    return objection(place, f"{problem}. Name its column there", write_line(level, column))


def breaches_of_design(plan: Contents) -> Iterator[str]:
    """Levels that the design speaks of are declared, and lie in the right order."""
    design = plan.design
    single = {"assigned": design.assigned, "drawn": design.drawn, "site": design.site, "cluster": design.cluster}
    unknown = {key: level for key, level in single.items() if level and not is_level(plan, level)}
    if unknown.get("drawn") == unknown.get("assigned"):
        unknown.pop("drawn", None)
    for key, level in unknown.items():
        yield unknown_level(plan, ["design", key], level)
    for level in design.blocks:
        if level not in plan.levels:
            yield unknown_level(plan, ["design", "blocks"], level, in_list=True)
    for level in repeated(design.blocks):
        yield objection(["design", "blocks"], f"'{level}' is listed twice")
    for i, moderator in enumerate(plan.moderators):
        if moderator.level and not is_level(plan, moderator.level):
            yield unknown_level(plan, ["moderators", i, "level"], moderator.level)
    if not unknown and not list(breaches_of_levels(plan)) and all(level in plan.levels for level in design.blocks):
        yield from breaches_of_height(plan, design)


def breaches_of_height(plan: Contents, design: DesignTable) -> Iterator[str]:
    """Nothing drawn lies above what carries the arm; blocks lie above it; site and cluster never below."""
    carries = rank(plan, design.assigned)
    if rank(plan, design.drawn) > carries:
        problem = f"'{design.drawn}' lies above '{design.assigned}', which carries the arm"
        yield objection(["design", "drawn"], problem, write_line("drawn", design.assigned))
    for level in design.blocks:
        if rank(plan, level) <= carries:
            problem = f"'{level}' does not lie above '{design.assigned}', so all of a block would have one arm"
            yield objection(["design", "blocks"], problem)
    if design.site and rank(plan, design.site) < carries:
        problem = f"'{design.site}' lies below '{design.assigned}', which carries the arm"
        yield objection(["design", "site"], problem, write_line("site", design.assigned))
    if design.cluster and rank(plan, design.cluster) < carries:
        problem = f"'{design.cluster}' would split '{design.assigned}', which carries the arm"
        yield objection(["design", "cluster"], problem, write_line("cluster", design.assigned))


def breaches_of_probability(plan: Contents) -> Iterator[str]:
    """Probabilities fit the arms and the blocks."""
    place = ["design", "probability"]
    given = plan.design.probability
    equal = round(1 / len(plan.arms.codes), 6)
    line = write_line("probability", dict.fromkeys(plan.arms.codes, equal))
    if given == "blocks" and not plan.design.blocks:
        levels = [level for level in plan.levels if level != STUDENT]
        blocks = write_line("blocks", levels[-1:] or ["school"])
        yield objection(place, 'it is "blocks", and the design names no blocks', blocks)
    elif isinstance(given, dict):
        if set(given) != set(plan.arms.codes):
            yield objection(place, f"it gives {', '.join(given)}, and the arms are {', '.join(plan.arms.codes)}", line)
    elif isinstance(given, float) and len(plan.arms.codes) > 2:
        yield objection(place, f"one number cannot give the probabilities of {len(plan.arms.codes)} arms", line)
    elif isinstance(given, str) and given != "blocks" and len(plan.arms.codes) > 2:
        yield objection(place, f"one column cannot give the probabilities of {len(plan.arms.codes)} arms", line)


def breaches_of_measures(plan: Contents) -> Iterator[str]:
    """Every measure is listed once, is consistent with itself, and is neither the arm nor a name of a place."""
    if not plan.outcomes:
        yield 'the plan has no [[outcomes]]. Under a line [[outcomes]], write: column = "score"'
    for i, outcome in enumerate(plan.outcomes):
        yield from (objection(["outcomes", i, key], problem, line) for key, problem, line in outcome.objections())
    for i, moderator in enumerate(plan.moderators):
        yield from (objection(["moderators", i, key], problem, line) for key, problem, line in moderator.objections())
    for column in plan.covariates.labels:
        if column not in plan.covariates.columns:
            yield objection(["covariates", "labels"], f"'{column}' is not listed in columns")
    for name in repeated(outcome.name for outcome in plan.outcomes):
        yield f"[[outcomes]]: '{name}' is listed twice; keep one."
    for name in repeated(moderator.name for moderator in plan.moderators):
        yield f"[[moderators]]: '{name}' is listed twice; keep one."
    for place, measure in (*every_measure(plan), *every_covariate(plan)):
        if plan.is_same(measure.column, plan.arms.column):
            yield objection(place, f"'{measure.column}' is the column of the arm")
        for level, column in plan.levels.items():
            if plan.is_same(measure.column, column):
                yield objection(place, f"'{measure.column}' names the {level} under [levels], and measures nothing")


def every_covariate(plan: Contents) -> Iterator[tuple[list[int | str], Measure]]:
    """Yield the covariates as measures with their places."""
    for column in plan.covariates.columns:
        yield ["covariates", "columns"], Measure(column=column)


def breaches_of_time(plan: Contents) -> Iterator[str]:
    """Moderators, covariates and baselines are measured before assignment; outcomes after."""
    before = plan.waves.before if plan.waves else ()
    outcomes = [outcome for outcome in plan.outcomes if outcome.wave not in before]
    after: list[tuple[str, Measure]] = [("[[outcomes]]", outcome) for outcome in outcomes]
    after += [("[takeup]", Measure(column=plan.takeup.column))] if plan.takeup.column else []
    after += [("[implementation]", Measure(column=column)) for column in plan.implementation.columns]
    for place, measure in (*every_measure(plan), *every_covariate(plan)):
        is_outcome = place[0] == "outcomes" and len(place) == 2
        if plan.waves and measure.wave in plan.waves.order and (measure.wave in before) == is_outcome:
            yield objection([*place, "wave"], wave_breach(measure.wave, list(before), is_outcome))
            continue
        if is_outcome:
            continue
        for table, other in after:
            if plan.is_same(measure.column, other.column) and (
                not measure.wave or not other.wave or measure.wave == other.wave
            ):
                problem = f"'{measure.name}' is also under {table}, so it is measured after assignment"
                yield objection(place, f"{problem}; a moderator, covariate or baseline is measured before")


def wave_breach(wave: str, before: list[str], is_outcome: bool) -> str:
    """Say that a measure lies on the wrong side of assignment."""
    if is_outcome:
        return f"'{wave}' is a wave before assignment, and an outcome is measured after"
    listed = ", ".join(before) or "none"
    return f"'{wave}' is not a wave before assignment (waves.before has {listed}), and only those may be used here"


def breaches_of_keep(plan: Contents) -> Iterator[str]:
    """Rows are never kept by what happened after assignment."""
    after = {outcome.column: "an outcome" for outcome in plan.outcomes}
    after |= {plan.takeup.column: "the take-up"} if plan.takeup.column else {}
    after |= dict.fromkeys(plan.implementation.columns, "an implementation column")
    for i, table in enumerate(plan.records):
        for condition in table.conditions:
            own = plan.split_column(condition.column)
            for column, role in after.items():
                if plan.is_same(f"{own[0] or table.name}.{own[1]}", column):
                    problem = f"'{condition.column}' is {role}; rows are kept only by what was known before assignment"
                    yield objection(["records", i, "keep"], problem)


def breaches_of_privacy(plan: Contents) -> Iterator[str]:
    """Columns that are dropped are neither used nor vouched for."""
    used = [plan.arms.column, *plan.levels.values(), *plan.covariates.columns, *plan.implementation.columns]
    used += [measure.column for _, measure in every_measure(plan)]
    used += [plan.takeup.column] if plan.takeup.column else []
    for column in plan.privacy.drop:
        if column in plan.privacy.allow:
            yield objection(["privacy", "allow"], f"'{column}' is under drop too; keep it in one of them")
        if any(plan.is_same(column, other) for other in used):
            yield objection(["privacy", "drop"], f"the plan uses '{column}', so it cannot be dropped")
