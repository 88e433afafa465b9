"""Nobody can work out from a report's files how few were left out: an attacker tries every sum the ledger allows."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pypdf
import pytest

from whoworks.plan.plan import Plan
from whoworks.study import Study

LEAST, LEAST_CLUSTERS = 10, 3
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?![\w.]*\w)")
DRAWS = re.compile(r"\bover\s+\d[\d,]*\s+(?:random|possible)\b")  # counts re-assignments
MEASURES = ("balance", "ceiling_floor", "distinct_values")
ROOMS = """[levels]
student = "id"
class = "room"
school = "site"
[arms]
column = "arm"
control = "no"
treatments = ["yes"]
[design]
assigned = "{assigned}"
blocks = ["school"]
site = "school"
probability = "blocks"
[[outcomes]]
column = "y"
label = "reading"
primary = true
baseline = ["pre"]
"""  # students in rooms of sites, each room in one of two arms
PLAN = (
    """
schema = 1
[study]
name = "small exclusions"
[records]
path = "pilot.csv"
keep = "grade == '3'"
"""
    + ROOMS
    + """[[outcomes]]
column = "w"
label = "writing"
[[moderators]]
column = "sex"
label = "sex"
planned = true
[analysis]
engine = "none"
"""
)


@dataclass(frozen=True)
class Leaks:
    """How many students are lost in the control arm and in the other, at each step."""

    assigned: str = "class"
    other_grade: tuple[int, int] = (0, 0)
    lone_school: tuple[int, int] = (0, 0)  # of a school that has one arm alone
    lone_rooms: int = 1
    no_reading: tuple[int, int] = (0, 0)
    no_writing: tuple[int, int] = (0, 0)
    no_room: bool = False  # a whole class without reading, in the control arm
    strangers: int = 0
    no_arm: int = 0
    no_sex: int = 0


PILOTS = {
    "nothing lost": Leaks(),
    "two in a school with one arm": Leaks(assigned="student", lone_school=(2, 0)),
    "thirteen in one class of a school with one arm": Leaks(lone_school=(0, 13), other_grade=(61, 83)),
    "two of another grade": Leaks(other_grade=(2, 31)),
    "three without reading in one arm": Leaks(no_reading=(3, 37), other_grade=(41, 29)),
    "three without reading, all with writing": Leaks(no_reading=(3, 4)),
    "few at every step": Leaks(other_grade=(4, 5), lone_school=(3, 0), no_reading=(2, 7), no_writing=(1, 3)),
    "few strangers": Leaks(strangers=6, other_grade=(33, 27)),
    "few without an arm": Leaks(no_arm=4, lone_school=(17, 0)),
    "one class without reading": Leaks(no_room=True, no_reading=(26, 33)),
    "many at every step": Leaks(
        other_grade=(41, 57), lone_school=(23, 0), lone_rooms=4, no_reading=(31, 22), no_writing=(13, 17)
    ),
}


def make_records(leaks: Leaks) -> pd.DataFrame:
    """Return 12 schools of four classes of 21 students, half of the classes (or students) in each arm."""
    rng = np.random.default_rng(20260901)
    n = 12 * 4 * 21
    room = np.arange(n) // 21
    arm = room % 2 if leaks.assigned == "class" else np.arange(n) % 2
    frame = pd.DataFrame({"room": [f"r{r}" for r in room], "site": [f"s{r // 4}" for r in room], "arm": arm})
    frame["grade"] = "3"
    for code, lost in enumerate(leaks.other_grade):
        frame.loc[rng.choice(frame.index[frame["arm"] == code], lost, replace=False), "grade"] = "4"
    alone = [
        {"room": f"alone{code}.{student % leaks.lone_rooms}", "site": f"alone{code}", "arm": code, "grade": "3"}
        for code, lost in enumerate(leaks.lone_school) for student in range(lost)
    ]  # fmt: skip
    others = [{"room": "r0", "site": "s0", "arm": 2, "grade": "3"}] * leaks.strangers
    others += [{"room": "r0", "site": "s0", "arm": 3, "grade": "3"}] * leaks.no_arm
    frame = pd.concat([frame, pd.DataFrame(alone), pd.DataFrame(others)], ignore_index=True)
    frame["id"] = [f"i{place}" for place in range(len(frame))]
    frame["sex"] = rng.choice(["f", "m"], len(frame))
    frame["pre"] = rng.normal(50, 10, len(frame)).round(2)
    for column in ("y", "w"):
        frame[column] = (frame["pre"] + rng.normal(0, 8, len(frame))).round(3)
    kept = frame.index[(frame["grade"] == "3") & ~frame["room"].str.startswith("alone") & (frame["arm"] < 2)]
    for column, lost in (("y", leaks.no_reading), ("w", leaks.no_writing)):
        for code, few in enumerate(lost):
            here = kept[frame.loc[kept, "arm"] == code]
            frame.loc[rng.choice(here, few, replace=False), column] = np.nan
    if leaks.no_room:
        frame.loc[(frame["room"] == "r4") & (frame["arm"] == 0), "y"] = np.nan
    frame.loc[rng.choice(kept, leaks.no_sex, replace=False), "sex"] = np.nan
    frame["arm"] = frame["arm"].map({0: "no", 1: "yes", 2: "elsewhere", 3: None})
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def open_pilot(leaks: Leaks) -> Study:
    return Study.from_plan(Plan.parse(PLAN.format(assigned=leaks.assigned)), frame=make_records(leaks))


def read_folder(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Attacker:
    """What follows by adding and subtracting: linear equations between the counts of the flow, and their solution.

    The unknowns are, for each arm, the rows lost to each reason, and for each
    outcome the students who lack it and those who have it.
    """

    def __init__(self, study: Study) -> None:
        self.entries = entries = [entry for entry in study.ledger.entries if entry.step != "joined"]
        self.truth: dict[tuple[str, ...], int] = {}
        self.arms = list(dict.fromkeys(entry.arm for entry in entries))
        self.reasons = list(dict.fromkeys(e.reason for e in entries if e.step == "excluded" and not e.outcome))
        self.outcomes = [outcome.name for outcome in study.plan.outcomes]
        for arm in self.arms:
            for reason in self.reasons:
                self.truth[arm, "lost", reason] = 0
            for outcome in self.outcomes if arm in study.plan.arms.codes else ():
                self.truth[arm, "missing", outcome] = self.truth[arm, "analysed", outcome] = 0
        for e in entries:
            if e.step != "received":
                step = "analysed" if e.step == "analysed" else "missing" if e.outcome else "lost"
                self.truth[e.arm, step, e.outcome or e.reason] = e.n_rows
        self.codes = study.plan.arms.codes
        self.names = list(self.truth)
        self.values = np.array([self.truth[name] for name in self.names])
        self.known = [
            self.assigned(arm, outcome) - self.assigned(arm, self.outcomes[0])
            for arm in self.codes for outcome in self.outcomes[1:]
        ]  # fmt: skip

    def one(self, *name: str) -> np.ndarray:
        return np.array([each == name for each in self.names], dtype=float)

    def lost(self, arm: str, reasons) -> np.ndarray:
        return sum((self.one(arm, "lost", reason) for reason in reasons), np.zeros(len(self.names)))

    def assigned(self, arm: str, outcome: str = "") -> np.ndarray:
        name = outcome or self.outcomes[0]
        return self.one(arm, "missing", name) + self.one(arm, "analysed", name)

    def received(self, arm: str) -> np.ndarray:
        return self.lost(arm, self.reasons) + (self.assigned(arm) if arm in self.codes else 0)

    def everyone(self, of) -> np.ndarray:
        return sum(of(arm) for arm in self.codes)

    def read(self, files: dict[str, bytes]) -> None:
        """Write down every count that the files tell."""
        rows = list(csv.DictReader(io.StringIO(files["ledger.csv"].decode())))
        told = {(row["arm"], row["outcome"], reason) for row in rows for reason in row["reason"].split("; ")}
        for row in (row for row in rows if row["n_rows"]):
            if row["step"] == "received":
                self.known.append(self.received(row["arm"]))
            elif row["step"] == "excluded" and not row["outcome"]:
                self.known.append(self.lost(row["arm"], row["reason"].split("; ")))
            elif row["step"] == "excluded":
                self.known.append(self.one(row["arm"], "missing", row["outcome"]))
            else:
                self.known.append(self.one(row["arm"], "analysed", row["outcome"]))
        self.known += [self.lost(a, [r]) for a in self.arms for r in self.reasons if (a, "", r) not in told]
        self.known += [
            self.one(a, "missing", o)
            for a in self.codes
            for o in self.outcomes
            if (a, o, "outcome missing") not in told
        ]
        if json.loads(files["manifest.json"])["inputs"][0]["n_rows"] is not None:
            self.known.append(sum(self.received(arm) for arm in self.arms))
        for row in csv.DictReader(io.StringIO(files["checks.csv"].decode())):
            if row["n_units"]:
                measure = row["check_id"] in MEASURES or (
                    row["subject"] in self.outcomes and row["check_id"] == "balance"
                )
                has = (lambda arm, o=row["subject"]: self.one(arm, "analysed", o)) if measure else self.assigned
                self.known.append(self.everyone(has))
        for text in map(every_text, files.items()):
            self.listen({int(number.replace(",", "")) for number in NUMBER.findall(DRAWS.sub("", text))})

    def listen(self, numbers: set[int]) -> None:
        """Take a number in any text for a total of the flow that it equals, unless so many were analysed."""
        totals = [self.received(arm) for arm in self.arms] + [self.assigned(arm) for arm in self.codes]
        totals += [sum(self.received(arm) for arm in self.arms), self.everyone(self.assigned)]
        analysed = [[self.truth[arm, "analysed", o] for arm in self.codes] for o in self.outcomes]
        numbers = numbers - {n for each in analysed for n in (*each, sum(each))}
        self.known += [total for total in totals if int(total @ self.values) in numbers]

    def works_out(self, target: np.ndarray) -> bool:
        """Whether the equations have one solution for a sum of counts."""
        known = np.array(self.known)
        return np.linalg.matrix_rank(np.vstack([known, target])) == np.linalg.matrix_rank(known)

    def secrets(self):
        """Yield the small counts: rows lost for any set of reasons, lacking an outcome or both, in an arm or in all."""
        for size in range(len(self.reasons) + 1):
            for reasons in itertools.combinations(self.reasons, size):
                each = [self.lost(arm, reasons) for arm in self.arms]
                missing = [(arm, self.one(arm, "missing", o)) for arm in self.codes for o in self.outcomes]
                both = [self.lost(arm, reasons) + lacking for arm, lacking in missing]
                whole = [sum(each[: len(self.codes)]), sum(each)]
                whole += [whole[0] + self.everyone(lambda arm, o=o: self.one(arm, "missing", o)) for o in self.outcomes]
                for target in (*each, *both, *whole):
                    if 0 < target @ self.values < LEAST:
                        yield target
        for entry in self.entries:
            if entry.step == "excluded" and 0 < entry.n_clusters < LEAST_CLUSTERS:
                yield self.one(entry.arm, "missing" if entry.outcome else "lost", entry.outcome or entry.reason)


def every_text(file: tuple[str, bytes]) -> str:
    name, content = file
    if name.endswith(".pdf"):
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    if name.endswith(".svg"):
        return " ".join(re.findall(r">([^<]+)<", content.decode()))
    if name.endswith("manifest.json"):
        return ""  # hashes and times; its rows are read by themselves
    return content.decode()


def test_the_attacker_works_out_a_small_count_where_all_of_the_ledger_is_told():
    study = open_pilot(PILOTS["two of another grade"])
    attacker = Attacker(study)
    secret = attacker.lost("no", [attacker.reasons[0]])
    assert not attacker.works_out(secret)
    attacker.known += [attacker.received("no"), attacker.assigned("no")]
    assert attacker.works_out(secret)


@pytest.mark.parametrize("name", PILOTS)
def test_no_small_count_of_the_flow_follows_from_what_a_stopped_study_writes(name, tmp_path):
    study = open_pilot(PILOTS[name])
    attacker = Attacker(study)
    attacker.read(read_folder(study.write_checks(tmp_path / "out", stopped="stopped")))
    secrets = list(attacker.secrets())
    assert bool(secrets) is (name not in ("nothing lost", "many at every step", "one class without reading"))
    assert not [target for target in secrets if attacker.works_out(target)]


@pytest.mark.parametrize(
    "name", ["two in a school with one arm", "three without reading in one arm", "few at every step"]
)
def test_no_small_count_of_the_flow_follows_from_a_report(name, tmp_path):
    study = open_pilot(PILOTS[name])
    attacker = Attacker(study)
    attacker.read(read_folder(study.run().report(tmp_path / "out")))
    assert not [target for target in attacker.secrets() if attacker.works_out(target)]


@pytest.mark.parametrize("name", PILOTS)
def test_how_many_of_each_arm_were_analysed_is_told_whatever_is_withheld(name, tmp_path):
    study = open_pilot(PILOTS[name])
    files = read_folder(study.write_checks(tmp_path / "out"))
    rows = csv.DictReader(io.StringIO(files["ledger.csv"].decode()))
    told = {(row["outcome"], row["arm"]): row["n_rows"] for row in rows if row["step"] == "analysed"}
    kept = {(e.outcome, e.arm): str(e.n_rows) for e in study.ledger.entries if e.step == "analysed"}
    assert told == kept
    assert len(told) == 4


def test_nothing_of_the_flow_is_withheld_where_all_losses_are_large(tmp_path):
    study = open_pilot(PILOTS["many at every step"])
    files = read_folder(study.write_checks(tmp_path / "out"))
    rows = list(csv.DictReader(io.StringIO(files["ledger.csv"].decode())))
    assert sum(int(row["n_rows"]) for row in rows if row["step"] == "received") == len(
        make_records(PILOTS["many at every step"])
    )
    assert all(row["n_rows"] for row in rows)


def test_how_many_clusters_were_assigned_is_withheld_where_one_of_an_arm_has_nobody_analysed(tmp_path):
    study = open_pilot(PILOTS["one class without reading"])
    files = read_folder(study.write_checks(tmp_path / "out"))
    rows = {(row["check_id"], row["subject"]): row for row in csv.DictReader(io.StringIO(files["checks.csv"].decode()))}
    clusters = rows["clusters", "class"]
    assert (clusters["value"], clusters["n_clusters"]) == ("", "")
    assert clusters["sentence"].startswith("There are some classes under no and some classes under yes. ")
    assert clusters["sentence"].endswith(
        "How many classes were drawn is withheld; those analysed are counted beside each estimate."
    )
    joint = rows["balance", "joint"]["sentence"]
    assert " re-assignments of the classes" in joint or "cannot be tested" in joint
    assert "withheld" in rows["cluster_attrition", "y"]["sentence"]
    assert rows["attrition", "y"]["n_units"] == "1008"
