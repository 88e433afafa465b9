"""The answer: each treatment, the p that re-drawing gives, what puts it in doubt, and who acted on the offer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.harbour import averages, build, effect, make_evidence, planned
from whoworks.checks.verdict import Verdict
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.finding import Findings
from whoworks.report.answer import is_headline, tell_answer
from whoworks.report.disclosure import withhold
from whoworks.report.front_page import compose_front_page, make_tiles, tell_checks
from whoworks.report.labels import read_words
from whoworks.report.selection import select

DOUBTFUL = Caveat(caveat_id="few_clusters", subject="", gravity=1, sentence="there are only 4 classes under it.")
OFFER = Caveat(
    caveat_id="partial_takeup", subject="", gravity=2,
    sentence="54 % of students under small groups and 0 % under usual practice took the programme up: so it is.",
)  # fmt: skip


def answer(evidence):
    released = withhold(evidence)
    words = read_words(released.evidence)
    return tell_answer(released, select(released, words), words)


def page(evidence):
    released = withhold(evidence)
    words = read_words(released.evidence)
    return compose_front_page(released, select(released, words), words)


def several():
    """Return a run of two treatments."""
    plan = make_evidence().plan
    labels = plan.arms.labels | {"tab": "tablets"}
    plan = plan.model_copy(
        update={"arms": plan.arms.model_copy(update={"treatments": ("sg", "tab"), "labels": labels})}
    )
    told = {"question": "average", "quantity": "average effect"}
    other = effect(2.0, 2.1, contrast="tab - bau", status="exploratory", n_tests=3, **told)
    between = effect(4.0, 2.1, contrast="tab - sg", status="exploratory", **told)
    return build(plan, [*averages(), other, replace(other, weighting="cluster"), between, *planned()])


def failing(check_id, subject):
    evidence = make_evidence()
    checks = tuple(replace(c, verdict=Verdict.PASS) for c in evidence.checks)
    bad = replace(checks[0], check_id=check_id, subject=subject, verdict=Verdict.FAIL)
    warned = (replace(c, verdict=Verdict.WARN) if c.check_id == "clusters" else c for c in checks[1:])
    return replace(evidence, checks=(bad, *warned))


def test_each_treatment_against_control_is_answered_and_none_against_another():
    said = answer(several())
    assert len(said) == 2
    assert "raised reading" in said[0]
    assert "planned" in said[0]
    assert "assignment to tablets rather than usual practice raises or lowers" in said[1]
    assert "exploratory, one of 3 looks" in said[1]
    told = page(several())
    assert told.tiles[0].unit == "points, reading: small groups"
    assert told.how_sure[0].startswith("The first range counts 48 classes")


def test_one_treatment_has_one_answer(evidence, words):
    assert len(answer(evidence)) == 1
    assert [f.weighting for f in evidence.findings if f.question == "average" and is_headline(f, words)] == ["student"]


def test_the_p_by_re_drawing_stands_in_the_answer_where_there_is_one():
    first, *rest = averages()
    drawn = build(make_evidence().plan, [replace(first, p_randomization=0.031), *rest])
    assert answer(drawn)[0].endswith("that is 0.20 SD (0.06 to 0.34). By re-drawing the assignment, p = .03.")


@pytest.mark.parametrize(
    ("check_id", "subject"), [("attrition", "rd_post"), ("balance", "rd_post"), ("balance", "joint")]
)
def test_a_failed_check_of_the_main_outcome_puts_the_answer_in_doubt(check_id, subject):
    assert answer(failing(check_id, subject))[1].startswith("This is in doubt: ")


def test_a_failed_check_of_another_outcome_leaves_the_answer_alone():
    assert len(answer(failing("attrition", "promoted"))) == 1
    assert len(answer(failing("far_values", "rd_post"))) == 1


def test_a_failed_check_is_not_told_as_a_concern(words):
    said = tell_checks(withhold(failing("attrition", "rd_post")), words)
    assert ". 1 failed: more outcomes are missing than is safe. 1 raised a concern: few classes stand" in said


def test_partial_take_up_is_part_of_the_answer_and_no_further_caveat(evidence):
    told = page(replace(evidence, caveats=(DOUBTFUL, OFFER)))
    assert told.answer[1] == OFFER.sentence
    assert "There are only 4 classes under it." in told.how_sure
    assert not any("further" in sentence for sentence in told.how_sure)


def test_grave_caveats_that_find_no_room_are_counted(evidence):
    many = tuple(replace(DOUBTFUL, subject=str(k), sentence=f"It is {k}.") for k in range(5))
    assert page(replace(evidence, caveats=many)).how_sure[-1] == (
        "2 further caveats follow in the report, 2 of them as grave."
    )


def test_a_yes_or_no_outcome_has_no_percentile_points(evidence, words):
    passed = next(f for f in averages() if f.outcome == "promoted")
    assert [tile.unit for tile in make_tiles(passed, words)] == [
        "percentage points, promotion to the next grade", "standard deviations (Cox index)",
    ]  # fmt: skip
    assert len(make_tiles(averages()[0], words)) == 3


def test_ranges_and_adjusted_p_are_told_apart_under_the_claims(evidence):
    assert "a range may leave zero out and the difference still not be settled" in page(evidence).for_whom.note
    alone = [f for f in planned() if f.moderator == "frl"]
    one = replace(evidence, findings=Findings(items=(*averages(), *(replace(f, n_tests=1) for f in alone))))
    assert "adjusted p" not in page(one).for_whom.note
