"""Plans made at random: what is written is read back, and what is broken is refused by a sentence."""

from __future__ import annotations

import copy
import datetime as dt
import random
import tomllib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.lakeside import LAKESIDE
from whoworks.errors import PlanError
from whoworks.plan.codes import code_text, has_ink
from whoworks.plan.describe import describe_plan
from whoworks.plan.missing import CODES
from whoworks.plan.plan import Plan
from whoworks.plan.toml import write_toml

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
LABELS = WORDS.filter(lambda text: not text or has_ink(text))
NAMES = WORDS.filter(lambda text: text.strip() != "")
GROUPS = NAMES.map(str.strip).filter(lambda text: text.isalpha() and text not in CODES)
SCALARS = (
    WORDS
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | st.times()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


@st.composite
def plan_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the tables of a valid plan."""
    columns = draw(st.lists(NAMES, min_size=9, max_size=9, unique=True))
    arm, school, outcome, second, moderator, number, covariate, use, missing = columns
    codes = draw(st.lists(GROUPS, min_size=2, max_size=4, unique_by=code_text))
    tables: dict[str, Any] = {
        "schema": 1,
        "study": {"name": draw(NAMES), "registered": draw(st.dates(dt.date(1900, 1, 1)))},
        "records": draw(st.sampled_from([{"path": "a.csv"}, [{"name": "roster table", "key": ["a b"]}]])),
        "levels": {"school": school},
        "arms": {"column": arm, "control": codes[0], "treatments": codes[1:]},
        "design": draw(designs(codes)),
        "outcomes": [
            {"column": outcome, "label": draw(LABELS)},
            {"column": second, "meaningful": draw(st.floats(1e-6, 9))},
        ],
        "moderators": [
            {"column": moderator, "values": {code: draw(LABELS) for code in codes}, "planned": draw(st.booleans())},
            {"column": number, "kind": "number", "cut": draw(st.sampled_from(["median", [1, 2.5]]))},
        ],
        "covariates": {"columns": [covariate]},
        "implementation": {"columns": [use]},
        "missing": {"columns": {missing: [draw(WORDS), draw(st.integers())]}},
        "report": {"min_cell": draw(st.integers(1, 100))},
    }
    left_out = draw(
        st.sets(st.sampled_from(["moderators", "covariates", "implementation", "missing", "report", "records"]))
    )
    order = draw(st.permutations([key for key in tables if key not in left_out]))
    return {key: tables[key] for key in order}


def designs(codes: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the design of students or schools."""
    share = {code: 1 / len(codes) for code in codes}
    return st.sampled_from(
        [
            {"assigned": "school"},
            {"assigned": "school", "probability": share, "cluster": "school"},
            {"assigned": "student", "blocks": ["school"], "site": "school"},
            {"assigned": "student", "kind": "matched"},
        ]
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan_tables())
def test_a_plan_written_as_toml_is_the_same_plan(tables: dict[str, Any]):
    plan = Plan.build(tables)
    again = Plan.parse(plan.to_toml())
    assert again == plan
    assert again.hash == plan.hash
    assert all(isinstance(sentence, str) and sentence for sentence in describe_plan(plan))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_what_is_written_as_toml_is_read_back(tables: dict[str, Any]):
    assert tomllib.loads(write_toml(tables)) == tables


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, entry in inner for deeper in paths_of(entry, (*path, key)))]


def broken(tables: dict[str, Any], rng: random.Random, value: Any) -> dict[str, Any]:
    """Replace, remove, rename or double one part of a plan."""
    tables = copy.deepcopy(tables)
    *path, last = rng.choice([path for path in paths_of(tables) if path])
    holder = tables
    for key in path:
        holder = holder[key]
    action = rng.choice(["replace", "remove", "rename", "wrap"])
    if action == "remove":
        del holder[last]
    elif action == "wrap":
        holder[last] = [holder[last], holder[last]]
    elif action == "rename" and isinstance(holder, dict):
        holder[f"{last}x"] = holder.pop(last)
    else:
        holder[last] = value
    return tables


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.lists(VALUES, min_size=1, max_size=4))
def test_a_broken_plan_loads_or_is_refused_by_a_sentence(rng: random.Random, values: list[Any]):
    tables = tomllib.loads(LAKESIDE)
    for value in values:
        tables = broken(tables, rng, value)
        try:
            plan = Plan.build(tables)
        except PlanError as error:
            said = str(error)
        else:
            said = Plan.parse(plan.to_toml()).hash
            assert said == plan.hash
            assert describe_plan(plan)
        assert said
        assert "pydantic" not in said


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(LAKESIDE)), st.integers(0, 60), st.text(max_size=8))
def test_a_broken_text_loads_or_is_refused_by_a_sentence(start: int, length: int, text: str):
    try:
        said = describe_plan(Plan.parse(LAKESIDE[:start] + text + LAKESIDE[start + length :]))
    except PlanError as error:
        said = [str(error)]
    assert all(said)
