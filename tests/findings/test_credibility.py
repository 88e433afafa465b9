"""The grade of a claim: by its adjusted p, then by every cap, each triggered once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import student_moderator
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.findings.grades import credibility
from whoworks.findings.grades.credibility import found_direction, grade
from whoworks.findings.moderation import Cut, Moderation, open_moderation
from whoworks.findings.sensitivity.fragility import has_unconfirmed_cut
from whoworks.findings.steadiness import Steadiness
from whoworks.plan.moderators import Larger, Moderator
from whoworks.plan.outcomes import Outcome

EXPECTED = Moderator(column="m", planned=True, expect={"larger": "Y"})
OUTCOME = Outcome(column="maths", primary=True, meaningful=0.1)


def claim(p, **more):
    given = {
        "question": "difference", "outcome": "maths", "contrast": "new - usual", "quantity": "", "moderator": "m",
        "level": "Y", "reference": "N", "estimate": 2.0, "p_adjusted": p, "status": "confirmatory",
        "smallest_cell_clusters": 12,
    }  # fmt: skip
    return Finding(**(given | more))


def groups(**effects):
    given = {"question": "subgroup", "outcome": "maths", "contrast": "new - usual", "quantity": "", "moderator": "m"}
    return Findings(items=tuple(Finding(level=level, estimate=value, **given) for level, value in effects.items()))


def graded(finding, *, moderator=EXPECTED, among=None, outcome=OUTCOME, main=True, failed=False, fragility=None):
    return grade(
        finding, among=groups(N=1.0, Y=3.0) if among is None else among, moderator=moderator, outcome=outcome,
        is_main_contrast=main, design_failed=failed, fragility=lambda _: fragility,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("p", "expected", "unexpected"),
    [
        (0.9, "very low", "very low"), (0.0501, "very low", "very low"),
        (0.05, "moderate", "low"), (0.0101, "moderate", "low"),
        (0.01, "moderate", "moderate"), (0.0051, "moderate", "moderate"),
        (0.005, "high", "high"), (1e-9, "high", "high"),
    ],
)  # fmt: skip
def test_the_adjusted_p_sets_the_grade_and_a_direction_named_beforehand_helps_between_01_and_05(
    p, expected, unexpected
):
    assert graded(claim(p)).credibility == expected
    assert graded(claim(p), moderator=Moderator(column="m", planned=True)).credibility == unexpected
    assert graded(claim(p)).caps == ()


def test_without_a_p_it_is_not_assessable():
    assert graded(claim(NAN)).credibility == "not assessable"


CAPS = {
    "exploratory": ({"finding": {"status": "exploratory"}}, "moderate"),
    "not the primary": (
        {"outcome": Outcome(column="maths", primary=False), "finding": {"status": "exploratory"}},
        "low",
    ),
    "main contrast": ({"main": False, "finding": {"status": "exploratory"}}, "low"),
    "opposite": ({"among": {"N": 3.0, "Y": 1.0}}, "low"),
    "attrition or baseline": ({"failed": True}, "low"),
    "fewer than 10 clusters": ({"finding": {"smallest_cell_clusters": 9}}, "low"),
}


@pytest.mark.parametrize("words", CAPS)
def test_each_cap_lowers_a_high_claim_and_is_listed_with_it(words):
    change, expected = dict(CAPS[words][0]), CAPS[words][1]
    finding = claim(0.001, **change.pop("finding", {}))
    among = groups(**change.pop("among", {"N": 1.0, "Y": 3.0}))
    found = graded(finding, among=among, **change)
    assert found.credibility == expected
    assert len(found.caps) == 1
    assert words in found.caps[0]


def test_ten_clusters_are_enough():
    assert graded(claim(0.001, smallest_cell_clusters=10)).credibility == "high"


def test_caps_never_raise_a_grade_and_all_that_apply_are_listed():
    found = graded(claim(0.03, smallest_cell_clusters=4), failed=True)
    assert found.credibility == "low"
    assert len(found.caps) == 2
    assert graded(claim(0.2, smallest_cell_clusters=4), failed=True).credibility == "very low"


def test_a_difference_that_dies_on_ranks_is_low(monkeypatch):
    monkeypatch.setattr(credibility, "lost_scale", lambda _: "replacing outcomes by ranks")
    monkeypatch.setattr(credibility, "turns_without_a_site", lambda _, meaningful: False)
    found = graded(claim(0.001), fragility=some_moderation())
    assert (found.credibility, len(found.caps)) == ("low", 1)
    assert "ranks" in found.caps[0]


@pytest.mark.parametrize(("p", "expected"), [(0.001, "moderate"), (0.008, "low")])
def test_a_difference_that_one_site_can_turn_goes_one_step_down(monkeypatch, p, expected):
    monkeypatch.setattr(credibility, "lost_scale", lambda _: "")
    monkeypatch.setattr(credibility, "turns_without_a_site", lambda _, meaningful: meaningful > 0)
    moderation = some_moderation()
    found = graded(claim(p), fragility=moderation)
    assert found.credibility == expected
    assert "leaving out one site" in found.caps[0]
    outcome = moderation.setting.outcome.model_copy(update={"meaningful": None})
    unnamed = replace(moderation, setting=replace(moderation.setting, outcome=outcome))
    assert graded(claim(p), fragility=unnamed).caps == ()


@pytest.mark.parametrize(
    ("p", "dealt", "expected"),
    [
        (0.004, (0.004, 0.0049), "high"),
        (0.004, (0.004, 0.006), "moderate"),
        (0.02, (0.03, 0.051), "very low"),
        (0.02, (0.03, NAN), "very low"),
        (0.02, (0.004, 0.001), "low"),
    ],
)
def test_a_grade_that_other_folds_would_lower_goes_one_step_down_and_none_goes_up(p, dealt, expected):
    steady = Steadiness(over="folds", n=2, shift=0.1, p_adjusted=dealt)
    found = graded(claim(p, steadiness=steady), moderator=Moderator(column="m", planned=True))
    assert found.credibility == expected
    assert [cap for cap in found.caps if "in 1 of 2 tries" in cap] == list(found.caps)


def test_a_direction_named_beforehand_counts_in_every_deal():
    steady = Steadiness(over="folds", n=2, shift=0.1, p_adjusted=(0.012, 0.04))
    assert graded(claim(0.008, steadiness=steady)).caps == ()


@pytest.mark.parametrize("p", [0.001, 0.008, 0.02])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("uncut", [False, True])
@pytest.mark.parametrize("dealt", [0.0001, 0.9])
def test_steps_down_add_up_and_end_at_very_low(monkeypatch, p, turned, uncut, dealt):
    monkeypatch.setattr(credibility, "lost_scale", lambda _: "")
    monkeypatch.setattr(credibility, "turns_without_a_site", lambda _, meaningful: turned)
    monkeypatch.setattr(credibility, "has_unconfirmed_cut", lambda _: uncut)
    steady = Steadiness(over="folds", n=1, shift=0.1, p_adjusted=(dealt,))
    found = graded(
        claim(p, steadiness=steady), moderator=Moderator(column="m", planned=True), fragility=some_moderation()
    )
    words = ["very low", "low", "moderate", "high"]
    steps = turned + uncut + (dealt > p)
    start = {0.001: 3, 0.008: 2, 0.02: 1}[p]
    assert found.credibility == words[max(start - steps, 0)]
    assert len(found.caps) == steps


def some_moderation(column="frl"):
    opened = student_moderator()
    return open_moderation(opened.panel, opened.main, opened.moderator(column))


def test_a_cut_point_that_the_number_does_not_confirm_costs_one_step(monkeypatch):
    monkeypatch.setattr(credibility, "lost_scale", lambda _: "")
    monkeypatch.setattr(credibility, "turns_without_a_site", lambda _, meaningful: False)
    moderation = number_with_cut(lambda x: np.abs(x) < 0.4)
    found = graded(claim(0.001), fragility=moderation)
    assert (found.credibility, len(found.caps)) == ("moderate", 1)
    assert "cut point" in found.caps[0]
    steady = graded(claim(0.001), fragility=number_with_cut(lambda x: x))
    assert (steady.credibility, steady.caps) == ("high", ())


def number_with_cut(effect):
    """Return a claim that students above the mean gain more, where effects follow `effect` of the number."""
    opened = student_moderator()
    rng, n = np.random.default_rng(4), len(opened.scores.y)
    x = rng.standard_normal(n)
    y = 0.5 * rng.standard_normal(n) + opened.scores.z * effect(x)
    setting = replace(opened.main, scores=replace(opened.scores, y=y, h=None))
    every = np.ones(n, dtype=bool)
    return Moderation(
        setting=setting, basis=np.column_stack([every, x > 0]).astype(float), keep=every,
        contrasts=np.array([[0.0, 1.0]]), cuts=(Cut(above=x > 0, number=x, compared=every, among=every),),
    )  # fmt: skip


def test_a_number_that_goes_the_other_way_than_its_cut_does_not_confirm_it():
    moderation = number_with_cut(lambda x: x)
    (cut,) = moderation.cuts
    assert not has_unconfirmed_cut(moderation)
    assert has_unconfirmed_cut(replace(moderation, cuts=(replace(cut, number=-cut.number),)))
    assert has_unconfirmed_cut(number_with_cut(lambda x: 0 * x))


def test_a_number_that_the_plan_cuts_brings_its_cut_and_no_other_does():
    opened = student_moderator()
    number = opened.moderator("rit_fall")
    (cut,) = open_moderation(opened.panel, opened.main, number.model_copy(update={"cut": "terciles"})).cuts
    middle = ~cut.compared & cut.among
    assert cut.number[cut.above].min() >= cut.number[middle].max()
    assert cut.number[cut.compared & ~cut.above].max() <= cut.number[middle].min()
    assert open_moderation(opened.panel, opened.main, number).cuts == ()
    assert some_moderation("frl").cuts == ()


def test_the_direction_found_is_read_off_groups_or_the_slope():
    rising = Moderator(column="m", kind="number", expect="increasing")
    assert found_direction(claim(0.01, estimate=0.5), among=groups(), moderator=rising) == "as planned"
    assert found_direction(claim(0.01, estimate=-0.5), among=groups(), moderator=rising) == "opposite"
    falling = Moderator(column="m", kind="number", expect="decreasing")
    assert found_direction(claim(0.01, estimate=-0.5), among=groups(), moderator=falling) == "as planned"
    assert isinstance(EXPECTED.expect, Larger)
    assert found_direction(claim(0.01), among=groups(A=1, N=2, Y=3), moderator=EXPECTED) == "as planned"
    assert found_direction(claim(0.01), among=groups(A=4, N=2, Y=3), moderator=EXPECTED) == "opposite"
    assert found_direction(claim(0.01), among=groups(N=2, Y=NAN), moderator=EXPECTED) == ""
    assert found_direction(claim(0.01), among=groups(), moderator=Moderator(column="m")) == ""


@pytest.mark.parametrize("elsewhere", [{"contrast": "other - usual"}, {"outcome": "reading"}, {"wave": "spring"}])
def test_the_direction_is_that_of_the_claims_own_outcome_wave_and_contrast(elsewhere):
    """Two arms may differ along a moderator in opposite directions: neither speaks for the other."""
    other = tuple(replace(group, **elsewhere) for group in groups(N=9.0, Y=0.0))
    for items in ((*groups(N=1.0, Y=3.0), *other), (*other, *groups(N=1.0, Y=3.0))):
        among = Findings(items=items)
        assert found_direction(claim(0.01), among=among, moderator=EXPECTED) == "as planned"
        assert found_direction(claim(0.01, **elsewhere), among=among, moderator=EXPECTED) == "opposite"
