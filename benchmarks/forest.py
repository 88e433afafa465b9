"""Time, memory and truth of the causal forest, beside econml's in the same run, and grf's where R has it.

``python -m benchmarks.forest`` runs everything (under 45 minutes on two quiet
cores) and writes docs/benchmarks.md; ``--only`` picks parts, ``--resume`` goes
on where a run was stopped, ``--tiny`` runs all of it in small and writes
nothing.  Times are medians of alternating runs, and ratios are of medians of the
same run: the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from benchmarks.forest_page import PAGE, write_page
from benchmarks.forest_runs import alone, world

from benchmarks import grf

STORE = Path(__file__).parent / "forest_results.json"
TINY = "--tiny" in sys.argv
REPEATED = 9  # cold starts, and pairs of one thread and two: a shared machine moves each by a tenth
# leaf size that brings our leaves within 10 % of econml's at its min_samples_leaf=5; see the table
OURS = {
    "min_samples_leaf": 2, "min_clusters_leaf": 2, "max_features": 1.0, "trees_per_bag": 4, "honesty_fraction": 0.5
}  # fmt: skip
LIKE_GRF = {"min_samples_leaf": 5, "min_clusters_leaf": 0, "max_features": 1.0, "honesty_fraction": 0.5}
ENGINES = ("whoworks", "grf")
# of the effects whose prediction is judged: a whole standard deviation of noise, and what trials of schooling find
SIZES = (1.0, 0.25)


def compare(name, *, n, p, trees, econml_trees, kind="continuous", clustered=False, repeats=3, settings=None):
    """Alternate the two engines; econml's time is scaled to our number of trees, to which it is proportional."""
    base = {"n": n, "p": p, "kind": kind, "clustered": clustered, "jobs": 2, "oob": False, "settings": settings or OURS}
    grown = {"whoworks": trees}
    if econml_trees:
        grown["econml"] = econml_trees
    found = {engine: [] for engine in grown}
    for _ in range(repeats):
        for engine, number in grown.items():
            found[engine].append(alone({**base, "engine": engine, "trees": number}))
    row = {"name": name, "n": n, "p": p, "trees": trees, "econml_trees": econml_trees}
    for engine, runs in found.items():
        for key in runs[0]:
            row[f"{engine}_{key}"] = statistics.median(r[key] for r in runs)
    if econml_trees:
        same = alone({**base, "engine": "whoworks", "trees": econml_trees})
        row["whoworks_r_loss"] = same["r_loss"]  # few trees are noisy: compare as many
        more = trees / econml_trees
        row["ratio"] = row["econml_fit"] * more / row["whoworks_fit"]
        row["ratio_cpu"] = row["econml_cpu"] * more / row["whoworks_cpu"]
    print(json.dumps(row), flush=True)
    return row


def comparisons():
    """Name and arguments of every line of the speed table."""
    yield "10,000 x 28", {"n": 10_000, "p": 28, "trees": 2000, "econml_trees": 60}
    yield "100,000 x 28", {"n": 100_000, "p": 28, "trees": 500, "econml_trees": 8}
    for n, trees, reference in ((10_000, 200, 40), (100_000, 100, 4), (1_000_000, 20, 4)):
        for p in (10, 30):
            for kind in ("continuous", "one-hot"):
                sizes = {"n": n, "p": p, "trees": trees, "econml_trees": reference, "kind": kind, "repeats": 1}
                yield f"{n:,} x {p}, {kind}", sizes
            sizes = {"n": n, "p": p, "trees": trees, "econml_trees": 0, "clustered": True, "repeats": 1, "settings": {}}
            yield f"{n:,} x {p}, classes of 25", sizes


def speed(done=()):
    """Both engines at the sizes that matter; lines already measured are kept."""
    rows = {row["name"]: row for row in done}
    for name, sizes in comparisons():
        if name not in rows:
            if TINY:
                sizes = {
                    **sizes,
                    "n": sizes["n"] // 100 + 900,
                    "trees": 20,
                    "econml_trees": min(4, sizes["econml_trees"]),
                }
            rows[name] = compare(name, **{"repeats": 1 if TINY else 3, **sizes})
        yield [rows[known] for known, _ in comparisons() if known in rows]


def beside_grf():
    """Ours with grf's leaves, halves and features, alternated with R's grf; nothing where R has none."""
    if not grf.is_there():
        return []
    rows = []
    for n, p, trees, clustered in ((10_000, 28, 200, False), (100_000, 28, 50, False),
                                   (10_000, 10, 200, True), (100_000, 10, 50, True)):  # fmt: skip
        task = {
            "n": n // 100 + 900 if TINY else n, "p": p, "trees": 20 if TINY else trees, "clustered": clustered,
            "kind": "continuous", "jobs": 2, "oob": False, "settings": LIKE_GRF,
        }  # fmt: skip
        pairs = [[alone({**task, "engine": engine}) for engine in ENGINES] for _ in range(1 if TINY else 3)]
        row = {"name": f"{n:,} x {p}{', classes of 25' if clustered else ''}", "trees": task["trees"]}
        for place, engine in enumerate(ENGINES):
            for key in pairs[0][place]:
                row[f"{engine}_{key}"] = statistics.median(pair[place][key] for pair in pairs)
        row["ratio"] = statistics.median(other["fit"] / own["fit"] for own, other in pairs)
        row["ratio_cpu"] = statistics.median(other["cpu"] / own["cpu"] for own, other in pairs)
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


def scale():
    """Grow on a million rows, with out-of-bag variance; and one thread against two."""
    base = {"p": 20, "kind": "continuous", "clustered": False, "engine": "whoworks", "settings": {}}
    large = alone({**base, "n": 3_000 if TINY else 1_000_000, "trees": 500, "jobs": 2, "oob": True})
    large["load"] = f"{os.getloadavg()[2]:.0f} processes on {os.cpu_count()} cores"
    print(json.dumps(large), flush=True)
    small = {**base, "n": 2_000 if TINY else 50_000, "trees": 200, "oob": False}
    pairs = [[alone({**small, "jobs": jobs})["fit"] for jobs in (1, 2)] for _ in range(1 if TINY else REPEATED)]
    return {"large": large, "threads": sorted(one / two for one, two in pairs)}


def compilation():
    """Seconds of the first fit and prediction with an empty cache, and of the next process with a full one."""
    code = (
        "import time, numpy as np; from whoworks.forests.causal import CausalForest; r = np.random.default_rng(0)\n"
        "X, y, z = r.normal(size=(200, 3)), r.normal(size=200), np.arange(200) % 2; t = time.perf_counter()\n"
        "c = time.process_time(); f = CausalForest(n_estimators=4, random_state=1, n_jobs=1)\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "f.fit(X, y, z, propensity=.5).predict_oob(variance=True)\n"
        "print(time.perf_counter() - t, time.process_time() - c)"
    )
    found = []
    for _ in range(1 if TINY else REPEATED):
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "NUMBA_CACHE_DIR": folder}
            runs = [
                subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
                for _ in range(2)
            ]
        found.append([float(value) for run in runs for value in run.split()])
    _, cold_cpu, warm, _ = np.median(found, axis=0).tolist()
    return {"cold": sorted(row[0] for row in found), "cold_cpu": cold_cpu, "warm": warm}


def limit():
    """Bytes each tree level must read over the memory bandwidth measured here, against the time taken."""
    block = np.ones(1 << 26, np.uint8)
    start = time.perf_counter()
    for _ in range(5):
        block.copy()
    bandwidth = 5 * 2 * len(block) / (time.perf_counter() - start)
    task = {
        "n": 2_000 if TINY else 100_000,
        "p": 28,
        "kind": "continuous",
        "clustered": False,
        "engine": "whoworks",
        "jobs": 1,
    }
    taken = alone({**task, "settings": OURS, "trees": 40, "oob": False})
    depth = np.log2(taken["leaves"])
    bytes_read = 40 * depth * task["n"] / 2 * (28 + 4 + 4)
    return {
        "bandwidth": bandwidth / 1e9,
        "floor": bytes_read / bandwidth,
        "taken": taken["fit"],
        "levels": float(depth),
    }


POINTS = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [-1, -1, -1, -1], [1, -1, 0, 0], [0, 0, 1.2, -1.2]], float)


def null_replicate(seed):
    """Classroom effect (ICC .2), assignment changes nothing, 40 classes of 25; forests by class and by row."""
    from whoworks.forests.causal import CausalForest

    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(40), 25)
    X = rng.normal(size=(1000, 4))
    X[:, 2:] = rng.normal(size=(40, 2))[cluster]
    z = (rng.permutation(40) % 2)[cluster]
    y = np.sqrt(0.2) * rng.normal(size=40)[cluster] + np.sqrt(0.8) * rng.normal(size=1000)
    forest, found = CausalForest(n_estimators=500, honesty_fraction=0.5, random_state=seed, n_jobs=1), []
    for groups in (cluster, None):
        forest.fit(X, y, z, cluster=groups, propensity=0.5)
        found.append(np.stack([*forest.predict(POINTS, variance=True), forest.interval(POINTS)[1]]))
    return found


def truth():
    """Hold standard errors against the spread, and count coverage of the forest's own mean, at fixed points."""
    replicates = 4 if TINY else 400
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = np.array(list(pool.map(null_replicate, range(replicates))))
    rows = []
    for k, name in enumerate(("by class", "by row")):
        effect, error = found[:, k, 0], np.sqrt(found[:, k, 1])
        spread = effect.std(axis=0, ddof=1)
        away = np.abs(effect - effect.mean(axis=0))
        normal, by_degrees = away < 1.96 * error, away < found[:, k, 2] - effect
        rows.append(
            {
                "name": name,
                "replicates": replicates,
                "spread": spread.tolist(),
                "ratio": (error.mean(axis=0) / spread).tolist(),
                "coverage": normal.mean(axis=0).tolist(),
                "coverage_t": by_degrees.mean(axis=0).tolist(),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return rows


def accuracy_replicate(task):
    """Root-mean-square errors on one draw where effects vary: ours as shipped, ours with leaves as econml's, econml."""
    from econml.grf import CausalForest as Reference

    from whoworks.forests.causal import CausalForest

    size, n, seed = task
    X, y, z, _, h, tau = world(n, 10, seed=seed)
    new, *_, truth = world(1000, 10, seed=seed + 100_000)
    # the same noise, and effects of another size
    y, h, truth = y - (1.0 - size) * z * tau, h - (1.0 - size) * 0.5 * tau, size * truth
    found = []
    for settings in ({}, OURS):
        forest = CausalForest(n_estimators=400, random_state=seed, n_jobs=1, **settings)
        found.append(forest.fit(X, y, z, propensity=0.5, prognosis=h).predict(new))
    model = Reference(
        n_estimators=400, criterion="het", min_samples_leaf=5, max_samples=0.5, random_state=seed, n_jobs=1
    )
    found.append(model.fit(X, (z - 0.5)[:, None], (y - h)[:, None]).predict(new).ravel())
    return [float(np.sqrt(np.mean((effect - truth) ** 2))) for effect in found]


def accuracy():
    """Ratio of root-mean-square errors, ours over econml's, with its Monte-Carlo error."""
    rows = []
    for size in SIZES:
        for n, draws in ((300, 3),) if TINY else ((1000, 60), (10_000, 16)):
            with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
                errors = np.array(list(pool.map(accuracy_replicate, [(size, n, s) for s in range(draws)])))
            ratio = errors[:, :2] / errors[:, 2:]
            rows.append(
                {
                    "size": size,
                    "n": n,
                    "draws": draws,
                    "ours": errors[:, 0].mean(),
                    "econml": errors[:, 2].mean(),
                    "ratio": ratio.mean(axis=0).tolist(),
                    "error": (ratio.std(axis=0, ddof=1) / np.sqrt(draws)).tolist(),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


PARTS = {
    "compilation": compilation,
    "scale": scale,
    "limit": limit,
    "truth": truth,
    "accuracy": accuracy,
    "speed": speed,
    "grf": beside_grf,
}


def save(found):
    """Keep what was measured so far, and write the page."""
    if not TINY:
        STORE.write_text(json.dumps(found, indent=1))
    write_page(found, None if TINY else PAGE)


def main():
    """Run the parts asked for; keep results and write the page after each, in the speed table after each line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--resume", action="store_true", help="keep what the last run finished")
    parser.add_argument("--tiny", action="store_true", help="a small run that writes nothing: does it all still work?")
    given = parser.parse_args()
    found = json.loads(STORE.read_text()) if STORE.exists() and not TINY else {}
    if not given.resume:
        found = {name: value for name, value in found.items() if name not in given.only}
    if {"speed", "truth"} <= set(given.only):
        found.pop("remark", None)  # it speaks of figures that this run replaces
    for name in given.only:
        start = time.perf_counter()
        if name == "speed":
            for rows in speed(found.get("speed", ())):
                found["speed"] = rows
                save(found)
        elif name not in found:
            found[name] = PARTS[name]()
        save(found)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
