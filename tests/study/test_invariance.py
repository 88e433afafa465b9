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


def same_under_other_names(tables: dict[str, Any], frame: pd.DataFrame, folder: Path, suffix: str) -> None:
    """Run a plan on its records, and on renamed, shuffled records of another format; compare every number."""
    arm = tables["arms"]
    codes = [str(code) for code in pd.unique(frame[arm["column"]].dropna())]
    columns = {name: f"v{place}_{len(name)}" for place, name in enumerate(reversed(list(frame.columns)))}
    arms = {code: f"arm {place}" for place, code in enumerate(sorted(codes, reverse=True))}
    other = frame.sample(frac=1.0, random_state=3).assign(
        **{arm["column"]: lambda f: f[arm["column"]].astype(str).map(arms)}
    )
    other = other.rename(columns=columns)[sorted(columns.values())]
    write(other, folder / f"other{suffix}")
    plan = renamed(tables, columns, arms)
    records = tables["records"][0] if isinstance(tables["records"], list) else tables["records"]
    keep = {"keep": f"{columns['gr']} == 'K'"} if "keep" in records else {}
    plan["records"] = [{"name": "records", "path": str(folder / f"other{suffix}"), **keep}]
    ww.Plan.build(plan).write(folder / "other.toml")
    tables = {
        **tables,
        "records": [{"name": "records", "path": str(folder / "given.csv"), **({"keep": "gr == 'K'"} if keep else {})}],
    }
    frame.to_csv(folder / "given.csv", index=False)
    ww.Plan.build(tables).write(folder / "given.toml")
    given, moved = (ww.Study.from_plan(folder / f"{name}.toml").run().findings.frame for name in ("given", "other"))
    assert len(given) == len(moved)
    for name in NUMBERS:
        np.testing.assert_array_equal(given[name], moved[name], err_msg=name)


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_small_trial_gives_the_same_numbers_under_other_names_order_and_format(tmp_path, suffix):
    pilot = ww.make_pilot("student-moderator", students=240, classes=24, schools=6, seed=5)
    pilot.write(tmp_path)
    tables = tomllib.loads((tmp_path / "plan.toml").read_text(encoding="utf-8"))
    tables["moderators"] = [entry for entry in tables["moderators"] if entry["column"] in ("frl", "teacher_years")]
    tables.pop("takeup", None)
    same_under_other_names(tables, pd.read_csv(tmp_path / "pilot.csv", dtype=object), tmp_path, suffix)


@pytest.mark.shared
@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_star_gives_the_same_numbers_under_other_names_order_and_format(shared, tmp_path, suffix):
    tables = tomllib.loads((shared / "plans" / "star_k.toml").read_text(encoding="utf-8"))
    frame = pd.read_csv(shared / "data" / "star.csv.gz")
    same_under_other_names(tables, frame, tmp_path, suffix)
