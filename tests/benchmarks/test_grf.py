"""The road to R and back, with a stand-in for R that reads and writes as ``grf.R`` does."""

from __future__ import annotations

import os
import sys

import numpy as np

from benchmarks import grf

STAND_IN = """#!{python}
import sys
import numpy as np
from pathlib import Path
if sys.argv[1] == "-e":
    sys.exit(0 if sys.argv[2] == "library(grf)" else 1)
folder, (n, p, m, trees, threads, clustered) = Path(sys.argv[2]), map(int, sys.argv[3:])
X, new = (np.fromfile(folder / name).reshape((rows, p), order="F") for name, rows in (("X", n), ("new", m)))
y, z, h = (np.fromfile(folder / name) for name in "yzh")
assert y.shape == z.shape == h.shape == (n,) and (folder / "cluster").exists() == bool(clustered)
told = [trees, threads, clustered, X[1, 2], y[1] - h[1], z.mean()]
np.concatenate([told, new[:, 0] - new[:, 1]]).tofile(folder / "found")
"""


def put_r(tmp_path, monkeypatch):
    program = tmp_path / "Rscript"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])


def test_arrays_reach_r_as_they_are_and_its_numbers_come_back(tmp_path, monkeypatch):
    put_r(tmp_path, monkeypatch)
    rng = np.random.default_rng(1)
    X, new, y, h, z = (
        rng.normal(size=(7, 3)), rng.normal(size=(4, 3)), rng.normal(size=7), rng.normal(size=7), np.arange(7) % 2
    )  # fmt: skip
    assert grf.is_there()
    for cluster in (None, np.arange(7) // 2):
        told, effect = grf.grow(X, y, z, cluster, h, new, trees=6, threads=2)
        wanted = [6, 2, cluster is not None, X[1, 2], y[1] - h[1], z.mean()]
        assert told == dict(zip(grf.TOLD, wanted, strict=True))
        np.testing.assert_array_equal(effect, new[:, 0] - new[:, 1])


def test_without_r_there_is_no_grf(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not grf.is_there()


def test_an_r_without_grf_is_none(tmp_path, monkeypatch):
    put_r(tmp_path, monkeypatch)
    program = tmp_path / "Rscript"
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    assert not grf.is_there()
