"""The synthetic cases as arrays: what README.md says about a case's name, carried out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "synthetic"
LAKESIDE = Path(__file__).resolve().parents[2] / "data" / "synthetic" / "lakeside" / "pilot.csv"

NAME = re.compile(
    r"(?P<data>\w+)(?:, (?P<rows>.*?))?: rit_spring ~ (?P<model>.*?)(?:, weights (?P<weights>.*))?"
    r" \| cluster (?P<cluster>\w+)(?:; (?P<joint>.*) = 0)?"
)
INVERSE = "z/e + (1-z)/(1-e)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One regression: `X` has named columns, the constant among them unless blocks are absorbed.

    `absorb` and `weights` may be None; `joint` are the columns that a joint test sets to 0.
    """

    name: str
    X: pd.DataFrame
    y: pd.Series
    cluster: pd.Series
    absorb: pd.Series | None
    weights: pd.Series | None
    joint: tuple[str, ...]


@cache
def read_pilot(name: str) -> pd.DataFrame:
    """Read a pilot's units that have the outcome, with the variables that cases speak of."""
    units = pd.read_csv(LAKESIDE if name == "lakeside" else FOLDER / f"{name}.csv")
    units["z"] = (units["arm"] != "usual").astype(float)
    units["frl"] = units["frl"].map({"N": 0.0, "Y": 1.0})
    units["own"] = (units["devices"] == "own").astype(float)
    units["years3"] = pd.cut(units["teacher_years"], [-np.inf, 5, 10, np.inf], labels=["to5", "to10", "over10"])
    units["setting"] = pd.Categorical(units["setting"], ["city", "suburb", "town"])
    units = units[units["rit_spring"].notna()].reset_index(drop=True)
    units["class_size"] = units.groupby("class_id")["z"].transform("size")
    units["school_size"] = units.groupby("school_id")["z"].transform("size")
    return units


def read_case(name: str) -> Case:
    """Carry out a case's name."""
    parts = NAME.fullmatch(name)
    assert parts, f"not a case: {name}"
    units = _keep(read_pilot(parts["data"]).copy(), parts["rows"] or "")
    columns, absorb = _regressors(units, parts["model"])
    kept = columns.notna().all(axis=1)
    units, columns = units[kept], columns[kept]
    joint = tuple(column for column in columns if ":" in column) if parts["joint"] else ()
    return Case(
        name=name,
        X=columns.astype(float),
        y=units["rit_spring"],
        cluster=units[parts["cluster"]] if parts["cluster"] in units else units["student_id"],
        absorb=units[absorb] if absorb else None,
        weights=_weights(units, parts["weights"]) if parts["weights"] else None,
        joint=joint,
    )


def _keep(units: pd.DataFrame, rows: str) -> pd.DataFrame:
    share = re.fullmatch(r"e = share of (\w+) in (\w+)", rows)
    if share:
        drawn = units if share[1] == "students" else units.drop_duplicates("class_id")
        place = f"{share[2]}_id"
        units["e"] = units[place].map(drawn.groupby(place)["z"].mean())
        return units[units["e"].between(0, 1, inclusive="neither")]
    if rows == "pairs with both arms":
        return units[units.groupby("pair_id")["z"].transform("nunique") == 2]
    return units


def _weights(units: pd.DataFrame, weights: str) -> pd.Series:
    def inverse() -> pd.Series:
        return units["z"] / units["e"] + (1 - units["z"]) / (1 - units["e"])

    return {
        "1/class_size": lambda: 1 / units["class_size"],
        "1/school size": lambda: 1 / units["school_size"],
        INVERSE: inverse,
        f"({INVERSE})/class_size": lambda: inverse() / units["class_size"],
    }[weights]()


def _regressors(units: pd.DataFrame, model: str) -> tuple[pd.DataFrame, str]:
    """Columns in the model's order, a main effect once; blocks apart, and no constant where there are blocks."""
    absorb, columns = "", {}
    for term in model.split(" + "):
        if term.startswith("factor("):
            absorb = term.removeprefix("factor(").removesuffix(")")
            continue
        if "*" in term:
            left, right = term.split("*")
            columns |= {left: units[left]} | _dummies(units, right) | _products(units, left, right)
        elif ":" in term:
            columns |= _products(units, *term.split(":"))
        else:
            columns |= _dummies(units, term)
    constant = {} if absorb else {"(Intercept)": pd.Series(1.0, index=units.index)}
    return pd.DataFrame(constant | columns), absorb


def _dummies(units: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """Return a number as it is; a category as dummies without its first level, missing where it is missing."""
    column = units[name]
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return {name: column}
    return {f"{name}{level}": (column == level).where(column.notna()) for level in column.cat.categories[1:]}


def _products(units: pd.DataFrame, left: str, right: str) -> dict[str, pd.Series]:
    return {f"{left}:{name}": units[left] * column for name, column in _dummies(units, right).items()}
