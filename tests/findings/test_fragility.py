"""Whether a difference survives ranks, the loss of a site and giving up its cut: by hand, and broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.findings.pilots import FOUR, open_pilot, student_moderator
from tests.findings.test_credibility import some_moderation
from whoworks.findings.moderation import open_moderation
from whoworks.findings.regression import fit_effects
from whoworks.findings.sensitivity import fragility
from whoworks.findings.sensitivity.fragility import dies_on_log_odds, dies_on_ranks, turns_without_a_site


def with_outcome(moderation, y):
    setting = replace(moderation.setting, scores=replace(moderation.setting.scores, y=y, h=None))
    return replace(moderation, setting=setting)


def noise_and_offered(moderation):
    """Return noise, and who of the second group was offered the programme."""
    noise = np.random.default_rng(0).normal(size=len(moderation.setting.scores.y))
    return noise, moderation.basis[:, 1] * moderation.setting.scores.z


def test_a_difference_made_by_a_few_extreme_scores_dies_on_ranks_and_a_shift_does_not():
    moderation = some_moderation()
    noise, member = noise_and_offered(moderation)
    shifted = with_outcome(moderation, noise + 1.5 * member)
    assert not dies_on_ranks(shifted)
    few = member * (np.random.default_rng(1).uniform(size=len(noise)) < 0.04)
    assert dies_on_ranks(with_outcome(moderation, noise + 40 * few))


def test_a_difference_that_turns_round_on_ranks_does_not_survive_them():
    """A few of the second group gain much and all others of it lose a little: surely larger, and surely smaller."""
    moderation = some_moderation()
    noise, member = noise_and_offered(moderation)
    few = member * (np.random.default_rng(1).uniform(size=len(noise)) < 0.25)
    turned = with_outcome(moderation, noise - 1.5 * member + 40 * few)
    ranked = replace(turned.setting.scores, y=stats.rankdata(turned.setting.scores.y))
    plain, ranks = (
        fit_effects(scores, basis=turned.basis, keep=turned.keep).effects([0.0, 1.0])
        for scores in (turned.setting.scores, ranked)
    )
    assert plain.estimate[0] > 0 > ranks.estimate[0]
    assert max(plain.p_value[0], ranks.p_value[0]) <= 0.05
    assert dies_on_ranks(turned)


def test_a_monotone_rescaling_of_the_outcome_does_not_move_the_verdict_on_ranks():
    moderation = some_moderation()
    noise, member = noise_and_offered(moderation)
    y = noise + 0.8 * member
    assert dies_on_ranks(with_outcome(moderation, y)) == dies_on_ranks(with_outcome(moderation, np.exp(2 * y)))


def test_a_difference_that_rests_on_one_school_turns_without_it():
    moderation = some_moderation()
    noise, member = noise_and_offered(moderation)
    everywhere = with_outcome(moderation, noise + 3 * member)
    assert not turns_without_a_site(everywhere, meaningful=0.5)
    one = with_outcome(moderation, 0.3 * noise + member * np.where(moderation.setting.scores.site == 0, 30.0, -1.0))
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
