"""Do effects differ at all? The statistic against its definition, and its null against the design."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.pilots import open_pilot
from whoworks.findings.omnibus import Splits, find_omnibus, mean_statistic

N_CLUSTERS, SIZE, N_FOLDS, N_SPLITS, N_COLUMNS = 12, 8, 4, 3, 3


@pytest.fixture
def trial():
    """Moderators, residuals, arms by cluster at even odds, and folds of whole clusters."""
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(N_CLUSTERS), SIZE)
    columns = rng.normal(size=(len(cluster), N_COLUMNS))
    columns[:, 2] = rng.normal(size=N_CLUSTERS)[cluster]
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    z = np.where(rng.permutation(N_CLUSTERS) % 2, 0.5, -0.5)[cluster]
    residual = rng.normal(size=len(cluster)) + z * (0.3 + 0.4 * columns[:, 0]) + rng.normal(size=N_CLUSTERS)[cluster]
    folds = np.array([rng.permutation(np.arange(N_CLUSTERS) % N_FOLDS)[cluster] for _ in range(N_SPLITS)])
    return columns, residual, z, cluster, folds


def by_definition(columns, residual, z, cluster, folds):
    """Compute the statistic unit by unit, with the realised cross-products (at even odds they are the design's)."""
    weights = np.full(len(z), 2.0)
    average = (weights * z) @ residual / ((weights * z) @ z)
    rest = residual - average * z
    statistics = []
    for fold in folds:
        tau = np.empty(len(z))
        for k in range(N_FOLDS):
            learn = fold != k
            x, pull = columns[learn], (weights * z * rest)[learn]
            gram = (x * (weights * z * z)[learn][:, None]).T @ x
            score = x.T @ pull
            sums = np.array([(x * pull[:, None])[cluster[learn] == c].sum(axis=0) for c in np.unique(cluster[learn])])
            noise, size = (sums**2).sum(axis=0), np.diag(gram)
            spread = max(np.mean((score**2 - noise) / size**2), 1e-3 * np.mean(noise / size**2))
            slope = np.linalg.solve(gram + np.diag(noise / (size * spread)), score)
            effects = columns[~learn] @ slope
            tau[~learn] = effects - effects.mean()
        of_cluster = np.array([(weights * z * rest * tau)[cluster == c].sum() for c in range(N_CLUSTERS)])
        statistics.append(of_cluster.sum() / np.sqrt((of_cluster**2).sum()))
    return np.mean(statistics)


def statistic(columns, residual, z, cluster, folds):
    alone, beside = mean_statistic(
        residual=np.vstack([residual, residual[::-1]]), z=np.vstack([z, z[::-1]]), weights=np.full((2, len(z)), 2.0),
        splits=Splits.of(columns, cluster, folds),
    )  # fmt: skip
    assert np.isfinite(beside)
    return alone


def test_the_statistic_is_that_of_its_definition(trial):
    np.testing.assert_allclose(statistic(*trial), by_definition(*trial), rtol=1e-10)


def test_adding_a_constant_effect_or_stretching_the_outcome_changes_nothing(trial):
    columns, residual, z, cluster, folds = trial
    np.testing.assert_allclose(statistic(columns, residual + 5 * z, z, cluster, folds), statistic(*trial), rtol=1e-9)
    np.testing.assert_allclose(statistic(columns, 7 * residual, z, cluster, folds), statistic(*trial), rtol=1e-9)


def test_moderators_counted_the_other_way_change_nothing(trial):
    columns, residual, z, cluster, folds = trial
    np.testing.assert_allclose(statistic(-columns, residual, z, cluster, folds), statistic(*trial), rtol=1e-9)


def test_without_a_moderator_that_varies_nothing_is_tested():
    setting = open_pilot("no-effect", students=240, classes=24, schools=6, seed=2).main
    features = np.ones((len(setting.scores.y), 2))
    assert find_omnibus(setting, features, seed=np.random.SeedSequence(1), n_draws=19, n_splits=2) is None


def test_a_large_difference_is_beyond_every_re_drawn_assignment():
    setting = open_pilot("no-effect", students=480, classes=24, schools=6, seed=2).main
    moderator = np.random.default_rng(3).normal(size=(len(setting.scores.y), 1))
    object.__setattr__(setting.scores, "y", setting.scores.y + 12 * setting.scores.z * moderator[:, 0])
    finding = find_omnibus(setting, moderator, seed=np.random.SeedSequence(1), n_draws=99, n_splits=4)
    assert finding.p_value == pytest.approx(1 / 100)


@pytest.mark.truth
def test_where_effects_vary_over_classes_along_no_moderator_it_claims_no_more_than_it_may():
    """120 pilots, p <= .05 of 39 draws: at most 15 claims, a false alarm 4 times in 10,000."""
    claims = 0
    for seed in range(120):
        setting = open_pilot("class-varying", students=240, classes=20, schools=1, seed=4000 + seed).main
        features = np.random.default_rng(seed).normal(size=(len(setting.scores.y), 4))
        features[:, 3] = np.random.default_rng(seed).normal(size=1000)[setting.scores.cluster]
        finding = find_omnibus(setting, features, seed=np.random.SeedSequence(seed), n_draws=39, n_splits=5)
        claims += finding.p_value <= 0.05
    assert claims <= 15
