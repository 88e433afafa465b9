"""Variance components of an effect: lme4's numbers, the dense formula, and what a class term guards against."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.reference.cases import FOLDER, read_pilot
from whoworks.inference.meta import random_effects
from whoworks.inference.variance_components import count_replicated, fit_variance_components

REAL = Path(__file__).parents[1] / "reference" / "real"
COMPONENTS = pd.read_csv(FOLDER / "site_components.csv")
NAME = re.compile(r"(?P<data>\w+): (?P<outcome>\w+) ~ 0 \+ factor\((?P<block>\w+)\) \+ (?P<rest>.*)")


def read_components(case):
    """Carry out a case's name: the arguments of the fit."""
    parts = NAME.fullmatch(case)
    units = read_pilot(parts["data"])
    place = np.unique(units["school_id"], return_inverse=True)[1] + 1
    units = units.assign(moved=units["rit_spring"] + units["z"] * 4 * ((5 * place) % 7 - 3))
    if parts["block"] == "pair":
        units = units.assign(pair=units["class_id"] + units["pair_id"])
    covariate = "rit_fall" in parts["rest"]
    units = units[units["rit_fall"].notna()] if covariate else units
    return {
        "y": units[parts["outcome"]], "z": units["z"], "site": units["school_id"], "block": units[parts["block"]],
        "carrier": units["class_id"] if "class_id" in parts["rest"] else None,
        "covariates": units[["rit_fall"]] if covariate else None,
    }  # fmt: skip


def trial(rng, *, sites=12, classes=2, size=12, tau=0.0, omega=0.0, carried=True):
    """Sites with as many classes in each arm; students are assigned one by one unless classes carry the arm."""
    n = 2 * classes * size
    site, group = np.repeat(np.arange(sites), n), np.repeat(np.arange(sites * 2 * classes), size)
    z = (group % 2).astype(float) if carried else rng.permuted(np.tile([0.0, 1.0], (sites, n // 2)), axis=1).ravel()
    y = 30 + 5 * rng.normal(size=sites)[site] + z * (2 + tau * rng.normal(size=sites)[site])
    y += omega * rng.normal(size=2 * sites * classes)[group] + 10 * rng.normal(size=len(z))
    return {"y": y, "z": z, "site": site, "carrier": group if carried else None}


def values(fit):
    return np.array([fit.mean, fit.std_error, fit.tau, fit.omega, fit.sigma, fit.likelihood_ratio, *fit.estimate])


@pytest.mark.parametrize("case", COMPONENTS["case"])
def test_the_components_agree_with_lme4_on_generated_pilots(case):
    """1e-6: lme4's search, at its tightest, still ends about 1e-7 beside the maximum; 1e-10 where it is on the edge."""
    expected = COMPONENTS.set_index("case").loc[case]
    fit = fit_variance_components(**read_components(case))
    low, high = fit.tau_interval()
    ours = {
        "estimate": fit.mean, "std_error": fit.std_error, "tau": fit.tau, "omega": fit.omega, "sigma": fit.sigma,
        "likelihood_ratio": fit.likelihood_ratio, "tau_low": low, "tau_high": high, "n_units": fit.n_units,
    }  # fmt: skip
    for name, value in ours.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6, atol=1e-10, err_msg=name)


@pytest.fixture(scope="module")
def star(shared):
    pupils = pd.read_csv(shared / "data" / "star.csv.gz", low_memory=False)
    k = pupils[(pupils["gr"] == "K") & pupils["cltype"].isin(["small", "reg"]) & pupils["math"].notna()]
    return {"y": k["math"], "z": (k["cltype"] == "small").astype(float), "site": k["sch"]}, k["tch"]


@pytest.mark.shared
def test_fixed_intercepts_and_a_random_coefficient_agree_with_lme4_on_star(star):
    expected = pd.read_csv(REAL / "firc_star_k.csv").iloc[0]
    fit = fit_variance_components(**star[0])
    ours = (fit.mean, fit.std_error, fit.tau, fit.sigma, fit.n_units)
    np.testing.assert_allclose(ours, expected[["estimate", "std_error", "tau", "sigma", "n"]].astype(float), rtol=1e-7)


@pytest.mark.shared
def test_the_class_term_agrees_with_lme4_on_star(star):
    """1e-4 for tau: lme4, at its own tolerance, stopped where the likelihood is all but flat, and lower than ours."""
    expected = pd.read_csv(REAL / "three_level_star_k.csv").set_index("quantity")["value"]
    start = time.process_time()
    fit = fit_variance_components(**star[0], carrier=star[1])
    assert time.process_time() - start < 1.0
    np.testing.assert_allclose(fit.tau, expected["tau_with_class"], rtol=1e-4)
    ours = (fit.omega, fit.sigma, fit.mean, fit.std_error, fit.likelihood_ratio)
    names = ["class_sd", "sigma", "z_with_class", "z_se_with_class", "lr_tau_with_class"]
    np.testing.assert_allclose(ours, expected[names], rtol=1e-5)
    ratios = (expected[["tau_with_class", "class_sd"]].to_numpy() / expected["sigma"]) ** 2
    at_theirs = fit._sums.deviance(ratios[0], fit._sums.reduce(ratios[1]))
    at_ours = fit._sums.deviance((fit.tau / fit.sigma) ** 2, fit._sums.reduce((fit.omega / fit.sigma) ** 2))
    assert at_ours < at_theirs


@pytest.mark.parametrize("carried", [True, False])
def test_the_deviance_equals_the_dense_formula_but_for_a_constant(carried):
    data = trial(np.random.default_rng(5), sites=4, classes=2, size=3, tau=4, omega=4, carried=carried)
    rng = np.random.default_rng(6)
    block = data["site"] * 2 + (rng.random(len(data["y"])) < 0.5) * (not carried)
    x = rng.normal(size=(len(data["y"]), 1))
    fit = fit_variance_components(**data, block=block, covariates=x)

    def dense(gamma, kappa):
        fixed = np.hstack([(block[:, None] == np.unique(block)).astype(float), data["z"][:, None], x])
        sites = (data["site"][:, None] == np.unique(data["site"])) * data["z"][:, None]
        total = np.eye(len(x)) + gamma * sites @ sites.T
        if carried:
            classes = (data["carrier"][:, None] == np.unique(data["carrier"])).astype(float)
            total += kappa * classes @ classes.T
        precision = np.linalg.inv(total)
        inner = fixed.T @ precision @ fixed
        rest = precision - precision @ fixed @ np.linalg.solve(inner, fixed.T @ precision)
        free = len(x) - fixed.shape[1]
        logs = np.linalg.slogdet(total)[1] + np.linalg.slogdet(inner)[1]
        return logs + free * np.log(data["y"] @ rest @ data["y"])

    def ours(gamma, kappa):
        return fit._sums.deviance(gamma, fit._sums.reduce(kappa))

    points = [(0.0, 0.0), (0.3, 0.0), (2.0, 0.1 * carried), (0.05, 1.5 * carried)]
    gaps = [ours(*point) - dense(*point) for point in points]
    np.testing.assert_allclose(gaps, gaps[0], rtol=0, atol=1e-9)
    step = 1e-6
    slopes = [(dense(0.3 + step, 0.2) - dense(0.3 - step, 0.2)), (dense(0.3, 0.2 + step) - dense(0.3, 0.2 - step))]
    np.testing.assert_allclose(
        fit._sums.slopes(np.array([0.3, 0.2]))[: 1 + carried], np.array(slopes)[: 1 + carried] / (2 * step), rtol=1e-5
    )


@pytest.mark.parametrize("carried", [True, False])
def test_a_meta_analysis_of_the_sites_own_effects_gives_tau_and_mean_again(carried):
    fit = fit_variance_components(**trial(np.random.default_rng(7), tau=8, omega=3, carried=carried))
    again = random_effects(estimate=fit.estimate, variance=fit.variance, errors="model")
    np.testing.assert_allclose((again.tau, again.mean, again.std_error), (fit.tau, fit.mean, fit.std_error), rtol=1e-9)


def test_a_level_of_its_own_in_every_site_changes_nothing():
    data = trial(np.random.default_rng(8), tau=6, omega=3)
    moved = data | {"y": data["y"] + 50 * np.random.default_rng(9).normal(size=12)[data["site"]]}
    np.testing.assert_allclose(
        values(fit_variance_components(**moved)), values(fit_variance_components(**data)), rtol=1e-8
    )


def test_swapping_the_arms_turns_the_sign_and_a_change_of_unit_the_scale():
    data = trial(np.random.default_rng(8), tau=6, omega=3)
    fit = fit_variance_components(**data)
    other = fit_variance_components(**(data | {"y": -1e3 * data["y"]}))
    np.testing.assert_allclose(np.r_[other.mean, other.estimate], -1e3 * np.r_[fit.mean, fit.estimate], rtol=1e-8)
    np.testing.assert_allclose(
        (other.tau, other.omega, other.sigma), 1e3 * np.array([fit.tau, fit.omega, fit.sigma]), rtol=1e-8
    )
    np.testing.assert_allclose(other.tau_interval(), 1e3 * np.array(fit.tau_interval()), rtol=1e-7)


def test_permuting_students_changes_nothing():
    data = trial(np.random.default_rng(8), tau=6, omega=3)
    order = np.random.default_rng(10).permutation(len(data["y"]))
    shuffled = {name: value[order] for name, value in data.items()}
    np.testing.assert_allclose(
        values(fit_variance_components(**shuffled)), values(fit_variance_components(**data)), rtol=1e-8
    )


def test_a_site_of_one_arm_and_a_covariate_of_blocks_say_nothing():
    data = trial(np.random.default_rng(11), sites=13, tau=6, omega=3)
    keep = (data["site"] < 12) | (data["z"] == 1)
    part = {name: value[keep] for name, value in data.items()}
    fit = fit_variance_components(**part)
    assert list(fit.site) == list(range(12))
    same = fit_variance_components(**part, covariates=part["site"][:, None].astype(float))
    np.testing.assert_allclose(values(same), values(fit), rtol=1e-10)


def test_sites_with_two_classes_in_some_arm_are_counted():
    site, z, carrier = np.array(
        [[0, 0, 1], [0, 1, 2], [1, 0, 3], [1, 0, 3], [1, 1, 4], [2, 0, 5], [2, 0, 6], [2, 1, 7]]
    ).T
    assert count_replicated(site=site, z=z, carrier=carrier) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"z": np.zeros(4)}, "both arms"),
        ({"y": np.ones(3)}, "one entry per unit"),
        ({"y": np.array([1, np.nan, 2, 3])}, "finite"),
        ({"carrier": np.array([1, 1, 1, 2])}, "class lies in two blocks"),
        ({"block": np.array([1, 1, 1, 2])}, "block in two sites"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, words):
    data = {"y": np.arange(4.0), "z": np.array([0.0, 1, 0, 1]), "site": np.array([1, 1, 2, 2])}
    with pytest.raises(ValueError, match=words):
        fit_variance_components(**(data | change))


def test_twenty_thousand_students_in_a_thousand_classes_take_under_a_second():
    data = trial(np.random.default_rng(12), sites=100, classes=5, size=20, tau=2, omega=4)
    start = time.process_time()
    fit_variance_components(**data).tau_interval()
    assert time.process_time() - start < 1.0


@pytest.mark.truth
def test_with_the_class_term_sites_that_do_not_differ_seldom_seem_to():
    """100 trials in which classes differ and effects do not: no more than chance exceeds once in 1,000.

    The share is 2.5 % by theory, half of what lies beyond the 95 % point of chi-squared.
    Read without the class term, most of the same trials would show a spread between sites.
    """
    rng, limit = np.random.default_rng(13), stats.chi2.ppf(0.95, 1)
    found = {"with": 0, "without": 0}
    for _ in range(100):
        data = trial(rng, omega=5)
        found["with"] += fit_variance_components(**data).likelihood_ratio > limit
        found["without"] += fit_variance_components(**(data | {"carrier": None})).likelihood_ratio > limit
    assert found["with"] <= stats.binom.ppf(0.999, 100, 0.025)
    assert found["without"] > 50


@pytest.mark.truth
def test_the_profile_interval_holds_the_sites_spread():
    """100 trials; coverage of 95 % leaves its band by chance once in 1,000."""
    rng, holds, allowed = np.random.default_rng(14), 0, stats.chi2.ppf(0.95, 1)
    for _ in range(100):
        fit = fit_variance_components(**trial(rng, tau=6, omega=3))
        at_truth, at_best = (fit._profile((tau / fit.sigma) ** 2) for tau in (6, fit.tau))
        holds += at_truth - at_best <= allowed
    assert holds >= stats.binom.ppf(0.001, 100, 0.95)
