"""One replicate goes the whole road, and a run that is stopped goes on where it was, here or on a cluster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.truth import campaign
from benchmarks.truth.breaks import BREAKS, breaking
from benchmarks.truth.cells import Cell, all_cells
from benchmarks.truth.page import whole_run, write_page
from benchmarks.truth.published import Published
from benchmarks.truth.replicate import refer_average, replicate, seed_of, shape_plan
from benchmarks.truth.slices import check_slice, pick, slice_cells
from benchmarks.truth.store import Chunk, Store, cut_chunks
from benchmarks.truth.table import read_table, write_table

from whoworks.simulate.pilot import draw_pilot
from whoworks.study import Study

SMALL = Cell(world="student-moderator", assigned="class", clusters=12, icc=0.2, per_cluster=20, replicates=60,
             peer_replicates=60)  # fmt: skip


def frame(cell=SMALL, number=0):
    return pd.DataFrame(replicate(cell, number))


@pytest.fixture(scope="module")
def found():
    return frame()


def test_the_road_gives_what_the_table_speaks_of(found):
    ours = set(found[found["procedure"] == "whoworks"]["target"])
    wanted = {"average", "average, classes alike", "difference frl", "difference sex", "omnibus", "plain difference"}
    assert wanted <= ours
    assert not {"calibration", "ranking"} & ours


def test_the_same_replicate_gives_the_same_numbers(found):
    again = frame()
    kept = ~found["target"].str.startswith("seconds")
    pd.testing.assert_frame_equal(found[kept], again[kept])


def test_truth_is_that_of_the_world_in_standard_deviations(found):
    own = found[found["procedure"] == "whoworks"].set_index("target")["truth"]
    assert own["average"] == pytest.approx(0.20)
    assert own["difference frl"] == pytest.approx(0.25)
    assert own["difference sex"] == 0.0


def test_peers_answer_on_the_same_students(found):
    average = found[found["target"] == "average"].set_index("procedure")
    assert {"oracle", "OLS interaction, iid", "OLS interaction, CR1", "row-wise doubly robust scores"} <= set(
        average.index
    )
    assert (average["truth"] == average["truth"].iloc[0]).all()
    iid, clustered = (average.loc[f"OLS interaction, {kind}"] for kind in ("iid", "CR2"))
    assert iid["estimate"] == pytest.approx(clustered["estimate"], abs=1e-6)
    assert iid["se"] < clustered["se"]


def test_predictions_come_in_the_first_replicates():
    cell = replace(SMALL, clusters=8, forest_replicates=1, peer_replicates=0)
    assert "calibration" in set(frame(cell)["target"])
    assert "calibration" not in set(frame(cell, 1)["target"])


def test_a_candidates_truth_is_the_mean_effect_inside_its_rule_less_outside():
    cell = Cell(world="student-moderator", assigned="class", clusters=40, icc=0.2, per_cluster=12, replicates=1)
    truths = []
    for number in range(3):
        own = frame(cell, number)
        truths += list(own[own["target"] == "candidate"]["truth"])
    assert all(abs(truth) <= 0.26 for truth in truths)  # lunch moves the effect by .25, and relates to all else
    assert truths


def test_seeds_differ_and_are_the_same_in_every_cell():
    assert len({seed_of(number) for number in range(500)}) == 500


def one_number(cell, number):
    return [{"number": number, "procedure": "whoworks", "target": "average", "estimate": float(seed_of(number))}]


def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(campaign, "replicate", lambda cell, number: ran.append(number) or one_number(cell, number))
    store, chunks = Store(folder=tmp_path), cut_chunks(SMALL, length=25)
    campaign.run_campaign(chunks[:1], store, backend="sequential", jobs=1)
    (tmp_path / SMALL.name / "00025-00050.999.half").write_bytes(b"what a kill leaves behind")
    campaign.run_campaign(chunks, store, backend="sequential", jobs=1)
    assert ran == list(range(60))
    assert list(store.read(SMALL)["number"]) == list(range(60))


def test_every_cell_has_its_first_replicates_before_any_has_its_last():
    other = replace(SMALL, world="no-effect", replicates=60)
    starts = [
        chunk.start for chunk in campaign.in_order([*cut_chunks(SMALL, length=25), *cut_chunks(other, length=25)])
    ]
    assert starts == [0, 25, 0, 25, 50, 50]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(240)
def test_a_cluster_of_two_workers_gives_the_same_rows(tmp_path):
    cell = replace(SMALL, clusters=8, peer_replicates=0)
    chunks = [Chunk(cell=cell, start=0, stop=1), Chunk(cell=cell, start=1, stop=2)]
    frames = []
    for backend in ("sequential", "dask"):
        store = Store(folder=tmp_path / backend)
        campaign.run_campaign(chunks, store, backend=backend, jobs=2)
        rows = store.read(cell)
        frames.append(rows[~rows["target"].str.startswith("seconds")].reset_index(drop=True))
    pd.testing.assert_frame_equal(*frames)


def test_table_and_page_are_written_from_finished_chunks(tmp_path):
    cell = next(cell for cell in all_cells() if cell.key == ("student-moderator", "class", 12, 0.2))
    store, rng = Store(folder=tmp_path / "work"), np.random.default_rng(0)
    rows = [
        {"number": n, "procedure": who, "target": target, "estimate": rng.normal(0.2, 0.1), "se": 0.1, "df": 30.0,
         "p": rng.random(), "low": 0.0, "high": 0.4, "truth": 0.2, "null": False}
        for n in range(25) for who in ("whoworks", "oracle") for target in ("average", "difference frl")
    ]  # fmt: skip
    store.write(Chunk(cell=cell, start=400, stop=425), rows, code="abc1234")
    path, reached, page = (tmp_path / name for name in ("truth.csv", "truth_cells.csv", "truth.md"))
    Published.nothing().add(store, all_cells()).write(path, reached)
    assert set(read_table(path)["world"]) == {"student-moderator"}
    write_page(Published.read(path, reached), page=page, figures=tmp_path / "figures")
    text = page.read_text(encoding="utf-8")
    assert "1 of " in text
    assert "hours on two cores" not in text  # which is told when every cell has been timed
    assert "abc1234" in text
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 3


def test_the_page_says_what_a_whole_run_takes_once_every_cell_was_timed():
    took = {cell: {"seconds": 0.5, "seconds with predictions": 2.0, "seconds to draw": 0.25} for cell in all_cells()}
    plain, forest = (sum(getattr(cell, name) for cell in all_cells()) for name in ("replicates", "forest_replicates"))
    hours = (0.75 * plain + 1.5 * forest) / 3600
    assert f"{hours:.1f} processor hours, {hours / 2:.1f} hours on two cores" in whole_run(took)
    took[all_cells()[0]] = {}
    assert whole_run(took) == ""


def test_a_slice_picks_three_small_cells_by_a_hash():
    assert len(pick("one")) == 3
    assert {cell.name for cell in pick("one")} != {cell.name for cell in pick("another")}
    assert all(cell in slice_cells() for cell in pick("one"))


def test_a_digit_that_moved_is_told(monkeypatch, tmp_path):
    import benchmarks.truth.slices as slices

    keys = [dict(zip(("world", "assigned", "clusters", "icc"), cell.key, strict=True)) for cell in pick("x")]
    table = pd.DataFrame([
        {**key, "procedure": "whoworks", "diagnosand": "average: bias", "replicates": 20, "value": "0.1234",
         "mc_error": "0.01", "low": "0.1", "high": "0.2", "met": ""} for key in keys
    ])  # fmt: skip
    monkeypatch.setattr(slices, "SLICE", tmp_path / "slice.csv")
    monkeypatch.setattr(slices, "run_slice", lambda cells, **_: table)
    write_table(table, slices.SLICE)
    assert check_slice("x", backend="sequential", jobs=1) == 0
    write_table(table.assign(value="0.1244"), slices.SLICE)
    assert check_slice("x", backend="sequential", jobs=1) == 1


def test_students_as_clusters_make_the_interval_of_the_average_far_too_short():
    cell = replace(SMALL, world="no-effect", peer_replicates=0)
    whole = frame(cell).set_index("target").loc["average", "se"]
    with breaking("iid"):
        broken = frame(cell).set_index("target").loc["average", "se"]
    assert broken < 0.7 * whole
    assert frame(cell).set_index("target").loc["average", "se"] == whole


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_changes_what_a_replicate_finds(name):
    predicts = BREAKS[name].diagnosand.startswith("calibration")
    cell = replace(SMALL, clusters=12, forest_replicates=int(predicts), peer_replicates=0)
    whole = frame(cell)
    with breaking(name):
        broken = frame(cell)
    kept = ~whole["target"].str.startswith("seconds")
    assert not whole[kept].equals(broken[~broken["target"].str.startswith("seconds")])


@pytest.mark.parametrize("assigned", ["class", "class in schools", "student in schools"])
def test_the_plain_difference_is_the_runs_own_without_prognosis(assigned):
    cell = Cell(world="no-effect", assigned=assigned, clusters=12, icc=0.2, per_cluster=20, replicates=1)
    pilot, _ = draw_pilot(cell.truth_world, cell.layout, seed=3)
    run = Study.from_plan(shape_plan(pilot.plan, predicts=False), frame=pilot.records).run()
    plain, oracle = refer_average(run, knows=False), refer_average(run, knows=True)
    scores = run.settings[0].scores
    # every block has as many classes of either arm: the difference is that of the arms' means, block by block
    of_blocks = [
        (np.mean(scores.y[own & (scores.z == 1)]) - np.mean(scores.y[own & (scores.z == 0)]), own.sum())
        for own in (scores.block == b for b in np.unique(scores.block))
    ]
    assert plain[1] == pytest.approx(run.precision[0].std_error_unadjusted, rel=1e-9)
    differences, sizes = np.transpose(of_blocks)
    assert plain[0] == pytest.approx(np.average(differences, weights=sizes), abs=0.03)
    assert oracle[1] < 0.85 * plain[1]
    assert abs(oracle[0] - plain[0]) < 3 * plain[1]
