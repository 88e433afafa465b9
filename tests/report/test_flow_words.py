"""Who took part, in a reader's words; figures that would show nothing are left to their sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whoworks.panel.ledger import Entry
from whoworks.report.cells import Withholding
from whoworks.report.charts import draw_charts
from whoworks.report.disclosure import withhold
from whoworks.report.labels import read_words
from whoworks.report.participants import say_reason
from whoworks.report.places import trait_amount, trait_distance
from whoworks.report.sections.caveats import compose_caveats
from whoworks.report.sections.glossary import define
from whoworks.report.selection import select


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("not kept by gr == 'K'", "not among the records that the plan keeps (gr == 'K')"),
        ("arm not in the plan: reg+A", "in an arm that is not compared (reg+A)"),
        (
            "not kept by gr == 'K'; school with only one arm",
            "not among the records that the plan keeps (gr == 'K') or school with only one arm",
        ),
        ("outcome missing", "outcome missing"),
    ],
)
def test_an_exclusion_is_told_in_a_readers_words(words, reason, said):
    assert say_reason(Entry(step="excluded", reason=reason, n_rows=20), words) == said


def test_the_rows_that_a_plan_keeps_are_told_without_its_signs(words):
    table = words.plan.records[0].model_copy(update={"keep": "gr == 'K' and age >= 5"})
    kept = replace(words, plan=words.plan.model_copy(update={"records": (table,)}))
    for reason, said in (("gr == 'K'", "gr is \u201cK\u201d"), ("age >= 5", "age is at least 5")):
        entry = Entry(step="excluded", reason=f"not kept by {reason}", n_rows=20)
        assert say_reason(entry, kept) == f"not among the records that the plan keeps ({said})"


def drawn(evidence) -> set[str]:
    released = withhold(evidence)
    words = read_words(released.evidence)
    return {chart.name for chart in draw_charts(released, select(released, words), words)}


def with_tables(evidence, check_id, change):
    checks = tuple(
        replace(check, table=change(check.table)) if check.check_id == check_id else check for check in evidence.checks
    )
    return replace(evidence, checks=checks)


def test_no_figure_is_drawn_of_outcomes_that_nobody_lacks(evidence):
    assert "attrition" in drawn(evidence)
    whole = {"n_missing_treated": 0, "n_missing_control": 0, "overall": 0.0, "differential": 0.0}
    assert "attrition" not in drawn(with_tables(evidence, "attrition", lambda table: table.assign(**whole)))


def test_no_figure_is_drawn_of_one_difference_before_assignment(evidence):
    assert "balance" in drawn(evidence)
    assert "balance" not in drawn(with_tables(evidence, "balance", lambda table: table.iloc[:1]))
    assert "balance" in drawn(with_tables(evidence, "balance", lambda table: table.iloc[:2]))


def test_a_spread_has_the_decimals_of_the_mean_beside_it(evidence):
    mean = replace(evidence.findings.items[0], estimate=82.84, unit="moderator")
    spread = replace(mean, estimate=4.973)
    assert trait_amount(mean) == "82.8"
    assert (trait_distance(spread, beside=mean), trait_distance(spread)) == ("5.0", "4.97")


def test_the_ten_words_are_ten_and_hold_what_page_one_uses():
    told = dict(define("class"))
    assert len(told) == 10
    assert "adjusted p" in " ".join(told)
    assert "8 percentile points" in told["SD, percentile points."]


def test_what_is_withheld_need_not_rest_on_few_itself(evidence):
    released = withhold(evidence)
    entry = Withholding(file="a", row="b", column="c", reason="d")
    for n, said in ((1, "1 entry that rests on"), (2, "2 entries that rest on")):
        section = compose_caveats(replace(released, withheld=(entry,) * n), read_words(evidence))
        (text,) = [text for block in section.blocks if "suppressed.csv" in (text := getattr(block, "text", ""))]
        assert text.startswith(said)
        assert "or would give such a count away" in text
