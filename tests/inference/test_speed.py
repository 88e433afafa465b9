"""Large trials are no reason to leave clusters out: well under 2 s where they are as many as 10,000."""

from __future__ import annotations

import time

import numpy as np

from whoworks.inference.cluster_robust import cluster_robust


def test_two_hundred_thousand_rows_in_ten_thousand_clusters_take_under_two_seconds():
    rng = np.random.default_rng(0)
    n, n_clusters = 200_000, 10_000
    cluster = rng.integers(n_clusters, size=n)
    z = (cluster % 2).astype(float)
    m, h = rng.normal(size=n), rng.normal(size=n)
    X = np.column_stack([np.ones(n), z, m, z * m, h, rng.normal(size=n)])
    weights = rng.uniform(1, 4, n)
    start = time.process_time()
    cluster_robust(X=X, y=rng.normal(size=n), cluster=cluster, weights=weights).estimates  # noqa: B018 - computes
    assert time.process_time() - start < 2.0
