"""What must not change a forest, and what must change it in a known way."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.forests.worlds import classrooms
from whoworks.forests.causal import CausalForest

SOURCE = Path(__file__).parents[2] / "src"


def grow(X, y, z, cluster, h=None, propensity=0.5, n_estimators=40, **settings):
    settings = {"random_state": 7, "min_samples_leaf": 3, "n_jobs": 1, **settings}
    prognosis = np.zeros(len(y)) if h is None else h
    forest = CausalForest(n_estimators=n_estimators, **settings)
    return forest.fit(X, y, z, cluster=cluster, propensity=propensity, prognosis=prognosis)


def both(forest):
    return np.stack(forest.predict_oob(variance=True))


@pytest.fixture(scope="module", params=["class", "student"])
def world(request):
    X, y, z, cluster = classrooms(seed=3, by=request.param)
    X[::7, 1] = np.nan
    return X, y, z, cluster, both(grow(X, y, z, cluster))


def test_shifting_y_and_its_prognosis_changes_nothing(world):
    X, y, z, cluster, found = world
    shifted = both(grow(X, y + 64.0, z, cluster, h=np.full(len(y), 64.0)))
    np.testing.assert_allclose(shifted, found, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("scale", [4.0, 3.0])
def test_scaling_y_scales_effects_and_squares_variances(world, scale):
    X, y, z, cluster, found = world
    scaled = both(grow(X, scale * y, z, cluster))
    np.testing.assert_allclose(scaled, found * np.array([[scale], [scale**2]]), rtol=1e-6, atol=1e-8)


def test_permuting_rows_permutes_predictions(world):
    X, y, z, cluster, found = world
    order = np.random.default_rng(1).permutation(len(y))
    np.testing.assert_array_equal(both(grow(X[order], y[order], z[order], cluster[order])), found[:, order])


def test_relabelling_clusters_changes_nothing(world):
    X, y, z, cluster, found = world
    names = np.array([f"room {k}" for k in np.random.default_rng(2).permutation(cluster.max() + 1)])
    np.testing.assert_array_equal(both(grow(X, y, z, names[cluster])), found)


def test_swapping_arms_flips_the_sign():
    for by, e in (("class", 0.5), ("student", 0.25)):
        X, y, z, cluster = classrooms(seed=4, by=by)
        found = both(grow(X, y, z, cluster, propensity=e))
        swapped = both(grow(X, y, 1 - z, cluster, propensity=1 - e))
        np.testing.assert_allclose(swapped[0], -found[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(swapped[1], found[1], rtol=1e-7, atol=1e-12)


def test_a_monotone_transform_of_a_feature_changes_nothing(world):
    X, y, z, cluster, found = world
    bent = X.copy()
    bent[:, 0], bent[:, 1] = np.exp(X[:, 0]), X[:, 1] ** 3 + 5.0
    np.testing.assert_array_equal(both(grow(bent, y, z, cluster)), found)


def test_duplicating_every_row_within_its_cluster_changes_nothing(world):
    X, y, z, cluster, found = world
    twice = grow(*(np.repeat(a, 2, axis=0) for a in (X, y, z, cluster)), min_samples_leaf=6)
    np.testing.assert_allclose(both(twice)[:, ::2], found, rtol=1e-9, atol=1e-12)


def test_equal_weights_are_no_weights(world):
    X, y, z, cluster, found = world
    forest = CausalForest(n_estimators=40, random_state=7, min_samples_leaf=3, n_jobs=1)
    forest.fit(X, y, z, cluster=cluster, propensity=0.5, prognosis=0 * y, sample_weight=np.full(len(y), 3.0))
    np.testing.assert_array_equal(both(forest), found)


def test_equal_cluster_sizes_make_both_weightings_agree(world):
    X, y, z, cluster, found = world
    np.testing.assert_allclose(both(grow(X, y, z, cluster, weighting="cluster")), found, rtol=1e-9)


def test_every_row_its_own_cluster_is_no_cluster():
    X, y, z, _ = classrooms(seed=5, by="student")
    alone = both(grow(X, y, z, np.arange(len(y))))
    np.testing.assert_array_equal(both(grow(X, y, z, None)), alone)


def digest(forest):
    return hashlib.sha256(both(forest).tobytes()).hexdigest()


def test_the_same_bytes_come_from_one_two_and_eight_threads(world):
    X, y, z, cluster, _ = world
    made = {
        digest(CausalForest(n_estimators=40, random_state=1, n_jobs=k).fit(X, y, z, cluster=cluster, propensity=0.5))
        for k in (1, 2, 8)
    }
    assert len(made) == 1


def test_the_same_bytes_come_from_another_process():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from worlds import classrooms; from test_identities import *\n"
        "print(digest(grow(*classrooms(seed=3))))"
    )
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == digest(grow(*classrooms(seed=3)))


def test_another_seed_gives_another_forest(world):
    X, y, z, cluster, found = world
    assert np.abs(both(grow(X, y, z, cluster, random_state=8)) - found).max() > 1e-3
