"""Every rule triggered once, kept silent once, and every check has its weight."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot, student_moderator
from whoworks.checks.verdict import CHECK_IDS, Check, Verdict
from whoworks.findings import caveats
from whoworks.findings.caveats import FROM_CHECKS, find_caveats
from whoworks.findings.families import EXPLORATORY
from whoworks.findings.finding import NAN, Finding, Findings

NOTHING = Findings(items=())


def check(check_id, verdict, subject="maths"):
    return Check(
        check_id=check_id, subject=subject, verdict=verdict, value=NAN, threshold=NAN, n_units=9, n_clusters=3,
        sentence="So it is.",
    )  # fmt: skip


def finding(question, **more):
    given = {"outcome": "rit_spring", "contrast": "adaptive - usual", "quantity": "", "cluster": "class"}
    return Finding(question=question, **(given | more))


def derive(opened=None, *, checks=(), findings=()):
    opened = opened or student_moderator()
    found = find_caveats(opened.panel, opened.settings, checks, Findings(items=tuple(findings)))
    return {caveat.caveat_id: caveat for caveat in found}


def few():
    return derive(open_pilot("no-effect", names=("frl",), students=300, classes=12, schools=3))


def dominant():
    return derive(open_pilot("no-effect", names=("frl",), students=300, classes=12, schools=3))


def matched():
    opened = student_moderator()
    plan = opened.panel.plan
    design = plan.design.model_copy(update={"kind": "matched"})
    panel = replace(opened.panel, plan=plan.model_copy(update={"design": design}))
    return derive(replace(opened, panel=panel))


def underpowered(low=-1.0, mde=2.0):
    return derive(findings=[finding("average", conf_low=low, conf_high=4.0, mde=mde)])


def no_differences(p):
    tests = [
        finding("difference", status="confirmatory", moderator=str(i), p_adjusted=each) for i, each in enumerate(p)
    ]
    return derive(findings=tests)


def many(n):
    return derive(findings=[finding("difference", family=EXPLORATORY, n_tests=n)])


def inseparable(note):
    return derive(findings=[finding("site-variation", notes=(note,))])


def unlike(index):
    """Compare with a target along two moderators, the second further away."""
    target = {"question": "target", "reference": "the state"}
    gaps = [
        finding(moderator=name, estimate=1.0, effect_size=size, **target) for name, size in (("sex", 0.1), ("frl", -2))
    ]
    return derive(findings=[*gaps, finding(level="index", estimate=index, **target)])


TRIGGERS = {
    "few_clusters": (few, derive),
    "dominant_site": (dominant, derive),
    "underpowered": (underpowered, lambda: underpowered(mde=1.0)),
    "declared_before": (derive, None),
    "informative_size": (
        lambda: derive(findings=[finding("difference", moderator="weighting", p_value=0.04)]),
        lambda: derive(findings=[finding("difference", moderator="weighting", p_value=0.06)]),
    ),
    "little_takeup": (
        lambda: derive(findings=[finding("takeup", estimate=49.0)]),
        lambda: derive(findings=[finding("takeup", estimate=51.0)]),
    ),
    "inseparable_sites": (
        lambda: inseparable("teachers and sites cannot be told apart: too few"),
        lambda: inseparable("interval by Q-profile"),
    ),
    "no_differences_found": (lambda: no_differences([0.06, 0.9]), lambda: no_differences([0.04, 0.9])),
    "many_looks": (lambda: many(5), lambda: many(4)),
    "who_these_are": (derive, None),
    "unlike_target": (lambda: unlike(0.4), lambda: unlike(0.85)),
    "matched": (matched, derive),
}  # fmt: skip


def test_every_rule_of_the_module_is_tried_here():
    rules = set(re.findall(r'caveat_id="(\w+)"', inspect.getsource(caveats)))
    assert rules == set(TRIGGERS)


@pytest.mark.parametrize("rule", TRIGGERS)
def test_a_rule_speaks_where_it_should_and_not_where_it_should_not(rule):
    loud, quiet = TRIGGERS[rule]
    said = loud()[rule]
    assert said.gravity in (1, 2, 3)
    assert said.sentence.endswith(".")
    assert quiet is None or rule not in quiet()


def test_every_check_has_a_gravity_and_no_gravity_is_without_its_check():
    assert set(FROM_CHECKS) == set(CHECK_IDS)


@pytest.mark.parametrize("check_id", CHECK_IDS)
def test_a_failed_check_is_a_caveat_and_a_passed_one_is_not(check_id):
    assert derive(checks=[check(check_id, Verdict.FAIL)])[check_id].gravity == FROM_CHECKS[check_id]
    assert check_id in derive(checks=[check(check_id, Verdict.ERROR)])
    for quiet in (Verdict.PASS, Verdict.NOT_ASSESSABLE):
        assert check_id not in derive(checks=[check(check_id, quiet)])


@pytest.mark.parametrize("check_id", [each for each in CHECK_IDS if each != "clusters"])
def test_a_warning_weighs_one_less(check_id):
    assert derive(checks=[check(check_id, Verdict.WARN)])[check_id].gravity == min(FROM_CHECKS[check_id] + 1, 3)


def test_few_clusters_are_said_once_and_by_the_rule_that_names_the_remedy():
    assert "clusters" not in derive(checks=[check("clusters", Verdict.WARN)])


def test_two_outcomes_failing_the_same_check_are_two_caveats():
    both = [check("attrition", Verdict.FAIL, subject) for subject in ("maths", "reading")]
    opened = student_moderator()
    found = find_caveats(opened.panel, opened.settings, both, NOTHING)
    assert [c.subject for c in found if c.caveat_id == "attrition"] == ["maths", "reading"]


def test_the_gravest_come_first():
    opened = student_moderator()
    checks = [check("overlap", Verdict.WARN), check("attrition", Verdict.FAIL), check("interference", Verdict.FAIL)]
    gravities = [c.gravity for c in find_caveats(opened.panel, opened.settings, checks, NOTHING)]
    assert gravities == sorted(gravities)


def test_an_underpowered_average_is_graver_where_its_range_holds_zero():
    assert underpowered(low=-1.0)["underpowered"].gravity == 1
    assert underpowered(low=1.0)["underpowered"].gravity == 2
    assert "not evidence of absence" in underpowered(low=-1.0)["underpowered"].sentence


def test_secondary_outcomes_bring_no_caveat_of_their_own_power():
    opened = student_moderator()
    secondary = replace(opened, settings=tuple(replace(s, is_primary=False) for s in opened.settings))
    found = derive(secondary, findings=[finding("average", conf_low=-1.0, conf_high=4.0, mde=9.0)])
    assert "underpowered" not in found


def test_planned_tests_that_were_not_assessable_are_not_said_to_have_found_nothing():
    assert "no_differences_found" not in no_differences([np.nan])
    assert "The planned comparison" in no_differences([0.3])["no_differences_found"].sentence


def test_a_gap_that_restates_a_planned_test_is_not_counted_again():
    tests = [
        finding(question, status="confirmatory", moderator="frl", p_adjusted=0.3) for question in ("difference", "gap")
    ]
    assert "The planned comparison" in derive(findings=tests)["no_differences_found"].sentence


def test_schools_unlike_the_target_are_graver_than_schools_like_it_in_part():
    assert unlike(0.4)["unlike_target"].gravity == 1
    assert unlike(0.6)["unlike_target"].gravity == 2
    assert unlike(0.6)["unlike_target"].subject == "frl"
    assert "they differ most in free or reduced-price lunch." in unlike(0.4)["unlike_target"].sentence
