"""The grade of a claim: by its adjusted p, then by every cap, each triggered once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import FOUR, open_pilot, student_moderator
from whoworks.findings import credibility, fragility
from whoworks.findings.credibility import found_direction, grade, meaningful_difference
from whoworks.findings.finding import NAN, Finding, Findings
from whoworks.findings.fragility import dies_on_log_odds, dies_on_ranks, has_unconfirmed_cut, turns_without_a_site
from whoworks.findings.moderation import Cut, Moderation, open_moderation
from whoworks.findings.regression import fit_effects
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
    found = graded(claim(p), fragility=some_moderation())
    assert found.credibility == expected
    assert "leaving out one site" in found.caps[0]
    unnamed = graded(claim(p), fragility=some_moderation(), outcome=OUTCOME.model_copy(update={"meaningful": None}))
    assert unnamed.caps == ()


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


def test_what_would_matter_is_put_into_the_outcomes_own_units():
    moderation = some_moderation()
    sd = moderation.setting.scale.sd
    units = OUTCOME.model_copy(update={"meaningful": 3.0, "meaningful_in": "units"})
    points = OUTCOME.model_copy(update={"meaningful": 5.0, "meaningful_in": "points"})
    assert meaningful_difference(OUTCOME, moderation) == pytest.approx(0.1 * sd)
    assert meaningful_difference(units, moderation) == 3.0
    assert meaningful_difference(points, moderation) == pytest.approx(0.05)
    assert meaningful_difference(OUTCOME.model_copy(update={"meaningful": None}), moderation) == 0.0
    assert meaningful_difference(OUTCOME, None) == 0.0


# ---- what fragility looks at -------------------------------------------------------------------------------------


def with_outcome(moderation, y):
    setting = replace(moderation.setting, scores=replace(moderation.setting.scores, y=y, h=None))
    return replace(moderation, setting=setting)


def test_a_difference_made_by_a_few_extreme_scores_dies_on_ranks_and_a_shift_does_not():
    moderation = some_moderation()
    scores = moderation.setting.scores
    noise = np.random.default_rng(0).normal(size=len(scores.y))
    member = moderation.basis[:, 1] * scores.z
    shifted = with_outcome(moderation, noise + 1.5 * member)
    assert not dies_on_ranks(shifted)
    few = member * (np.random.default_rng(1).uniform(size=len(noise)) < 0.04)
    assert dies_on_ranks(with_outcome(moderation, noise + 40 * few))


def test_a_monotone_rescaling_of_the_outcome_does_not_move_the_verdict_on_ranks():
    moderation = some_moderation()
    noise = np.random.default_rng(0).normal(size=len(moderation.setting.scores.y))
    y = noise + 0.8 * moderation.basis[:, 1] * moderation.setting.scores.z
    assert dies_on_ranks(with_outcome(moderation, y)) == dies_on_ranks(with_outcome(moderation, np.exp(2 * y)))


def test_a_difference_that_rests_on_one_school_turns_without_it():
    moderation = some_moderation()
    scores = moderation.setting.scores
    noise = np.random.default_rng(0).normal(size=len(scores.y))
    member = moderation.basis[:, 1] * scores.z
    everywhere = with_outcome(moderation, noise + 3 * member)
    assert not turns_without_a_site(everywhere, meaningful=0.5)
    one = with_outcome(moderation, 0.3 * noise + member * np.where(scores.site == 0, 30.0, -1.0))
    assert turns_without_a_site(one, meaningful=0.5)
    assert not turns_without_a_site(one, meaningful=50.0)


def test_of_many_schools_none_is_passed_over_that_would_turn_a_difference(monkeypatch):
    opened = open_pilot("student-moderator", names=FOUR, students=800, classes=80, schools=40)
    moderation = open_moderation(opened.panel, opened.main, opened.moderator("frl"))
    scores = moderation.setting.scores
    noise = np.random.default_rng(3).normal(size=(6, len(scores.y)))
    member = moderation.basis[:, 1] * scores.z
    turned, asked_of = [], 0
    for draw in noise:
        asked = with_outcome(moderation, draw + member * np.where(scores.site < 3, 3.0, 0.3))
        for meaningful in (-0.8, -0.5, -0.3, -0.2, -0.1, 0.0, 0.3):
            monkeypatch.setattr(fragility, "FEW_SITES", 10**6)
            turned.append(turns_without_a_site(asked, meaningful=meaningful))
            monkeypatch.setattr(fragility, "FEW_SITES", 0)
            assert turns_without_a_site(asked, meaningful=meaningful) == turned[-1]
        everyone = fit_effects(asked.setting.scores, basis=asked.basis, keep=asked.keep)
        asked_of += len(fragility._sites_that_could(everyone, asked, scores.site[asked.keep], 0.3))
    assert 5 < sum(turned) < len(turned) - 5
    assert 0 < asked_of < 0.5 * 40 * len(noise)


def by_hand(moderation, *, place, meaningful):
    """Leave out each place in turn and look at the end of the interval that lies against the estimate."""
    setting, contrast = moderation.setting, [0.0, 1.0]
    told = fit_effects(setting.scores, basis=moderation.basis, keep=moderation.keep).effects(contrast)
    ends = []
    for each in np.unique(place[moderation.keep]):
        rest = moderation.keep & (place != each)
        fit = fit_effects(setting.scores, basis=moderation.basis, keep=rest).effects(contrast)
        half = stats.t.ppf(0.5 + setting.confidence / 2, fit.df[0]) * fit.std_error[0]
        ends.append(fit.estimate[0] - half if told.estimate[0] > 0 else -(fit.estimate[0] + half))
    return min(ends) < -meaningful


@pytest.mark.parametrize("confidence", [0.5, 0.95])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("partly", [False, True])
def test_leaving_out_each_site_by_hand_gives_the_same_verdict(confidence, sign, partly):
    """Sites are pairs of blocks; the estimate is of either sign; some units are of no group that is compared."""
    moderation = some_moderation()
    scores, rng = moderation.setting.scores, np.random.default_rng(6)
    site = scores.block // 2
    keep = moderation.keep & (rng.uniform(size=len(site)) < 0.7) if partly else moderation.keep
    verdicts = []
    for _ in range(6):
        effect = np.where(site == 0, 3.0, rng.uniform(-0.5, 0.7)) * moderation.basis[:, 1] * scores.z
        y = sign * np.where(keep, effect + rng.normal(size=len(site)), 40 * moderation.basis[:, 1] * scores.z)
        asked = with_outcome(replace(moderation, keep=keep), y)
        setting = replace(
            asked.setting, confidence=confidence, scores=replace(asked.setting.scores, site=site)
        )  # fmt: skip
        asked = replace(asked, setting=setting)
        for meaningful in (0.1, 0.4, 0.8):
            verdicts.append(turns_without_a_site(asked, meaningful=meaningful))
            assert verdicts[-1] == by_hand(asked, place=site, meaningful=meaningful)
    assert 0 < sum(verdicts) < len(verdicts)


@pytest.mark.parametrize(("n_sites", "turns"), [(2, False), (3, True)])
def test_of_two_sites_none_is_left_out_and_of_three_each_is(n_sites, turns):
    moderation = some_moderation()
    scores = moderation.setting.scores
    site = np.minimum(scores.block, n_sites - 1)
    noise = 0.3 * np.random.default_rng(0).normal(size=len(site))
    effect = np.where(site == n_sites - 1, 30.0, -2.0) * moderation.basis[:, 1] * scores.z
    asked = with_outcome(moderation, noise + effect)
    setting = replace(asked.setting, scores=replace(asked.setting.scores, site=site))
    assert turns_without_a_site(replace(asked, setting=setting), meaningful=0.5) == turns


@pytest.mark.parametrize("column", ["frl", "setting"])
def test_where_no_p_can_be_told_a_difference_does_not_survive(column):
    """An outcome that is the same for all has no error: nothing speaks for the difference on any scale."""
    moderation = some_moderation(column)
    flat = with_outcome(moderation, np.full(len(moderation.setting.scores.y), 0.5))
    assert dies_on_ranks(flat)
    bounded = flat.setting.outcome.model_copy(update={"bounds": (0.0, 1.0)})
    assert dies_on_log_odds(replace(flat, setting=replace(flat.setting, outcome=bounded)))


def test_on_ranks_a_difference_survives_at_the_five_percent_level():
    moderation = some_moderation()
    noise = np.random.default_rng(1).normal(size=len(moderation.setting.scores.y))
    member = moderation.basis[:, 1] * moderation.setting.scores.z
    near = 0
    for shift in np.linspace(0.3, 1.5, 60):
        asked = with_outcome(moderation, noise + shift * member)
        ranked = replace(asked.setting.scores, y=stats.rankdata(asked.setting.scores.y))
        p = fit_effects(ranked, basis=asked.basis, keep=asked.keep).effects([0.0, 1.0]).p_value[0]
        assert dies_on_ranks(asked) == (p > 0.05)
        near += 0.05 < p < 0.1
    assert near > 0


def test_a_numbers_difference_is_held_per_sd_against_what_would_matter():
    """Per RIT point a slope is a fifteenth of what it is per SD: in the wrong unit it would never matter."""
    moderation = some_moderation("rit_fall")
    assert moderation.basis[moderation.keep, 1].std() == pytest.approx(1.0, abs=0.05)
    scores = moderation.setting.scores
    noise = 0.3 * np.random.default_rng(0).normal(size=len(scores.y))
    slope = np.where(scores.site == 0, 30.0, -1.0) * scores.z * moderation.basis[:, 1]
    assert turns_without_a_site(with_outcome(moderation, noise + slope), meaningful=0.5)


def test_three_groups_or_more_have_no_opposite_and_are_not_turned():
    moderation = some_moderation("setting")
    assert len(moderation.contrasts) == 2
    assert not turns_without_a_site(moderation, meaningful=1e-9)


def test_what_is_not_assessable_opens_no_regression():
    opened = student_moderator()
    values = opened.panel.values.assign(rit_fall=7.0)
    panel = replace(opened.panel, values=values)
    assert open_moderation(panel, opened.main, opened.moderator("rit_fall")) is None
    gone = replace(opened.panel, values=opened.panel.values.assign(rit_fall=np.nan))
    assert open_moderation(gone, opened.main, opened.moderator("rit_fall")) is None
