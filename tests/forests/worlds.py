"""Small worlds for the forest tests."""

from __future__ import annotations

import numpy as np


def classrooms(seed=0, n_clusters=24, size=12, p=4, icc=0.2, effect=1.0, by="class"):
    """A trial of whole classes (or of students within them) with one student moderator."""
    rng = np.random.default_rng(seed)
    sizes = np.broadcast_to(size, n_clusters)
    cluster = np.repeat(np.arange(n_clusters), sizes)
    n = len(cluster)
    X = rng.normal(size=(n, p))
    if p > 2:
        X[:, 2] = rng.normal(size=n_clusters)[cluster]
    z = (rng.permutation(n_clusters) % 2)[cluster] if by == "class" else rng.integers(0, 2, n)
    room = rng.normal(size=n_clusters)[cluster] * np.sqrt(icc)
    y = room + np.sqrt(1 - icc) * rng.normal(size=n) + z * effect * (X[:, 0] > 0)
    return X, y, z, cluster
