"""Random-effects meta-analysis: metafor's numbers, the algebra, and how often its ranges hold the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from whoworks.inference.meta import random_effects

REFERENCE = Path(__file__).parents[1] / "reference"
STAR = REFERENCE / "real"
SYNTHETIC = pd.read_csv(REFERENCE / "synthetic" / "site_meta.csv")
SHRUNKEN = pd.read_csv(REFERENCE / "synthetic" / "site_shrunken.csv")


def some_sites(k=12, tau=3.0, seed=4):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(2, 20, k)
    return {"estimate": 1.5 + rng.normal(size=k) * np.sqrt(tau**2 + variance), "variance": variance}


def numbers(sites):
    """Return everything that metafor was asked for, under the names it was written down with."""
    model, scaled = random_effects(**sites, errors="model"), random_effects(**sites)
    low, high = model.tau_interval()
    return {
        "mean": model.mean, "std_error": model.std_error, "conf_low": model.interval()[0],
        "conf_high": model.interval()[1], "tau2": model.tau2, "tau_low": low, "tau_high": high, "i2": model.i2,
        "q": model.q, "q_p_value": model.q_p_value, "prediction_low": model.prediction()[0],
        "prediction_high": model.prediction()[1], "knha_std_error": scaled.std_error,
        "knha_low": scaled.interval()[0], "knha_high": scaled.interval()[1],
        "knha_prediction_low": scaled.prediction()[0], "knha_prediction_high": scaled.prediction()[1],
    }  # fmt: skip


@pytest.mark.parametrize("case", SYNTHETIC["case"].unique())
def test_all_numbers_agree_with_metafor_on_generated_pilots(case):
    expected = SYNTHETIC[SYNTHETIC["case"] == case].set_index("quantity")["value"]
    sites = SHRUNKEN[SHRUNKEN["case"] == case]
    ours = numbers({"estimate": sites["estimate"], "variance": sites["variance"]})
    assert set(ours) == set(expected.index)
    for name, value in ours.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-8, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("case", SHRUNKEN["case"].unique())
def test_shrunken_sites_agree_with_metafor_on_generated_pilots(case):
    sites = SHRUNKEN[SHRUNKEN["case"] == case]
    drawn, error = random_effects(estimate=sites["estimate"], variance=sites["variance"]).shrunken()
    np.testing.assert_allclose(drawn, sites["shrunken"], rtol=1e-8)
    np.testing.assert_allclose(error, sites["shrunken_se"], rtol=1e-8)


def test_all_numbers_agree_with_metafor_on_the_schools_of_star():
    """1e-6: metafor was left at its own tolerances here, 1e-5 for tau^2 and 1e-4 for the limits of its interval."""
    sites = pd.read_csv(STAR / "site_effects_star_k.csv")
    named = {
        "se": "std_error", "ci_low": "conf_low", "ci_high": "conf_high", "tau_ci_low_Qprofile": "tau_low",
        "tau_ci_high_Qprofile": "tau_high", "Q": "q", "Q_p": "q_p_value", "pi_low": "prediction_low",
        "pi_high": "prediction_high", "mean_knha_se": "knha_std_error", "knha_ci_low": "knha_low",
        "knha_ci_high": "knha_high", "knha_pi_low": "knha_prediction_low", "knha_pi_high": "knha_prediction_high",
    }  # fmt: skip
    ours = numbers({"estimate": sites["estimate"], "variance": sites["std_error"] ** 2})
    ours |= {"tau": np.sqrt(ours["tau2"]), "I2": 100 * ours["i2"], "k": len(sites), "Q_df": len(sites) - 1}
    for row in pd.read_csv(STAR / "site_meta_star_k.csv").itertuples():
        np.testing.assert_allclose(
            ours[named.get(row.quantity, row.quantity)], row.value, rtol=1e-6, err_msg=row.quantity
        )


def test_shrunken_schools_of_star_agree_with_metafor():
    sites, expected = (pd.read_csv(STAR / f"site_{name}_star_k.csv") for name in ("effects", "shrunken"))
    fit = random_effects(estimate=sites["estimate"], variance=sites["std_error"] ** 2, errors="model")
    drawn, error = fit.shrunken()
    np.testing.assert_allclose(drawn, expected["shrunken"], rtol=1e-6)
    np.testing.assert_allclose(error, expected["shrunken_se"], rtol=1e-6)


def test_tau_maximises_the_restricted_likelihood():
    sites = some_sites()

    def height(tau2):
        total = sites["variance"] + tau2
        x = np.ones((len(total), 1))
        precision = np.diag(1 / total)
        hat = precision - precision @ x @ np.linalg.inv(x.T @ precision @ x) @ x.T @ precision
        y = sites["estimate"]
        return -np.log(total).sum() - np.linalg.slogdet(x.T @ precision @ x)[1] - y @ hat @ y

    best = random_effects(**sites).tau2
    assert all(height(best) > height(best * factor) for factor in (0.9, 0.999, 1.001, 1.1))


def test_equal_variances_give_the_plain_formulas():
    """tau^2 = s^2 - v, the Knapp-Hartung error is s / sqrt(k), and Q-profile inverts a chi-squared in closed form."""
    y, v = some_sites(k=9, tau=4.0)["estimate"], 5.0
    fit = random_effects(estimate=y, variance=np.full(9, v))
    np.testing.assert_allclose(fit.tau2, y.var(ddof=1) - v, rtol=1e-10)
    np.testing.assert_allclose((fit.mean, fit.std_error), (y.mean(), y.std(ddof=1) / 3), rtol=1e-10)
    limits = np.sqrt(8 * y.var(ddof=1) / stats.chi2.ppf([0.975, 0.025], 8) - v)
    np.testing.assert_allclose(fit.tau_interval(), limits, rtol=1e-10)


def test_adding_a_constant_moves_the_mean_alone():
    sites = some_sites()
    fit, moved = random_effects(**sites), random_effects(**(sites | {"estimate": sites["estimate"] + 100}))
    np.testing.assert_allclose(moved.mean, fit.mean + 100, rtol=1e-10)
    np.testing.assert_allclose((moved.tau2, moved.std_error, moved.q), (fit.tau2, fit.std_error, fit.q), rtol=1e-8)


def test_a_change_of_unit_changes_every_number_by_that_factor():
    sites = some_sites()
    fit = random_effects(**sites)
    other = random_effects(estimate=1e-3 * sites["estimate"], variance=1e-6 * sites["variance"])
    mine, theirs = (
        [each.mean, each.std_error, each.tau, *each.tau_interval(), *each.prediction(), *each.new_site()]
        for each in (fit, other)
    )
    np.testing.assert_allclose(np.array(theirs) * 1e3, mine, rtol=1e-9)
    np.testing.assert_allclose(other.shrunken()[0] * 1e3, fit.shrunken()[0], rtol=1e-9)


def test_sites_that_agree_better_than_chance_have_no_spread_and_draw_to_one_mean():
    fit = random_effects(estimate=[1.0, 1.01, 0.99, 1.0, 1.0], variance=[1.0] * 5)
    assert fit.tau == 0.0
    assert fit.tau_interval() == (0.0, 0.0)
    np.testing.assert_allclose(fit.shrunken()[0], fit.mean, rtol=1e-12)
    assert fit.prediction() == fit.interval()


def test_sites_that_agree_to_the_last_digit_expect_a_new_one_there_too():
    limits = random_effects(estimate=[2.0] * 6, variance=[1.0] * 6).new_site()
    np.testing.assert_allclose(limits, 2.0, rtol=1e-12)


@pytest.mark.parametrize(("k", "tau"), [(4, 3.0), (9, 4.0), (9, 0.0), (30, 1.0)])
def test_a_new_site_s_limits_are_those_of_draws_from_tau_the_mean_and_the_site(k, tau):
    """With equal variances Q(t) = (k - 1) s^2 / (v + t), so that tau^2 can be drawn; limits to 2 % of their width."""
    y, v, rng = some_sites(k=k, tau=tau)["estimate"], 5.0, np.random.default_rng(5)
    drawn = np.maximum((k - 1) * y.var(ddof=1) / rng.chisquare(k - 1, 400_000) - v, 0.0)
    mean = y.mean() + y.std(ddof=1) / np.sqrt(k) * rng.standard_t(k - 1, len(drawn))
    expected = np.quantile(mean + np.sqrt(drawn) * rng.normal(size=len(drawn)), [0.025, 0.975])
    found = random_effects(estimate=y, variance=np.full(k, v)).new_site()
    np.testing.assert_allclose(found, expected, atol=0.02 * np.ptp(expected))


@pytest.mark.parametrize(
    ("estimate", "variance"),
    [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, np.nan], [1.0, 1.0]), ([1.0, 2.0], [1.0, 0.0])],
)
def test_what_is_no_set_of_sites_is_refused(estimate, variance):
    with pytest.raises(ValueError, match=r"sites|finite"):
        random_effects(estimate=estimate, variance=variance)


@pytest.mark.truth
@pytest.mark.parametrize(("tau", "k"), [(0.0, 8), (0.0, 30), (2.0, 8), (2.0, 30)])
def test_ranges_of_tau_and_of_the_mean_hold_the_truth_as_often_as_they_say(tau, k):
    """400 draws; each of eight shares leaves its band by chance once in 1,000. At tau = 0 only lower limits fail."""
    rng, n = np.random.default_rng(71), 400
    holds = np.zeros((n, 2))
    for draw in range(n):
        variance = rng.uniform(1, 8, k)
        fit = random_effects(estimate=1 + rng.normal(size=k) * np.sqrt(tau**2 + variance), variance=variance)
        for place, (truth, (low, high)) in enumerate(((tau, fit.tau_interval()), (1.0, fit.interval()))):
            holds[draw, place] = low <= truth <= high
    for share, nominal in zip(holds.mean(axis=0), (0.95 if tau else 0.975, 0.95), strict=True):
        assert stats.binom.ppf(0.0005, n, nominal) <= n * share <= stats.binom.ppf(0.9995, n, nominal)


@pytest.mark.truth
@pytest.mark.parametrize(("tau", "k"), [(0.5, 6), (0.5, 12), (1.0, 30), (3.0, 12)])
def test_a_new_site_is_where_it_is_expected_and_the_usual_limits_hold_fewer(tau, k):
    """200 draws, errors of about 1; of 1,000 draws each .93 to .95 were held, Monte-Carlo error here .016."""
    rng, n = np.random.default_rng([73, k]), 200
    held, usual = 0, 0
    for _ in range(n):
        variance = np.exp(rng.normal(0, 0.8, k) - 0.32)
        *effect, new = tau * rng.normal(size=k + 1)
        fit = random_effects(estimate=effect + np.sqrt(variance) * rng.normal(size=k), variance=variance)
        held += fit.new_site()[0] <= new <= fit.new_site()[1]
        usual += fit.prediction()[0] <= new <= fit.prediction()[1]
    assert held / n >= 0.89
    assert held - usual >= (0.03 * n if tau == 0.5 else 0)
