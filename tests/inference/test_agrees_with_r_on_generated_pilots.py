"""clubSandwich and estimatr on the synthetic pilots: estimates to 1e-8, errors and degrees of freedom to 1e-6."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.reference.cases import FOLDER, read_case, read_pilot
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test

NUMBERS = pd.read_csv(FOLDER / "cluster_robust.csv")
HTZ = pd.read_csv(FOLDER / "wald_htz.csv").set_index("case")
DESIGN_BASED = pd.read_csv(FOLDER / "design_based.csv").set_index("case")
ESTIMATE, ERROR = 1e-8, 1e-6
# one class in one school is all there is of shared devices under usual practice: R gives its mean no error
ONE_CLUSTER_ALONE = "eight: rit_spring ~ z*own | cluster school_id"


def fit(case, kind="CR2"):
    return cluster_robust(X=case.X, y=case.y, cluster=case.cluster, weights=case.weights, absorb=case.absorb, kind=kind)


@pytest.mark.parametrize(("name", "kind"), list(NUMBERS[["case", "vcov"]].drop_duplicates().itertuples(index=False)))
def test_estimates_errors_and_degrees_of_freedom_are_those_of_clubsandwich(name, kind):
    case = read_case(name)
    rows = NUMBERS[(NUMBERS["case"] == name) & (NUMBERS["vcov"] == kind)].set_index("term")
    found = fit(case, kind).estimates.tidy().set_index(case.X.columns).loc[rows.index]
    np.testing.assert_allclose(found["estimate"], rows["estimate"], rtol=ESTIMATE)
    np.testing.assert_allclose(found["std_error"], rows["std_error"], rtol=ERROR)
    np.testing.assert_allclose(found["df"], rows["df"], rtol=ERROR)
    np.testing.assert_allclose(found["p_value"], rows["p_value"], rtol=1e-5)  # p moves faster than t and df do


@pytest.mark.parametrize("name", HTZ.index)
def test_joint_tests_are_those_of_clubsandwich(name):
    case, expected = read_case(name), HTZ.loc[name]
    rows = np.array([[float(column == term) for column in case.X] for term in case.joint])
    found = joint_test(fit=fit(case), contrasts=rows)
    assert found.df_num == expected["df_num"]
    np.testing.assert_allclose(found.statistic, expected["Fstat"], rtol=ERROR)
    np.testing.assert_allclose(found.df, expected["df_denom"], rtol=ERROR)
    np.testing.assert_allclose(found.p_value, expected["p_value"], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(NUMBERS["case"].unique()))
def test_what_r_leaves_out_is_what_is_aliased_here(name):
    case = read_case(name)
    kept = set(NUMBERS.loc[NUMBERS["case"] == name, "term"])
    found = fit(case)
    without_error = set(case.X.columns[np.isnan(found.estimates.std_error) & ~found.aliased])
    assert kept == set(case.X.columns[~found.aliased]) - without_error
    assert without_error == ({"(Intercept)"} if name == ONE_CLUSTER_ALONE else set())


def lin(units, covariates, cluster):
    """Lin (2013): covariates centred over the units, and their products with the arm."""
    units = units[units[covariates].notna().all(axis=1)]
    centred = units[covariates] - units[covariates].mean()
    X = np.column_stack([np.ones(len(units)), units["z"], centred, centred.mul(units["z"], axis=0)])
    return cluster_robust(X=X, y=units["rit_spring"], cluster=units[cluster])


def plain(units, cluster, *, covariates=(), absorb=None):
    units = units[units[list(covariates)].notna().all(axis=1)]
    ones = [] if absorb else [np.ones(len(units))]
    X = np.column_stack([*ones, units["z"], *(units[name] for name in covariates)])
    blocks = units[absorb] if absorb else None
    return cluster_robust(X=X, y=units["rit_spring"], cluster=units[cluster], absorb=blocks)


LAKESIDE, STUDENTS, EIGHT = (read_pilot(name) for name in ("lakeside", "students", "eight"))
# estimatr gives HC2 the n - k degrees of freedom of independent errors (or Welch's): Satterthwaite's are others.
BY_DESIGN = {
    "lakeside difference_in_means, clusters = class_id": (lambda: plain(LAKESIDE, "class_id"), 1, True),
    "eight difference_in_means, clusters = school_id": (lambda: plain(EIGHT, "school_id"), 1, True),
    "students difference_in_means, no blocks": (lambda: plain(STUDENTS, "student_id"), 1, False),
    "students lm_robust HC2": (lambda: plain(STUDENTS, "student_id"), 1, False),
    "lakeside lm_robust CR2, + rit_fall, clusters = class_id": (
        lambda: plain(LAKESIDE, "class_id", covariates=["rit_fall"]), 1, True),
    "lakeside lm_robust CR2, school_id fixed effects, clusters = class_id": (
        lambda: plain(LAKESIDE, "class_id", absorb="school_id"), 0, True),
    "lakeside lm_robust CR2, school_id fixed effects, clusters = school_id": (
        lambda: plain(LAKESIDE, "school_id", absorb="school_id"), 0, True),
    "students lm_robust CR2, class_id fixed effects, clusters = school_id": (
        lambda: plain(STUDENTS, "school_id", absorb="class_id"), 0, True),
    "lakeside lm_lin CR2, ~ rit_fall, clusters = class_id": (lambda: lin(LAKESIDE, ["rit_fall"], "class_id"), 1, True),
    "students lm_lin HC2, ~ rit_fall": (lambda: lin(STUDENTS, ["rit_fall"], "student_id"), 1, False),
    "eight lm_lin CR2, ~ rit_fall + frl, clusters = school_id": (
        lambda: lin(EIGHT, ["rit_fall", "frl"], "school_id"), 1, True),
}  # fmt: skip


def test_every_case_of_estimatr_is_compared():
    assert set(BY_DESIGN) == set(DESIGN_BASED.index)


@pytest.mark.parametrize("name", DESIGN_BASED.index)
def test_estimates_and_errors_are_those_of_estimatr(name):
    make, place, same_df = BY_DESIGN[name]
    expected, found = DESIGN_BASED.loc[name], make().estimates
    np.testing.assert_allclose(found.estimate[place], expected["estimate"], rtol=ESTIMATE)
    np.testing.assert_allclose(found.std_error[place], expected["std_error"], rtol=ERROR)
    if same_df:
        np.testing.assert_allclose(found.df[place], expected["df"], rtol=ERROR)
        low, high = found.interval()
        np.testing.assert_allclose(
            (low[place], high[place]), expected[["conf_low", "conf_high"]].astype(float), rtol=ERROR
        )
