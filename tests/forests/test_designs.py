"""The forest as a user meets it: designs, inputs, refusals, conventions."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from tests.forests.worlds import classrooms
from whoworks.errors import ForestError
from whoworks.forests.causal import CausalForest
from whoworks.forests.estimator import FORMAT, round_residuals
from whoworks.forests.importance import redraw_arms
from whoworks.forests.regression import RegressionForest
from whoworks.forests.table import read_features
from whoworks.forests.threads import count_threads, over_threads

SMALL = {"n_estimators": 60, "random_state": 1, "n_jobs": 1}


def fit(X, y, z, cluster=None, **given):
    settings = {k: given.pop(k) for k in list(given) if k in CausalForest().get_params()}
    given = {"propensity": 0.5, **given}
    return CausalForest(**{**SMALL, **settings}).fit(X, y, z, cluster=cluster, **given)


def all_finite(forest):
    return all(np.isfinite(part).all() for part in forest.predict_oob(variance=True))


@pytest.mark.parametrize(
    ("n_clusters", "size"),
    [
        (8, 20),
        (12, 20),
        (60, 1),
        (20, [1] * 10 + [20] * 9 + [200]),
        (16, [4] * 15 + [60]),
        (20, [1, 200] * 10),
    ],
)
def test_few_unequal_and_tiny_designs_grow_a_finite_forest(n_clusters, size):
    X, y, z, cluster = classrooms(n_clusters=n_clusters, size=size)
    assert all_finite(fit(X, y, z, cluster))
    assert all_finite(fit(X, y, z, cluster, weighting="cluster"))


def test_sixty_students_without_clusters_grow_a_finite_forest():
    X, y, z, _ = classrooms(n_clusters=60, size=1, by="student")
    assert all_finite(fit(X, y, z))


def test_features_that_say_nothing_give_the_average_effect_everywhere():
    X, y, z, cluster = classrooms()
    X = np.column_stack([np.full(len(y), np.nan), np.zeros(len(y))])
    forest = fit(X, y, z, cluster, prognosis=0 * y)
    assert all_finite(forest)
    new = forest.predict(X)
    assert np.ptp(new) < 1e-12
    assert all(len(trees.payload) == 60 for trees in forest.trees_)


def test_three_clusters_in_an_arm_are_refused_with_a_reason():
    X, y, _, cluster = classrooms(n_clusters=10)
    with pytest.raises(ForestError, match=r"Arm 1 has 3 clusters.*at least 4"):
        fit(X, y, (cluster < 3).astype(int), cluster)


def test_the_cluster_minimum_keeps_single_classrooms_from_being_leaves():
    X, y, z, cluster = classrooms(n_clusters=40, size=25, effect=0.0)
    X = X[:, 2:3]  # a classroom covariate: each value is a classroom
    loose, strict = fit(X, y, z, cluster, min_clusters_leaf=0), fit(X, y, z, cluster)
    assert len(strict.trees_[0].payload) < 0.7 * len(loose.trees_[0].payload)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": None}, "never learned|It is never"),
        ({"propensity": 1.0}, "strictly between"),
        ({"propensity": [0.5, 0.5, 0.5]}, "shape"),
        ({"z": "text"}, "coded 0 for control"),
        ({"z": "one arm"}, "coded 0|one arm only"),
        ({"y": "missing"}, "missing or infinite in 1 of"),
        ({"sample_weight": -1.0}, "sample_weight"),
        ({"prognosis": np.zeros(3)}, "prognosis"),
        ({"cluster": "missing"}, "cluster is missing in 1"),
        ({"X": "infinite"}, "infinite"),
        ({"X": "text"}, "holds text"),
        ({"categorical": ["nobody"]}, "names 'nobody'"),
        ({"weighting": "school"}, "weighting"),
        ({"max_samples": 0.9}, "max_samples"),
        ({"honesty_fraction": 1.0}, "honesty_fraction"),
        ({"n_estimators": 1}, "n_estimators"),
    ],
)
def test_a_mistake_gives_a_sentence(change, message):
    X, y, z, cluster = classrooms()
    given = {"X": X, "y": y, "z": z, "cluster": cluster, **change}
    if change.get("z") == "text":
        given["z"] = np.where(z > 0, "new", "usual")
    if change.get("z") == "one arm":
        given["z"] = np.zeros(len(y))
    if change.get("y") == "missing":
        given["y"] = np.where(np.arange(len(y)) == 3, np.nan, y)
    if change.get("sample_weight") == -1.0:
        given["sample_weight"] = np.full(len(y), -1.0)
    if isinstance(change.get("cluster"), str):
        given["cluster"] = np.where(np.arange(len(y)) == 3, np.nan, cluster)
    if isinstance(change.get("X"), str):
        table = pd.DataFrame(X)
        table[0] = np.where(z > 0, np.inf, 0.0) if change["X"] == "infinite" else "abc"
        given["X"] = table
    with pytest.raises(ForestError, match=message):
        fit(given.pop("X"), given.pop("y"), given.pop("z"), given.pop("cluster"), **given)


def test_a_feature_that_names_the_cluster_is_refused():
    X, y, z, cluster = classrooms()
    names = pd.Series(cluster, name="class_id").map("room {}".format)
    table = pd.DataFrame(X).rename(columns=str)
    with pytest.raises(ForestError, match="names the cluster"):
        fit(np.column_stack([X, cluster]), y, z, cluster)
    with pytest.raises(ForestError, match="'class_id' names the cluster"):
        fit(table.assign(class_id=names.astype("category")), y, z, names)
    with pytest.raises(ForestError, match="'room' names the cluster"):
        fit(table.assign(room=names.str.replace("room", "R").astype("category")), y, z, cluster)


def coloured():
    rng = np.random.default_rng(0)
    X, y, z, cluster = classrooms(n_clusters=20, size=20)
    return pd.DataFrame({"colour": pd.Categorical(rng.choice(["red", "blue"], len(y))), "x": X[:, 0]}), y, z, cluster


def test_levels_are_split_as_sets_and_unseen_levels_go_the_missing_way():
    rng = np.random.default_rng(0)
    X, y, z, cluster = classrooms(n_clusters=60, size=20, effect=0.0)
    colour = rng.choice(["red", "green", "blue", "grey"], len(y))
    y = y + 2.0 * z * np.isin(colour, ["red", "blue"])
    table = pd.DataFrame({"colour": pd.Categorical(colour), "x": X[:, 0]})
    forest = fit(table, y, z, cluster, n_estimators=200)
    effects = pd.Series(forest.predict_oob()).groupby(colour).mean()
    assert effects[["red", "blue"]].min() > effects[["green", "grey"]].max() + 0.8
    unseen = table.assign(colour=pd.Categorical(np.full(len(y), "violet")))
    hidden = table.assign(colour=pd.Categorical(np.full(len(y), None), categories=["red"]))
    np.testing.assert_array_equal(forest.predict(unseen), forest.predict(hidden))
    named = fit(table.astype({"colour": object}), y, z, cluster, n_estimators=200, categorical=["colour"])
    np.testing.assert_array_equal(named.predict_oob(), forest.predict_oob())


def test_two_levels_are_cut_as_two_numbers_are():
    table, y, z, cluster = coloured()
    table.loc[::7, "colour"] = None
    numbers = table.assign(colour=table["colour"].map({"blue": 0.0, "red": 1.0}).astype(float))
    np.testing.assert_array_equal(
        fit(table, y, z, cluster).predict_oob(), fit(numbers, y, z, cluster, n_estimators=60).predict_oob()
    )


def test_missing_values_carry_an_effect():
    X, y, z, cluster = classrooms(n_clusters=60, size=20, effect=0.0)
    hole = np.random.default_rng(1).random(len(y)) < 0.4
    X[hole, 0] = np.nan
    effects = fit(X, y + 2.0 * z * hole, z, cluster, n_estimators=200).predict_oob()
    assert effects[hole].mean() > effects[~hole].mean() + 1.0


@pytest.mark.parametrize("e", [(0.5, 0.25, 0.25), "rows"])
def test_several_arms_have_a_contrast_each(e):
    rng = np.random.default_rng(2)
    X, y, _, cluster = classrooms(n_clusters=60, size=20, effect=0.0)
    shares = np.array([0.5, 0.25, 0.25]) if e == "rows" else np.array(e)
    z = rng.choice(3, len(y), p=shares)
    y = y + 1.0 * (z == 1) + 3.0 * (z == 2) * (X[:, 0] > 0)
    e = np.tile(shares, (len(y), 1)) if isinstance(e, str) else e
    forest = fit(X, y, z, cluster, propensity=e, n_estimators=200)
    effects, variance = forest.predict_oob(variance=True)
    assert effects.shape == variance.shape == (len(y), 2)
    assert abs(effects[:, 0].mean() - 1.0) < 0.3
    assert effects[X[:, 0] > 0.3, 1].mean() > effects[X[:, 0] < -0.3, 1].mean() + 1.0


def test_an_interval_is_wider_with_few_bags_than_with_many():
    X, y, z, cluster = classrooms()
    for part in (None, X[:40]):
        width = []
        for n in (60, 2000):
            forest = fit(X, y, z, cluster, n_estimators=n, prognosis=0 * y)
            low, high = forest.interval(part)
            effect, variance = forest.predict_oob(variance=True) if part is None else forest.predict(part, True)
            np.testing.assert_allclose((low + high) / 2, effect, atol=1e-12)
            width.append(np.median((high - low) / np.sqrt(variance)) / 2)
        # t with 24 - 2 degrees of freedom has 2.07 at all the bags in the world
        assert 2.07 < width[1] < 2.4 < width[0]
    with pytest.raises(ForestError, match="trees_per_bag"):
        fit(X, y, z, cluster, trees_per_bag=1).interval()
    with pytest.raises(ForestError, match="level"):
        forest.interval(level=95)


def test_several_outcomes_have_a_forest_each():
    X, y, z, cluster = classrooms()
    h = np.column_stack([0 * y, 0 * y])
    forest = fit(X, np.column_stack([y, 2.0 * y]), z, cluster, prognosis=h)
    effects, variance = forest.predict_oob(variance=True)
    assert effects.shape == variance.shape == (len(y), 2)
    np.testing.assert_allclose(effects[:, 1], 2.0 * effects[:, 0], rtol=1e-9)
    np.testing.assert_array_equal(forest.predict(X).shape, (len(y), 2))


def test_a_row_is_silent_in_bags_that_hold_its_cluster():
    X, y, z, cluster = classrooms()
    forest = fit(X, y, z, cluster, n_estimators=2)
    with pytest.warns(UserWarning, match="no prediction.*n_estimators"):
        effects = forest.predict_oob()
    silent = np.isnan(effects)
    assert all(len(set(silent[cluster == c])) == 1 for c in range(24))
    assert silent[::12].sum() == 12


def test_out_of_bag_effects_do_not_move_with_the_outcomes_of_their_own_cluster():
    X, y, z, cluster = classrooms()
    mine = cluster == 5
    x = np.column_stack([X, np.arange(len(y))])  # rows keep their place: the order is by features
    before = fit(x, y, z, cluster, prognosis=0 * y).predict_oob()
    moved = fit(x, np.where(mine, y + np.linspace(-1, 1, len(y)), y), z, cluster, prognosis=0 * y)
    np.testing.assert_allclose(moved.predict_oob()[mine], before[mine], atol=1e-7)


def test_weights_of_zero_leave_rows_out_of_leaf_values():
    X, y, z, cluster = classrooms(n_clusters=40)
    keep = cluster % 4 > 0
    wild = np.where(keep, y, y + 1000.0 * z)
    forest = fit(X, wild, z, cluster, prognosis=0 * y, sample_weight=keep.astype(float))
    assert np.abs(forest.predict(X)).max() < 10.0


def test_blocks_are_strata_where_each_arm_has_four_clusters():
    X, y, z, cluster = classrooms(n_clusters=40, by="student")
    z = (cluster % 2).astype(int)
    forest = fit(X, y, z, cluster, block=cluster // 20)
    assert len(forest.strata_.start) - 1 == 4
    pairs = fit(X, y, z, cluster, block=cluster // 2)
    assert len(pairs.strata_.start) - 1 == 2
    assert all_finite(pairs)


def test_parameters_are_stored_untouched_and_clone_copies_them():
    forest = CausalForest(n_estimators=13, max_features=0.5, random_state=3)
    assert clone(forest).get_params() == forest.get_params()
    assert forest.set_params(n_jobs=2).n_jobs == 2
    with pytest.raises(TypeError):
        CausalForest(100)


def test_a_pickle_predicts_the_same_and_another_format_is_refused():
    X, y, z, cluster = classrooms()
    forest = fit(X, y, z, cluster)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_oob(), forest.predict_oob())
    np.testing.assert_array_equal(again.predict(X), forest.predict(X))
    state = {**forest.__getstate__(), "_format": FORMAT + 1}
    with pytest.raises(ForestError, match="Grow it again"):
        CausalForest.__new__(CausalForest).__setstate__(state)


def test_progress_is_told_from_the_first_tree_to_the_last():
    X, y, z, cluster = classrooms()
    told = []
    fit(X, y, z, cluster, prognosis=0 * y, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(set(told))
    assert told[-1] == (60, 60)
    assert len(told) >= 8
    assert {total for _, total in told} == {60}


def test_new_frames_are_matched_by_name_and_lacking_columns_named():
    X, y, z, cluster = classrooms()
    table = pd.DataFrame(X, columns=list("abcd"))
    forest = fit(table, y, z, cluster)
    np.testing.assert_array_equal(forest.predict(table[list("dcba")]), forest.predict(table))
    with pytest.raises(ForestError, match=r"lacks 1 features.*: b"):
        forest.predict(table.drop(columns="b"))
    with pytest.raises(ForestError, match="3 features"):
        forest.predict(X[:, :3])
    with pytest.raises(ForestError, match="not grown"):
        CausalForest().predict(X)


def test_importance_names_the_moderator_and_the_band_holds_the_rest():
    X, y, z, cluster = classrooms(n_clusters=80, size=20, p=5, effect=1.5, by="student")
    forest = fit(X, y, z, cluster, prognosis=0.75 * (X[:, 0] > 0))
    assert forest.feature_importances_.argmax() == 0
    before = forest.factors_
    band = forest.importance_band(n_draws=19, n_estimators=40)
    assert list(band.columns) == ["feature", "importance", "null_low", "null_high", "p_value"]
    assert band.importance[0] > band.null_high[0]
    assert band.p_value[0] == 0.05
    assert forest.factors_ is before
    pd.testing.assert_frame_equal(band, forest.importance_band(n_draws=19, n_estimators=40))


@pytest.mark.parametrize("by", ["class", "student"])
def test_arms_drawn_anew_keep_the_design(by):
    X, y, z, cluster = classrooms(by=by)
    forest = fit(X, y, z, cluster)
    sample, layout = forest.sample_, forest.layout_
    arm, residual = redraw_arms(sample, layout, forest.exchange_, np.random.default_rng(0))
    assert (arm != sample.arm).any()
    np.testing.assert_allclose(residual[:, 0], arm - 0.5)
    whole = [set(arm[layout.cluster == c]) for c in range(24)]
    if by == "class":
        assert all(len(arms) == 1 for arms in whole)
        assert sum(arms == {1} for arms in whole) == 12
    else:
        for c in range(24):
            assert arm[layout.cluster == c].sum() == sample.arm[layout.cluster == c].sum()


def test_the_regression_forest_follows_the_mean_and_is_out_of_bag_by_cluster():
    rng = np.random.default_rng(0)
    X, _, _, cluster = classrooms(n_clusters=60, size=20)
    truth = 2.0 * (X[:, 0] > 0) + 10.0
    y = truth + 0.5 * rng.normal(size=len(truth))
    forest = RegressionForest(**SMALL).fit(X, y, cluster=cluster)
    mean, variance = forest.predict_oob(variance=True)
    assert np.corrcoef(mean, truth)[0, 1] > 0.95
    assert abs(mean.mean() - y.mean()) < 0.1
    assert (variance > 0.0).all()
    shifted = RegressionForest(**SMALL).fit(X, y + 64.0, cluster=cluster).predict_oob()
    np.testing.assert_allclose(shifted, mean + 64.0, rtol=1e-9)
    assert forest.predict(X[:5]).shape == (5,)


def test_residuals_are_rounded_relative_to_their_size():
    values = np.random.default_rng(0).normal(size=50)
    np.testing.assert_array_equal(round_residuals(values), round_residuals(values + 1e-14))
    np.testing.assert_array_equal(round_residuals(values * 2.0**-30), round_residuals(values) * 2.0**-30)


def test_threads_are_counted_as_scikit_learn_counts_them(monkeypatch):
    assert count_threads(None) == 1
    assert count_threads(3) == 3
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    free = count_threads(-1)
    assert free >= 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")  # as joblib sets it for its workers
    assert count_threads(-1) == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1000")
    assert count_threads(-1) == free


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_work_comes_back_in_its_order_whatever_the_threads(n_threads):
    assert list(over_threads(lambda item: -item, range(7), n_threads)) == [0, -1, -2, -3, -4, -5, -6]
    assert list(over_threads(lambda item: -item, [], n_threads)) == []


def test_one_thread_is_the_caller_s_own():
    own = threading.get_ident()
    assert set(over_threads(lambda _: threading.get_ident(), range(3), 1)) == {own}
    assert own not in set(over_threads(lambda _: threading.get_ident(), range(3), 2))


def test_a_table_read_once_and_cut_grows_the_forest_of_the_frame_cut():
    table, y, z, cluster = coloured()
    rows = np.flatnonzero(cluster < 14)
    read = read_features(table)
    whole = fit(table.iloc[rows], y[rows], z[rows], cluster[rows], n_estimators=60)
    cut = fit(read.take(rows), y[rows], z[rows], cluster[rows], n_estimators=60)
    np.testing.assert_array_equal(cut.predict(read.take(cluster >= 14)), whole.predict(table[cluster >= 14]))


def test_numbers_stay_numbers_and_levels_may_come_as_text():
    table, y, z, cluster = coloured()
    forest = fit(table, y, z, cluster, n_estimators=60)
    np.testing.assert_array_equal(forest.predict(table.astype({"colour": object})), forest.predict(table))
    with pytest.raises(ForestError, match="'x' holds levels; the forest was grown on numbers"):
        forest.predict(table.assign(x=table["x"].round().astype("category")))


def test_a_cluster_without_weight_takes_no_others_away():
    X, y, z, cluster = classrooms(n_clusters=20, size=15)
    weight = np.where(cluster == cluster[0], 0.0, 1.0)
    assert all_finite(fit(X, y, z, cluster, weighting="cluster", sample_weight=weight))
