"""Joining: which row of every table belongs to each row of the spine, by the keys that the plan declares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import PanelError
from whoworks.panel.absent_waves import require_waves
from whoworks.panel.exclusions import Mask
from whoworks.panel.keep import failing_rows
from whoworks.panel.ledger import JOINED, Entry
from whoworks.panel.partners import no_partner
from whoworks.panel.spelling import require_spelled
from whoworks.plan.plan import Plan
from whoworks.plan.records import RecordTable
from whoworks.plan.toml import write_value
from whoworks.records.demand import find_place
from whoworks.records.records import Records
from whoworks.records.text import NOTHING, Texts

Codes = NDArray[np.int64]
BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The records, and for each table and wave the row that belongs to each row of the spine (-1: none).

    The wave is "" for tables that are not long.
    """

    records: Records
    rows: dict[tuple[str, str], Codes]

    def texts(self, column: str, wave: str = "") -> Texts:
        """Return a column, in a wave where its table is long, for the rows of the spine."""
        table, own = find_place(self.records, self.records.spine.name, column) or ("", column)
        rows = self.rows.get((table, wave))
        if rows is None:
            raise PanelError(wave_mistake(column, table, wave))
        return np.append(self.records.table(table).texts(own), NOTHING)[rows]

    def at(self, rows: Codes) -> Joined:
        """Return the same for some rows of the spine."""
        return replace(self, rows={place: index[rows] for place, index in self.rows.items()})


def wave_mistake(column: str, table: str, wave: str) -> str:
    """Say that a wave is missing, or is not to be had."""
    if wave:
        return (
            f"The plan measures '{column}' in the wave '{wave}', and its table '{table}' has one row per unit, not one "
            "per wave. Remove the wave, or name the long table's column under waves.column."
        )
    return (
        f"'{column}' stands in '{table}', which has one row per wave, and the plan does not say which wave. "
        f"Write {write_value({'column': column, 'wave': '...'})}, or move the column to a table with one row per unit."
    )


def join_tables(plan: Plan, joined: Joined) -> tuple[Joined, tuple[Entry, ...]]:
    """Join every table after the first; return the rows that belong together, and what was left without a partner."""
    entries: list[Entry] = []
    for table in plan.records[1:]:
        kept, counted = kept_rows(plan, joined.records, table)
        own = key_of(
            joined.records.table(table.name).texts(own_column(joined.records, table, own)) for own in table.join
        )
        spine = key_of(joined.texts(target) for target in table.join.values())
        waves = wave_rows(plan, joined.records, table.name)
        rows, matched = dict(joined.rows), np.zeros(len(own), dtype=bool)
        for wave, mask in waves.items():
            rows[table.name, wave] = match_rows(plan, table, own=own, usable=kept & mask, spine=spine)
            partners = rows[table.name, wave][rows[table.name, wave] >= 0]
            if not len(partners) and (kept & mask).any():
                tell_no_partner(joined, table, rows=kept & mask, wave=wave)
            matched[partners] = True
        known = kept & np.logical_or.reduce(list(waves.values()))
        entries += counted
        entries += count_once(f"rows of '{table.name}' in waves that the plan does not name", kept & ~known)
        entries += count_once(f"rows of '{table.name}' without a row in '{plan.records[0].name}'", known & ~matched)
        joined = replace(joined, rows=rows)
    return joined, tuple(entries)


def tell_no_partner(joined: Joined, table: RecordTable, *, rows: Mask, wave: str) -> NoReturn:
    """Refuse a table of whose `rows` none has a partner, by the forms of the keys."""
    texts = joined.records.table(table.name).texts
    keys = [
        (own, texts(own_column(joined.records, table, own))[rows], target, joined.texts(target))
        for own, target in table.join.items()
    ]
    raise PanelError(no_partner(table.name, wave=wave, n_rows=int(np.count_nonzero(rows)), keys=keys))


def own_column(records: Records, table: RecordTable, column: str) -> str:
    """Return the name, within its own table, of a column that the plan writes with or without the table's name."""
    place = find_place(records, table.name, column)
    return place[1] if place else column


def kept_rows(plan: Plan, records: Records, table: RecordTable) -> tuple[Mask, list[Entry]]:
    """Return which rows of a table its conditions keep, and the counts; its declared key must name each row once."""
    n_rows = len(records.table(table.name).frame)
    kept = np.ones(n_rows, dtype=bool)
    entries = count_once(f"rows of '{table.name}'", kept)
    for failing, reason in failing_rows(plan, records, table.name):
        entries += count_once(f"rows of '{table.name}' {reason}", kept & failing)
        kept &= ~failing
    require_key(records, table, kept)
    return kept, entries


def count_once(reason: str, rows: Mask) -> list[Entry]:
    """Count the rows of a table that is joined; arms are not known there."""
    n_rows = int(np.count_nonzero(rows))
    return [Entry(step=JOINED, reason=reason, n_rows=n_rows)] if n_rows else []


def require_key(records: Records, table: RecordTable, kept: Mask) -> None:
    """Refuse a table whose declared key stands in several of the kept rows."""
    if not table.key:
        return
    frame = records.table(table.name)
    key = key_of(frame.texts(own_column(records, table, column)) for column in table.key)[kept]
    n_repeating = int(pd.Series(key[~pd.isna(key)], dtype=object).duplicated(keep=False).sum())
    if n_repeating:
        listed = ", ".join(f"'{column}'" for column in table.key)
        raise PanelError(
            f"{n_repeating} rows of '{table.name}' share their key ({listed}) with another row, and a key names each "
            "row once. Remove the repeats, keep one kind of row with records.keep, or add the column "
            "that tells them apart."
        )


def key_of(columns: Iterable[Texts]) -> Texts:
    """Return one text per row for the columns of a key; None where any of them is missing."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.array([None if None in row else BETWEEN.join(row) for row in rows], dtype=object)


def wave_rows(plan: Plan, records: Records, table: str) -> dict[str, Mask]:
    """Return the rows of each wave of a long table, or all rows under "" where the table is not long."""
    n_rows = len(records.table(table).frame)
    place = None if plan.waves is None else find_place(records, records.spine.name, plan.waves.column)
    if plan.waves is None or place is None or place[0] != table:
        return {"": np.ones(n_rows, dtype=bool)}
    texts = records.table(table).texts(place[1])
    require_spelled(
        texts, list(plan.waves.order.values()), np.ones(n_rows, dtype=bool), column=plan.waves.column, noun="wave"
    )
    require_waves(plan, plan.waves, texts)
    return {wave: texts == code for wave, code in plan.waves.order.items()}


def match_rows(plan: Plan, table: RecordTable, *, own: Texts, usable: Mask, spine: Texts) -> Codes:
    """Return for each row of the spine the one usable row with the same key; several are refused."""
    places = np.flatnonzero(usable & ~pd.isna(own))
    keys = pd.Series(own[places], dtype=object)
    repeated = keys.duplicated(keep=False) & keys.isin(pd.Series(spine, dtype=object).dropna())
    if repeated.any():
        listed = ", ".join(f"'{column}'" for column in table.join)
        raise PanelError(
            f"{int(repeated.sum())} rows of '{table.name}' share {listed} with another row, so rows of "
            f"'{plan.records[0].name}' would be multiplied. Keep one row each with records.keep, summarise the table "
            "first, or, where the rows are of different times, name their column under waves.column."
        )
    single = keys.drop_duplicates()
    found = pd.Index(single, dtype=object).get_indexer(pd.Index(spine, dtype=object))
    return np.where(found >= 0, np.append(places[single.index], -1)[found], -1)
