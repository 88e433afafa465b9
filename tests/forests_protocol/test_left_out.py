"""Predictions of clusters that the model never saw, by the ridge and through the protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import whoworks as ww
from tests.findings.pilots import trim
from whoworks.forests.choice import choose_engine
from whoworks.forests.encoding import centres, encode
from whoworks.forests.left_out import predict_left_out
from whoworks.forests.protocol import Inputs
from whoworks.forests.ridge_engine import RidgeEngine
from whoworks.forests.shrinkage import shrunken_slopes
from whoworks.forests.table import read_features
from whoworks.simulate.pilot import make_pilot


def inputs(seed=0, *, n_clusters=24, size=15, slope=0.0):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n_clusters), size)
    n = len(cluster)
    z = (cluster % 2).astype(float)
    x = rng.normal(size=n)
    y = z * slope * x + rng.normal(size=n)
    y -= (y[z == 1].mean() + y[z == 0].mean()) / 2
    group = pd.Categorical.from_codes(rng.integers(3, size=n), ["a", "b", "c"])
    return Inputs(
        features=read_features(pd.DataFrame({"x": x, "group": group})),
        y_residual=y, z_residual=z - 0.5, weights=np.full(n, 2.0),
        cluster=cluster, block=np.zeros(n, dtype=np.int64), arm=z.astype(np.int64), learn=np.ones(n, dtype=np.bool_),
    )  # fmt: skip


def predict(data, *, repeats=3, engine=None, seed=0):
    fold = data.cluster // 2 % 4
    forward = np.array([(data.cluster // 2 + r) % 4 for r in range(repeats)])
    sequence = np.random.SeedSequence(seed)
    return predict_left_out(engine or RidgeEngine(), data, fold=fold, forward_fold=forward, seed=sequence)


@dataclass
class Recorder:
    """An engine that keeps which units it learned from."""

    seen: list
    name: str = "recorder"
    ignores: tuple = ()
    repeats: int = 3
    fewest_clusters: int = 1

    def fit(self, data, *, rows, seed):
        self.seen.append((rows, seed))
        return Recorded(n_features=len(data.features.names), value=float(len(self.seen)))


@dataclass
class Recorded:
    n_features: int
    value: float

    @property
    def importance(self):
        return np.full(self.n_features, 1 / self.n_features)

    def predict(self, features):
        return np.full(features.n_rows, self.value)


def test_each_fold_is_predicted_from_all_others_and_in_sequences_from_those_before_it():
    data, engine = inputs(), Recorder(seen=[])
    found = predict(data, engine=engine, repeats=2)
    fold = data.cluster // 2 % 4
    for k in range(4):
        np.testing.assert_array_equal(engine.seen[k][0], np.flatnonzero(fold != k))
    for place, (rows, _) in enumerate(engine.seen[4:7], start=1):
        np.testing.assert_array_equal(rows, np.flatnonzero(found.forward_fold[0] < place))
    assert len(engine.seen) == 4 + 2 * 3
    assert len({seed for _, seed in engine.seen}) == len(engine.seen)


def test_no_unit_is_predicted_by_a_model_that_saw_its_cluster():
    data, engine = inputs(), Recorder(seen=[])
    found = predict(data, engine=engine)
    for value in np.unique(found.tau):
        rows, _ = engine.seen[int(value) - 1]
        assert not set(data.cluster[rows]) & set(data.cluster[found.tau == value])


def test_the_first_fold_of_a_sequence_is_not_predicted():
    found = predict(inputs())
    np.testing.assert_array_equal(np.isnan(found.forward), found.forward_fold == 0)
    assert np.isfinite(found.tau).all()


def test_units_outside_the_contrast_are_predicted_and_never_learned_from():
    data, engine = inputs(), Recorder(seen=[])
    learn = data.cluster % 3 != 0
    predict(replace(data, learn=learn), engine=engine)
    assert all(learn[rows].all() for rows, _ in engine.seen)


def test_the_same_seed_gives_the_same_predictions():
    first, second = predict(inputs(slope=1.0)), predict(inputs(slope=1.0))
    np.testing.assert_array_equal(first.tau, second.tau)
    assert first.importance.empty


def test_the_ridge_finds_a_slope_that_is_there_and_shrinks_one_that_is_not():
    strong, none = (predict(inputs(1, slope=slope)).tau for slope in (2.0, 0.0))
    assert np.corrcoef(strong, inputs(1).features.columns[0].values)[0, 1] > 0.95
    assert strong.std() > 1.0
    assert none.std() < 0.3


def test_the_ridge_does_not_mind_the_order_of_rows_nor_the_outcomes_scale():
    data = inputs(2, slope=1.0)
    order = np.random.default_rng(0).permutation(len(data.y_residual))
    arrays = ("y_residual", "z_residual", "weights", "cluster", "block", "arm", "learn")
    shuffled = replace(
        data, features=data.features.take(order),
        **{name: getattr(data, name)[order] for name in arrays},
    )  # fmt: skip
    np.testing.assert_allclose(predict(shuffled).tau, predict(data).tau[order], atol=1e-8)
    scaled = replace(data, y_residual=10 * data.y_residual)
    np.testing.assert_allclose(predict(scaled).tau, 10 * predict(data).tau, atol=1e-7)


def test_a_constant_effect_is_predicted_for_everyone_at_unequal_probabilities_too():
    """One class in four is treated; weighted by the inverse probabilities either arm counts half."""
    data = inputs(3)
    z = (data.cluster % 4 == 0).astype(float)
    y = 3.0 * (z - 0.5) + 0.01 * np.random.default_rng(0).normal(size=len(z))
    weights = np.where(z == 1, 4.0, 4 / 3)
    found = predict(replace(data, z_residual=z - 0.5, y_residual=y, weights=weights, arm=z.astype(np.int64)))
    np.testing.assert_allclose(found.tau, 3.0, atol=0.05)


def test_numbers_are_filled_and_categories_spread_and_what_is_missing_is_flagged():
    frame = pd.DataFrame({"x": [1.0, np.nan, 3.0], "g": pd.Categorical(["a", None, "b"], ["a", "b"])})
    features = read_features(frame)
    columns, source = encode(features, centre=centres(features))
    np.testing.assert_array_equal(columns, [[1, 0, 0, 0], [2, 1, 0, 1], [3, 0, 1, 0]])
    np.testing.assert_array_equal(source, [0, 0, 1, 1])


def test_new_units_are_filled_with_what_was_learned_and_unseen_columns_stay_in_place():
    old = read_features(pd.DataFrame({"x": [1.0, 3.0], "g": pd.Categorical(["a", "a"], ["a", "b"])}))
    new = read_features(pd.DataFrame({"x": [np.nan], "g": pd.Categorical(["b"], ["a", "b"])}))
    columns, _ = encode(new, centre=centres(old))
    np.testing.assert_array_equal(columns, [[2, 1, 1, 0]])


def test_a_number_that_is_missing_throughout_is_filled_with_zero():
    features = read_features(pd.DataFrame({"x": [np.nan, np.nan]}))
    np.testing.assert_array_equal(encode(features, centre=centres(features))[0], [[0, 1], [0, 1]])


def test_clusters_decide_which_engine_there_is():
    assert choose_engine("forest", trees=200, clusters_per_arm=3) is None
    assert isinstance(choose_engine("forest", trees=200, clusters_per_arm=4), RidgeEngine)
    assert isinstance(choose_engine("forest", trees=200, clusters_per_arm=9), RidgeEngine)
    assert not isinstance(choose_engine("forest", trees=200, clusters_per_arm=10), RidgeEngine)


def test_columns_that_span_each_other_and_have_no_noise_get_slopes_all_the_same():
    gram, zeros = np.ones((2, 2)), np.zeros(2)
    np.testing.assert_array_equal(shrunken_slopes(gram=gram, pull=zeros, noise=zeros), zeros)
    found = shrunken_slopes(gram=gram, pull=np.ones(2), noise=zeros)
    np.testing.assert_allclose(found, 0.5, rtol=1e-6)


def test_a_third_arm_too_thin_for_folds_leaves_the_report_without_predictions_and_standing(tmp_path):
    """Folds need four clusters in every arm; the contrast's own arms have them, the third has three."""
    pilot = trim(make_pilot("three-arms", students=256, classes=16, schools=2, blocks="none"), ("frl", "rit_fall"))
    thin = pilot.records.loc[pilot.records["arm"] == "coached", "class_id"].unique()[0]
    replace(pilot, records=pilot.records[pilot.records["class_id"] != thin]).write(tmp_path)
    run = ww.Study.from_plan(tmp_path / "plan.toml").run()
    assert run.predicted == {}
    assert "fewer than four" in run.evidence().no_predictions
    assert run.findings.average()["estimate"].notna().all()
