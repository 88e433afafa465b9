"""Adjusted p-values against statsmodels, detectable differences against PowerUp!."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from whoworks.inference.multiplicity import benjamini_hochberg, holm
from whoworks.inference.power import minimum_detectable

POWER = pd.read_csv(Path(__file__).parents[1] / "reference" / "real" / "power.csv")
METHODS = {"holm": holm, "fdr_bh": benjamini_hochberg}
RHO, R2 = 0.15, 0.5


@pytest.mark.parametrize("looks", [3, 6, 12])
def test_a_p_at_the_edge_in_every_look_stays_at_the_edge(looks):
    assert set(benjamini_hochberg(np.full(looks, 0.05))) == {0.05}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("seed", range(8))
def test_adjusted_p_values_are_those_of_statsmodels(name, seed):
    rng = np.random.default_rng(seed)
    p = np.round(rng.uniform(size=rng.integers(1, 15)) ** 3, 2)  # ties among them
    np.testing.assert_allclose(METHODS[name](p), multipletests(p, method=name)[1], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS.values())
def test_a_test_that_could_not_be_made_stays_without_p_and_counts_as_a_look(method):
    p = np.array([0.01, np.nan, 0.04])
    found = method(p)
    assert np.isnan(found).tolist() == [False, True, False]
    np.testing.assert_allclose(found[[0, 2]], method([0.01, 1.0, 0.04])[[0, 2]])


@pytest.mark.parametrize("method", METHODS.values())
def test_adjusting_never_lowers_a_p_nor_changes_their_order_and_one_test_is_not_adjusted(method):
    p = np.random.default_rng(0).uniform(size=30)
    found = method(p)
    assert (found >= p).all()
    assert (np.diff(found[np.argsort(p)]) >= 0).all()
    assert method([0.03]) == pytest.approx(0.03)
    assert len(method([])) == 0


def variance(design, groups, n):
    """The variances of tests/reference/README.md's designs, in the unit of the outcome's SD."""
    half, student = 0.25, (1 - RHO) * (1 - R2)
    if design.startswith("cra2"):
        return RHO * (1 - R2) / (half * groups) + student / (half * groups * n)
    if design.startswith("mod221"):
        q = 0.15 if "q=.15" in design else 0.5
        return RHO * 0.10 / (half * groups) + student / (half * q * (1 - q) * groups * n)
    if design.startswith("mod211"):
        return 0.01 / groups + student / (half * 0.25 * groups * n)
    if design.startswith("bira2"):
        return RHO * 0.10 / groups + student / (half * groups * n)
    classes = 4
    lowest = 0.8 * (1 - R2) / (half * groups * classes * n)
    if design.startswith("bcra3"):
        return 0.1 * 0.1 / groups + 0.1 * (1 - R2) / (half * groups * classes) + lowest
    if design.startswith("cra3"):
        return 0.1 * (1 - R2) / (half * groups) + 0.1 * (1 - R2) / (half * groups * classes) + lowest
    return np.nan


@pytest.mark.parametrize("row", POWER.to_dict("records"), ids=lambda row: f"{row['design']}, {row['J']}")
def test_detectable_differences_are_those_of_powerup(row):
    multiplier = minimum_detectable(std_error=1.0, df=row["df"])
    np.testing.assert_allclose(multiplier, row["ncp"], rtol=1e-9)
    error = np.sqrt(variance(row["design"], row["J"], row["n"]))
    if np.isfinite(error):  # the others' formulas say nothing more of the multiplier
        np.testing.assert_allclose(minimum_detectable(std_error=error, df=row["df"]), row["mdes"], rtol=1e-8)


def test_without_degrees_of_freedom_nothing_can_be_detected():
    assert np.isnan(minimum_detectable(std_error=1.0, df=np.nan))
    assert np.isnan(minimum_detectable(std_error=1.0, df=-1.0))
