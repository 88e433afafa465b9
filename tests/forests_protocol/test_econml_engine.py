"""The adapter to EconML: same inputs, whole clusters, no claim."""

from __future__ import annotations

import numpy as np

from tests.forests_protocol.test_left_out import inputs, predict
from whoworks.forests.econml_engine import EconmlEngine


def test_it_ranks_by_a_slope_that_is_there_and_gives_the_same_twice():
    data = inputs(1, slope=2.0)
    engine = EconmlEngine(n_estimators=40)
    first, second = (predict(data, engine=engine, repeats=1) for _ in range(2))
    np.testing.assert_array_equal(first.tau, second.tau)
    assert np.corrcoef(first.tau, data.features.columns[0].values)[0, 1] > 0.8
    fitted = engine.brief.fit(data, rows=np.flatnonzero(data.learn), seed=0)
    assert fitted.importance.argmax() == 0
    assert first.engine == "causal forest of EconML"
    assert len(first.ignores) == 3
