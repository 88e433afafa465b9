"""The panel: one row per unit, every variable with the role the plan gives it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from whoworks.panel.ledger import Ledger
from whoworks.plan.plan import Plan
from whoworks.records.records import Provenance as Provenance


class Role(StrEnum):
    """What the plan lets a variable be used for."""

    OUTCOME = "outcome"
    BASELINE = "baseline"
    MODERATOR = "moderator"
    COVARIATE = "covariate"
    TAKEUP = "takeup"
    IMPLEMENTATION = "implementation"


class Kind(StrEnum):
    """How a variable's values are read."""

    NUMBER = "number"
    CATEGORY = "category"
    BINARY = "binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One column of `Panel.values`.

    `name` is the column in `Panel.values`: the plan's column, followed by
    ``@wave`` where it is measured in a wave. `levels` are a category's codes in
    order of display (the first is the reference), `level_labels` their words.
    `level` is the level of the plan at which it varies ("student", "class",
    "school"); empty when the plan does not say.
    """

    name: str
    column: str
    roles: tuple[Role, ...]
    kind: Kind
    wave: str = ""
    label: str = ""
    level: str = ""
    levels: tuple[str, ...] = ()
    level_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindPanel:
    """What a check may see: arms, places and everything measured before; no outcome's value.

    `observed` holds one boolean column per outcome (its `Variable.name`): is it there?
    """

    units: pd.DataFrame
    values: pd.DataFrame
    observed: pd.DataFrame
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledPanel:
    """Outcomes and places with the arms taken away."""

    units: pd.DataFrame
    outcomes: pd.DataFrame
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One row per unit of the arms the plan compares, in an order that the file's order cannot change.

    `units` has the column ``unit_id`` (the student's code, or the row's number
    where the plan names no student level), one column per level of the plan
    under the level's own name (codes as text) and ``arm`` (the plan's arm
    codes, as text). `values` has one column per `Variable`: float64 for numbers
    and for binary outcomes (0/1), an ordered `Categorical` over `levels` for
    categories; NaN where missing. `position` gives each unit's row in the
    spine table as received. All three share a `RangeIndex`.
    """

    plan: Plan
    units: pd.DataFrame
    values: pd.DataFrame
    position: pd.Series[int]
    variables: tuple[Variable, ...]
    ledger: Ledger
    provenance: tuple[Provenance, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """Units and values side by side (a copy)."""
        return pd.concat([self.units, self.values], axis=1)

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit and wave: units, ``wave``, what belongs to no wave, and each wave's own measures.

        A study without waves has one row per unit, and an empty ``wave``. What
        was not measured in a wave is NaN there.
        """
        waved = [variable for variable in self.variables if variable.wave]
        lasting = self.values[[variable.name for variable in self.variables if not variable.wave]]
        frames = []
        for wave in self.plan.waves.order if self.plan.waves and waved else [""]:
            own = {variable.name: variable.column for variable in waved if variable.wave == wave}
            measured = self.values[list(own)].rename(columns=own)
            frames.append(pd.concat([self.units.assign(wave=wave), lasting, measured], axis=1))
        return pd.concat(frames, ignore_index=True)

    def having(self, role: Role) -> tuple[Variable, ...]:
        """Return the variables that have `role`, in the plan's order."""
        return tuple(variable for variable in self.variables if role in variable.roles)

    def variable(self, name: str) -> Variable:
        """Return the variable called `name`; KeyError when there is none."""
        found = next((variable for variable in self.variables if variable.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def blind(self) -> BlindPanel:
        """Return the panel without any outcome's values, for checks of the design."""
        hidden = {variable.name for variable in self.having(Role.OUTCOME)}
        hidden |= {variable.name for variable in self.having(Role.IMPLEMENTATION)}
        outcomes = [variable.name for variable in self.having(Role.OUTCOME)]
        return BlindPanel(
            units=self.units.copy(),
            values=self.values.drop(columns=sorted(hidden)),
            observed=self.values[outcomes].notna(),
            variables=tuple(variable for variable in self.variables if variable.name not in hidden),
        )

    def pooled(self) -> PooledPanel:
        """Return outcomes and places without arms, for checks of the measures."""
        outcomes = self.having(Role.OUTCOME)
        return PooledPanel(
            units=self.units.drop(columns=["arm"]),
            outcomes=self.values[[variable.name for variable in outcomes]].copy(),
            variables=outcomes,
        )
