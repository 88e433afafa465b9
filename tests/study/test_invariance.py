"""Names, order and file formats are nobody's findings: the estimates stay the same to the last digit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import whoworks as ww

NUMBERS = ["estimate", "std_error", "df", "p_value", "p_adjusted", "conf_low", "conf_high", "n_units", "n_clusters"]


def renamed(tables: dict[str, Any], columns: dict[str, str], arms: dict[str, str]) -> dict[str, Any]:
    """Return a plan's tables with other names for columns and arms."""
    plan = {**tables}
    plan["levels"] = {level: columns[name] for level, name in tables["levels"].items()}
    given = tables["arms"]
    plan["arms"] = {
        "column": columns[given["column"]], "control": arms[given["control"]],
        "treatments": [arms[code] for code in given["treatments"]],
    }  # fmt: skip
    plan["outcomes"] = [
        {**entry, "column": columns[entry["column"]], "baseline": [columns[b] for b in entry.get("baseline", [])]}
        for entry in tables["outcomes"]
    ]
    plan["moderators"] = [{**entry, "column": columns[entry["column"]]} for entry in tables["moderators"]]
    if "covariates" in tables:
        plan["covariates"] = {"columns": [columns[name] for name in tables["covariates"]["columns"]]}
    if "missing" in tables:
        plan["missing"] = {"columns": {columns[name]: codes for name, codes in tables["missing"]["columns"].items()}}
    if "privacy" in tables:
        plan["privacy"] = {"allow": [columns[name] for name in tables["privacy"]["allow"]]}
    if "implementation" in tables:
        plan["implementation"] = {"columns": [columns[name] for name in tables["implementation"]["columns"]]}
    return plan


def write(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False)


def run_given(tables: dict[str, Any], frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Run a plan on its records as they came; return its findings."""
    frame.to_csv(folder / "given.csv", index=False)
    keep = {"keep": "gr == 'K'"} if "gr" in frame else {}
    ww.Plan.build({**tables, "records": [{"name": "records", "path": str(folder / "given.csv"), **keep}]}).write(
        folder / "given.toml"
    )
    return ww.Study.from_plan(folder / "given.toml").run().findings.frame


def run_renamed(tables: dict[str, Any], frame: pd.DataFrame, folder: Path, suffix: str) -> pd.DataFrame:
    """Run a plan on renamed, shuffled records of another format; return its findings."""
    arm = tables["arms"]
    codes = [str(code) for code in pd.unique(frame[arm["column"]].dropna())]
    columns = {name: f"v{place}_{len(name)}" for place, name in enumerate(reversed(list(frame.columns)))}
    arms = {code: f"arm {place}" for place, code in enumerate(sorted(codes, reverse=True))}
    other = frame.sample(frac=1.0, random_state=3)
    other = other.assign(**{arm["column"]: other[arm["column"]].astype(str).map(arms)})
    write(other.rename(columns=columns)[sorted(columns.values())], folder / f"other{suffix}")
    plan = renamed(tables, columns, arms)
    keep = {"keep": f"{columns['gr']} == 'K'"} if "gr" in frame else {}
    plan["records"] = [{"name": "records", "path": str(folder / f"other{suffix}"), **keep}]
    ww.Plan.build(plan).write(folder / "other.toml")
    return ww.Study.from_plan(folder / "other.toml").run().findings.frame


def require_same_numbers(given: pd.DataFrame, moved: pd.DataFrame) -> None:
    assert len(given) == len(moved)
    for name in NUMBERS:
        np.testing.assert_array_equal(given[name], moved[name], err_msg=name)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pilot")
    ww.make_pilot("student-moderator", students=240, classes=24, schools=6, seed=5).write(folder)
    tables = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))
    tables["moderators"] = [entry for entry in tables["moderators"] if entry["column"] in ("frl", "teacher_years")]
    tables.pop("takeup", None)
    frame = pd.read_csv(folder / "pilot.csv", dtype=object)
    return tables, frame, run_given(tables, frame, folder)


@pytest.fixture(scope="module")
def star(shared, tmp_path_factory):
    tables = tomllib.loads((shared / "plans" / "star_k.toml").read_text(encoding="utf-8"))
    frame = pd.read_csv(shared / "data" / "star.csv.gz")
    return tables, frame, run_given(tables, frame, tmp_path_factory.mktemp("star"))


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_small_trial_gives_the_same_numbers_under_other_names_order_and_format(pilot, tmp_path, suffix):
    tables, frame, given = pilot
    require_same_numbers(given, run_renamed(tables, frame, tmp_path, suffix))


@pytest.mark.shared
@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_star_gives_the_same_numbers_under_other_names_order_and_format(star, tmp_path, suffix):
    tables, frame, given = star
    require_same_numbers(given, run_renamed(tables, frame, tmp_path, suffix))
