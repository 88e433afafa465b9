"""Type S and type M error: published values, numeric integration, and limits that can be reasoned out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from whoworks.inference.wrong_sign import error_rates


@pytest.mark.parametrize(
    ("true", "std_error", "power", "wrong_sign", "exaggeration"),
    [(0.1, 3.28, 0.05, 0.46, 77), (2.0, 8.1, 0.06, 0.24, 9.5)],
)
def test_the_published_examples_come_out(true, std_error, power, wrong_sign, exaggeration):
    # Gelman & Carlin (2014), pp. 643-646; their exaggeration is simulated and printed to two digits
    found = error_rates(true=true, std_error=std_error, df=1e7)
    assert found.power == pytest.approx(power, abs=0.005)
    assert found.wrong_sign == pytest.approx(wrong_sign, abs=0.006)
    assert found.exaggeration == pytest.approx(exaggeration, rel=0.03)


@pytest.mark.parametrize("df", [2.5, 6.0, 40.0])
@pytest.mark.parametrize("true", [0.2, 1.0, 4.0])
def test_the_closed_form_is_the_integral(true, df):
    critical = stats.t.ppf(0.975, df)
    above = integrate.quad(lambda t: (true + t) * stats.t.pdf(t, df), critical - true, np.inf)[0]
    below = integrate.quad(lambda t: -(true + t) * stats.t.pdf(t, df), -np.inf, -critical - true)[0]
    right, wrong = stats.t.sf(critical - true, df), stats.t.cdf(-critical - true, df)
    found = error_rates(true=true, std_error=1.0, df=df)
    assert found.power == pytest.approx(right + wrong, rel=1e-10)
    assert found.wrong_sign == pytest.approx(wrong / (right + wrong), rel=1e-10)
    assert found.exaggeration == pytest.approx((above + below) / (right + wrong) / true, rel=1e-6)


def test_a_precise_study_neither_errs_in_sign_nor_exaggerates():
    found = error_rates(true=10.0, std_error=1.0, df=60.0)
    assert found.power > 0.999
    assert found.wrong_sign < 1e-6
    assert found.exaggeration == pytest.approx(1.0, abs=1e-3)


def test_unit_and_sign_of_the_true_value_do_not_matter():
    assert error_rates(true=-3.0, std_error=20.0, df=9.0) == error_rates(true=0.3, std_error=2.0, df=9.0)


def test_a_true_value_of_nothing_has_no_sign_to_miss():
    assert np.isnan(error_rates(true=0.0, std_error=1.0, df=9.0).wrong_sign)
    assert np.isnan(error_rates(true=1.0, std_error=np.nan, df=9.0).power)


def test_with_one_degree_of_freedom_the_exaggeration_has_no_mean():
    assert np.isnan(error_rates(true=1.0, std_error=1.0, df=1.0).exaggeration)
