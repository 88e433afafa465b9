"""One forest by one engine, ours or another's, in a process of its own: how long, how large, how near the truth."""

from __future__ import annotations

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks import grf


def world(n, p, *, seed=0, kind="continuous", clustered=False):
    """Two moderators, a prognostic feature, unit noise; known prognosis."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    if kind == "one-hot":
        X[:, 3:] = X[:, 3:] > 1.0
    tau = 1.0 * (X[:, 0] > 0) + 0.5 * X[:, 1]
    cluster = np.arange(n) // 25 if clustered else None
    z = (rng.permutation(n // 25 + 1) % 2)[np.arange(n) // 25] if clustered else rng.integers(0, 2, n)
    y = X[:, 2] + z * tau + rng.normal(size=n)
    if clustered:
        y += 0.5 * rng.normal(size=n // 25 + 1)[np.arange(n) // 25]
    return X, y, z, cluster, X[:, 2] + 0.5 * tau, tau


def r_loss(effect, y, z, h):
    """Mean squared (y - h) - (z - e) tau: what an estimate of tau leaves unexplained."""
    return float(np.mean((y - h - (z - 0.5) * effect) ** 2))


def run(task):
    """Fit in this process; return seconds, peak memory added, and what the trees look like."""
    from whoworks.forests.causal import CausalForest

    X, y, z, cluster, h, _ = world(task["n"], task["p"], kind=task["kind"], clustered=task["clustered"])
    if task["engine"] == "whoworks":
        small = slice(0, 2000)
        warm = CausalForest(n_estimators=60, random_state=0, n_jobs=task["jobs"])
        own = None if cluster is None else cluster[small]
        warm.fit(X[small], y[small], z[small], cluster=own, propensity=0.5, prognosis=h[small]).predict_oob(
            variance=True
        )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    out = {}
    if task["engine"] == "whoworks":
        model = CausalForest(n_estimators=task["trees"], random_state=1, n_jobs=task["jobs"], **task["settings"])
        model.fit(X, y, z, cluster=cluster, propensity=0.5, prognosis=h)
        out["fit"], out["cpu"] = time.perf_counter() - start, time.process_time() - busy
        trees = model.trees_[0]
        out["leaves"] = len(trees.payload) / task["trees"]
        out["depth"] = mean_depth(trees)
        if task["oob"]:
            start = time.perf_counter()
            model.predict_oob(variance=True)
            out["oob"] = time.perf_counter() - start
        predict = model.predict
    elif task["engine"] == "grf":
        new = world(4000, task["p"], seed=99, kind=task["kind"])[0]
        out, effect = grf.grow(X, y, z, cluster, h, new, trees=task["trees"], threads=task["jobs"])
        return out | judge(effect, task)
    else:
        from econml.grf import CausalForest as Reference

        model = Reference(
            n_estimators=task["trees"],
            criterion="het",
            min_samples_leaf=5,
            max_samples=0.5,
            random_state=1,
            n_jobs=task["jobs"],
        )
        model.fit(X, (z - 0.5)[:, None], (y - h)[:, None])
        out["fit"], out["cpu"] = time.perf_counter() - start, time.process_time() - busy
        out["leaves"] = float(np.mean([(e.tree_.children_left < 0).sum() for e in model.estimators_]))
        out["depth"] = float(np.mean([e.tree_.max_depth for e in model.estimators_]))
        predict = lambda new: model.predict(new).ravel()  # noqa: E731
    out["memory"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024.0
    out["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    new = world(4000, task["p"], seed=99, kind=task["kind"])[0]
    return out | judge(predict(new), task)


def judge(effect, task):
    """Hold effects predicted for new rows of a task's world against their outcomes and against the truth."""
    _, y, z, _, h, tau = world(4000, task["p"], seed=99, kind=task["kind"])
    return {"r_loss": r_loss(effect, y, z, h), "rmse": float(np.sqrt(np.mean((effect - tau) ** 2)))}


def mean_depth(trees):
    """Mean over trees of the deepest leaf."""
    deepest = []
    for t in range(len(trees.usable)):
        first, depth = trees.node_start[t], {0: 0}
        for k in range(int(trees.node_start[t + 1] - first)):
            node = trees.nodes[first + k]
            if not node["kind"] & 1:
                depth[int(node["child"])] = depth[int(node["child"]) + 1] = depth[k] + 1
        deepest.append(max(depth.values()))
        if t == 19:
            break
    return float(np.mean(deepest))


def alone(task):
    """Run a task in a fresh process, so that peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run, task).result()
