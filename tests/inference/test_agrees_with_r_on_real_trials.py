"""clubSandwich and estimatr on published trials, where their files are: estimates 1e-8, errors and df 1e-6."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whoworks.inference.cluster_robust import cluster_robust
from whoworks.inference.joint_test import joint_test

pytestmark = pytest.mark.shared
REAL = Path(__file__).parents[1] / "reference" / "real"
NUMBERS = pd.read_csv(REAL / "cluster_robust.csv")
DESIGN_BASED = pd.read_csv(REAL / "design_based.csv").set_index("case")
SHORT = "STAR K, e = share of students within school: "


@pytest.fixture(scope="module")
def trials(shared):
    data = shared / "data"
    star = pd.read_csv(data / "star.csv.gz", keep_default_na=False, na_values={"math": ["", "NA"], "sch": [""]})
    k = star[(star["gr"] == "K") & star["cltype"].isin(["small", "reg"]) & star["math"].notna()].copy()
    k["math"], k["z"] = k["math"].astype(float), (k["cltype"] == "small").astype(float)
    k["frl"] = (k["ses"] == "F").astype(float)  # R reads a missing text as "", which is not F: it counts as 0
    classes = k.drop_duplicates(["sch", "tch"]).groupby("sch")["z"].mean()
    k["e"], k["es"] = k["sch"].map(classes), k.groupby("sch")["z"].transform("mean")
    school = pd.read_csv(data / "schoolrct.csv.gz")
    mst = pd.read_csv(data / "eef_mst.csv")
    mst["e"] = mst.groupby("School")["Intervention"].transform("mean")
    return {"k": k, "school": school, "crt": pd.read_csv(data / "eef_crt.csv"), "mst": mst}


def inside(frame, e):
    return frame[frame[e].between(0, 1, inclusive="neither")]


def inverse(frame, e, z="z"):
    return frame[z] / frame[e] + (1 - frame[z]) / (1 - frame[e])


def model(frame, y, terms, cluster, *, weights=None, absorb=None):
    """Terms are columns or products "a:b"; a constant unless blocks are absorbed."""
    columns = {} if absorb else {"(Intercept)": np.ones(len(frame))}
    columns |= {t: np.prod([frame[part] for part in t.split(":")], axis=0) for t in terms}
    blocks = None if absorb is None else frame[absorb]
    return list(columns), {
        "X": np.column_stack(list(columns.values())), "y": frame[y], "cluster": frame[cluster],
        "weights": weights, "absorb": blocks,
    }  # fmt: skip


def cases(trials):
    k, school, crt, mst = (trials[name] for name in ("k", "school", "crt", "mst"))
    kw, ks, m2 = inside(k, "e"), inside(k, "es"), inside(mst, "e")
    s2 = school[school["is.female"].notna()]
    outcome, girls = "outcome.test.score", ["treatment", "is.female", "treatment:is.female"]
    by_prettest = ["Intervention", "Prettest", "Intervention:Prettest"]
    per_school = 1 / s2.groupby("school")["school"].transform("size")
    wk, ws, wm = inverse(kw, "e"), inverse(ks, "es"), inverse(m2, "e", "Intervention")
    frl = ["z", "frl", "z:frl"]
    class_share = "STAR K, e = share of classes within school: "
    eef = "eef_mst, blocks with both arms: "
    return {
        "schoolrct: outcome.test.score ~ treatment | cluster school": model(school, outcome, ["treatment"], "school"),
        "schoolrct, is.female observed: outcome ~ treatment*is.female | cluster school": model(
            s2, outcome, girls, "school"),
        "same, weights = 1 / school size (each school counts equally)": model(
            s2, outcome, girls, "school", weights=per_school),
        "eef_crt: Posttest ~ Intervention | cluster School": model(crt, "Posttest", ["Intervention"], "School"),
        "eef_crt: Posttest ~ Intervention + Prettest | cluster School": model(
            crt, "Posttest", by_prettest[:2], "School"),
        "eef_crt: Posttest ~ Intervention * Prettest | cluster School": model(crt, "Posttest", by_prettest, "School"),
        "STAR K, small vs reg, math observed: math ~ z | cluster tch": model(k, "math", ["z"], "tch"),
        "STAR K: math ~ z*frl | cluster tch": model(k, "math", frl, "tch"),
        "STAR K: math ~ z + factor(sch) | cluster tch": model(k, "math", ["z"], "tch", absorb="sch"),
        "STAR K: math ~ z + factor(sch) | cluster sch": model(k, "math", ["z"], "sch", absorb="sch"),
        class_share + "math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster sch": model(
            kw, "math", ["z"], "sch", weights=wk, absorb="sch"),
        class_share + "math ~ z, weights z/e + (1-z)/(1-e) | cluster sch": model(
            kw, "math", ["z"], "sch", weights=wk),
        "STAR K, same weights: math ~ z*frl | cluster sch": model(kw, "math", frl, "sch", weights=wk),
        SHORT + "math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster tch": model(
            ks, "math", ["z"], "tch", weights=ws, absorb="sch"),
        SHORT + "math ~ z + factor(sch), weights z/e + (1-z)/(1-e) | cluster sch": model(
            ks, "math", ["z"], "sch", weights=ws, absorb="sch"),
        SHORT + "math ~ z*frl + factor(sch), same weights | cluster tch": model(
            ks, "math", frl, "tch", weights=ws, absorb="sch"),
        eef + "Posttest ~ Intervention + factor(School), weights z/e + (1-z)/(1-e) | cluster School": model(
            m2, "Posttest", ["Intervention"], "School", weights=wm, absorb="School"),
        eef + "Posttest ~ Intervention + Prettest, same weights | cluster School": model(
            m2, "Posttest", ["Intervention", "Prettest"], "School", weights=wm),
    }  # fmt: skip


def test_every_case_of_r_is_compared(trials):
    assert set(cases(trials)) == set(NUMBERS["case"])


@pytest.mark.parametrize(("name", "kind"), list(NUMBERS[["case", "vcov"]].drop_duplicates().itertuples(index=False)))
def test_estimates_errors_and_degrees_of_freedom_are_those_of_clubsandwich(trials, name, kind):
    terms, data = cases(trials)[name]
    rows = NUMBERS[(NUMBERS["case"] == name) & (NUMBERS["vcov"] == kind)].set_index("term")
    assert (rows["n_units"] == len(data["y"])).all()
    found = cluster_robust(**data, kind=kind).estimates.tidy()
    found.index = terms
    rows = rows[rows.index.isin(terms)]  # with dummies R reports a constant too, of the first block
    found = found.loc[rows.index]
    np.testing.assert_allclose(found["estimate"], rows["estimate"], rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], rows["std_error"], rtol=1e-6)
    np.testing.assert_allclose(found["df"], rows["df"], rtol=1e-6)


def test_the_joint_test_is_that_of_clubsandwich(trials):
    expected = pd.read_csv(REAL / "wald_htz.csv").iloc[0]
    k = trials["k"][trials["k"]["schtype"] != ""].copy()
    types = ["suburb", "rural", "urban"]
    for name in types:
        k[name] = (k["schtype"] == name).astype(float)
    terms, data = model(k, "math", ["z", *types, *(f"z:{name}" for name in types)], "tch")
    found = joint_test(fit=cluster_robust(**data), contrasts=np.eye(len(terms))[-3:])
    np.testing.assert_allclose(found.statistic, expected["Fstat"], rtol=1e-6)
    np.testing.assert_allclose((found.df_num, found.df), expected[["df_num", "df_denom"]].astype(float), rtol=1e-6)
    np.testing.assert_allclose(found.p_value, expected["p_value"], rtol=1e-6)


def lin(frame, y, z, covariate, cluster):
    """Lin (2013): the covariate centred, and its product with the arm."""
    x = frame[covariate] - frame[covariate].mean()
    X = np.column_stack([np.ones(len(frame)), frame[z], x, x * frame[z]])
    return {"X": X, "y": frame[y], "cluster": cluster}


@pytest.mark.parametrize("name", DESIGN_BASED.index)
def test_estimates_and_errors_are_those_of_estimatr(trials, name):
    k, crt, mst = trials["k"], trials["crt"], trials["mst"]
    alone = np.arange(len(mst))
    data, place = {
        "eef_crt difference_in_means, clusters = School": (
            lambda: model(crt, "Posttest", ["Intervention"], "School")[1], 1),
        "eef_mst difference_in_means, no blocks": (
            lambda: model(mst, "Posttest", ["Intervention"], "School")[1] | {"cluster": alone}, 1),
        "eef_crt lm_robust CR2, + Prettest": (
            lambda: model(crt, "Posttest", ["Intervention", "Prettest"], "School")[1], 1),
        "eef_crt lm_lin CR2, ~ Prettest": (
            lambda: lin(crt, "Posttest", "Intervention", "Prettest", crt["School"]), 1),
        "eef_mst lm_lin HC2, ~ Prettest": (lambda: lin(mst, "Posttest", "Intervention", "Prettest", alone), 1),
        "STAR K lm_lin CR2, ~ frl, clusters = tch": (lambda: lin(k, "math", "z", "frl", k["tch"]), 1),
        "STAR K lm_robust CR2, school fixed effects, clusters = tch": (
            lambda: model(k, "math", ["z"], "tch", absorb="sch")[1], 0),
    }[name]  # fmt: skip
    found, expected = cluster_robust(**data()).estimates, DESIGN_BASED.loc[name]
    np.testing.assert_allclose(found.estimate[place], expected["estimate"], rtol=1e-8)
    np.testing.assert_allclose(found.std_error[place], expected["std_error"], rtol=1e-6)
    if "mst" not in name:  # with students alone estimatr takes Welch's or n - k degrees of freedom
        np.testing.assert_allclose(found.df[place], expected["df"], rtol=1e-6)
