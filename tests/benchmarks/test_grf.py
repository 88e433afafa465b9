"""The road to R and back, with a stand-in for R that reads and writes as our R scripts do."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from benchmarks.truth import peers
from benchmarks.truth.__main__ import main
from benchmarks.truth.cells import Cell
from benchmarks.truth.replicate import replicate_of_grf, seed_of, shape_plan
from benchmarks.truth.true_values import Truth

from benchmarks import grf
from whoworks.simulate.pilot import draw_pilot
from whoworks.study import Study

STAND_IN = """#!{python}
import sys
import numpy as np
from pathlib import Path
if sys.argv[1] == "-e":
    sys.exit(0 if sys.argv[2] == "library(grf)" else 1)
script, folder, sizes = Path(sys.argv[1]), Path(sys.argv[2]), list(map(int, sys.argv[3:]))
assert script.exists()

def read(name, rows, columns):
    return np.fromfile(folder / name).reshape((rows, columns), order="F")

def grown(n, p, m, trees, threads, clustered):
    X, new = read("X", n, p), read("new", m, p)
    y, z, h = (read(name, n, 1)[:, 0] for name in "yzh")
    assert (folder / "cluster").exists() == bool(clustered)
    return [trees, threads, clustered, X[1, 2], y[1] - h[1], z.mean(), *(new[:, 0] - new[:, 1])]

def effects(n, p, m, seed):
    y, z, cluster = (read(name, n, 1)[:, 0] for name in ("y", "z", "cluster"))
    gap = lambda rows: y[rows & (z == 1)].mean() - y[rows & (z == 0)].mean()
    differences = [gap(group == 1) - gap(group == 0) for group in read("groups", n, m).T]
    errors = [seed + 1.0, len(np.unique(cluster)), *[read("X", n, p).shape[1]] * m]
    return np.column_stack([[gap(z == z), *differences], errors[: 1 + m]]).ravel()

np.array({{"grf.R": grown, "grf_effects.R": effects}}[script.name](*sizes), dtype=float).tofile(folder / "found")
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a stand-in for Rscript first on the path."""
    grf.is_there.cache_clear()
    program = tmp_path / "Rscript"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    yield program
    grf.is_there.cache_clear()


def test_arrays_reach_r_as_they_are_and_its_numbers_come_back(program):
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


def test_without_r_there_is_no_grf(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program.parent / "nowhere"))
    assert not grf.is_there()


def test_an_r_without_grf_is_none(program):
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    assert not grf.is_there()


def test_grf_answers_alone_on_the_replicates_that_others_answered(program):
    cell = Cell(
        world="student-moderator", assigned="class", clusters=12, icc=0.2, per_cluster=20, replicates=1,
        forest_replicates=4, peer_replicates=1,
    )  # fmt: skip
    rows = replicate_of_grf(cell, 3)
    assert {row["procedure"] for row in rows} == {"grf causal_forest"}
    assert {row["number"] for row in rows} == {3}
    assert {row["target"] for row in rows} >= {"average", "difference frl"}


def test_where_r_has_no_grf_the_command_says_so(program, capsys):
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    assert main(["--grf"]) == 2
    assert "R_LIBS" in capsys.readouterr().err


def test_the_table_asks_grf_for_the_average_and_each_planned_difference(program, monkeypatch):
    monkeypatch.setattr(peers, "_econml", lambda *_: ())
    cell = Cell(
        world="student-moderator", assigned="class", clusters=12, icc=0.2, per_cluster=20, replicates=1,
        forest_replicates=4, peer_replicates=1,
    )  # fmt: skip
    pilot, potential = draw_pilot(cell.truth_world, cell.layout, seed=seed_of(3))
    run = Study.from_plan(shape_plan(pilot.plan, predicts=False), frame=pilot.records).run()
    truth = Truth.of(cell, pilot, potential)
    table = peers.Table.of(run, cell.truth_world.planned)
    rows = {row["target"]: row for row in peers.ask_peers(cell, run, truth, number=3)}
    assert set(rows) == {"average", *(f"difference {name}" for name in table.moderators)}
    assert {row["procedure"] for row in rows.values()} == {"grf causal_forest"}

    def gap(group):
        return np.mean(table.y[group & (table.z == 1)]) - np.mean(table.y[group & (table.z == 0)])

    assert rows["average"]["estimate"] * truth.scale == pytest.approx(gap(table.z >= 0))
    assert rows["average"]["se"] * truth.scale == pytest.approx(3 + 1)  # the stand-in's: its seed and one
    assert rows["average"]["truth"] == pytest.approx(0.2)
    for place, (name, code) in enumerate(table.moderators.items()):
        row = rows[f"difference {name}"]
        assert np.isnan(code).any() == (name == "frl")
        assert row["estimate"] * truth.scale == pytest.approx(gap(code == 1) - gap(code == 0))
        assert row["se"] * truth.scale == pytest.approx(table.x.shape[1] if place else 12)
