"""A roster and a long table of tests, and the plan that joins them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from whoworks.panel.build import build_panel
from whoworks.panel.panel import Panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records

PLAN = """
schema = 1
[study]
name = "Lakeside"
question = "Does it raise mathematics, and for whom?"
[[records]]
name = "roster"
path = "roster.csv"
key = ["student_id"]
keep = "grade == '6' and status == 'active'"
[[records]]
name = "tests"
path = "tests.csv"
key = ["student", "term"]
join = { student = "roster.student_id" }
[waves]
column = "tests.term"
order = { fall = "Fall 2026", spring = "Spring 2027" }
before = ["fall"]
[levels]
student = "student_id"
class = "class_id"
school = "school_id"
[arms]
column = "arm"
control = "usual"
treatments = ["adaptive"]
[design]
assigned = "class"
blocks = ["school"]
probability = "blocks"
[[outcomes]]
column = "tests.rit"
wave = "spring"
label = "mathematics"
baseline = [{ column = "tests.rit", wave = "fall" }]
[[outcomes]]
column = "passed"
kind = "binary"
values = { Y = "passed", N = "not yet" }
[[moderators]]
column = "frl"
label = "free lunch"
level = "student"
values = { N = "not eligible", Y = "eligible" }
[[moderators]]
column = "tests.rit"
wave = "fall"
kind = "number"
level = "student"
[[moderators]]
column = "years"
level = "class"
kind = "number"
[covariates]
columns = ["age", "sex"]
[takeup]
column = "logged_in"
[implementation]
columns = ["minutes", "device"]
[missing]
codes = ["", "NA", "-99"]
columns = { frl = ["unknown"] }
"""


def make_roster(n: int = 80) -> pd.DataFrame:
    """Two schools of two classes each in either arm; every value as text would be in a file."""
    row = np.arange(n)
    klass = row % 8
    return pd.DataFrame(
        {
            "student_id": [f"{code:04d}" for code in 1000 + 7 * row % 997],
            "class_id": [f"C{code}" for code in klass],
            "school_id": [f"S{code // 4}" for code in klass],
            "arm": np.where(klass % 2 == 0, "usual", "adaptive"),
            "grade": "6",
            "status": "active",
            "passed": np.where(row % 3 == 0, "Y", "N"),
            "frl": np.where(row % 5 < 2, "Y", "N"),
            "years": (klass * 3 % 7).astype(str),
            "age": [f"{11 + code % 10 / 10:.1f}" for code in row],
            "sex": np.where(row % 2 == 0, "F", "M"),
            "logged_in": np.where(klass % 2 == 0, "no", "yes"),
            "minutes": [str(code * 13 % 200) for code in row],
            "device": np.where(row % 4 == 0, "tablet", "laptop"),
        }
    )


def make_tests(roster: pd.DataFrame) -> pd.DataFrame:
    """One row per student and term."""
    parts = []
    for place, term in enumerate(("Fall 2026", "Spring 2027")):
        rit = [f"{180 + place * 5 + row * 17 % 40}.5" for row in range(len(roster))]
        parts.append(pd.DataFrame({"student": roster["student_id"], "term": term, "rit": rit}))
    return pd.concat(parts, ignore_index=True)


def read(folder: Path, roster: pd.DataFrame, tests: pd.DataFrame, *changes: tuple[str, str]) -> Panel:
    """Write both tables and build the panel of the plan with texts replaced."""
    roster.to_csv(folder / "roster.csv", index=False)
    tests.to_csv(folder / "tests.csv", index=False)
    text = PLAN
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    plan = Plan.parse(text, base=folder)
    return build_panel(plan, read_records(plan))


def counts(panel: Panel, step: str) -> dict[tuple[str, str], int]:
    """Return the ledger's row counts of one step by reason and arm."""
    return {(entry.reason, entry.arm): entry.n_rows for entry in panel.ledger.entries if entry.step == step}
