"""Waves: a spine with one row per unit and wave becomes one row per unit, with a row of the table for each wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from whoworks.errors import PanelError
from whoworks.panel.exclusions import Exclusions
from whoworks.panel.join import Codes, Joined, wave_rows
from whoworks.panel.levels import UNIT
from whoworks.plan.plan import Plan
from whoworks.records.demand import find_place, measured
from whoworks.records.records import Records, Table
from whoworks.records.text import NOTHING, Texts


def begin_join(plan: Plan, records: Records, out: Exclusions) -> Joined:
    """Return the spine joined to itself: row by row, or one row per unit where it is long."""
    spine = records.spine
    every_row = np.arange(len(spine.frame))
    waves = wave_rows(plan, records, spine.name)
    if "" in waves:
        return Joined(records=records, rows={(spine.name, ""): every_row})
    unit = unit_texts(plan, records)
    out.take_out(pd.isna(unit), f"no {UNIT} id")
    out.take_out(~np.logical_or.reduce(list(waves.values())), "wave not in the plan")
    require_one_row_per_wave(plan, records, unit, out)
    settled = settle(plan, records, unit, out)
    codes = pd.factorize(np.where(out.staying, unit, NOTHING))[0]
    rows: dict[tuple[str, str], Codes] = {(spine.name, ""): every_row}
    for wave, mask in waves.items():
        row_of_unit = np.full(codes.max(initial=-1) + 2, -1)
        here = np.flatnonzero(mask & out.staying)
        row_of_unit[codes[here]] = here
        rows[spine.name, wave] = row_of_unit[codes]
    out.take_out(pd.Series(codes).duplicated().to_numpy(), f"further waves of a {UNIT} already counted")
    return Joined(records=settled, rows=rows)


def unit_texts(plan: Plan, records: Records) -> Texts:
    """Return each row's unit; a long spine cannot do without."""
    place = find_place(records, records.spine.name, plan.levels.get(UNIT, ""))
    if place is None or place[0] != records.spine.name:
        raise PanelError(
            f"'{records.spine.name}' has one row per unit and wave, and the plan does not say which rows are of one "
            f'unit. Name the column under [levels], for example: {UNIT} = "student_id"'
        )
    return records.spine.texts(place[1])


def require_one_row_per_wave(plan: Plan, records: Records, unit: Texts, out: Exclusions) -> None:
    """Refuse a unit with several rows in one wave."""
    for wave, mask in wave_rows(plan, records, records.spine.name).items():
        repeated = pd.Series(unit[mask & out.staying], dtype=object).duplicated()
        if repeated.any():
            raise PanelError(
                f"{int(repeated.sum())} row(s) of '{records.spine.name}' are further rows of a "
                f"{UNIT} within the wave '{wave}', and a {UNIT} has one row in a wave. Keep one with records.keep."
            )


def settle(plan: Plan, records: Records, unit: Texts, out: Exclusions) -> Records:
    """Give every row of a unit the unit's value in the columns that belong to no wave; two values are refused."""
    spine, staying = records.spine, out.staying
    codes = pd.factorize(np.where(staying, unit, NOTHING))[0]
    frame = spine.frame.copy()
    for column in dict.fromkeys(settled_columns(plan, records)):
        value, distinct = pd.factorize(np.where(staying, frame[column], NOTHING))
        require_settled(codes, value, column)
        of_unit = np.full(codes.max(initial=-1) + 2, -1)
        there = value >= 0
        of_unit[codes[there]] = value[there]
        filled = np.append(distinct, NOTHING)[of_unit[codes]]
        frame[column] = pd.Series(np.where(staying, filled, frame[column]), dtype=object)
    settled = Table(name=spine.name, frame=frame, provenance=spine.provenance)
    return replace(records, tables=(settled, *records.tables[1:]))


def settled_columns(plan: Plan, records: Records) -> Iterator[str]:
    """Yield the spine's columns that the plan uses without a wave."""
    waved = {measure.column for outcome in plan.outcomes for measure in (outcome, *outcome.baseline) if measure.wave}
    waved |= {moderator.column for moderator in plan.moderators if moderator.wave}
    for key, column in measured(plan):
        place = find_place(records, records.spine.name, column)
        if key != "waves.column" and column not in waved and place is not None and place[0] == records.spine.name:
            yield place[1]


def require_settled(unit: Codes, value: Codes, column: str) -> None:
    """Refuse a column that changes between the waves of a unit."""
    pairs = pd.DataFrame({"unit": unit, "value": value})
    pairs = pairs[(pairs["unit"] >= 0) & (pairs["value"] >= 0)].drop_duplicates()
    n_changing = int((pairs.groupby("unit").size() > 1).sum())
    if n_changing:
        raise PanelError(
            f"'{column}' changes between waves for {n_changing} {UNIT}(s), and the plan gives it no wave. Say in which "
            "wave it is meant, or let the records carry the value that held at assignment in every row."
        )
