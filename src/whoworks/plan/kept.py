"""The conditions of `keep` as they are told: the codes of students are counted, and never repeated."""

from __future__ import annotations

from whoworks.plan.agreement import STUDENT
from whoworks.plan.conditions import Condition, phrase, say_condition
from whoworks.plan.contents import Contents
from whoworks.plan.guesses import speaks_of_students
from whoworks.plan.records import RecordTable


def phrase_kept(plan: Contents, table: RecordTable, condition: Condition) -> str:
    """Write a condition of a table as a plan would, or what it is on."""
    if names_students(plan, table, condition.column):
        return f"a condition on {condition.column} ({count_codes(condition)})"
    return phrase(condition)


def say_kept(plan: Contents, table: RecordTable, condition: Condition) -> str:
    """Write a condition of a table as a sentence would, or what it is on."""
    if names_students(plan, table, condition.column):
        return f"{condition.column} meets a condition on {count_codes(condition)}"
    return say_condition(condition)


def count_codes(condition: Condition) -> str:
    """Count the codes that a condition names."""
    return "1 code" if len(condition.values) == 1 else f"{len(condition.values)} codes"


def names_students(plan: Contents, table: RecordTable, column: str) -> bool:
    """Tell whether a column holds students' codes: by its level, by what it joins, as the table's key, or by name."""
    named, own = plan.split_column(column)
    levels = [level for level, place in plan.levels.items() if plan.is_same(f"{named or table.name}.{own}", place)]
    if levels:
        return STUDENT in levels
    joins = {plan.split_column(key)[1]: target for key, target in table.join.items()}
    if own in joins:
        joined = plan.split_column(joins[own])[0]
        return names_students(plan, next(other for other in plan.records if other.name == joined), joins[own])
    return speaks_of_students(own) or [plan.split_column(key)[1] for key in table.key] == [own]
