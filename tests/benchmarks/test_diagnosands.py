"""Each diagnosand against numbers counted by hand, and its Monte-Carlo error against its own spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.truth.bars import BARS, bar_of
from benchmarks.truth.cells import Cell, all_cells
from benchmarks.truth.diagnosands import ORACLE_PRECISION, PRECISION, mean, share, tell
from benchmarks.truth.explanations import OPEN, explain
from benchmarks.truth.store import COLUMNS
from scipy import stats


def rows(n=200, *, truth=0.2, spread=0.1, se=0.1, seed=0, **fields):
    """Return one row per replicate of a difference along lunch: normal estimates, df 30."""
    rng = np.random.default_rng(seed)
    estimate = truth + spread * rng.normal(size=n)
    half = stats.t.ppf(0.975, 30) * se
    given = {
        "number": np.arange(n), "procedure": "whoworks", "target": "difference frl", "estimate": estimate, "se": se,
        "df": 30.0, "p": 2 * stats.t.sf(np.abs(estimate / se), 30), "p_drawn": np.nan, "low": estimate - half,
        "high": estimate + half, "credibility": "", "truth": truth, "null": truth == 0, "code": "",
    }  # fmt: skip
    return pd.DataFrame(given | fields, columns=list(COLUMNS))


def told(frame):
    return {(one.procedure, one.name): one for one in tell(frame)}


def named(frame, name):
    return told(frame)["whoworks", name]


def test_bias_coverage_length_and_error_are_what_they_say():
    frame = rows()
    miss = frame["estimate"] - 0.2
    assert named(frame, "difference frl: bias").value == pytest.approx(miss.mean())
    assert named(frame, "difference frl: bias").mc_error == pytest.approx(miss.std() / np.sqrt(200))
    assert named(frame, "difference frl: RMSE").value == pytest.approx(np.sqrt((miss**2).mean()))
    covered = (frame["low"] <= 0.2) & (frame["high"] >= 0.2)
    assert named(frame, "difference frl: coverage").value == pytest.approx(covered.mean())
    assert named(frame, "difference frl: length").value == pytest.approx((frame["high"] - frame["low"]).mean())
    assert named(frame, "difference frl: SE / spread").value == pytest.approx(0.1 / miss.std())


def test_a_rejected_null_is_size_and_a_rejected_falsehood_power():
    names = {name for _, name in told(rows(truth=0.0))}
    assert "difference frl: size" in names
    assert "difference frl: power" not in names
    assert "difference frl: power" in {name for _, name in told(rows())}


def test_what_cannot_be_assessed_is_no_claim_and_its_share_is_told():
    frame = rows(truth=0.0)
    frame.loc[:49, "p"] = np.nan
    size, among = (named(frame, f"difference frl: size{end}") for end in ("", " among the assessable"))
    assert (size.replicates, among.replicates) == (200, 150)
    assert size.value * 200 == pytest.approx(among.value * 150)
    assert named(frame, "difference frl: not assessable").value == 0.25


def test_signs_and_exaggeration_are_those_of_the_rejected():
    frame = rows(truth=0.1, n=2000)
    rejected = frame[frame["p"] <= 0.05]
    assert named(frame, "difference frl: type S").value == pytest.approx((rejected["estimate"] < 0).mean())
    assert named(frame, "difference frl: type M").value == pytest.approx((rejected["estimate"].abs() / 0.1).mean())


def test_claims_are_counted_by_pilot():
    frame = pd.concat([rows(40, credibility="very low"), rows(40, truth=0.0, target="difference sex")])
    frame["credibility"] = ["moderate"] * 10 + ["very low"] * 30 + ["high"] * 5 + ["very low"] * 35
    assert named(frame, "claims: moderate, per pilot").value == 0.25
    assert named(frame, "claims: any moderate or better").value == 0.25  # five pilots make both
    assert named(frame, "claims: any false one").value == 5 / 40


def test_power_less_the_oracles_is_paired():
    frame = pd.concat([rows(300, seed=1), rows(300, seed=1, procedure="oracle")])
    gain = named(frame, "difference frl: power less the oracle's")
    assert (gain.value, gain.mc_error) == (0.0, 0.0)


def test_a_share_and_its_interval_are_the_binomials():
    found = share("", "", np.r_[np.ones(10), np.zeros(90)] > 0)
    assert found.value == 0.1
    assert found.mc_error == pytest.approx(0.03)
    # Clopper and Pearson: each tail has probability 0.0005 at its end
    assert stats.binom.sf(9, 100, found.low) == pytest.approx(0.0005)
    assert stats.binom.cdf(10, 100, found.high) == pytest.approx(0.0005)


def test_several_values_of_a_replicate_count_once_in_the_error():
    values = np.random.default_rng(0).normal(size=50)
    twice = mean("", "", np.repeat(values, 2), replicate=np.repeat(np.arange(50), 2))
    once = mean("", "", values)
    assert (twice.value, twice.mc_error) == pytest.approx((once.value, once.mc_error))


def test_a_bar_is_missed_only_wholly_outside():
    cell = next(cell for cell in all_cells() if cell.key == ("no-effect", "class", 12, 0.2))
    found = named(rows(2000, se=0.12), "difference frl: coverage")
    bar = bar_of(cell, found)
    assert bar is BARS[0]
    assert bar.is_missed(found)  # errors a fifth too large cover .98
    assert not bar.is_missed(named(rows(2000), "difference frl: coverage"))
    assert bar_of(cell, named(rows(2000), "difference frl: length")) is None


def test_errors_too_large_are_explained_only_where_they_are_so_for_who_knows_the_world():
    cell = Cell(world="unequal-shares", assigned="class in schools", clusters=20, icc=0.0, per_cluster=24, replicates=9)
    bar = next(bar for bar in BARS if bar.high == 1.10)
    row = pd.Series({"diagnosand": "average: SE / spread", "value": 1.2, "low": 1.12, "high": 1.3})
    name = "oracle difference: SE / spread"
    oracle = pd.DataFrame([{"diagnosand": name, "value": 1.19, "mc_error": 0.03, "replicates": 800}])
    said = explain(cell, bar, row, oracle)
    assert "1.19" in said
    assert "800" in said
    assert explain(cell, bar, row, oracle.assign(value=1.05)) == OPEN
    assert explain(cell, bar, row, oracle.head(0)) == OPEN
    assert explain(cell, bar, row.replace(1.12, 0.7).replace(1.3, 0.9), oracle) == OPEN


def test_references_are_told_by_their_errors_alone():
    frame = rows(4000, se=0.12).assign(target="oracle difference")
    for found in (together := tell(frame)):
        measure = found.name.removeprefix("oracle difference")
        assert found == replace(named(rows(4000, se=0.12), f"difference frl{measure}"), name=found.name)
    assert [one.name.rpartition(": ")[2] for one in together] == ["bias", "RMSE", "SE / spread"]


def test_a_miss_of_precision_is_explained_only_where_who_knows_the_world_misses_too():
    cell = Cell(world="no-effect", assigned="school in pairs", clusters=20, icc=0.1, per_cluster=24, replicates=50)
    bar = next(bar for bar in BARS if bar.high == 0.75)
    row = pd.Series({"diagnosand": PRECISION, "value": 0.9, "low": 0.85, "high": 0.95})
    oracle = pd.DataFrame([{"diagnosand": ORACLE_PRECISION, "value": 0.88, "mc_error": 0.02, "high": 0.94}])
    assert "0.880" in explain(cell, bar, row, oracle)
    assert explain(cell, bar, row, oracle.assign(value=0.74, high=0.86)) == OPEN
    assert explain(cell, bar, row, oracle.head(0)) == OPEN


def test_what_learning_costs_explains_a_miss_only_where_more_clusters_mend_it():
    cell = Cell(world="no-effect", assigned="class", clusters=20, icc=0.1, per_cluster=24, replicates=50)
    bar = next(bar for bar in BARS if bar.high == 0.75)
    row = pd.Series({"diagnosand": PRECISION, "value": 0.77, "low": 0.76, "high": 0.78})
    oracle = pd.DataFrame([{"diagnosand": ORACLE_PRECISION, "value": 0.74, "mc_error": 0.003, "high": 0.75}])
    larger = pd.DataFrame([
        {"clusters": 200, "diagnosand": PRECISION, "value": 0.731, "mc_error": 0.002, "met": "yes"},
        {"clusters": 40, "diagnosand": PRECISION, "value": 0.742, "mc_error": 0.004, "met": "yes"},
    ])  # fmt: skip
    said = explain(cell, bar, row, oracle, larger)
    assert "0.740 (Monte-Carlo error 0.003)" in said
    assert "with 40 clusters ours has 0.742 (Monte-Carlo error 0.004)" in said
    assert explain(cell, bar, row, oracle, larger.assign(met="no")) == OPEN
    assert explain(cell, bar, row, oracle, larger.assign(diagnosand="average: coverage")) == OPEN
    assert explain(cell, bar, row, oracle.head(0), larger) == OPEN
    assert "40 clusters" not in explain(cell, bar, row, oracle.assign(value=0.76), larger)


def test_a_test_that_is_seldom_assessable_is_told_by_those_that_were():
    cell = next(cell for cell in all_cells() if cell.key == ("no-effect", "class", 12, 0.2))
    bar = next(bar for bar in BARS if bar.low == bar.high == 0.05)
    name = "difference devices: size"
    row = pd.Series({"procedure": "whoworks", "diagnosand": name, "value": 0.012, "low": 0.002, "high": 0.043})
    told = pd.DataFrame([
        {"diagnosand": "difference devices: not assessable", "value": 0.68},
        {"diagnosand": "difference devices: size among the assessable",
         "value": 0.040, "mc_error": 0.018, "low": 0.005, "high": 0.13},
    ])  # fmt: skip
    peer = told.assign(procedure="a peer", value=0.5)
    told = pd.concat([told.assign(procedure="whoworks"), peer])
    said = explain(cell, bar, row, told)
    assert "68 % of pilots" in said
    assert "0.040 (Monte-Carlo error 0.018)" in said
    assert "CR2" not in said
    assert "CR2" in explain(cell, bar, row, told.assign(high=0.04))
    assert "CR2" in explain(cell, bar, row, told.head(0))
    among = row.replace(row["diagnosand"], f"{row['diagnosand']} among the assessable")
    assert "CR2" in explain(cell, bar, among, told)
    assert explain(cell, bar, among.replace(row["high"], 0.06), told) == OPEN
