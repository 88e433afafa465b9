"""The reference numbers belong to the pilots beside them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pandas as pd
import pytest

from tests.reference.cases import FOLDER, read_case

NUMBERS = pd.read_csv(FOLDER / "cluster_robust.csv")


@pytest.mark.parametrize("name", NUMBERS["case"].unique())
def test_a_case_has_the_rows_clusters_and_terms_that_r_used(name: str) -> None:
    case, rows = read_case(name), NUMBERS[NUMBERS["case"] == name]
    assert set(rows["n_units"]) == {len(case.y)}
    assert set(rows["n_clusters"]) == {case.cluster.nunique()}
    assert set(rows["term"]) <= set(case.X)


@pytest.mark.parametrize("name", pd.read_csv(FOLDER / "wald_htz.csv")["case"])
def test_a_joint_case_sets_as_many_coefficients_to_zero_as_r_did(name: str) -> None:
    joint = pd.read_csv(FOLDER / "wald_htz.csv").set_index("case")
    assert len(read_case(name).joint) == joint.loc[name, "df_num"]


def test_cr0_cr1_cr2_and_cr3_differ_in_every_case_that_has_them_all() -> None:
    wide = NUMBERS.pivot_table(index=["case", "term"], columns="vcov", values="std_error").dropna()
    assert (wide["CR0"] < wide["CR1"]).all()
    assert (wide["CR2"] < wide["CR3"]).all()


def test_the_small_pilots_are_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    runpy.run_path(str(FOLDER / "make_pilots.py"))["write_records"](tmp_path)
    for name in ("students", "eight", "shares"):
        assert (tmp_path / f"{name}.csv").read_bytes() == (FOLDER / f"{name}.csv").read_bytes()
