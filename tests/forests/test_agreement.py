"""Agreement with the reference forests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whoworks.forests.causal import CausalForest


@pytest.fixture(scope="module")
def schools(shared):
    data = pd.read_csv(shared / "data" / "schoolrct.csv.gz")
    reference = pd.read_csv(shared / "reference" / "grf_schoolrct_oob.csv.gz")
    numbers = pd.read_csv(shared / "reference" / "grf_schoolrct.csv").set_index("quantity")["value"]
    y, z, school = (data[c].to_numpy() for c in ("outcome.test.score", "treatment", "school"))
    forest = CausalForest(n_estimators=4000, min_clusters_leaf=0, random_state=1)
    forest.fit(data.iloc[:, 3:16], y, z, cluster=school, propensity=0.5)
    return y, z, school, forest, forest.predict_oob(), reference, numbers


@pytest.mark.shared
def test_out_of_bag_effects_agree_with_grf(schools):
    *_, effects, reference, numbers = schools
    # 4,000 trees: at 2,000 the draw of trees alone keeps two forests of ours at .964 (docs/decisions/0010)
    assert np.corrcoef(effects, reference["oob_cate"])[0, 1] >= 0.97
    assert np.corrcoef(effects, reference["oob_cate_seed2"])[0, 1] >= 0.97
    assert abs(effects.std(ddof=1) / numbers["oob_cate_sd"] - 1.0) < 0.15


@pytest.mark.shared
def test_the_average_effect_agrees_with_grf(schools):
    y, z, school, forest, effects, _, numbers = schools
    score = effects + (z - 0.5) / 0.25 * (y - forest.prognosis_ - (z - 0.5) * effects)
    sums = pd.Series(score - score.mean()).groupby(school).sum()
    error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(y)
    assert abs(score.mean() - numbers["ate"]) < 0.1 * numbers["ate_se"]
    assert abs(error / numbers["ate_se"] - 1.0) < 0.05


def test_effects_agree_with_econml_where_students_are_their_own_clusters():
    from econml.grf import CausalForest as Reference

    rng = np.random.default_rng(0)
    n = 2000
    X, z = rng.normal(size=(n, 5)), rng.integers(0, 2, n)
    y = z * (X[:, 0] + (X[:, 1] > 0)) + rng.normal(size=n)
    new = rng.normal(size=(1000, 5))
    h = 0.5 * (X[:, 0] + (X[:, 1] > 0))

    def reference(seed):
        model = Reference(n_estimators=600, criterion="het", min_samples_leaf=10, max_samples=0.5, random_state=seed)
        return model.fit(X, (z - 0.5)[:, None], (y - h)[:, None]).predict(new).ravel()

    ours = CausalForest(n_estimators=600, random_state=1, max_features=1.0)
    found = ours.fit(X, y, z, propensity=0.5, prognosis=h).predict(new)
    first, second = reference(1), reference(2)
    assert np.corrcoef(first, second)[0, 1] >= 0.98
    assert np.corrcoef(found, first)[0, 1] >= 0.95
    assert abs(found.std() / first.std() - 1.0) < 0.15
