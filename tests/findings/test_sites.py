"""How far effects differ between sites: told where the design can tell it, and refused where it cannot."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from whoworks.design.build import build_design
from whoworks.findings.caveats.find import find_caveats
from whoworks.findings.find import find_all, open_settings
from whoworks.findings.finding import Findings
from whoworks.findings.sites.variation import INSEPARABLE, UNITS_TO_SHOW, find_site_variation, locate
from whoworks.inference.meta import random_effects
from whoworks.inference.variance_components import fit_variance_components
from whoworks.panel.build import build_panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records
from whoworks.scores.build import build_scores
from whoworks.simulate.pilot import make_pilot


def open_plan(plan, frame=None):
    """Return the panel and the settings of a plan's first outcome."""
    panel = build_panel(plan, read_records(plan, frame=frame))
    design = build_design(panel)
    scores = build_scores(panel, design, outcome=plan.outcomes[0].name, seed=np.random.SeedSequence(1))
    return panel, open_settings(panel, design, scores)


@cache
def open_pilot(world="constant-effect", **layout):
    pilot = make_pilot(world, **({"students": 960, "classes": 48, "schools": 12} | layout))
    return open_plan(pilot.plan, pilot.records)


def with_outcome(setting, *, sites=0.0, classes=0.0, seed=3):
    """Replace the outcome by one whose effect, 2, differs between sites, and whose level differs between classes."""
    rng, places = np.random.default_rng(seed), locate(setting)
    assert places.keep.all()
    y = 10 * rng.normal(size=len(places.z)) + places.z * (2 + sites * rng.normal(size=500)[places.site])
    if places.carrier is not None:
        y += classes * rng.normal(size=places.carrier.max() + 1)[places.carrier]
    return replace(setting, scores=replace(setting.scores, y=y, h=None))


def sites_of_one_arm():
    """Return a pilot whose schools were assigned and, by a slip of the plan, are its sites as well."""
    panel, (setting,) = open_pilot(assigned="school")
    design = replace(setting.design, site_level="school")
    return panel, (replace(setting, design=design, scores=replace(setting.scores, site=setting.scores.cluster)),)


def by_student(**change):
    return with_outcome(open_pilot(assigned="student")[1][0], **change)


def by_class(**change):
    return with_outcome(open_pilot(assigned="class")[1][0], **change)


def test_students_assigned_within_sites_give_tau_each_site_and_a_new_site():
    found = find_site_variation(by_student(sites=8))
    tau, sites, new = found[0], found[1:-1], found[-1]
    assert [tau.question, tau.level, new.question] == ["site-variation", "", "new-site"]
    assert 0 < tau.conf_low < tau.estimate < tau.conf_high
    assert [site.level for site in sites] == [str(rank) for rank in range(1, 13)]
    assert [site.estimate for site in sites] == sorted(site.estimate for site in sites)
    assert new.conf_low < sites[0].estimate < sites[-1].estimate < new.conf_high
    assert {finding.status for finding in found} == {"descriptive"}
    assert all(math.isnan(finding.p_value) and not finding.credibility for finding in found)


def test_the_numbers_are_a_meta_analysis_of_differences_in_means_with_one_variance():
    setting = by_student(sites=8)
    y, z, site = setting.scores.y, setting.scores.z, setting.scores.site
    pooled = fit_variance_components(y=y, z=z, site=site).sigma ** 2
    arms = [[y[(site == place) & (z == arm)] for arm in (0, 1)] for place in range(12)]
    among = random_effects(
        estimate=[treated.mean() - control.mean() for control, treated in arms],
        variance=[pooled * (1 / len(treated) + 1 / len(control)) for control, treated in arms],
    )
    found = find_site_variation(setting)
    tau, new = found[0], found[-1]
    np.testing.assert_allclose((tau.estimate, tau.conf_low, tau.conf_high), (among.tau, *among.tau_interval()))
    np.testing.assert_allclose((new.estimate, new.std_error, new.df), (among.mean, among.std_error, 11))
    np.testing.assert_allclose((new.conf_low, new.conf_high), among.new_site())
    np.testing.assert_allclose([site.estimate for site in found[1:-1]], np.sort(among.shrunken()[0]))
    np.testing.assert_allclose(tau.effect_size, setting.scale.factor * tau.estimate / setting.scale.sd)


def test_the_prognosis_narrows_what_a_site_says():
    setting = open_pilot("class-varying", assigned="student")[1][0]
    assert setting.scores.h is not None
    with_it, without = (
        find_site_variation(s)[-1] for s in (setting, replace(setting, scores=replace(setting.scores, h=None)))
    )
    assert with_it.std_error < without.std_error


def test_no_name_of_a_site_or_class_is_in_any_finding():
    panel, settings = open_pilot("class-varying", assigned="student")
    found = find_site_variation(settings[0])
    words = " ".join(str(getattr(finding, field.name)) for finding in found for field in fields(finding))
    for level in ("school", "class"):
        assert not any(str(name) in words for name in panel.units[level].unique())


@pytest.mark.parametrize(("left", "shown"), [(UNITS_TO_SHOW - 1, 11), (UNITS_TO_SHOW, 12)])
def test_a_site_with_few_students_of_an_arm_is_used_but_not_shown(left, shown):
    setting = by_student(sites=8)
    places = locate(setting)
    gone = (places.site == 0) & (places.z == 1)
    gone[np.flatnonzero(gone)[:left]] = False
    rows = np.flatnonzero(~gone)
    scores = setting.scores
    part = {
        field.name: value[rows]
        for field in fields(scores)
        if isinstance(value := getattr(scores, field.name), np.ndarray)
    }
    found = find_site_variation(replace(setting, scores=replace(scores, **part)))
    assert len(found) == 1 + shown + 1
    assert found[-1].df == 11
    assert min(finding.smallest_cell for finding in found) >= UNITS_TO_SHOW


def test_classes_that_carry_the_arm_give_tau_where_sites_differ_beyond_them():
    found = find_site_variation(by_class(sites=15, classes=3))
    assert [found[0].question, found[-1].question] == ["site-variation", "new-site"]
    assert 0 < found[0].conf_low < 15 < found[0].conf_high
    assert "class term" in found[0].notes[0]


def test_classes_that_may_make_all_of_the_spread_leave_nothing_to_give():
    (finding,) = find_site_variation(by_class(classes=6))
    assert finding.question == "site-variation"
    assert math.isnan(finding.estimate)
    assert math.isnan(finding.conf_high)
    assert finding.credibility == "not assessable"
    assert finding.notes[0].startswith(f"teachers {INSEPARABLE}: differences between classes")
    assert "they may account for all of the differences between schools" in finding.notes[0]


def test_one_class_in_each_arm_of_a_site_cannot_tell_teachers_from_sites_however_far_sites_differ():
    setting = with_outcome(open_pilot(assigned="class", classes=24)[1][0], sites=30)
    (finding,) = find_site_variation(setting)
    assert math.isnan(finding.estimate)
    assert finding.notes[0].startswith(f"teachers {INSEPARABLE}: schools with two classes in the same arm number 0")


def test_sites_of_one_arm_cannot_be_estimated():
    (finding,) = find_site_variation(sites_of_one_arm()[1][0])
    assert math.isnan(finding.estimate)
    assert finding.notes == (
        "how far effects differ between schools cannot be estimated: each school has one arm only",
    )


def test_fewer_than_five_sites_are_too_few():
    (finding,) = find_site_variation(open_pilot(assigned="student", schools=4, classes=16, students=320)[1][0])
    assert finding.notes == ("4 schools with both arms, where 5 or more are needed",)


def test_five_sites_are_enough():
    found = find_site_variation(open_pilot(assigned="student", schools=5, classes=20, students=400)[1][0])
    assert np.isfinite(found[0].estimate)


@pytest.mark.parametrize(("schools", "can_tell"), [(9, False), (10, True)])
def test_ten_sites_with_two_classes_in_some_arm_tell_teachers_from_sites(schools, can_tell):
    setting = by_class_of(schools, sites=40)
    (note, *_) = find_site_variation(setting)[0].notes
    assert ("takes 10 to learn" in note) != can_tell
    assert np.isfinite(find_site_variation(setting)[0].estimate) == can_tell


def by_class_of(schools, **change):
    """Return whole classes, two in each arm of every school."""
    setting = open_pilot(assigned="class", schools=schools, classes=4 * schools, students=60 * schools)[1][0]
    scores = setting.scores
    cells = {
        (s, z): len(np.unique(scores.cluster[(scores.site == s) & (scores.z == z)]))
        for s, z in {*zip(scores.site.tolist(), scores.z.tolist(), strict=True)}
    }
    assert set(cells.values()) == {2}
    return with_outcome(setting, **change)


def test_where_classes_carry_the_arm_the_limits_are_those_of_the_model_with_a_class_term():
    setting = by_class(sites=15, classes=3)
    scores = setting.scores
    fit = fit_variance_components(y=scores.y, z=scores.z, site=scores.site, block=scores.block, carrier=scores.cluster)
    tau = find_site_variation(setting)[0]
    assert (tau.conf_low, tau.conf_high) == pytest.approx(fit.tau_interval(0.95), rel=1e-6)
    as_known = random_effects(estimate=fit.estimate, variance=fit.variance).tau_interval(0.95)
    assert tau.conf_high != pytest.approx(as_known[1], rel=1e-3)


def test_units_of_one_site_with_different_chances_are_compared_apart():
    """Those with a chance of .8 score 40 more: the more of them are treated, the better a site would look."""
    setting = by_student()
    scores, rng = setting.scores, np.random.default_rng(4)
    e = np.where(rng.uniform(size=len(scores.y)) < 0.5, 0.8, 0.2)
    z = (rng.uniform(size=len(e)) < e).astype(float)
    own = np.where(z == 1, e, 1 - e)
    drawn = replace(setting, scores=replace(scores, e=e, z=z, own=own))
    moved = replace(drawn, scores=replace(drawn.scores, y=scores.y + 40.0 * (e > 0.5)))
    pairs = zip(find_site_variation(drawn), find_site_variation(moved), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose((mine.estimate, mine.conf_high), (theirs.estimate, theirs.conf_high), rtol=1e-6)


def test_an_outcome_that_does_not_vary_says_nothing_of_sites():
    setting = by_student()
    flat = replace(setting, scale=replace(setting.scale, sd=0.0))
    assert find_site_variation(flat)[0].notes == ("the outcome does not vary",)


def test_no_site_in_the_plan_no_finding():
    setting = by_student()
    assert find_site_variation(replace(setting, scores=replace(setting.scores, site=None))) == ()


def test_a_binary_outcome_is_told_in_percentage_points():
    setting = open_pilot("binary-outcome", assigned="student")[1][0]
    found = find_site_variation(setting)
    assert {finding.unit for finding in found} == {"percentage points"}
    share = setting.scores.y[setting.treated].mean() - setting.scores.y[setting.control].mean()
    assert abs(found[-1].estimate - 100 * share) < 3 * found[-1].std_error


def test_pairs_within_sites_are_compared_pair_by_pair():
    setting = with_outcome(open_pilot(assigned="student", blocks="pair")[1][0])
    level = 40 * np.random.default_rng(2).normal(size=10_000)[setting.scores.block]
    moved = replace(setting, scores=replace(setting.scores, y=setting.scores.y + level))
    for mine, theirs in zip(find_site_variation(setting), find_site_variation(moved), strict=True):
        np.testing.assert_allclose(
            (mine.estimate, mine.conf_high), (theirs.estimate, theirs.conf_high), rtol=1e-6, atol=1e-4
        )


def test_the_question_is_asked_of_the_primary_outcome_and_main_contrast_alone():
    panel, settings = open_pilot("three-arms", assigned="student")
    assert len(settings) == 2
    found = find_all(panel, settings, checks=(), predictions={}, seed=np.random.SeedSequence(1))
    asked = {finding.contrast for finding in found if finding.question in ("site-variation", "new-site")}
    assert asked == {settings[0].scores.contrast}


def test_teachers_and_sites_that_cannot_be_told_apart_are_a_caveat_and_other_refusals_are_not():
    for (panel, settings), expected in ((open_pilot(assigned="class", classes=24), 1), (sites_of_one_arm(), 0)):
        findings = Findings(items=find_site_variation(settings[0]))
        caveats = [c for c in find_caveats(panel, settings, (), findings) if c.caveat_id == "inseparable_sites"]
        assert len(caveats) == expected
        for caveat in caveats:
            assert caveat.gravity == 2
            assert caveat.sentence.startswith(f"Teachers {INSEPARABLE}")


@pytest.mark.shared
def test_star_says_that_teachers_and_sites_cannot_be_told_apart_and_gives_no_tau(shared):
    panel, settings = open_plan(Plan.load(shared / "plans" / "star_k.toml"))
    (finding,) = find_site_variation(settings[0])
    assert f"teachers {INSEPARABLE}" in finding.notes[0]
    assert all(math.isnan(value) for value in (finding.estimate, finding.conf_low, finding.conf_high))
    assert not any(part.isdigit() for part in finding.notes[0].split())
    caveats = find_caveats(panel, settings, (), Findings(items=(finding,)))
    assert [c.gravity for c in caveats if c.caveat_id == "inseparable_sites"] == [2]


@pytest.mark.truth
@pytest.mark.parametrize(("opened", "spread"), [(by_student, {}), (by_class, {"classes": 5})])
def test_where_effects_do_not_differ_a_spread_above_zero_is_seldom_told(opened, spread):
    """60 trials, 2.5 % by theory; more than chance allows once in 1,000."""
    told = 0
    for seed in range(60):
        told += find_site_variation(opened(seed=seed, **spread))[0].conf_low > 0
    assert told <= stats.binom.ppf(0.999, 60, 0.025)


def test_digits_that_a_probability_lacks_make_no_blocks_of_their_own():
    setting = by_student(sites=8)
    scores = setting.scores
    blurred = replace(setting, scores=replace(scores, e=scores.e + 3e-8 * (np.arange(len(scores.e)) % 2)))
    assert len(np.unique(locate(blurred).block)) == len(np.unique(locate(setting).block))
