"""Boosted trees: those of scikit-learn to within a hair, and plain sense where values are missing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from whoworks.scores.boosting import LEAF_SIZE, MOST_BINS, boost, find_edges

SKLEARN = {
    "max_iter": 100, "learning_rate": 0.08, "max_leaf_nodes": 15, "min_samples_leaf": 25, "l2_regularization": 1.0,
    "early_stopping": False,
}  # fmt: skip


def drawn(n=1200, *, gaps=0.0, seed=0):
    """Return columns and outcomes of a curve, a step and a product, with noise of SD 1/2."""
    rng = np.random.default_rng(seed)
    columns = np.column_stack([rng.normal(size=n).round(1), rng.integers(2, size=n), rng.normal(size=n).round(1)])
    mean = np.sin(2 * columns[:, 0]) + columns[:, 1] * (columns[:, 2] > 0)
    columns[rng.random((n, 3)) < gaps] = np.nan
    return columns, mean, mean + rng.normal(0, 0.5, n)


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_predictions_are_those_of_scikit_learn(gaps):
    columns, _, outcome = drawn(gaps=gaps)
    ours = boost(columns=columns, outcome=outcome).predict(columns)
    theirs = HistGradientBoostingRegressor(**SKLEARN).fit(columns, outcome).predict(columns)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert np.abs(ours - theirs).mean() < 0.01


def test_new_units_are_predicted_as_well_as_scikit_learn_does():
    columns, mean, outcome = drawn(gaps=0.05)
    learn, new = slice(0, 800), slice(800, None)
    ours = boost(columns=columns[learn], outcome=outcome[learn]).predict(columns[new])
    theirs = HistGradientBoostingRegressor(**SKLEARN).fit(columns[learn], outcome[learn]).predict(columns[new])
    risk = [float(((told - mean[new]) ** 2).mean()) for told in (ours, theirs)]
    assert risk[0] == pytest.approx(risk[1], rel=0.02)


def test_the_first_cut_is_the_best_of_all():
    columns, _, outcome = drawn(300)
    fitted = boost(columns=columns, outcome=outcome)
    rest = outcome - outcome.mean()
    gains = {}
    for j in range(3):
        for b, cut in enumerate(fitted.edges[j]):
            left = columns[:, j] < cut
            sides = [rest[left], rest[~left]]
            if min(map(len, sides)) >= LEAF_SIZE:
                gains[j, b] = sum(side.sum() ** 2 / (len(side) + 1) for side in sides)
    assert (fitted.feature[0, 0], fitted.cut[0, 0]) == max(gains, key=gains.get)


def test_missing_values_go_where_they_fit():
    rng = np.random.default_rng(1)
    column = np.where(rng.random(600) < 0.3, np.nan, rng.normal(size=600))
    outcome = np.where(np.isnan(column), 3.0, 0.0)
    told = boost(columns=column[:, None], outcome=outcome).predict(column[:, None])
    np.testing.assert_allclose(told, outcome, atol=0.02)


def test_a_column_that_is_missing_throughout_cuts_nothing():
    columns, _, outcome = drawn(200)
    with_gap = np.column_stack([columns, np.full(200, np.nan)])
    first, second = (boost(columns=each, outcome=outcome).predict(each) for each in (columns, with_gap))
    np.testing.assert_array_equal(first, second)


def test_values_never_seen_follow_the_nearest_bin_and_gaps_never_seen_the_larger_side():
    columns, _, outcome = drawn(400)
    told = boost(columns=columns, outcome=outcome).predict(np.array([[99.0, 1.0, 0.0], [np.nan, 1.0, 0.0]]))
    assert np.isfinite(told).all()


def test_many_values_are_cut_at_quantiles():
    edges = find_edges(np.random.default_rng(0).normal(size=20_000))
    assert len(edges) <= MOST_BINS
    assert (np.diff(edges) > 0).all()


def test_the_same_data_give_the_same_bytes_and_constants_give_no_trees():
    columns, _, outcome = drawn(300)
    first, second = (boost(columns=columns, outcome=outcome).predict(columns) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert (boost(columns=columns * 0, outcome=outcome).feature == -1).all()
