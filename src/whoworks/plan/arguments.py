"""A plan from the arguments of a call, for notebooks: the arguments name columns, levels are named after them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from whoworks.columns import UNITS
from whoworks.errors import PlanError, nearest
from whoworks.plan.agreement import STUDENT, smallest_first
from whoworks.plan.codes import code_text, fold
from whoworks.plan.frames import FrameFacts, read_facts
from whoworks.plan.guesses import MOST_CODES
from whoworks.plan.plan import Plan

Entry = str | Mapping[str, Any]
Names = str | Sequence[str] | None


def plan_from_arguments(
    frame: Any,
    *,
    outcome: Entry | Sequence[Entry],
    arm: str,
    control: str | int | float,
    assigned: str,
    treatments: str | int | float | Sequence[str | int | float] | None = None,
    blocks: Names = (),
    drawn: str | None = None,
    student: str | None = None,
    cluster: str | None = None,
    site: str | None = None,
    baseline: Names = (),
    moderators: Entry | Sequence[Entry] | None = (),
    covariates: Names = (),
    probability: float | str | Mapping[str, float] | None = None,
    name: str = "Study",
    question: str = "",
    seed: int | None = None,
) -> Plan:
    """Make a plan of what a notebook says.

    Parameters
    ----------
    frame : pandas DataFrame, any frame that Narwhals reads, or the names of its columns alone
    outcome, moderators : a column, a mapping with the keys of the plan, or several of these
    arm, control : the column of the arm, and the control's code
    treatments : the other arms' codes; without it all other codes of the frame
    assigned, drawn, blocks, cluster, site : columns that name places; "student" may stand for each row
    baseline : pre-tests of every outcome that does not name its own
    probability : as in the plan; without it the share within blocks, or in the whole study

    Raises
    ------
    PlanError
        When a column is not there, or the plan contradicts itself.
    """
    places = {"student": student, "assigned": assigned, "drawn": drawn, "cluster": cluster}
    for argument, column in {"arm": arm, **places, "site": site}.items():
        if column is not None or argument in ("arm", "assigned"):
            require_name(column, argument)
    within, before, others = names(blocks, "blocks"), names(baseline, "baseline"), names(covariates, "covariates")
    facts = read_facts(frame, arm)
    columns = facts.columns
    levels = name_levels([*places.values(), *within, site], columns, student)
    tables: dict[str, Any] = {
        "schema": 1,
        "study": {"name": name} | ({"question": question} if question else {}),
        "levels": levels,
        "arms": {"column": arm, "control": control, "treatments": listed(treatments)},
        "design": design_table({**places, "site": site}, within, levels, probability),
        "outcomes": [with_baseline(entry, before) for entry in entries(outcome, "outcome")],
        "moderators": [with_kind(entry, facts.numbers) for entry in entries(moderators, "moderators")],
        "covariates": {"columns": others},
        "analysis": {} if seed is None else {"seed": seed},
    }
    require_columns([*named_places({**places, "site": site}, within), *named_columns(tables)], columns)
    if treatments is None:
        tables["arms"]["treatments"] = other_arms(facts, arm, control)
    return Plan.build({key: table for key, table in tables.items() if table not in ({}, [], {"columns": []})})


def other_arms(facts: FrameFacts, arm: str, control: str | int | float) -> list[str]:
    """Return the arms that are not the control, or say why the frame does not tell."""
    if not facts.arms:
        raise PlanError(f"the arms compared with '{control}' are not named. Say: treatments=[...]")
    if not 2 <= len(facts.arms) <= MOST_CODES:
        raise PlanError(
            f"the column '{arm}' has {len(facts.arms)} different values, and a study compares 2 to {MOST_CODES} arms. "
            "Give as arm the column that says to which arm each was assigned."
        )
    code = code_text(control)
    if code not in facts.arms:
        listed_arms = ", ".join(facts.arms)
        raise PlanError(f"the column '{arm}' has no arm '{code}': it has {listed_arms}.{nearest(code, facts.arms)}")
    require_one_spelling(facts, arm)
    return [other for other in facts.arms if other != code]


def require_one_spelling(facts: FrameFacts, arm: str) -> None:
    """Refuse to take two spellings of one code for two arms."""
    alike = [code for code in facts.arms if sum(fold(code) == fold(other) for other in facts.arms) > 1]
    if alike:
        raise PlanError(
            f"the column '{arm}' spells the arm '{fold(alike[0])}' in several ways, which differ in capital letters, "
            "blanks or characters that are not seen. Spell it in one way, or, where these are different arms, name "
            "them: treatments=[...]"
        )


def listed(value: Any) -> list[Any]:
    """Return one value or several as a list; None is none."""
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else [value]


def names(value: Names, argument: str) -> list[str]:
    """Return one column or several as a list; None is none."""
    several = listed(value)
    for column in several:
        require_name(column, argument)
    return several


def require_name(column: object, argument: str) -> None:
    """Refuse what cannot name a column."""
    if not isinstance(column, str):
        kind = type(column).__name__
        raise PlanError(f"the argument '{argument}' holds a value of the type '{kind}'. Give the name of a column.")


def entries(value: Entry | Sequence[Entry] | None, argument: str) -> list[dict[str, Any]]:
    """Return outcomes or moderators as tables of the plan; None is none."""
    several = [value] if isinstance(value, str | Mapping) else listed(value)
    for entry in several:
        if not isinstance(entry, str | Mapping):
            raise PlanError(
                f"the argument '{argument}' holds a value of the type '{type(entry).__name__}'. Give the name of a "
                "column, a mapping with the keys of the plan, or a list of these."
            )
    return [{"column": entry} if isinstance(entry, str) else dict(entry) for entry in several]


def with_baseline(entry: dict[str, Any], baseline: list[str]) -> dict[str, Any]:
    """Give an outcome the pre-tests named for all, unless it names its own."""
    return {**entry, "baseline": baseline} if baseline and "baseline" not in entry else entry


def with_kind(entry: dict[str, Any], numbers: Collection[str]) -> dict[str, Any]:
    """Call a moderator a number where its column is one and the entry does not say otherwise."""
    says_otherwise = {"kind", "values"} & set(entry)
    return {**entry, "kind": "number"} if entry.get("column") in numbers and not says_otherwise else entry


def name_levels(places: Sequence[str | None], columns: Sequence[str], student: str | None) -> dict[str, str]:
    """Name each place after its column, without ``_id`` where that is unique; smallest first."""
    named: dict[str, str] = {}
    for column in dict.fromkeys(place for place in places if place):
        if column == STUDENT and column not in columns:
            continue
        word = STUDENT if column == student else column.removesuffix("_id")
        named[column if not word or word in named or word in UNITS else word] = column
    return {word: named[word] for word in smallest_first(named)}


def design_table(
    places: Mapping[str, str | None],
    blocks: list[str],
    levels: Mapping[str, str],
    probability: float | str | Mapping[str, float] | None,
) -> dict[str, Any]:
    """Write the design in the words of the levels."""
    words = {STUDENT: STUDENT} | {column: level for level, column in levels.items()}
    design: dict[str, Any] = {key: words[column] for key, column in places.items() if column and key != STUDENT}
    if blocks:
        design["blocks"] = [words[column] for column in blocks]
    if probability is not None:
        design["probability"] = dict(probability) if isinstance(probability, Mapping) else probability
    return design


def named_places(places: Mapping[str, str | None], blocks: list[str]) -> Iterator[tuple[str, str]]:
    """Yield argument and column of every place; "student" may stand for each row."""
    named = [*((key, column) for key, column in places.items() if column), *(("blocks", column) for column in blocks)]
    yield from ((key, column) for key, column in named if column != STUDENT or key in (STUDENT, "blocks"))


def named_columns(tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield argument and column of everything that is measured."""
    yield "arm", tables["arms"]["column"]
    for argument, key in (("outcome", "outcomes"), ("moderators", "moderators")):
        for entry in tables[key]:
            if isinstance(entry.get("column"), str):
                yield argument, entry["column"]
            baseline = entry.get("baseline", [])
            yield from (("baseline", column) for column in listed(baseline) if isinstance(column, str))
    yield from (("covariates", column) for column in tables["covariates"]["columns"])


def require_columns(named: Sequence[tuple[str, str]], columns: Sequence[str]) -> None:
    """Refuse arguments that name a column the frame does not have."""
    for argument, column in named:
        if column not in columns:
            hint = nearest(str(column), list(columns))
            raise PlanError(f"the frame has no column '{column}', which the argument '{argument}' names.{hint}")
