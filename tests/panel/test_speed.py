"""A district's file is read and made a panel while one waits."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from tests.records.pilots import make_plan
from whoworks.panel.build import build_panel
from whoworks.records.read import read_records

SECONDS = 5.0


def test_twenty_thousand_rows_of_forty_columns_take_seconds(tmp_path):
    rng = np.random.default_rng(7)
    n = 20_000
    klass = np.arange(n) // 25
    frame = pd.DataFrame({"student": np.arange(n), "klass": klass, "school": klass // 4, "arm": klass % 2})
    frame = frame.assign(reading=rng.normal(size=n), pretest=rng.normal(size=n), lunch=rng.integers(0, 2, n))
    frame = frame.assign(setting=np.where(klass // 4 % 2 == 0, "town", "city"))
    numbers = {f"number_{place}": rng.normal(size=n) for place in range(16)}
    groups = {f"group_{place}": rng.choice(list("abcd"), n) for place in range(16)}
    pd.concat([frame, pd.DataFrame(numbers | groups)], axis=1).to_csv(tmp_path / "pilot.csv", index=False)
    listed = ", ".join(f'"{column}"' for column in (*numbers, *groups))
    plan = make_plan(tmp_path, "pilot.csv", ('"age", "language"', listed))
    began = time.process_time()
    panel = build_panel(plan, read_records(plan))
    assert time.process_time() - began < SECONDS
    assert panel.values.shape == (n, 36)
