"""What a failed check of the design costs, and which claims it concerns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import student_moderator, three_arms, where
from tests.findings.redrawn import classrooms, redraw
from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Check, Verdict
from whoworks.findings.finding import NAN, Findings
from whoworks.findings.grades.grading import DESIGN_CHECKS, grade_all, has_failed
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.planned.subgroups import find_moderation


def check(check_id, subject, verdict=Verdict.FAIL):
    return Check(
        check_id=check_id, subject=subject, verdict=verdict, value=NAN, threshold=NAN, n_units=9, n_clusters=3,
        sentence="So it is.",
    )  # fmt: skip


@pytest.mark.parametrize("check_id", DESIGN_CHECKS)
def test_a_failure_concerns_its_own_outcome_and_no_other(check_id):
    assert has_failed([check(check_id, "maths")], "maths")
    assert not has_failed([check(check_id, "maths")], "reading")


def test_an_assignment_that_could_hardly_have_been_drawn_concerns_every_outcome():
    assert has_failed([check("balance", JOINT)], "maths")
    assert has_failed([check("balance", JOINT)], "reading")


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.WARN, Verdict.ERROR, Verdict.NOT_ASSESSABLE])
def test_only_a_failure_counts(verdict):
    assert not has_failed([check("attrition", "maths", verdict)], "maths")


def test_checks_of_other_things_cap_nothing():
    assert not has_failed([check("overlap", "maths"), check("interference", "")], "maths")


def caps_of(subject):
    opened, drawn = classrooms(40), redraw(classrooms(40), seed=3, by_lunch=1.5)
    setting, moderator = drawn.setting, opened.moderator("frl")
    found = find_moderation(opened.panel, setting, moderator, rng=np.random.default_rng(0))
    findings = Findings(items=adjust_families(found))
    graded = grade_all(opened.panel, [setting], findings, [check("attrition", subject)], {})
    return next(f for f in graded if f.question == "difference").caps


def test_losses_of_one_outcome_cap_its_claims_alone():
    outcome = classrooms(40).main.scores.outcome
    assert any("attrition" in cap for cap in caps_of(outcome))
    assert not any("attrition" in cap for cap in caps_of("another outcome"))


def graded_along(opened, column, *, place=0, p_adjusted):
    """Grade what one moderator's test found in one setting, had its adjusted p been this."""
    setting, moderator = opened.settings[place], opened.moderator(column)
    found = find_moderation(opened.panel, setting, moderator, rng=np.random.default_rng(0))
    adjusted = [replace(f, p_adjusted=p_adjusted) if f.family else f for f in adjust_families(found)]
    return grade_all(opened.panel, opened.settings, Findings(items=tuple(adjusted)), [], {})


def test_differences_that_a_joint_test_stands_for_carry_its_grade():
    """Two of three groups' differences are no claims of their own: they are as sure as the joint test and no more."""
    for p, grade in ((0.2, "very low"), (0.03, "low")):
        graded = graded_along(student_moderator(), "setting", p_adjusted=p)
        joint = where(graded, question="joint")
        assert joint.credibility == grade
        assert [f.credibility for f in graded.where(question="difference")] == [grade] * 2
        assert {f.credibility for f in graded.where(question="subgroup")} == {""}


def test_a_contrast_that_is_not_the_main_one_is_low_at_most():
    opened = three_arms()
    planned = replace(opened.settings[1], is_primary=True)
    opened = replace(opened, settings=(opened.settings[0], planned))
    for place, capped in ((0, False), (1, True)):
        found = where(graded_along(opened, "frl", place=place, p_adjusted=1e-6), question="difference")
        assert any("not the primary outcome and main contrast" in cap for cap in found.caps) == capped
        assert not capped or found.credibility in ("low", "very low")


@pytest.mark.parametrize("question", ["profile", "ranking", "sorted-group"])
def test_what_the_search_found_carries_no_grade_along_a_moderator_of_the_plan_either(question):
    opened = student_moderator()
    found = opened.main.finding(question=question, quantity="", moderator="frl", status="exploratory", p_adjusted=1e-6)
    graded = grade_all(opened.panel, opened.settings, Findings(items=(found,)), [], {})
    assert [f.credibility for f in graded] == [""]


def test_what_held_a_joint_test_down_holds_its_differences_down():
    graded = graded_along(student_moderator(), "setting", p_adjusted=0.001)
    joint = where(graded, question="joint")
    assert joint.caps
    assert {f.caps for f in graded.where(question="difference")} == {joint.caps}
