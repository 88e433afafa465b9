"""Missing values: the plan's codes become None, in the columns that the plan asks for; the others are left behind."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from whoworks.errors import PanelError
from whoworks.plan.plan import Plan
from whoworks.plan.toml import write_line
from whoworks.records.cells import ERRORS
from whoworks.records.demand import demands, find_place
from whoworks.records.records import Records, Table
from whoworks.records.text import canonical


def blank_missing(plan: Plan, records: Records) -> Records:
    """Return the records narrowed to the columns that the plan asks for, with None for every missing code.

    Raises
    ------
    PanelError
        When a column holds what a spreadsheet writes where it could not compute.
    """
    everywhere = {canonical(code) for code in plan.missing.codes}
    spine = plan.records[0].name
    own = {find_place(records, spine, column): codes for column, codes in plan.missing.columns.items()}
    asked = dict.fromkeys(find_place(records, demand.table, demand.column) for demand in demands(plan))
    tables = []
    for table in records.tables:
        columns = [place[1] for place in asked if place is not None and place[0] == table.name]
        codes = {
            column: everywhere | {canonical(code) for code in own.get((table.name, column), ())} for column in columns
        }
        tables.append(blank_table(table, codes))
    for table in tables:
        for column in table.frame.columns:
            require_computed(table, column, f"{table.name}.{column}" if table.name != spine else column)
    return replace(records, tables=tuple(tables))


def require_computed(table: Table, column: str, named: str) -> None:
    """Refuse a column with errors of a spreadsheet; `named` is the column as the plan may write it."""
    wrong = table.frame[column][table.frame[column].isin(ERRORS)]
    if len(wrong):
        found = sorted(set(wrong))
        file = f" of '{table.provenance.file}'" if table.provenance.file else ""
        raise PanelError(
            f"'{named}'{file} has {len(wrong)} cell(s) that a spreadsheet could not compute ({', '.join(found)}). Mend "
            "them there and save the file again; where they mean that nothing was measured, list them under [missing], "
            f"for example: {write_line('columns', {named: found})}"
        )


def blank_table(table: Table, codes: dict[str, set[str | None]]) -> Table:
    """Return a table with the columns of `codes`, each without its missing codes."""
    blanked = {}
    for column, missing in codes.items():
        texts = table.texts(column).copy()
        texts[table.frame[column].isin([code for code in missing if code]).to_numpy()] = None
        blanked[column] = texts
    return replace(table, frame=pd.DataFrame(blanked, index=table.frame.index, dtype=object))
