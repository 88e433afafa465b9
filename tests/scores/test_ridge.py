"""The ridge against scikit-learn's, by the letter of its search."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from whoworks.scores.ridge import PENALTIES, ridge_slopes


@pytest.mark.parametrize("seed", range(6))
def test_slopes_and_penalty_are_those_of_scikit_learns_search(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 6))
    y = x @ rng.normal(size=6) * rng.choice([0.05, 0.5, 2.0]) + rng.normal(size=80)
    parts = np.array_split(rng.permutation(80), 5)
    splits = [(np.setdiff1d(np.arange(80), part), np.sort(part)) for part in parts]
    expected = RidgeCV(alphas=PENALTIES, fit_intercept=False, cv=splits).fit(x, y)
    np.testing.assert_allclose(ridge_slopes(x=x, y=y, parts=parts), expected.coef_, rtol=1e-9)


def test_without_parts_the_penalty_is_one():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    expected = Ridge(alpha=1.0, fit_intercept=False).fit(x, y).coef_
    np.testing.assert_allclose(ridge_slopes(x=x, y=y, parts=[]), expected, rtol=1e-10)


def test_columns_without_spread_get_no_slope_and_a_part_without_spread_no_say():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    x[:, 1], y[:10] = 0.0, 3.0
    slopes = ridge_slopes(x=x, y=y, parts=[np.arange(10), np.arange(10, 25), np.arange(25, 40)])
    assert np.isfinite(slopes).all()
    assert slopes[1] == 0
