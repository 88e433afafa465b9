"""What is known of the real trials is what the panel holds."""

from __future__ import annotations

import pytest

from tests.panel.pilots import counts
from whoworks.panel.build import build_panel
from whoworks.panel.panel import Kind, Role
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records

pytestmark = pytest.mark.shared


def panel_of(shared, name):
    plan = Plan.load(shared / "plans" / f"{name}.toml")
    return build_panel(plan, read_records(plan))


@pytest.fixture(scope="module")
def star(shared):
    return panel_of(shared, "star_k")


def test_kindergarten_of_star_has_its_known_counts(star):
    assert dict(star.units["arm"].value_counts()) == {"reg": 2194, "small": 1900}
    assert star.units["school"].nunique() == 79
    assert star.values["math"].isna().sum() + star.values["read"].isna().sum() > 0
    assert star.provenance[0].n_rows == 26_796


def test_every_row_of_star_is_counted(star):
    left = counts(star, "excluded")
    assert sum(counts(star, "received").values()) == 26_796
    kept = 26_796 - sum(n for (reason, _), n in left.items() if reason == "not kept by gr == 'K'")
    assert kept == 6_325
    assert left["arm not in the plan: reg+A", "reg+A"] == 2_231
    assert sum(left.values()) + len(star.units) == 26_796
    star.ledger.require_sums(star.units["arm"].tolist())


def test_all_kindergarten_arms_together_have_the_known_classes_and_missing_scores(shared):
    text = (shared / "plans/star_k.toml").read_text().replace('["small"]', '["small", "reg+A"]')
    plan = Plan.parse(text, base=shared / "plans")
    panel = build_panel(plan, read_records(plan))
    assert len(panel.units) == 6_325
    assert panel.units["class"].nunique() == 339
    assert round(panel.values["math"].isna().mean(), 3) == 0.072
    assert round(panel.values["read"].isna().mean(), 3) == 0.085


def test_star_s_variables_have_their_levels_and_orders_of_display(star):
    assert star.variable("ses").levels == ("N", "F")
    assert star.variable("ses").level_labels == ("not eligible", "free lunch")
    assert {name: star.variable(name).level for name in ("schtype", "exp", "hdeg", "eth")} == {
        "schtype": "school",
        "exp": "class",
        "hdeg": "class",
        "eth": "student",
    }
    assert star.variable("birthq").kind is Kind.CATEGORY
    assert "NA:NA" not in star.variable("birthq").levels


@pytest.mark.parametrize(
    ("name", "n_units", "n_schools"),
    [("eef_crt", 265, 22), ("eef_crt_bare", 265, 22), ("eef_mst", 210, 54), ("schoolrct", 17_299, 851)],
)
def test_the_other_trials_have_their_known_shapes(shared, name, n_units, n_schools):
    panel = panel_of(shared, name)
    assert (len(panel.units), panel.units["school"].nunique()) == (n_units, n_schools)
    assert sorted(panel.units["arm"].unique()) == ["0", "1"]
    panel.ledger.require_sums(panel.units["arm"].tolist())


def test_numbers_written_as_codes_of_arms_and_groups_match_the_plan_s(shared):
    panel = panel_of(shared, "schoolrct")
    assert panel.variable("is.female").levels == ("0", "1")
    assert panel.values["has.computer.with.internet.at.home"].dtype == float
    assert panel.having(Role.MODERATOR)[0].name == "is.female"
