"""Short simulations: does the variance tell the truth when classes differ and effects do not?

The full version, with more replicates and rows as their own clusters beside
it, is in ``benchmarks/forest.py``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from whoworks.forests.causal import CausalForest

POINTS = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 0.0, 0.0]])


def null_replicate(seed, n_clusters=40, size=25, icc=0.2):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n_clusters), size)
    n = len(cluster)
    X = rng.normal(size=(n, 4))
    X[:, 2:] = rng.normal(size=(n_clusters, 2))[cluster]
    z = (rng.permutation(n_clusters) % 2)[cluster]
    y = np.sqrt(icc) * rng.normal(size=n_clusters)[cluster] + np.sqrt(1 - icc) * rng.normal(size=n)
    forest = CausalForest(n_estimators=200, random_state=seed, n_jobs=1)
    return np.stack(forest.fit(X, y, z, cluster=cluster, propensity=0.5).predict(POINTS, variance=True))


@pytest.mark.truth
def test_standard_errors_match_the_spread_when_classes_differ_and_effects_do_not():
    """False alarm about 1e-3: an SD of 100 replicates has relative error .07 a point, points are correlated."""
    with ThreadPoolExecutor(2) as pool:
        found = np.array(list(pool.map(null_replicate, range(100))))
    effects, errors = found[:, 0], np.sqrt(found[:, 1])
    spread = effects.std(axis=0, ddof=1)
    ratio = float(np.mean(errors.mean(axis=0) / spread))
    covered = float((np.abs(effects - effects.mean(axis=0)) < 1.96 * errors).mean())
    assert 0.82 < ratio < 1.25
    assert 0.88 < covered < 0.99
    assert np.abs(effects.mean(axis=0)).max() < 3.9 * spread.max() / 10.0
