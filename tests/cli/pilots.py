"""A small pilot whose records hold words that no command may ever repeat."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

PLANTED = ("Zebulon-Quux", "PLANTED-ID", "987.654321")

PLAN = """\
schema = 1

[study]
name = "Harbour pilot"
question = "Does the programme raise reading, and for whom?"
registered = 2026-08-15

[records]
path = "pilot.csv"
key = ["student_id"]

[levels]
student = "student_id"
class = "class_id"
school = "school_id"

[arms]
column = "arm"
control = "usual"
treatments = ["programme"]

[design]
assigned = "class"
blocks = ["school"]
probability = "blocks"

[[outcomes]]
column = "reading"
label = "reading, spring"
baseline = ["pretest"]

[[moderators]]
column = "lunch"
label = "free lunch"
level = "student"
values = { no = "not eligible", yes = "eligible" }
planned = true

[implementation]
columns = ["minutes"]
"""


@dataclass(frozen=True, slots=True)
class Folder:
    """A pilot's folder; `change` rewrites its records, `edit` its plan."""

    path: Path

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.path / "plan.toml"

    @property
    def data(self) -> Path:
        """The records' file."""
        return self.path / "pilot.csv"

    def change(self, row_by_row) -> None:
        """Apply a function to every row of the records."""
        with self.data.open(encoding="utf-8", newline="") as file:
            rows = [row_by_row(dict(row)) for row in csv.DictReader(file)]
        self.write(rows)

    def write(self, rows) -> None:
        """Write the records."""
        with self.data.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def edit(self, old: str, new: str) -> None:
        """Replace a passage of the plan."""
        text = self.plan.read_text(encoding="utf-8")
        assert old in text
        self.plan.write_text(text.replace(old, new), encoding="utf-8")


def students(classes=24):
    """Make 240 students in classes, every other one in the programme, four to a school."""
    draw = random.Random(4)
    for number in range(240):
        place = number * classes // 240
        arm = "programme" if place % 2 else "usual"
        pretest = draw.gauss(50, 10)
        yield {
            "student_id": f"PLANTED-ID-{number:04d}",
            "class_id": f"C{place:02d}",
            "school_id": f"S{place // 4}",
            "arm": arm,
            "pretest": f"{pretest:.1f}",
            "lunch": draw.choice(["yes", "no"]),
            "reading": f"{pretest + 3 * (arm == 'programme') + draw.gauss(0, 6):.1f}",
            "minutes": draw.randrange(400),
        }
