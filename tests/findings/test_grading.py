"""What a failed check of the design costs, and which claims it concerns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.findings.redrawn import classrooms, redraw
from whoworks.checks.reassignment import JOINT
from whoworks.checks.verdict import Check, Verdict
from whoworks.findings.families import adjust_families
from whoworks.findings.finding import NAN, Findings
from whoworks.findings.grading import DESIGN_CHECKS, grade_all, has_failed
from whoworks.findings.subgroups import find_moderation


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
