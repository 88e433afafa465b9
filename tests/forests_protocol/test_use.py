"""Shares of use beside those under noise: drawn by the design, and described, never tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.forests_protocol.test_left_out import inputs
from whoworks.forests.econml_engine import EconmlEngine
from whoworks.forests.forest_engine import ForestEngine
from whoworks.forests.importance import COUNTED_DEPTH
from whoworks.forests.protocol import USE
from whoworks.forests.ridge_engine import RidgeEngine
from whoworks.forests.table import Column, Table
from whoworks.forests.use import compare_with_noise, noise_limit


class Recorder(RidgeEngine):
    """A ridge that keeps what it learned from."""

    __slots__ = ()
    seen: list = []  # noqa: RUF012

    @property
    def brief(self):
        return self

    def fit(self, data, *, rows, seed):
        self.seen.append((data, rows))
        return super().fit(data, rows=rows, seed=seed)


def compare(data, *, engine=None, seed=0, chance=0.5, **more):
    n = len(data.cluster)
    both = np.column_stack([np.full(n, 1 - chance), np.full(n, chance)])
    return compare_with_noise(
        engine or RidgeEngine(), data, assigned=data.cluster, exchangeable=data.block, chance=both,
        seed=np.random.SeedSequence(seed), **more,
    )  # fmt: skip


def recorded(data, **more):
    Recorder.seen.clear()
    compare(data, engine=Recorder(), **more)
    return list(Recorder.seen)


def test_a_moderator_that_matters_passes_what_noise_reaches_and_one_that_does_not_stays_within():
    found = compare(inputs(0, n_clusters=40, slope=1.0)).set_index("moderator")
    assert list(found.columns) == list(USE[1:])
    assert found.index[0] == "x"
    assert found.loc["x", "share"] > found.loc["x", "noise_high"] > found.loc["x", "noise_median"]
    assert found.loc["group", "share"] < found.loc["group", "noise_high"]


def test_the_forest_too_tells_use_from_noise():
    data, rng = inputs(0, n_clusters=40, slope=1.0), np.random.default_rng(5)
    others = tuple(Column(values=rng.normal(size=len(data.cluster))) for _ in range(3))
    names = (*data.features.names, "other 0", "other 1", "other 2")
    data = replace(data, features=Table(names=names, columns=(*data.features.columns, *others)))
    found = compare(data, engine=ForestEngine(n_estimators=400)).set_index("moderator")
    assert (found["share"] > found["noise_high"]).to_dict() == {name: name == "x" for name in found.index}


def test_shares_of_use_add_up_to_one_where_trees_are_too_shallow_to_fill_all_depths():
    data = inputs(0, n_clusters=16, size=6)
    engine = ForestEngine(n_estimators=100)
    assert 0 < engine.brief.fit(data, rows=np.arange(len(data.cluster)), seed=1).importance.sum() < 0.99
    assert np.isclose(compare(data, engine=engine)["share"].sum(), 1)


def test_without_differences_a_share_passes_the_noise_as_often_as_chance_lets_it():
    """One time in twenty for each moderator; 60 worlds: under 10 in all but one of 1,000 runs of this test."""
    passed = sum(
        found.loc["x", "share"] > found.loc["x", "noise_high"]
        for found in (compare(inputs(seed, size=8)).set_index("moderator") for seed in range(60))
    )
    assert passed < 10


def test_every_draw_keeps_clusters_whole_and_as_many_in_each_arm():
    data = inputs()
    for drawn, _ in recorded(data)[1:]:
        per_cluster = pd.Series(drawn.arm).groupby(data.cluster)
        assert (per_cluster.nunique() == 1).all()
        assert per_cluster.first().sum() == 12
        np.testing.assert_array_equal(drawn.z_residual, drawn.arm - 0.5)


def test_the_average_effect_goes_with_the_arm_so_that_noise_has_none_other():
    data = inputs()
    data = replace(data, y_residual=2.0 * data.z_residual)
    for drawn, _ in recorded(data)[1:]:
        np.testing.assert_allclose(drawn.y_residual, 2.0 * drawn.z_residual, atol=1e-12)


def test_weights_follow_the_arm_that_was_drawn():
    for drawn, _ in recorded(inputs(), chance=0.25)[1:]:
        np.testing.assert_allclose(drawn.weights, np.where(drawn.arm == 1, 4.0, 1 / 0.75))


def test_units_outside_the_contrast_take_no_part():
    data = inputs()
    learn = data.cluster % 3 != 0
    for drawn, rows in recorded(replace(data, learn=learn)):
        assert learn[rows].all()
        np.testing.assert_array_equal(drawn.y_residual[~learn], data.y_residual[~learn])


def test_the_same_seed_gives_the_same_shares_and_inputs_stay_as_they_are():
    data = inputs(slope=1.0)
    before = data.y_residual.copy()
    pd.testing.assert_frame_equal(compare(data), compare(data))
    np.testing.assert_array_equal(data.y_residual, before)


def test_the_limit_is_the_largest_of_19_and_cannot_be_told_from_fewer():
    noise = np.random.default_rng(0).normal(size=(39, 2))
    np.testing.assert_array_equal(noise_limit(noise[:19]), noise[:19].max(axis=0))
    np.testing.assert_array_equal(noise_limit(noise), np.sort(noise, axis=0)[-2])
    assert np.isinf(noise_limit(noise[:18])).all()


@pytest.mark.parametrize("engine", [ForestEngine(n_estimators=400), EconmlEngine()])
def test_a_brief_engine_grows_no_deeper_than_the_levels_that_count(engine):
    assert engine.brief.max_depth == COUNTED_DEPTH
    assert engine.brief.n_estimators < engine.n_estimators
    assert engine.brief.name == engine.name
