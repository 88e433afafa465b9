"""Every rule triggered once, kept silent once, and every check has its weight."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import leaving, open_pilot, student_moderator, unlike_sizes, without_record
from whoworks.checks.verdict import CHECK_IDS, Check, Verdict
from whoworks.findings.caveats import design, find, findings, measures, takeup
from whoworks.findings.caveats.find import FROM_CHECKS, find_caveats
from whoworks.findings.caveats.measures import canonical_correlation
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.findings.grades.credibility import OTHER_FOLDS
from whoworks.findings.multiplicity.families import EXPLORATORY
from whoworks.findings.searches.omnibus import ALL_MODERATORS
from whoworks.findings.steadiness import Steadiness

NOTHING = Findings(items=())


def check(check_id, verdict, subject="maths"):
    return Check(
        check_id=check_id, subject=subject, verdict=verdict, value=NAN, threshold=NAN, n_units=9, n_clusters=3,
        sentence="So it is.",
    )  # fmt: skip


def finding(question, **more):
    given = {
        "outcome": "rit_spring", "contrast": "adaptive - usual", "quantity": "", "cluster": "class",
        "smallest_cell": 50, "smallest_cell_clusters": 12,
    }  # fmt: skip
    return Finding(question=question, **(given | more))


def derive(opened=None, *, checks=(), findings=()):
    opened = opened or student_moderator()
    found = find_caveats(opened.panel, opened.settings, checks, Findings(items=tuple(findings)))
    return {caveat.caveat_id: caveat for caveat in found}


def having(opened=None, *, values=None, plan=None, design=None):
    """Return the pilot with other values, another plan, or another design."""
    opened = opened or student_moderator()
    panel = opened.panel
    if values is not None:
        panel = replace(panel, values=panel.values.assign(**values))
    if plan is not None:
        panel = replace(panel, plan=panel.plan.model_copy(update=plan))
    settings = opened.settings
    if design is not None:
        settings = tuple(replace(s, design=replace(s.design, **design)) for s in settings)
    return replace(opened, panel=panel, settings=settings)


def newcomers(share):
    """Take the pre-test away from some students."""
    opened = student_moderator()
    pretest = opened.panel.values["rit_fall"].fillna(200.0).to_numpy(dtype=float).copy()
    pretest[np.random.default_rng(0).uniform(size=len(pretest)) < share] = np.nan
    return derive(having(values={"rit_fall": pretest}))


def going_together(noise):
    """Make devices at home follow free lunch, but for some."""
    values = student_moderator().panel.values
    codes = values["frl"].cat.codes.to_numpy().copy()
    changed = np.random.default_rng(0).uniform(size=len(codes)) < noise
    codes[changed] = np.random.default_rng(1).integers(2, size=int(changed.sum()))
    levels = values["devices"].cat.categories
    return derive(having(values={"devices": pd.Categorical.from_codes(codes % len(levels), levels, ordered=True)}))


def with_outcome(**changes):
    opened = student_moderator()
    first, *rest = opened.panel.plan.outcomes
    return derive(having(plan={"outcomes": (first.model_copy(update=changes), *rest)}))


def chances(within_blocks):
    """Let the chance of the offer vary between students, or between schools alone."""
    opened = student_moderator()
    n = len(opened.design.rows)
    by = np.arange(n) if within_blocks else opened.design.block
    chance = 0.3 + 0.4 * (by % 2)
    design = opened.panel.plan.design.model_copy(update={"probability": "p_offer"})
    return derive(having(plan={"design": design}, design={"probability": np.column_stack([1 - chance, chance])}))


def taken_up(treated, control, *, moved=None, n=200, **report):
    """Let these shares of the first `n` students of each arm take the programme up; of the rest nothing is known."""
    opened = student_moderator()
    main = opened.main
    d = np.full(len(main.treated), np.nan)
    for arm, share in ((main.treated, treated), (main.control, control)):
        d[np.flatnonzero(arm)[:n]] = np.arange(n) < round(share * n)
    plan = {"report": opened.panel.plan.report.model_copy(update=report)}
    settings = (replace(main, scores=replace(main.scores, d=d)), *opened.settings[1:])
    found = [] if moved is None else [finding("takeup", estimate=moved)]
    return derive(replace(having(plan=plan), settings=settings), findings=found)


def without_prognosis():
    return derive(student_moderator().without_prognosis())


def unplanned(*found):
    opened = student_moderator()
    moderators = tuple(m.model_copy(update={"planned": False}) for m in opened.panel.plan.moderators)
    return derive(having(plan={"moderators": moderators}), findings=found)


def dealt(p, p_adjusted, **more):
    steady = Steadiness(over="folds", n=2, shift=0.2, p_adjusted=p_adjusted)
    given = {
        "moderator": "frl", "p_adjusted": p, "credibility": "low", "status": "confirmatory", "smallest_cell": 50,
        "smallest_cell_clusters": 12,
    }  # fmt: skip
    return derive(findings=[finding("difference", steadiness=steady, **(given | more))])


def group(cell, clusters=5):
    return derive(findings=[finding("subgroup", moderator="frl", smallest_cell=cell, smallest_cell_clusters=clusters)])


def few():
    return derive(open_pilot("no-effect", names=("frl",), students=300, classes=12, schools=3))


def dominant(share=0.3, n_others=9):
    """Put a share of the students analysed into one school, the rest evenly into others."""
    opened = student_moderator()
    n = len(opened.main.scores.rows)
    site = np.where(np.arange(n) < share * n, 0, 1 + np.arange(n) % n_others)
    scores = replace(opened.main.scores, site=site)
    return derive(replace(opened, settings=(replace(opened.main, scores=scores), *opened.settings[1:])))


def matched():
    opened = student_moderator()
    plan = opened.panel.plan
    design = plan.design.model_copy(update={"kind": "matched"})
    panel = replace(opened.panel, plan=plan.model_copy(update={"design": design}))
    return derive(replace(opened, panel=panel))


def underpowered(low=-1.0, mde=2.0):
    return derive(findings=[finding("average", conf_low=low, conf_high=4.0, mde=mde)])


def unsteady(shift, p=(0.01, 0.03), **more):
    steady = Steadiness(over="folds", n=5, shift=shift, estimate_low=-0.5, estimate_high=3.14, p_low=p[0], p_high=p[1])
    given = {"estimate": 2.0, "std_error": 1.2, "steadiness": steady}
    return derive(findings=[finding("average", **(given | more))])


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
    "unlike_sizes": (lambda: derive(unlike_sizes()), lambda: derive(unlike_sizes(blocks="school"))),
    "underpowered": (underpowered, lambda: underpowered(mde=1.0)),
    "declared_before": (derive, None),
    "informative_size": (
        lambda: derive(findings=[finding("difference", moderator="weighting", p_value=0.04)]),
        lambda: derive(findings=[finding("difference", moderator="weighting", p_value=0.06)]),
    ),
    "little_takeup": (
        lambda: taken_up(0.5, 0.2, moved=49.0),
        lambda: taken_up(0.9, 0.2, moved=51.0),
    ),
    "inseparable_sites": (
        lambda: inseparable("teachers and sites cannot be told apart: too few"),
        lambda: inseparable("interval by Q-profile"),
    ),
    "no_differences_found": (lambda: no_differences([0.06, 0.9]), lambda: no_differences([0.04, 0.9])),
    "simpler_engine": (few, derive),
    "no_prognosis": (without_prognosis, derive),
    "adaptive_assignment": (lambda: chances(within_blocks=True), lambda: chances(within_blocks=False)),
    "joiners": (lambda: newcomers(0.2), lambda: newcomers(0.05)),
    "unrecorded": (lambda: derive(without_record(0.2)), lambda: derive(without_record(0.03))),
    "correlated_moderators": (lambda: going_together(0.2), lambda: going_together(0.8)),
    "no_arm": (lambda: derive(leaving("no arm", 12)), lambda: derive(leaving("no arm", 9))),
    "other_arms": (lambda: derive(leaving("arm not in the plan: C", 12)), lambda: derive(leaving("no arm", 12))),
    "crossover": (lambda: taken_up(1.0, 0.3), lambda: taken_up(0.9, 0.0)),
    "partial_takeup": (lambda: taken_up(0.9, 0.0), lambda: taken_up(1.0, 0.0)),
    "unsteady_average": (lambda: unsteady(shift=0.6), lambda: unsteady(shift=0.4)),
    "unreliable_outcome": (lambda: with_outcome(reliability=0.4), lambda: with_outcome(reliability=0.6)),
    "unlabelled_outcome": (lambda: with_outcome(label="rit_spring"), derive),
    "only_exploratory": (lambda: unplanned(finding("difference", moderator="frl")), derive),
    "suppressed": (lambda: group(9), lambda: group(10)),
    "fragile_over_seeds": (lambda: dealt(0.04, (0.03, 0.06)), lambda: dealt(0.04, (0.03, 0.045))),
    "many_looks": (lambda: many(5), lambda: many(4)),
    "who_these_are": (derive, None),
    "unlike_target": (lambda: unlike(0.4), lambda: unlike(0.85)),
    "matched": (matched, derive),
}  # fmt: skip


def test_every_rule_of_the_module_is_tried_here():
    modules = (find, design, findings, measures)
    rules = {rule for module in modules for rule in re.findall(r'caveat_id="(\w+)"', inspect.getsource(module))}
    assert rules | set(takeup.READINGS) == set(TRIGGERS)


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


# ---- what each rule looks at -------------------------------------------------------------------------------------


def test_no_two_caveats_say_the_same_and_none_says_two_things_about_take_up():
    said = [caveat.sentence for caveat in few().values()]
    assert len(set(said)) == len(said)
    found = taken_up(0.8, 0.4, moved=40.0)
    assert "little_takeup" in found
    assert "crossover" not in found


def test_where_nothing_was_planned_the_test_of_any_difference_speaks():
    overall = finding("heterogeneity", moderator=ALL_MODERATORS, p_value=0.3)
    assert "any difference along the moderators" in unplanned(overall)["no_differences_found"].sentence
    assert "no_differences_found" not in unplanned(replace(overall, p_value=0.01))
    planned = finding("difference", status="confirmatory", moderator="frl", p_adjusted=0.01)
    assert "no_differences_found" not in derive(findings=[overall, planned])


def test_a_claim_that_other_folds_settle_is_as_fragile_as_one_that_they_unsettle():
    found = dealt(0.06, (0.04, 0.07))["fragile_over_seeds"]
    assert "free or reduced-price lunch (.04 to .07)" in found.sentence
    assert "3 such divisions" in found.sentence
    assert found.gravity == 1
    assert dealt(0.06, (0.04, 0.07), status="exploratory")["fragile_over_seeds"].gravity == 2


def test_a_grade_that_falls_within_what_is_settled_is_fragile_too():
    cap = f"{OTHER_FOLDS} in 1 of 2 tries: one step down"
    assert "fragile_over_seeds" in dealt(0.004, (0.004, 0.006), caps=(cap,))
    assert "fragile_over_seeds" not in dealt(0.004, (0.004, 0.006))


def test_what_carries_no_grade_is_not_called_fragile():
    assert "fragile_over_seeds" not in dealt(0.04, (0.03, 0.06), credibility="")


def test_a_claim_too_small_to_be_shown_is_not_told_of_there_either():
    assert "fragile_over_seeds" not in dealt(0.04, (0.03, 0.06), smallest_cell=9)


def test_a_plan_without_any_earlier_measure_cannot_tell_newcomers():
    opened = student_moderator()
    variables = tuple(v for v in opened.panel.variables if v.name != "rit_fall")
    assert "joiners" not in derive(replace(opened, panel=replace(opened.panel, variables=variables)))


def test_a_group_of_one_cluster_is_too_small_however_many_students_it_holds():
    assert "suppressed" in group(50, clusters=1)


def test_an_unreliable_primary_outcome_is_graver_than_a_secondary_one():
    assert with_outcome(reliability=0.4)["unreliable_outcome"].gravity == 1
    assert with_outcome(reliability=0.4, primary=False)["unreliable_outcome"].gravity == 2


def test_under_four_clusters_an_arm_nothing_is_predicted_and_the_caveat_says_so():
    opened = open_pilot("no-effect", names=("frl",), students=120, classes=6, schools=3)
    assert "no effects were predicted" in derive(opened)["simpler_engine"].sentence
    assert "straight lines" in few()["simpler_engine"].sentence


def test_a_plan_that_wants_no_predictions_is_not_told_that_it_lacks_them():
    opened = open_pilot("no-effect", names=("frl",), students=120, classes=6, schools=3)
    analysis = opened.panel.plan.analysis.model_copy(update={"engine": "none"})
    assert "simpler_engine" not in derive(having(opened, plan={"analysis": analysis}))


def test_the_canonical_correlation_is_pearsons_of_two_numbers_and_the_largest_of_several():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    y = (x @ [0.6, -0.8] + rng.normal(size=500))[:, None]
    one = canonical_correlation(x[:, :1], y)
    assert one == pytest.approx(abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]))
    fitted = np.column_stack([np.ones(500), x]) @ np.linalg.lstsq(np.column_stack([np.ones(500), x]), y)[0]
    assert canonical_correlation(x, y) == pytest.approx(np.corrcoef(fitted[:, 0], y[:, 0])[0, 1])
    assert canonical_correlation(1000 + 3 * x, y) == pytest.approx(canonical_correlation(x, y))


def test_what_does_not_vary_goes_with_nothing():
    x = np.random.default_rng(0).normal(size=(50, 1))
    assert canonical_correlation(np.full((50, 1), 0.1), x) == 0.0
    assert canonical_correlation(x[:0], x[:0]) == 0.0
