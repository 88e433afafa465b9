"""The claims on the first page: every one is counted as what it is, and named so that no two rows read alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.harbour import averages, build, make_evidence, planned
from tests.report.test_answer import several
from tests.report.test_front_page import front, run
from whoworks.findings.finding import Findings
from whoworks.plan.plan import Plan
from whoworks.report.front_page import tell_claims
from whoworks.report.labels import read_words
from whoworks.report.sections.differences import name_claim

LUNCH = next(f for f in planned() if f.moderator == "frl" and f.question == "difference")
OPEN = replace(LUNCH, conf_low=-3.0, conf_high=15.0, credibility="low", p_adjusted=0.4)
CAPPED = replace(LUNCH, credibility="low")
GOOD = (replace(LUNCH), replace(LUNCH))
HIDDEN = replace(LUNCH, suppressed=True, credibility="not assessable")


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((OPEN,), "The other is not settled."),
        ((OPEN, OPEN), "The others are not settled."),
        ((CAPPED,), "One more, with its grade, is in the table."),
        ((HIDDEN,), "The other has no answer."),
        ((*GOOD, CAPPED, OPEN), "Two more, with their grades, are in the table. One is not settled."),
        ((CAPPED, OPEN, HIDDEN), "One more, with its grade, is in the table. One is not settled. One has no answer."),
    ],
)
def test_the_other_claims_are_counted_as_what_they_are(words, others, said):
    told = tell_claims((LUNCH, *others), words)
    assert told.endswith(f"credibility moderate. {said}")


def test_one_planned_question_beyond_the_table_is_one(words):
    told = tell_claims(tuple(replace(OPEN) for _ in range(6)), words)
    assert told.endswith(" 1 more planned question is in the report.")


def twice():
    """Return a run with two primary outcomes, and the lunch claim of each."""
    evidence = make_evidence()
    outcomes = tuple(o.model_copy(update={"primary": True}) for o in evidence.plan.outcomes)
    plan = Plan.model_validate(evidence.plan.model_copy(update={"outcomes": outcomes}))
    passed = replace(LUNCH, outcome="promoted", unit="percentage points", conf_low=-3.0, conf_high=15.0)
    return build(plan, [*averages(), LUNCH, replace(passed, p_adjusted=0.3, credibility="very low")])


def test_claims_of_two_outcomes_name_theirs_and_its_unit(words):
    page = front(twice())
    assert [row.cells[0] for row in page.for_whom.rows] == [
        "by free or reduced-price lunch: eligible minus not eligible; reading, points",
        "by free or reduced-price lunch: eligible minus not eligible; promotion to the next grade, percentage points",
    ]
    (said,) = [each for each in page.cannot_say if "differs by" in each]
    assert "differs by free or reduced-price lunch (for promotion to the next grade): not knowing" in said
    assert name_claim(LUNCH, words, several=True) == "free or reduced-price lunch (reading)"
    assert name_claim(LUNCH, words, several=False) == "free or reduced-price lunch"


def test_limits_count_moderators_and_not_their_claims():
    names = ("frl", "locale", "tch_yrs")
    unsure = [replace(OPEN, moderator=name, outcome=on) for name in names for on in ("rd_post", "promoted")]
    evidence = replace(twice(), findings=Findings(items=(*averages(), *unsure)))
    (said,) = [each for each in front(evidence).cannot_say if "differs by" in each]
    assert said.startswith(
        "Whether the effect differs by free or reduced-price lunch, school's setting or teacher's years of experience:"
    )


def test_only_where_no_group_is_told_nothing_can_be_said_about_them():
    own = [f for f in planned() if f.moderator == "frl"]
    part = [replace(f, suppressed=f.question != "subgroup" or f.level == "Y") for f in own]
    few = "too few students or classes stand behind it."
    said = front(run(*averages(), *part)).cannot_say
    assert f"Whether the effect differs by free or reduced-price lunch: {few}" in said
    said = front(run(*averages(), *(replace(f, suppressed=True) for f in own))).cannot_say
    assert f"Anything about free or reduced-price lunch: {few}" in said


def test_with_two_treatments_page_one_says_which_is_meant():
    evidence = several()
    page = front(evidence)
    assert page.for_whom.columns[0].head == "Planned question: does the effect of small groups differ ..."
    assert any(said.startswith("Whether the effect of small groups differs by") for said in page.cannot_say)
    assert read_words(make_evidence()).main_effect == "effect"


def test_one_further_caveat_is_mentioned_whatever_its_weight():
    evidence = make_evidence()
    page = front(replace(evidence, caveats=evidence.caveats[1:3]))
    assert page.how_sure[-1] == "One further caveat follows in the report."
