from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.plan.lakeside import LAKESIDE, changed, parse
from whoworks.errors import PlanError
from whoworks.plan.plan import Plan

KEPT_IN_ORDER = ("levels", "values", "order")


def reversed_keys(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        names = list(value) if key in KEPT_IN_ORDER else list(reversed(value))
        return {name: reversed_keys(value[name], name) for name in names}
    return [reversed_keys(entry) for entry in value] if isinstance(value, list) else value


def test_the_order_of_keys_blanks_and_comments_do_not_change_the_hash():
    plan = parse()
    assert Plan.build(reversed_keys(tomllib.loads(LAKESIDE))).hash == plan.hash
    assert Plan.parse(LAKESIDE.replace(" = ", "   =  ").replace("\n", "  # why\n\n")).hash == plan.hash


def test_paths_and_the_report_do_not_change_the_hash():
    assert parse(('path = "roster.csv"', 'path = "../elsewhere.parquet"')).hash == parse().hash
    assert parse(("min_cell = 12", 'min_cell = 20\naudience = "technical"')).hash == parse().hash


@pytest.mark.parametrize(
    "change",
    [
        ("0.1", "0.2"),
        ('{ N = "not eligible", Y = "eligible" }', '{ Y = "eligible", N = "not eligible" }'),
        ('label = "free lunch"', 'label = "lunch"'),
        ("seed = 20260815", "seed = 1"),
    ],
)
def test_everything_else_changes_the_hash(change: tuple[str, str]):
    assert parse(change).hash != parse().hash


def test_a_default_that_is_written_out_is_a_key_given():
    assert parse(("[analysis]", "[analysis]\nconfidence = 0.95")).hash != parse().hash


def test_the_hash_of_a_known_plan_never_changes():
    assert parse().hash == "c2c68e3dfe01e5855d5da5a9aeac99135c4ed47f244c6c78bfdae57f62eb432b"


def test_a_plan_written_is_the_plan_read(tmp_path: Path):
    plan = Plan.load(write(tmp_path / "plan.toml"))
    again = Plan.load(plan.write(tmp_path / "copy.toml"))
    assert again == plan
    assert again.hash == plan.hash
    assert again.to_toml() == plan.to_toml()


def test_a_plan_written_elsewhere_still_finds_its_records(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b" / "c").mkdir(parents=True)
    plan = Plan.load(write(tmp_path / "a" / "plan.toml"))
    moved = Plan.load(plan.write(tmp_path / "b" / "c" / "plan.toml"))
    assert moved.records[0].path == "../../a/roster.csv"
    assert moved.locate(moved.records[0]).resolve() == plan.locate(plan.records[0]).resolve()
    assert moved.hash == plan.hash


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    with pytest.raises(PlanError, match=r"cannot be written to .*no.*plan\.toml: No such file or directory"):
        parse().write(tmp_path / "no" / "plan.toml")


def write(path: Path) -> Path:
    path.write_text(changed(), encoding="utf-8")
    return path
