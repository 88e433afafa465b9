"""Kernels in hostile places: no home, nothing writable, other processes, other threads."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np

from tests.forests.worlds import classrooms
from whoworks import kernels
from whoworks.forests.causal import CausalForest
from whoworks.kernels import cache

SOURCE = Path(__file__).parents[2] / "src"


def total(seed):
    X, y, z, cluster = classrooms(seed=seed)
    forest = CausalForest(n_estimators=20, random_state=1, n_jobs=1)
    return float(forest.fit(X, y, z, cluster=cluster, propensity=0.5, prognosis=0 * y).predict_oob().sum())


def test_two_forests_grow_from_two_threads_at_once():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(total, [1, 2, 1, 2])) == [total(1), total(2)] * 2


def test_a_spawned_process_grows_the_same_forest():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(total, 1).result() == total(1)


def test_without_a_writable_folder_or_a_home_kernels_still_run(tmp_path):
    code = (
        "import numpy as np; from whoworks.kernels import cache as c\n"
        "assert c.cache_folder() is None, c.cache_folder()\n"
        "from whoworks.forests.draw import draw_below\n"
        "print(draw_below(np.array([1], np.uint64), 10))"
    )
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    folder = tmp_path / "site" / "whoworks"
    folder.parent.mkdir()
    subprocess.run(["cp", "-r", str(SOURCE / "whoworks"), str(folder)], check=True)
    kept = folder / "__pycache__"
    subprocess.run(["rm", "-rf", str(kept)], check=True)
    kept.write_text("nothing can be made in here")
    keep = {
        k: v for k, v in os.environ.items() if k not in {"HOME", "USERPROFILE", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"}
    }
    env = {**keep, "PYTHONPATH": str(folder.parent), "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(blocked)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0 <= int(done.stdout) < 10


def test_an_edit_of_any_kernel_file_retires_the_machine_code_of_all(tmp_path, monkeypatch):
    for folder in ("forests", "scores"):
        (tmp_path / folder).mkdir()
        for path in (SOURCE / "whoworks" / folder).glob("*.py"):
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(cache, "HOME", tmp_path)
    key = cache.source_key.__wrapped__
    before = key()
    with (tmp_path / "forests" / "causal.py").open("a") as stream:
        stream.write("# not a kernel\n")
    assert key() == before
    for place in ("forests/scan.py", "scores/boosting.py"):
        with (tmp_path / place).open("a") as stream:
            stream.write("# a kernel\n")
        assert key() != before
        before = key()


def test_the_cache_folder_is_never_shared_between_users(monkeypatch):
    monkeypatch.setattr(cache.config, "CACHE_DIR", "")
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    assert [folder.name for folder in cache.candidate_folders()] == ["__pycache__"]


def test_a_kernel_is_a_whole_of_its_own_and_a_part_of_those_that_call_it(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)

    @kernels.kernel
    def twice(x):
        return 2 * x

    @kernels.kernel
    def tell(x):
        return twice(x) + twice(1)

    assert tell(5) == 12
    assert [".tell-" in path.name for path in tmp_path.rglob("*.nbi")] == [True]
    assert twice(5) == 10
    assert len(list(tmp_path.rglob("*.nbi"))) == 2


def test_no_kernel_holds_an_array_when_it_is_done():
    @kernels.kernel
    def total(values):
        found = 0.0
        for value in values[1:]:
            found += value
        return found

    @kernels.kernel
    def of_two(values):
        return total(values[:4]) + total(np.ones(3))

    values = np.arange(9.0)
    alive = weakref.ref(values)
    assert of_two(values) == 8.0
    del values
    assert alive() is None


def test_a_forest_holds_arrays_and_no_compiled_state():
    X, y, z, cluster = classrooms()
    forest = CausalForest(n_estimators=4, random_state=1).fit(X, y, z, cluster=cluster, propensity=0.5)
    assert not any("numba" in type(value).__module__ for value in forest.__getstate__().values())
    assert isinstance(forest.trees_[0].nodes, np.ndarray)
