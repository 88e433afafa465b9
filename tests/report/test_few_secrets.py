"""Nobody can work out from classes that drop out, or from the digits of a share, how few lack a record."""

from __future__ import annotations

import math
from itertools import product

import pytest

from tests.report.test_group_secrets import LEAST, PILOTS, read_rows, run_pilot


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("few")


def fewest_lacking(rows, outcome: str, name: str, column: str) -> float:
    """Return how many students at least lack a record: as many as classes, or schools, drop out with them."""
    told = {}
    for row in rows:
        if row["outcome"] != outcome or row["weighting"] != "student" or row["estimand"] != "itt":
            continue
        if row["question"] == "average" and row[column]:
            told["all"] = float(row[column])
        if row["moderator"] == name and row["question"] in ("subgroup", "difference", "site-profile") and row[column]:
            told[row["question"], row["level"]] = float(row[column])
        if row["moderator"] == name and ": between schools" in row["level"] and column == "n_clusters" and row["df"]:
            told["schools"] = float(row["df"]) + 1
    groups = [n for key, n in told.items() if key[0] == "subgroup"]
    held = [n for key, n in told.items() if key[0] in ("difference", "site-profile")]
    held += [sum(groups)] if len(groups) == 2 else []
    return max((told["all"] - n for n in held), default=0)


def possible_numbers(rows, outcome: str, name: str) -> set[int]:
    """Return how many may lack a record: those for which every number written of the others' share is a whole count."""
    told = [row for row in rows if (row["outcome"], row["weighting"], row["estimand"]) == (outcome, "student", "itt")]
    n = next(int(row["n_units"]) for row in told if row["question"] == "average")
    shares = []
    for row in (row for row in told if row["moderator"] == name and row["level"] == "m" and row["estimate"]):
        if row["question"] == "site-profile":
            shares.append((0.0, 1.0, row["estimate"]))
        if row["question"] == "target":  # percentage points from 46.3 %, in percentage points, and in SD of ten of them
            shares += [(46.3, 1.0, row["estimate"]), (46.3, 10.0, row["effect_size"])]
    return {lacking for lacking in range(1, LEAST) if any(map(fits(shares, n - lacking), range(n - lacking + 1)))}


def fits(shares, n: int):
    """Return whether a count of n is what all shares are written of: whole percentages, or all digits there are."""
    read = [
        (start + times * float(text), times * 0.51 * 10.0 ** -len(text.partition(".")[2]))
        for start, times, text in shares
    ]
    bounds = [(share, 0.5 if math.isclose(share, round(share), abs_tol=1e-6) else digits) for share, digits in read]
    return lambda k: all(abs(100 * k / n - share) <= bound for share, bound in bounds)


@pytest.mark.parametrize("name", [name for name, small in PILOTS.items() if sum(small.alone)])
def test_no_classes_that_drop_out_tell_how_few_lack_a_record(name, folder):
    rows = read_rows(run_pilot(name, folder)[1])
    for outcome, column in product(("y", "w"), ("n_clusters", "n_treated_clusters", "n_control_clusters")):
        assert fewest_lacking(rows, outcome, "sex", column) == 0, (outcome, column)


def test_the_attacker_counts_the_classes_that_drop_out(folder):
    run, _ = run_pilot("nine without a record, each alone in a class", folder)
    rows = run.findings.frame.astype(object).to_dict("records")
    columns = ("n_clusters", "n_treated_clusters", "n_control_clusters")
    assert [fewest_lacking(rows, "y", "sex", column) for column in columns] == [9, 5, 4]


def test_clusters_are_counted_where_none_drops_out_with_the_few(folder):
    _, files = run_pilot("few students, few without a record", folder)
    rows = [row for row in read_rows(files) if row["moderator"] == "sex" and row["question"] == "difference"]
    assert rows
    assert {row["n_units"] for row in rows} == {""}
    assert {row["n_clusters"] for row in rows} == {"24"}


FEW_WITHOUT = [
    "few students, few without a record",
    "nine without a record, each alone in a class",
    "five without a record, each alone in a school",
]


@pytest.mark.parametrize("name", FEW_WITHOUT)
def test_no_share_tells_of_how_many_it_is(name, folder):
    rows = read_rows(run_pilot(name, folder)[1])
    assert [row for row in rows if row["question"] == "target" and row["moderator"] == "sex" and row["effect_size"]]
    assert possible_numbers(rows, "y", "sex") == set(range(1, LEAST))


def test_the_attacker_reads_the_number_in_a_share_of_ten_digits(folder):
    run, _ = run_pilot("few students, few without a record", folder)
    rows = [
        {name: f"{value:.10g}" if isinstance(value, float) else value for name, value in row.items() if value == value}
        for row in run.findings.where(outcome="y").frame.astype(object).to_dict("records")
    ]
    assert possible_numbers(rows, "y", "sex") == {6}
