"""Building the panel: joined, counted, typed, guarded and sorted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks import columns
from whoworks.errors import PanelError
from whoworks.panel.arms import arms_of
from whoworks.panel.baselines import require_baselines
from whoworks.panel.bounds import require_bounds
from whoworks.panel.exclusions import Exclusions
from whoworks.panel.join import Codes, Joined, join_tables, require_key
from whoworks.panel.keep import failing_rows
from whoworks.panel.ledger import JOINED, Ledger
from whoworks.panel.levels import UNIT, leave_without_level, level_where_constant, require_levels
from whoworks.panel.missing import blank_missing
from whoworks.panel.moderators import (
    require_difference,
    require_few_levels,
    require_moderator,
    require_no_student,
    require_spelled_groups,
)
from whoworks.panel.order import canonical_order
from whoworks.panel.panel import Kind, Panel, Role, Variable
from whoworks.panel.target import require_target
from whoworks.panel.typing import categories_of, numbers_of, numbers_or_none, require_reach, sorted_levels, truths_of
from whoworks.panel.variables import Request, requests
from whoworks.panel.waves import begin_join
from whoworks.plan.plan import Plan
from whoworks.records.records import Records
from whoworks.records.text import Texts


def build_panel(plan: Plan, records: Records) -> Panel:
    """Make the table of one row per unit that the plan describes.

    Raises
    ------
    PanelError
        Keys or units are repeated, a join would multiply rows or finds none,
        an arm is spelled in two ways, places do not nest, values are not of the
        declared kind, or a moderator cannot be one.
    """
    used = blank_missing(plan, records)
    out = Exclusions(len(used.spine.frame))
    for failing, reason in failing_rows(plan, used, used.spine.name):
        out.take_out(failing, reason)
    require_key(used, plan.records[0], out.staying)
    joined, entries = join_tables(plan, begin_join(plan, used, out))
    arm = arms_of(plan, joined, out)
    everywhere = {level: joined.texts(column) for level, column in plan.levels.items()}
    leave_without_level(plan, everywhere, out)
    ledger = Ledger(entries=out.entries(arm=arm, codes=plan.arms.codes, table=used.spine.name)).plus(entries)
    rows = np.flatnonzero(out.staying)
    if not len(rows):
        raise PanelError(nobody_left(plan, out))
    levels = {level: texts[rows] for level, texts in everywhere.items()}
    require_levels(plan, levels, used.spine.name)
    ledger = count_unmatched(plan, joined.at(rows), arm[rows], ledger)
    return assemble(plan, records, joined.at(rows), rows, arm[rows], levels, ledger)


def nobody_left(plan: Plan, out: Exclusions) -> str:
    """Say that every row was counted out, and why."""
    counted = [(reason, np.count_nonzero(out.reason == place)) for place, reason in enumerate(out.reasons)]
    reasons = "; ".join(f"{reason} ({n_rows})" for reason, n_rows in counted if n_rows)
    return f"None of the {out.n_rows} rows of '{plan.records[0].name}' is left: {reasons}. Check the plan."


def count_unmatched(plan: Plan, joined: Joined, arm: Texts, ledger: Ledger) -> Ledger:
    """Count, by arm, the units for which a joined table has no row."""
    for table in plan.records[1:]:
        found = np.logical_or.reduce([rows >= 0 for (name, _), rows in joined.rows.items() if name == table.name])
        reason = f"units without a row in '{table.name}'"
        ledger = ledger.counting(step=JOINED, reason=reason, arm=arm[~found].tolist())
    return ledger


def assemble(
    plan: Plan,
    records: Records,
    joined: Joined,
    rows: Codes,
    arm: Texts,
    levels: dict[str, Texts],
    ledger: Ledger,
) -> Panel:
    """Type every variable and sort the units."""
    wanted = requests(plan)
    comparable = can_compare(plan, arm, levels)
    if comparable:
        for request in (each for each in wanted if Role.MODERATOR in each.roles):
            require_difference(request.name, joined.texts(request.column, request.wave))
    typed = {request.name: type_variable(request, joined, levels) for request in wanted}
    arm_codes = np.array([plan.arms.codes.index(code) for code in arm], dtype=np.int64)
    by_name = {name: values for name, (_, values) in typed.items()}
    if comparable:
        require_baselines(plan, by_name)
    require_target(plan, by_name)
    require_bounds(plan, by_name)
    order = canonical_order(levels=levels, arm=arm_codes, values=[sortable(values) for values in by_name.values()])
    units = units_frame(plan, joined, rows, arm, levels)
    values = pd.DataFrame(by_name, index=pd.RangeIndex(len(rows)))
    ledger.require_sums(arm.tolist())
    return Panel(
        plan=plan,
        units=units.iloc[order].reset_index(drop=True),
        values=values.iloc[order].reset_index(drop=True),
        position=pd.Series(rows[order], name="position"),
        variables=tuple(variable for variable, _ in typed.values()),
        ledger=ledger,
        provenance=tuple(table.provenance for table in records.tables),
    )


def can_compare(plan: Plan, arm: Texts, levels: dict[str, Texts]) -> bool:
    """Tell whether each arm has two places that it was given to; where not, the design will say so, and that first."""
    places = levels.get(plan.design.cluster or plan.design.assigned, np.arange(len(arm)))
    return all(len(pd.unique(places[arm == code])) > 1 for code in plan.arms.codes)


def units_frame(plan: Plan, joined: Joined, rows: Codes, arm: Texts, levels: dict[str, Texts]) -> pd.DataFrame:
    """Return unit id, levels and arm, and the probability where the plan takes it from a column."""
    unit = levels.get(UNIT, np.array([str(row + 1) for row in rows], dtype=object))
    units = pd.DataFrame({columns.UNIT_ID: unit, **levels, columns.ARM: arm}, dtype=object)
    probability = plan.design.probability
    if isinstance(probability, str) and probability != "blocks":
        units[columns.PROBABILITY] = numbers_of(joined.texts(probability), probability)
    return units


def type_variable(
    request: Request, joined: Joined, levels: dict[str, Texts]
) -> tuple[Variable, NDArray[np.float64] | pd.Categorical[str]]:
    """Read one variable as the plan declares it, or as its values allow."""
    texts = joined.texts(request.column, request.wave)
    numbers = numbers_or_none(texts) if request.kind in (None, Kind.NUMBER) else None
    if numbers is not None:
        require_reach(numbers, request.name)
    kind = request.kind or (Kind.CATEGORY if numbers is None else Kind.NUMBER)
    require_few_levels(request, kind, texts)
    require_spelled_groups(request, kind, texts)
    if UNIT in levels:
        require_no_student(request, kind, texts, levels[UNIT])
    require_moderator(request, texts, levels)
    codes = list(request.values) or (list(sorted_levels(texts)) if kind is Kind.CATEGORY else [])
    if request.success:
        codes.sort(key=lambda code: code == request.success)
    words = tuple(request.values.get(code) or code for code in codes)
    level = request.level or measured_level(request, levels, texts)
    variable = Variable(
        name=request.name,
        column=request.column,
        roles=request.roles,
        kind=kind,
        wave=request.wave,
        label=request.label or request.column,
        level=level,
        levels=tuple(codes),
        level_labels=words,
    )
    return variable, typed_values(variable, texts) if numbers is None else numbers


def measured_level(request: Request, levels: dict[str, Texts], texts: Texts) -> str:
    """Return the level at which what was measured before assignment varies; the plan says nothing of the rest."""
    before = {Role.BASELINE, Role.MODERATOR, Role.COVARIATE}
    return level_where_constant(levels, texts) if before & set(request.roles) else ""


def typed_values(variable: Variable, texts: Texts) -> NDArray[np.float64] | pd.Categorical[str]:
    """Return a variable's values: numbers, 0 and 1, or a categorical."""
    if variable.kind is Kind.NUMBER:
        return numbers_of(texts, variable.name)
    if variable.kind is Kind.BINARY and Role.TAKEUP in variable.roles:
        return truths_of(texts, variable.name)
    words = dict(zip(variable.levels, variable.level_labels, strict=True))
    key = "outcomes.values" if variable.kind is Kind.BINARY else "moderators.values"
    categories = categories_of(texts, words, variable.name, key)
    if variable.kind is Kind.CATEGORY:
        return categories
    return np.where(categories.codes < 0, np.nan, categories.codes.astype(np.float64))


def sortable(values: NDArray[np.float64] | pd.Categorical[str]) -> NDArray[np.float64]:
    """Return values as numbers that sort: a category by its place, missing as NaN."""
    if isinstance(values, pd.Categorical):
        return np.where(values.codes < 0, np.nan, values.codes.astype(np.float64))
    return values
