"""Demands: which columns the plan asks for, under which of its keys, and where the records hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from whoworks.errors import RecordsError, nearest
from whoworks.plan.plan import Plan
from whoworks.records.records import Records

Place = tuple[str, str]


class Demand(NamedTuple):
    """One column the plan asks for: the plan's key, the table it is looked for in first, and the column as written."""

    key: str
    table: str
    column: str


def demands(plan: Plan) -> Iterator[Demand]:
    """Yield every column that the plan names, in the plan's order."""
    spine = plan.records[0].name
    for table in plan.records:
        yield from (Demand(f"records.key of '{table.name}'", table.name, column) for column in table.key)
        for own, target in table.join.items():
            yield Demand(f"records.join of '{table.name}'", table.name, own)
            yield Demand(f"records.join of '{table.name}'", spine, target)
        for condition in table.conditions:
            yield Demand(f"records.keep of '{table.name}'", table.name, condition.column)
    for key, column in measured(plan):
        yield Demand(key, spine, column)
    yield from (Demand("missing.columns", spine, column) for column in plan.missing.columns)


def measured(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the plan's key and column of everything that is said of a unit."""
    if plan.waves is not None:
        yield "waves.column", plan.waves.column
    yield from ((f"levels.{level}", column) for level, column in plan.levels.items())
    yield "arms.column", plan.arms.column
    if isinstance(plan.design.probability, str) and plan.design.probability != "blocks":
        yield "design.probability", plan.design.probability
    for outcome in plan.outcomes:
        yield "outcomes.column", outcome.column
        yield from (("outcomes.baseline", baseline.column) for baseline in outcome.baseline)
    yield from (("moderators.column", moderator.column) for moderator in plan.moderators)
    yield from (("covariates.columns", column) for column in plan.covariates.columns)
    if plan.takeup.column:
        yield "takeup.column", plan.takeup.column
    yield from (("implementation.columns", column) for column in plan.implementation.columns)


def find_place(records: Records, table: str, column: str) -> Place | None:
    """Return table and column of a reference: a column of `table` itself, else ``other.column``; None when absent."""
    if column in records.table(table).frame.columns:
        return table, column
    for other in records.tables:
        own = column.removeprefix(f"{other.name}.")
        if own != column and own in other.frame.columns:
            return other.name, own
    return None


def require_demands(plan: Plan, records: Records) -> None:
    """Refuse records without a column that the plan names."""
    for demand in demands(plan):
        if find_place(records, demand.table, demand.column) is None:
            raise RecordsError(absent(plan, records, demand))


def absent(plan: Plan, records: Records, demand: Demand) -> str:
    """Say which column is missing, where it was looked for, what asked for it and what may be meant."""
    named, column = plan.split_column(demand.column)
    table = records.table(named or demand.table)
    where = f"'{table.provenance.file}'" if table.provenance.file else f"the table '{table.name}'"
    said = f"There is no column '{column}' in {where}, and the plan asks for it under {demand.key}."
    for other in records.tables:
        if column in other.frame.columns:
            return f"{said} The table '{other.name}' has one: write '{other.name}.{column}'."
    dropped = " It is listed under privacy.drop." if column in plan.privacy.drop else ""
    return f"{said}{nearest(column, list(table.frame.columns))}{dropped} Correct the plan, or export the column too."
