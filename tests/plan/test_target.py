"""The target population: what a plan may say of it, and what is refused."""

from __future__ import annotations

import pytest

from tests.plan.lakeside import parse
from whoworks.errors import PlanError
from whoworks.plan.describe import describe_plan
from whoworks.plan.plan import Plan
from whoworks.plan.target_agreement import comparable

MEANS = 'means = { years = 11.5, frl = { N = 0.45, Y = 0.55 }, "tests.rit@fall" = 204.0 }'


def with_target(lines: str = MEANS) -> Plan:
    plan = parse()
    return Plan.parse(f'{plan.to_toml()}\n[target]\nname = "the state"\n{lines}\n')


def test_a_plan_without_a_target_has_none_and_keeps_its_hash():
    plan = parse()
    assert plan.target is None
    assert "target" not in plan.given
    assert with_target().hash != plan.hash


def test_means_are_numbers_or_shares_by_group():
    target = with_target(f"{MEANS}\nsds = {{ years = 3, frl = {{ Y = 0.2 }} }}").target
    assert target is not None
    assert target.means == {"years": 11.5, "frl": {"N": 0.45, "Y": 0.55}, "tests.rit@fall": 204.0}
    assert target.sds == {"years": 3.0, "frl": {"Y": 0.2}}


def test_a_plan_with_a_target_is_written_and_read_back():
    plan = with_target()
    assert Plan.parse(plan.to_toml()) == plan


def test_a_target_is_told_in_the_plan_s_words():
    (said,) = (sentence for sentence in describe_plan(with_target()) if "the state" in sentence)
    assert said == "The study's schools are held against the state, by the means that the plan gives."


def test_moderators_and_pre_tests_can_be_compared_and_nothing_else():
    assert {"frl": "category", "years": "number", "tests.rit@fall": "number"}.items() <= comparable(parse()).items()
    assert "tests.rit@spring" not in comparable(parse())


def test_places_are_the_sites_or_the_largest_level():
    assert parse().place_level == "school"
    assert parse(('site = "school"', "")).place_level == "school"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("means = {}", "it names no column"),
        ("means = { yeers = 11 }", "is neither a moderator nor a pre-test of this plan"),
        ("means = { yeers = 11 }", "Write: years = 11"),
        ('means = { "tests.rit@spring" = 210 }', "neither a moderator nor a pre-test"),
        ("means = { years = { old = 0.4 } }", "'years' is a number, so its entry is one number"),
        ("means = { frl = 0.4 }", "'frl' is a category, so its entry is one number for each group"),
        ("means = { frl = { Y = 45 } }", "45 in 100 are written 0.45"),
        ("means = { frl = { N = 0.6, Y = 0.6 } }", "the shares of all groups sum to 1, and these sum to 1.2"),
        ("means = { frl = { N = 0.2, Y = 0.2 } }", "sum to 0.4"),
        ("means = { frl = { yes = 0.2 } }", "'yes' is not among the values"),
        ('means = { frl = { Y = "half" } }', "it is a number, or a table of shares"),
        ("means = { years = true }", "it is a number, or a table of shares"),
        (f"{MEANS}\nsds = {{ years = 0 }}", "a standard deviation is above 0"),
        ("means = { years = 11 }\nsds = { frl = { Y = 0.2 } }", "'frl' has no mean under means"),
        ("means = { frl = { Y = 0.5 } }\nsds = { frl = { N = 0.2 } }", "a group has a spread here and no share"),
        (f"{MEANS}\nweights = 3", "there is no such key"),
        ("", "[target], 'means': it is not there"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(lines: str, said: str):
    with pytest.raises(PlanError) as refused:
        with_target(lines)
    assert said in str(refused.value)
