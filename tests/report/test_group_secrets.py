"""Nobody can work out from a report's files how many were in a small group, and no innocent sentence loses a number."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

from tests.report.test_flow_secrets import ROOMS, every_text, read_folder
from whoworks.plan.plan import Plan
from whoworks.report.disclosure import ESTIMATES
from whoworks.study import Study

LEAST, LEAST_CLUSTERS = 10, 3
UNKNOWN = "-"  # has no record of it
COUNTED = re.compile(r"The number of (?!students |classes )[^.]* is withheld")
PLAN = (
    """
schema = 1
[study]
name = "small groups"
[records]
path = "pilot.csv"
"""
    + ROOMS
    + """meaningful = 0.1
meaningful_in = "sd"
[[outcomes]]
column = "w"
label = "writing"
[[moderators]]
column = "group"
label = "the group"
level = "{level}"
planned = true
values = {{ a = "group a", b = "group b"{third} }}
[[moderators]]
column = "devices"
label = "devices"
level = "class"
planned = true
values = {{ shared = "shared", own = "own" }}
[[moderators]]
column = "sex"
label = "sex"
values = {{ f = "girls", m = "boys" }}
[target]
name = "the district"
[target.means]
sex = {{ m = 0.463 }}
[target.sds]
sex = {{ m = 0.1 }}
[analysis]
engine = "none"
refits = 0
"""
)


@dataclass(frozen=True)
class Small:
    """A pilot with few in group b: 6 schools of 4 classes of 16 or so.

    few : students of it in each arm, or classes where `level` is class
    lacking : students without a record of the group, of sex, and of the outcomes, in each arm
    """

    seed: int
    level: str = "student"
    few: tuple[int, int] = (4, 2)
    third: bool = False
    lacking: tuple[int, int, int] = (0, 0, 0)
    assigned: str = "class"
    tiny: bool = False  # treated are four students of each of two classes, or two of each
    alone: tuple[int, int] = (0, 0)  # students without a record of sex, each alone in what was assigned, in each arm


PILOTS = {
    "few students": Small(1),
    "few students, a third group": Small(2, third=True),
    "few students, few without a record": Small(3, few=(9, 30), lacking=(2, 3, 0)),
    "few students, many without a record": Small(4, few=(7, 1), lacking=(14, 16, 0)),
    "few students, few without outcomes": Small(5, few=(10, 10), lacking=(0, 0, 3)),
    "few classes": Small(6, level="class", few=(1, 1)),
    "few classes of one arm": Small(7, level="class", few=(2, 6), third=True),
    "students assigned": Small(8, assigned="student", few=(12, 3), lacking=(1, 0, 2)),
    "hardly anyone treated": Small(9, tiny=True),
    "hardly anyone treated, students assigned": Small(10, assigned="student", tiny=True),
    "nine without a record, each alone in a class": Small(11, few=(9, 30), alone=(4, 5)),
    "twelve without a record, each alone in a class": Small(12, few=(9, 30), alone=(4, 8)),
    "five without a record, each alone in a school": Small(13, few=(9, 30), alone=(2, 3), assigned="school"),
    "twelve of the students assigned without a record": Small(14, few=(9, 30), alone=(3, 9), assigned="student"),
}


def make_records(small: Small) -> pd.DataFrame:
    rng = np.random.default_rng(small.seed)
    room = np.repeat(np.arange(24), rng.integers(14, 19, 24))
    own = [24 + 8 * place + code for code, few in enumerate(small.alone) for place in range(few)]
    room = np.append(room, np.array(own, dtype=np.int64))
    n = len(room)
    site = np.where(room < 24, room // 4, room if small.assigned == "school" else room // 8 % 6)
    arm = {"class": room % 2, "student": np.where(room < 24, np.arange(n), room) % 2, "school": site % 2}[
        small.assigned
    ]
    frame = pd.DataFrame({"room": [f"r{r}" for r in room], "site": [f"s{s}" for s in site], "arm": arm})
    frame["id"] = [f"i{place}" for place in range(n)]
    frame["devices"] = np.where(room % 4 < 2, "shared", "own")
    frame["sex"] = rng.choice(["f", "m"], n)
    frame["pre"] = rng.normal(50, 10, n).round(2)
    for column in ("y", "w"):
        frame[column] = (frame["pre"] + rng.normal(0, 8, n)).round(3)
    others = ["a", "c"] if small.third else ["a"]
    frame["group"] = rng.choice(others, n) if small.level == "student" else np.array(others)[room // 2 % len(others)]
    for code, few in enumerate(small.few):
        unit = frame["id"] if small.level == "student" else frame["room"]
        frame.loc[unit.isin(rng.choice(unit[frame["arm"] == code].unique(), few, replace=False)), "group"] = "b"
        for columns, lacking in zip((["group"], ["sex"], ["y", "w"]), small.lacking, strict=True):
            own = frame["group"] != "b" if columns != ["y", "w"] else frame["group"] == "b"
            for column in columns:
                here = frame.index[(frame["arm"] == code) & own]
                frame.loc[rng.choice(here, lacking, replace=False), column] = np.nan
    frame.loc[room >= 24, "sex"] = np.nan
    if small.tiny:
        place = frame.groupby("room").cumcount()
        frame = frame[(frame["arm"] == 0) | (frame["room"].isin(["r1", "r5"]) & (place < 4))]
    return frame.assign(arm=frame["arm"].map({0: "no", 1: "yes"}))


@cache
def run_pilot(name: str, folder):
    """Return what was found and what was written."""
    small = PILOTS[name]
    text = PLAN.format(assigned=small.assigned, level=small.level, third=', c = "group c"' * small.third)
    if small.tiny or small.assigned == "school":
        text = text.replace('blocks = ["school"]\n', "").replace('probability = "blocks"', "probability = 0.5")
    run = Study.from_plan(Plan.parse(text), frame=make_records(small)).run()
    return run, read_folder(run.report(folder / name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("groups")


@pytest.fixture(params=PILOTS)
def pilot(request, folder):
    return request.param, *run_pilot(request.param, folder)


def is_small(finding) -> bool:
    return finding.smallest_cell < LEAST or finding.smallest_cell_clusters < LEAST_CLUSTERS


def read_rows(files, name="findings.csv"):
    return list(csv.DictReader(io.StringIO(files[name].decode())))


class Attacker:
    """What follows from the counts of one outcome: its cells are group by devices by sex, UNKNOWN among each."""

    def __init__(self, small: Small, outcome: str, column: str = "n_units") -> None:
        frame = make_records(small)
        frame = frame[frame[outcome].notna()].fillna({"group": UNKNOWN, "devices": UNKNOWN, "sex": UNKNOWN})
        self.names = ("group", "devices", "sex") if column == "n_units" else ("group",)
        if column != "n_units":
            frame = frame.drop_duplicates("room")
            frame = frame[frame["arm"] == ("yes" if column == "n_treated_clusters" else "no")]
        self.levels = {
            "group": ("a", "b", "c", UNKNOWN),
            "devices": ("shared", "own", UNKNOWN),
            "sex": ("f", "m", UNKNOWN),
        }
        self.cells = list(product(*(self.levels[name] for name in self.names)))
        held = frame.groupby(list(self.names)).size().to_dict()
        self.truth = np.array([held.get(cell if len(cell) > 1 else cell[0], 0) for cell in self.cells])
        self.outcome, self.column = outcome, column
        # the plan tells that there is no third group, and notes and caveats that nobody, or how many, lack a record
        self.known = [self.where(group="c")] if not small.third else []
        lacking = (self.where(**{name: UNKNOWN}) for name in self.names)
        self.known += [cells for cells in lacking if not 0 < cells @ self.truth < LEAST]

    def where(self, **levels: str) -> np.ndarray:
        """Return which cells have these levels; a level may be several, joined by a bar."""
        chosen = [
            all(cell[self.names.index(name)] in level.split("|") for name, level in levels.items())
            for cell in self.cells
        ]
        return np.array(chosen, dtype=float)

    def read(self, rows) -> None:
        for row in rows:
            if (row["outcome"], row["weighting"]) == (self.outcome, "student") and row[self.column]:
                cells = self.counted(row)
                if cells is not None:
                    assert row["question"] in ("joint", "for-whom-where") or cells @ self.truth == float(
                        row[self.column]
                    )
                    self.known.append(cells)
            if self.column == "n_units" and row["outcome"] == self.outcome and row["question"] == "site-profile":
                self.read_share(row)

    def read_share(self, row) -> None:
        name, level = row["moderator"], row["level"]
        if name in self.names and level in self.levels[name] and row["estimate"]:
            share = float(row["estimate"]) / 100
            self.known.append(self.where(**{name: level}) - share * (1 - self.where(**{name: UNKNOWN})))

    def counted(self, row) -> np.ndarray | None:
        question, name, level = row["question"], row["moderator"], row["level"]
        if question in ("average", "takeup", "site-variation", "new-site"):
            return np.ones(len(self.cells))
        if question == "subgroup" and name in self.names:
            return self.where(**{name: level})
        first = level.split(" - ")[0]
        if question in ("difference", "gap") and name in self.names and first in self.levels[name]:
            return self.where(**{name: f"{first}|{row['reference']}"})
        if question in ("difference", "site-profile") and name in self.names:  # split by class, or of everyone
            return 1 - self.where(**{name: UNKNOWN})
        if question == "projection" and len(self.names) > 1:
            return np.prod([1 - self.where(**{each: UNKNOWN}) for each in self.names], axis=0)
        if question == "for-whom-where" and name == "group x devices" and ", " in level:
            who, where = level.split(", ")
            return self.where(group=who.replace(" - ", "|"), devices=where)
        return None

    def works_out(self, target: np.ndarray) -> bool:
        """Whether the equations have one solution for a sum of cells; where nobody is in a sum, each cell is empty."""
        empty = [cells for cells in self.known if (cells >= 0).all() and cells @ self.truth == 0]
        known = np.array([*self.known, *np.eye(len(self.cells))[np.any(empty, axis=0)]] if empty else self.known)
        return bool(np.linalg.matrix_rank(np.vstack([known, target])) == np.linalg.matrix_rank(known))


def secrets(small: Small, run, attacker: Attacker):
    """Yield the counts not to be told: of the groups withheld, and of those without a record where they are few."""
    for f in run.findings.where(question="subgroup", outcome=attacker.outcome):
        if f.moderator in attacker.names and is_small(f):
            yield attacker.where(**{f.moderator: f.level})
    for name in attacker.names if attacker.column == "n_units" else ():
        if 0 < attacker.where(**{name: UNKNOWN}) @ attacker.truth < LEAST:
            yield attacker.where(**{name: UNKNOWN})


def test_the_count_of_no_withheld_group_follows_from_what_is_written(pilot):
    name, run, files = pilot
    small = PILOTS[name]
    columns = ["n_units"] + ["n_treated_clusters", "n_control_clusters"] * (small.level == "class")
    found = 0
    for outcome, column in product(("y", "w"), columns):
        attacker = Attacker(small, outcome, column)
        attacker.read(read_rows(files))
        targets = list(secrets(small, run, attacker))
        found += len(targets)
        assert not [target for target in targets if attacker.works_out(target)], (outcome, column)
    assert found


def test_the_attacker_works_out_a_group_whose_complement_is_told(folder):
    run, files = run_pilot("few students", folder)
    attacker = Attacker(PILOTS["few students"], "y")
    attacker.read(read_rows(files))
    (target,) = secrets(PILOTS["few students"], run, attacker)
    attacker.known.append(attacker.where(group="a"))
    assert attacker.works_out(target)


def test_no_number_of_a_withheld_finding_stands_in_any_file(pilot):
    _, run, files = pilot
    text = "\n".join(map(every_text, files.items())).replace("\u2212", "-")
    shown = {row["finding_id"] for row in read_rows(files) if row["suppressed"] == "false"}
    told = {f"{abs(getattr(f, name)):.7g}" for f in run.findings if f.finding_id in shown for name in ESTIMATES}
    assert len(shown) < len(run.findings)
    for finding in (f for f in run.findings if f.finding_id not in shown):
        for value in (abs(getattr(finding, name)) for name in ESTIMATES):
            if math.isfinite(value) and value != round(value, 2) and f"{value:.7g}" not in told:
                assert f"{value:.7g}" not in text, finding.finding_id


def test_no_check_tells_the_number_of_a_row_with_few_students_whatever_its_sign(pilot):
    _, run, files = pilot
    written = [float(row["value"]) for row in read_rows(files, "checks.csv") if row["value"]]
    for check in run.checks:
        counts = [name for name in ("n_treated", "n_control") if name in check.table]
        few = check.table[(check.table[counts] < LEAST).any(axis=1)] if counts else check.table.iloc[:0]
        for value in few.get("standardised", pd.Series(dtype=float)).abs().dropna():
            assert not [each for each in written if math.isclose(each, value, rel_tol=1e-6)], check.subject


def test_a_caveat_is_written_whole_or_not_at_all(pilot):
    _, run, files = pilot
    hidden = {row["finding_id"] for row in read_rows(files) if row["suppressed"] == "true"}
    checks = {check.sentence for check in run.checks}
    written = [caveat["sentence"] for caveat in json.loads(files["findings.json"])["caveats"]]
    for caveat in run.caveats:
        if caveat.sentence not in checks:
            assert (caveat.sentence in written) is hidden.isdisjoint(caveat.about), caveat.caveat_id


def test_only_a_count_of_those_assigned_is_struck_from_a_sentence(pilot):
    name, _, files = pilot
    text = "\n".join(" ".join(every_text(file).split()) for file in files.items())
    assert not COUNTED.search(text)
    if PILOTS[name].lacking[2] == 0 and not PILOTS[name].tiny:
        assert not re.search(r"The number of \w+ is withheld", text)


def test_how_small_a_withheld_average_could_have_been_seen_is_not_told(folder):
    run, files = run_pilot("hardly anyone treated", folder)
    assert "underpowered" in {caveat.caveat_id for caveat in run.caveats}
    assert "times the smallest" not in "\n".join(map(every_text, files.items()))


def test_where_students_are_the_clusters_an_arm_of_few_is_not_counted_as_clusters_either(folder):
    run, files = run_pilot("hardly anyone treated, students assigned", folder)
    counts = {int(n) for check in run.checks if check.check_id == "clusters" for n in check.table["n_clusters"]}
    assert min(counts) < LEAST
    rows = read_rows(files, "checks.csv")
    assert {row["n_units"] + row["n_clusters"] for row in rows} == {""}
    text = "\n".join(" ".join(every_text(file).split()) for file in files.items())
    assert not [n for n in (*counts, sum(counts)) if f" {n:,} students" in text or f"{n:,} students under" in text]
