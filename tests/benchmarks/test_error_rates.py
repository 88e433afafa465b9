"""The error rates of growth and of what rests on predictions: worlds as told, rates as counted out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.error_rates import GROWS, draw_pilot, draw_records, find_changes, find_p, plan_waves, tell_change


def draw(n_waves: int, *, classes: int = 12, grows: float = GROWS) -> pd.DataFrame:
    return draw_records(np.random.default_rng(1), classes=classes, n_waves=n_waves, grows=grows)


def test_waves_correlate_and_students_leave_as_told():
    wide = draw(3, classes=400, grows=0.0).pivot_table(index="id", columns="term", values="score")
    kept = wide.notna().mean()
    assert kept["winter"] == 1.0
    assert kept["spring"] == pytest.approx(0.92, abs=0.01)
    assert kept["summer"] == pytest.approx(0.92**2, abs=0.015)
    assert wide["spring"].isna().le(wide["summer"].isna()).all()  # who has left stays away
    assert wide["fall"].var() == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize(("n_waves", "levels"), [(2, 1), (3, 3)])
def test_each_pair_of_waves_has_its_change(n_waves, levels):
    changes = find_changes(plan_waves(n_waves), draw(n_waves), seed=1)
    assert len(changes) == levels
    assert all(f.conf_low < f.estimate < f.conf_high for f in changes)


def test_a_line_counts_what_it_says():
    own = pd.DataFrame(
        {
            "estimate": [0.1, 0.3, 0.5, 0.3], "error": 0.1, "low": [0.0, 0.1, 0.4, 0.1], "high": [0.2, 0.5, 0.6, 0.5],
            "p": [0.3, 0.04, 0.01, np.nan],
        }
    )  # fmt: skip
    told = tell_change(own, truth=pd.Series(0.2, index=own.index)).split("\t")
    assert told[0] == "4"
    assert told[1].startswith("0.1000")
    assert told[3].startswith("0.750")  # covered by three of four
    assert told[4].startswith("0.500")
    assert told[5] == "0.250"


def test_what_rests_on_predictions_has_a_p_each():
    told = find_p(draw_pilot("student-moderator", "class", 12, seed=1), engine="ridge", seed=1)
    assert list(told) == ["calibration", "sorted groups", "AUTOC", "top third"]
    assert all(np.isnan(p) or 0 <= p <= 1 for p in told.values())
