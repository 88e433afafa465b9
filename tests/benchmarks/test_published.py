"""What is published goes on growing: parts told together are what the whole would be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.truth.cells import Cell
from benchmarks.truth.diagnosands import share, tell
from benchmarks.truth.pooling import is_share, pool
from benchmarks.truth.published import LEAST, Published, spreads
from benchmarks.truth.store import Chunk, Store
from benchmarks.truth.table import TABLE, read_table

CELL = Cell(world="student-moderator", assigned="class", clusters=12, icc=0.2, per_cluster=25, replicates=400)


def rows(start, stop, seed=0):
    """Return replicates in which a difference is estimated by two procedures, and claims are made."""
    rng = np.random.default_rng([seed, start])
    found = []
    for number in range(start, stop):
        for target, truth, procedure in (
            ("difference frl", 0.25, "whoworks"), ("difference frl", 0.25, "oracle"),
            ("difference sex", 0.0, "whoworks"), ("average", 0.2, "whoworks"),
            ("plain difference", 0.2, "whoworks"), ("candidate", 0.1, "whoworks"),
        ):  # fmt: skip
            se, estimate = rng.uniform(0.08, 0.12), truth + rng.normal(scale=0.1)
            p = float(rng.random() if truth == 0 else rng.beta(0.3, 1))
            found.append({
                "number": number, "procedure": procedure, "target": target, "estimate": estimate, "se": se, "df": 9.0,
                "p": p, "low": estimate - 2 * se, "high": estimate + 2 * se, "truth": truth, "null": truth == 0,
                "credibility": "moderate" if p < 0.3 and procedure == "whoworks" else "",
            })  # fmt: skip
    return found


def stored(folder, *parts):
    store = Store(folder=folder)
    for start, stop in parts:
        found = [row for number in range(start, stop) for row in rows(number, number + 1)]
        store.write(Chunk(cell=CELL, start=start, stop=stop), found, code=f"code{start:03d}")
    return store


def test_two_parts_told_together_are_the_whole(tmp_path):
    whole = {(one.procedure, one.name): one for one in tell(stored(tmp_path / "w", (0, 400)).read(CELL))}
    parts = [
        {(one.procedure, one.name): one for one in tell(stored(tmp_path / str(a), (a, b)).read(CELL))}
        for a, b in ((0, 150), (150, 400))
    ]
    assert len(whole) > 30
    for key, one in whole.items():
        told = pool(parts[0][key], parts[1][key], **spreads(key, *parts))
        # the plain difference's errors, below other ratios, differ a little between parts
        close, error = (2e-3, 0.05) if "SE / " in key[1] else (1e-9, 1e-3)
        assert told.replicates == one.replicates, key
        assert told.value == pytest.approx(one.value, rel=close, abs=1e-12), key
        assert told.mc_error == pytest.approx(one.mc_error, rel=error, abs=1e-9), key
        if is_share(key[1]):
            assert (told.low, told.high) == pytest.approx((one.low, one.high)), key


def test_what_counts_replicates_has_the_binomials_interval_in_the_published_table():
    for row in read_table(TABLE).sample(1500, random_state=1).itertuples():
        if not np.isfinite(row.value):
            continue
        hits = np.arange(row.replicates) < round(row.value * row.replicates)
        counted = share("", "", hits)
        wanted = (counted.mc_error, counted.low, counted.high)
        alike = np.allclose(wanted, (row.mc_error, row.low, row.high), rtol=2e-3, atol=1e-4)
        assert alike or not is_share(row.diagnosand), row.diagnosand
        assert not alike or is_share(row.diagnosand) or row.value in (0.0, 1.0), row.diagnosand


def test_a_run_elsewhere_goes_on_after_what_is_published(tmp_path):
    first = Published.nothing().add(stored(tmp_path / "here", (0, 200)), [CELL])
    first.write(tmp_path / "t.csv", tmp_path / "c.csv")
    published = Published.read(tmp_path / "t.csv", tmp_path / "c.csv")
    assert published.of(CELL) == (200, 0)
    assert not published.lacks(Chunk(cell=CELL, start=175, stop=200))
    assert published.lacks(Chunk(cell=CELL, start=200, stop=225))
    elsewhere = stored(tmp_path / "there", (200, 400))
    grown = published.add(elsewhere, [CELL])
    assert grown.of(CELL) == (400, 0)
    assert grown.reached["codes"].iloc[0] == "code000 code200"
    whole = Published.nothing().add(stored(tmp_path / "w", (0, 200), (200, 400)), [CELL]).rows
    both = whole.merge(grown.rows, on=["procedure", "diagnosand"], suffixes=("", "_grown"))
    assert len(both) == len(whole) == len(grown.rows)
    assert (both["replicates"] == both["replicates_grown"]).all()
    np.testing.assert_allclose(both["value"].astype(float), both["value_grown"].astype(float), rtol=3e-3, atol=2e-4)
    assert grown.add(elsewhere, [CELL]).rows.equals(grown.rows)  # nothing is counted twice


def test_a_peer_that_answers_later_takes_its_place_beside_the_others(tmp_path):
    other = replace(CELL, clusters=20)
    store = stored(tmp_path / "first", (0, 60))
    store.write(Chunk(cell=other, start=0, stop=60), [row for n in range(60) for row in rows(n, n + 1)], code="a")
    first = Published.nothing().add(store, [CELL, other])
    late = [row | {"procedure": "late"} for row in rows(0, 60) if row["procedure"] == "oracle"]
    peer = Store(folder=tmp_path / "peer")
    peer.write(Chunk(cell=CELL, start=0, stop=60), late, code="b")
    joined = first.join(peer, [CELL])
    of_late = joined.rows[joined.rows["procedure"] == "late"]
    assert set(of_late["clusters"]) == {CELL.clusters}
    assert of_late["replicates"].max() == 60
    assert list(joined.rows["clusters"]) == sorted(joined.rows["clusters"])  # a cell's rows stand together
    kept = joined.rows[joined.rows["procedure"] != "late"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, first.rows)
    assert joined.join(peer, [CELL]).rows.equals(joined.rows)  # nothing is there twice
    pd.testing.assert_frame_equal(joined.reached, first.reached)


def test_the_assessable_of_a_part_in_which_all_are_count_too(tmp_path):
    store = Store(folder=tmp_path)
    for start, lost in ((0, 0), (200, 60)):
        found = [row for number in range(start, start + 200) for row in rows(number, number + 1)]
        for row in [row for row in found if row["target"] == "difference sex"][:lost]:
            row["p"] = None
        store.write(Chunk(cell=CELL, start=start, stop=start + 200), found, code="a")
    whole = Published.nothing().add(store, [CELL]).rows
    parted = Published.nothing().add(store, [replace(CELL, replicates=200)]).add(store, [CELL]).rows
    name = "difference sex: size among the assessable"
    found = [frame.loc[frame["diagnosand"] == name, ["replicates", "value"]].to_numpy() for frame in (whole, parted)]
    assert found[0].tolist() == found[1].tolist()
    assert found[0][0, 0] == 340


@pytest.mark.parametrize("part", [(250, 350), (200, 200 + LEAST - 1)], ids=["a gap", "too few"])
def test_what_does_not_follow_without_a_gap_or_is_too_little_waits(tmp_path, part):
    first = Published.nothing().add(stored(tmp_path / "here", (0, 200)), [CELL])
    grown = first.add(stored(tmp_path / "there", part), [CELL])
    assert grown.of(CELL) == (200, 0)
    pd.testing.assert_frame_equal(grown.rows, first.rows)


def test_replicates_with_predictions_are_counted_apart(tmp_path):
    cell = replace(CELL, forest_replicates=100)
    store = Store(folder=tmp_path)
    for start, stop in ((0, 60), (100, 160)):
        found = [row for number in range(start, stop) for row in rows(number, number + 1)]
        store.write(Chunk(cell=cell, start=start, stop=stop), found, code="a")
    published = Published.nothing().add(store, [cell])
    assert published.of(cell) == (60, 60)
    assert published.lacks(Chunk(cell=cell, start=60, stop=65))
    assert not published.lacks(Chunk(cell=cell, start=55, stop=60))
    assert not published.lacks(Chunk(cell=cell, start=135, stop=160))
