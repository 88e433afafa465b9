from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.plan.lakeside import LAKESIDE, parse
from whoworks.plan.moderators import Larger
from whoworks.plan.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
PLANS = ("eef_crt", "eef_crt_bare", "eef_mst", "schoolrct", "schoolrct_bare", "star_k")
BARE = """
schema = 1
[study]
name = "Bare"
[arms]
column = "arm"
control = 0
treatments = [1.0]
[design]
assigned = "student"
[[outcomes]]
column = "score"
"""


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.shared
@pytest.mark.parametrize("name", PLANS)
def test_every_plan_of_a_real_trial_loads(shared: Path, name: str):
    plan = Plan.load(shared / "plans" / f"{name}.toml")
    assert plan.locate(plan.records[0]).is_file()
    assert Plan.parse(plan.to_toml(), base=plan.base) == plan


@pytest.mark.shared
def test_no_plan_of_a_real_trial_is_left_untested(shared: Path):
    assert {path.stem for path in (shared / "plans").glob("*.toml")} == set(PLANS)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_plan_in_the_documents_loads(document: Path):
    blocks = re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        if "schema = 1" in block:
            Plan.parse(block, source=document.name)


def test_attributes_are_the_keys_of_the_file():
    plan = parse()
    assert plan.study.registered == dt.date(2026, 8, 15)
    assert [table.name for table in plan.records] == ["roster", "tests"]
    assert plan.records[0].conditions == (("grade", "==", ("6",)),)
    assert plan.records[1].join == {"student": "roster.student_id"}
    assert plan.waves.before == ("fall",)
    assert list(plan.levels) == ["student", "class", "school"]
    assert plan.arms.codes == ("usual", "adaptive")
    assert plan.arms.label("adaptive") == "adaptive programme"
    assert plan.outcomes[0].name == "tests.rit@spring"
    assert plan.outcomes[0].baseline[0].name == "tests.rit@fall"
    assert plan.moderators[0].expect == Larger(larger="Y")
    assert plan.moderators[1].cut == (2.0, 5.5)
    assert plan.missing.columns == {"frl": ("unknown", "-9")}
    assert plan.report.min_cell == 12


def test_what_is_not_said_has_its_default():
    plan = Plan.parse(BARE)
    assert [(table.name, table.path) for table in plan.records] == [("records", None)]
    assert plan.waves is None
    assert (plan.design.kind, plan.design.drawn, plan.design.probability) == ("randomised", "student", None)
    assert (plan.outcomes[0].label, plan.outcomes[0].kind, plan.outcomes[0].meaningful_in) == (
        "score",
        "continuous",
        "sd",
    )
    assert plan.missing.codes == ("", "NA", "N/A", ".")
    assert (plan.analysis.confidence, plan.analysis.trees, plan.analysis.engine) == (0.95, 2000, "whoworks")
    assert (plan.report.audience, plan.report.min_cell, plan.report.min_clusters) == ("funder", 10, 3)
    assert (plan.takeup.column, plan.implementation.columns, plan.covariates.columns) == ("", (), ())


def test_what_was_drawn_is_what_was_assigned_unless_said_otherwise():
    assert parse().design.drawn == "class"
    assert parse(('assigned = "class"', 'assigned = "class"\ndrawn = "student"')).design.drawn == "student"


def test_blocks_without_a_probability_mean_shares_within_blocks():
    assert parse(('probability = "blocks"\n', "")).design.probability == "blocks"


def test_the_first_outcome_is_primary_when_none_is_marked():
    assert [outcome.primary for outcome in parse().outcomes] == [True, False]
    assert [outcome.primary for outcome in parse(('kind = "binary"', 'kind = "binary"\nprimary = true')).outcomes] == [
        False,
        True,
    ]


def test_codes_are_text_however_they_are_written():
    plan = Plan.parse(BARE.replace("control = 0", 'control = "0.0"'))
    assert plan.arms.codes == ("0", "1")
    assert Plan.parse(BARE.replace("control = 0", 'control = "007"')).arms.control == "007"


@pytest.mark.parametrize(
    ("values", "success"),
    [
        ('{ 0 = "no", 1 = "yes" }', "1"),
        ('{ 1 = "yes", 0 = "no" }', "1"),
        ('{ Y = "yes", N = "no" }', "Y"),
        ('{ 2 = "yes", 1 = "no" }', "2"),
        ("{}", "1"),
    ],
)
def test_the_first_code_counts_as_one_except_that_one_is_one(values: str, success: str):
    assert parse(('values = { Y = "passed", N = "not yet" }', f"values = {values}")).outcomes[1].success == success


def test_probabilities_of_arms_are_rescaled_to_sum_to_one():
    plan = parse(
        ('treatments = ["adaptive"]', 'treatments = ["adaptive", "tutor"]'),
        ('probability = "blocks"', "probability = { usual = 0.3333, adaptive = 0.3333, tutor = 0.3333 }"),
    )
    assert sum(plan.design.probability.values()) == pytest.approx(1, rel=1e-15)


def test_a_single_table_may_be_called_records_without_the_second_bracket():
    one = Plan.parse(BARE + '[records]\npath = "a.csv"\n')
    several = Plan.parse(BARE + '[[records]]\npath = "a.csv"\n')
    assert one.records == several.records
    assert one.hash == several.hash


def test_a_column_of_a_table_can_be_written_with_the_table():
    plan = parse()
    assert plan.split_column("tests.rit") == ("tests", "rit")
    assert plan.split_column("outcome.test.score") == ("", "outcome.test.score")
    assert plan.is_same("rit", "tests.rit")
    assert not plan.is_same("roster.rit", "tests.rit")


def test_nothing_of_a_plan_can_be_assigned_to():
    plan = parse()
    with pytest.raises(ValidationError, match="frozen"):
        plan.design.assigned = "school"
    plan.given["study"]["name"] = "Other"
    assert plan.given["study"]["name"] == "Lakeside"


def test_records_are_looked_for_beside_the_plan(tmp_path: Path):
    (tmp_path / "plan.toml").write_text(LAKESIDE, encoding="utf-8")
    plan = Plan.load(tmp_path / "plan.toml")
    assert plan.base == tmp_path
    assert plan.locate(plan.records[0]) == tmp_path / "roster.csv"
    assert Plan.parse(BARE).locate(Plan.parse(BARE).records[0]) is None


def test_a_plan_with_a_byte_order_mark_loads(tmp_path: Path):
    (tmp_path / "plan.toml").write_bytes(b"\xef\xbb\xbf" + LAKESIDE.encode())
    assert Plan.load(tmp_path / "plan.toml").study.name == "Lakeside"
