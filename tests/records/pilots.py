"""A pilot of a few classrooms as a frame, and its plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from whoworks.plan.plan import Plan

PLAN = """
schema = 1
[study]
name = "Harbour"
question = "Does it raise reading, and for whom?"
[records]
path = "pilot.csv"
[levels]
student = "student"
class = "klass"
school = "school"
[arms]
column = "arm"
control = "0"
treatments = ["1"]
[design]
assigned = "class"
blocks = ["school"]
probability = "blocks"
[[outcomes]]
column = "reading"
baseline = ["pretest"]
[[moderators]]
column = "lunch"
level = "student"
values = { 0 = "not eligible", 1 = "eligible" }
[[moderators]]
column = "setting"
level = "school"
[covariates]
columns = ["age", "language"]
"""


def make_frame(n_schools: int = 4, *, seed: int = 1) -> pd.DataFrame:
    """Four classes of six students in each school, every other class treated; some values missing."""
    rng = np.random.default_rng(seed)
    klass = np.repeat(np.arange(4 * n_schools), 6)
    n = len(klass)
    reading = np.round(rng.normal(500, 40, n), 1)
    reading[rng.random(n) < 0.1] = np.nan
    lunch = rng.integers(0, 2, n).astype(float)
    lunch[3] = np.nan
    return pd.DataFrame(
        {
            "student": [f"{code:05d}" for code in rng.permutation(n) + 1],
            "klass": 100 + klass,
            "school": [f"{code:03d}" for code in klass // 4 + 7],
            "arm": klass % 2,
            "reading": reading,
            "pretest": rng.integers(300, 600, n).astype(float),
            "lunch": lunch,
            "setting": np.where(klass // 4 % 2 == 0, "Straße", "city"),
            "age": np.round(rng.uniform(10, 12, n), 2).astype("float32"),
            "language": rng.choice(["en", "es", "zh"], n),
        }
    )


def make_plan(folder: Path, file: str = "pilot.csv", *changes: tuple[str, str]) -> Plan:
    """Return the plan for a file in a folder, with texts replaced."""
    text = PLAN.replace("pilot.csv", file)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return Plan.parse(text, base=folder)
