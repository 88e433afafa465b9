"""Candidates: proposed by one half of the clusters, tested in the other, never in their own."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.findings.pilots import open_pilot
from tests.findings.redrawn import Replicate, classrooms, lunch, redraw
from whoworks.errors import HonestyError, PlanError
from whoworks.findings.multiplicity.families import adjust_families
from whoworks.findings.regression import fit_effects
from whoworks.findings.searches import candidates as module
from whoworks.findings.searches.candidates import (
    AGAIN,
    Candidate,
    estimate_candidate,
    find_candidates,
    held_out,
    propose_candidates,
    split_clusters,
)
from whoworks.findings.searches.proposal import Half, propose_rules
from whoworks.findings.searches.rules import (
    Condition,
    follow_rule,
    list_conditions,
    moderators_of,
    read_rule,
    write_rule,
)
from whoworks.plan.plan import Plan

LUNCH = Condition(moderator="frl", sign="=", value="Y")


def members(panel, setting) -> tuple[tuple[Condition, ...], np.ndarray]:
    conditions = list_conditions(panel, panel.plan.moderators)
    return conditions, np.column_stack([follow_rule((c,), panel, setting)[0] for c in conditions])


def propose(drawn: Replicate, half: np.ndarray) -> tuple[Candidate, ...]:
    return propose_candidates(drawn.setting, *members(drawn.panel, drawn.setting), half)


@cache
def lunch_matters() -> tuple[Replicate, np.ndarray]:
    """Forty-eight classes in which lunch matters, and their proposing half."""
    drawn = redraw(classrooms(48), seed=2, by_lunch=0.8)
    return drawn, split_clusters(drawn.setting, rngs=[np.random.default_rng(1)])[0]


def test_a_candidate_carries_a_rule_and_who_proposed_it_and_no_number():
    assert [field.name for field in fields(Candidate)] == ["rule", "proposed_by"]
    with pytest.raises(FrozenInstanceError):
        Candidate(rule=(LUNCH,), proposed_by=frozenset()).rule = ()


def test_the_split_takes_whole_clusters_and_half_of_each_arm():
    drawn, half = lunch_matters()
    scores = drawn.setting.scores
    assert not set(scores.cluster[half]) & set(scores.cluster[~half])
    for arm in (drawn.setting.treated, drawn.setting.control):
        assert drawn.setting.n_clusters(half & arm) == drawn.setting.n_clusters(~half & arm) == 12


def test_pairs_are_not_torn_apart():
    opened = open_pilot("constant-effect", seed=4, students=160, classes=16, schools=8, blocks="pair")
    half = split_clusters(opened.main, rngs=[np.random.default_rng(1)])[0]
    block = opened.scores.block
    assert not set(block[half]) & set(block[~half])


def test_what_matters_is_proposed():
    assert LUNCH in {condition for candidate in propose(*lunch_matters()) for condition in candidate.rule}


def test_no_moderator_is_used_twice():
    used = [name for candidate in propose(*lunch_matters()) for name in moderators_of(candidate.rule)]
    assert len(used) == len(set(used))


def test_the_other_halfs_outcomes_and_arms_have_no_part_in_proposing():
    drawn, half = lunch_matters()
    scores = drawn.setting.scores
    noise = np.random.default_rng(5).normal(size=len(half))
    y, z = np.where(half, scores.y, 9 * noise), np.where(half, scores.z, 1 - scores.z)
    assert set(scores.block[half]) & set(scores.block[~half])  # blocks lie in both halves
    changed = replace(scores, y=y, z=z, mu0=scores.mu0 + noise, mu1=scores.mu1 + noise, score=noise)
    assert propose(drawn, half) == propose(replace(drawn, setting=replace(drawn.setting, scores=changed)), half)


def test_the_proposing_halfs_outcomes_have_no_part_in_the_estimate():
    drawn, half = lunch_matters()
    candidate = propose(drawn, half)[0]
    noise = np.random.default_rng(5).normal(size=len(half))
    changed = replace(drawn.setting.scores, y=np.where(half, noise, drawn.setting.scores.y))
    first = estimate_candidate(drawn.panel, drawn.setting, candidate, units=~half)[0]
    second = estimate_candidate(drawn.panel, replace(drawn.setting, scores=changed), candidate, units=~half)[0]
    assert (first.estimate, first.std_error, first.p_value) == (second.estimate, second.std_error, second.p_value)


def test_an_estimate_in_the_clusters_that_proposed_is_refused():
    """Break on purpose: a candidate is never tested on its own half, nor on everyone."""
    drawn, half = lunch_matters()
    candidate = propose(drawn, half)[0]
    for units in (half, np.ones_like(half)):
        with pytest.raises(HonestyError, match="had no part in proposing"):
            estimate_candidate(drawn.panel, drawn.setting, candidate, units=units)


def test_one_student_of_a_proposing_cluster_is_enough_to_refuse():
    drawn, half = lunch_matters()
    units = ~half
    units[np.flatnonzero(half)[0]] = True
    with pytest.raises(HonestyError, match="proposed by 1 of the clusters"):
        held_out(propose(drawn, half)[0], drawn.setting, units=units)


def test_an_estimate_is_that_of_the_one_regression_in_the_other_half():
    drawn, half = lunch_matters()
    found, moderation = estimate_candidate(
        drawn.panel, drawn.setting, Candidate(rule=(LUNCH,), proposed_by=frozenset()), units=~half
    )
    basis = np.column_stack([np.ones(len(half)), lunch(classrooms(48))])
    told = fit_effects(drawn.setting.scores, basis=basis, keep=~half).effects([0.0, 1.0])
    assert np.isclose(found.estimate, told.estimate[0])
    assert np.isclose(found.p_value, told.p_value[0])
    assert np.isclose(found.df, told.df[0])
    assert found.level == "frl = Y"
    assert found.n_clusters == 24
    np.testing.assert_array_equal(moderation.keep, ~half)


def test_units_that_lack_a_rules_moderator_are_left_out_of_it():
    opened = open_pilot("student-moderator", seed=3, students=480, classes=48, schools=12)
    missing = opened.panel.values["frl"].iloc[opened.scores.rows].isna().to_numpy()
    assert missing.any()
    for sign in ("=", "is not"):
        inside, known = follow_rule((Condition(moderator="frl", sign=sign, value="Y"),), opened.panel, opened.main)
        assert not inside[missing].any()
        np.testing.assert_array_equal(known, ~missing)


def test_with_too_few_clusters_candidates_are_listed_and_not_estimated():
    drawn = redraw(classrooms(24), seed=6, by_lunch=1.5)
    found = find_candidates(drawn.panel, drawn.setting, seed=np.random.SeedSequence(1))
    listed = [finding for finding, _ in found if finding.level != AGAIN]
    assert listed
    assert all(np.isnan(f.estimate) and np.isnan(f.p_value) and f.status == "descriptive" for f in listed)
    assert all("fewer than 20 clusters" in f.notes[0] for f in listed)
    assert all(f.n_tests == 0 for f in adjust_families(listed))


@pytest.mark.parametrize(("moved", "is_estimated"), [(0, True), (1, False)])
def test_twenty_clusters_in_each_arm_are_enough_and_the_smaller_arm_decides(moved, is_estimated):
    """Forty classes, twenty of each arm; then one is moved to control: 19 and 21."""
    drawn = redraw(classrooms(40), seed=6, by_lunch=1.5)
    setting = drawn.setting
    scores, design = setting.scores, setting.design
    names = np.unique(scores.cluster[scores.z == 1])[:moved]
    gone = np.isin(scores.cluster, names)
    arm = design.arm.copy()
    arm[np.isin(design.rows, scores.rows[gone])] = 0
    setting = replace(
        setting, scores=replace(scores, z=np.where(gone, 0.0, scores.z)), design=replace(design, arm=arm)
    )  # fmt: skip
    found = [f for f, _ in find_candidates(drawn.panel, setting, seed=np.random.SeedSequence(1)) if f.level != AGAIN]
    assert found
    assert {f.status for f in found} == {"exploratory" if is_estimated else "descriptive"}


def test_a_group_thin_on_one_side_is_not_assessable():
    """Whoever is in it comes from two clusters, all others from many: three a side and arm are asked for."""
    drawn, half = lunch_matters()
    number = drawn.panel.values["rit_fall"].to_numpy(dtype=float)[drawn.setting.scores.rows]
    lowest = np.sort(number[~half])[1]
    for sign in ("<=", ">"):
        rule = (Condition(moderator="rit_fall", sign=sign, value=repr(float(lowest))),)
        found, moderation = estimate_candidate(
            drawn.panel, drawn.setting, Candidate(rule=rule, proposed_by=frozenset()), units=~half
        )
        assert moderation is None
        assert np.isnan(found.estimate)
        assert "not assessable" in found.notes[0]


def test_a_rules_cut_is_asked_among_those_of_whom_its_other_conditions_hold():
    drawn, half = lunch_matters()
    number = drawn.panel.values["rit_fall"].to_numpy(dtype=float)[drawn.setting.scores.rows]
    at = float(np.sort(number)[len(number) // 2])
    rule = (LUNCH, Condition(moderator="rit_fall", sign="<=", value=repr(at)))
    _, moderation = estimate_candidate(
        drawn.panel, drawn.setting, Candidate(rule=rule, proposed_by=frozenset()), units=~half
    )
    (cut,) = moderation.cuts
    np.testing.assert_array_equal(cut.among, ~half & (lunch(classrooms(48)) == 1))
    np.testing.assert_array_equal(cut.compared, cut.among)
    np.testing.assert_array_equal(cut.above, number > at)  # whoever is at the cut is below it


def test_the_search_weighs_units_by_the_inverse_of_the_chance_of_their_arm(monkeypatch):
    drawn, half = lunch_matters()
    own = np.random.default_rng(2).uniform(0.2, 0.8, size=len(half))
    setting = replace(drawn.setting, scores=replace(drawn.setting.scores, own=own))
    seen = []

    class Seen:
        @staticmethod
        def of(**given):
            seen.append(given["weights"] / given["weights"].mean())
            return Half.of(**given)

    monkeypatch.setattr(module, "Half", Seen)
    propose(replace(drawn, setting=setting), half)
    expected = (1 / own)[half]
    np.testing.assert_allclose(seen[0], expected / expected.mean())


@pytest.mark.parametrize(("share", "judged"), [(0.05, False), (0.2, True), (0.8, True), (0.95, False)])
def test_a_tenth_of_the_units_is_needed_on_either_side(share, judged):
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(20), 20)
    member = (np.arange(400) % 20 < 20 * share)[:, None]
    half = Half.of(
        member=member, residual=rng.normal(size=400), treated=cluster % 2 == 0, weights=np.ones(400), cluster=cluster,
        block=np.zeros(400, dtype=np.int64),
    )  # fmt: skip
    assert (half.judge(np.ones((1, 400)))[0, 0] != 0) == judged


def test_whoever_is_at_a_cut_is_on_its_lower_side_and_whoever_has_no_record_on_neither():
    column = pd.Series([1.0, 2.0, 3.0, np.nan])
    for sign, held in (("<=", [True, True, False, False]), (">", [False, False, True, False])):
        holds, known = Condition(moderator="x", sign=sign, value="2").holds(column)
        assert holds.tolist() == held
        assert known.tolist() == [True, True, True, False]


def test_every_candidate_is_reported_and_joins_the_exploratory_family():
    drawn, _ = lunch_matters()
    found = [finding for finding, _ in find_candidates(drawn.panel, drawn.setting, seed=np.random.SeedSequence(1))]
    tested = [f for f in found if f.level != AGAIN]
    assert len({f.finding_id for f in found}) == len(found) == 2 * len(tested)
    adjusted = [f for f in adjust_families(found) if f.family]
    assert [f.level for f in adjusted] == [f.level for f in tested]
    assert {(f.family, f.n_tests) for f in adjusted} == {("exploratory", len(tested))}


def test_stability_counts_the_splits_that_propose_the_same_moderators(monkeypatch):
    drawn, _ = lunch_matters()
    answers = iter([(LUNCH,), (LUNCH,), (Condition(moderator="sex", sign="=", value="F"),), (LUNCH,), ()])

    def scripted(*_: object) -> tuple[Candidate, ...]:
        rule = next(answers)
        return (Candidate(rule=rule, proposed_by=frozenset()),) if rule else ()

    monkeypatch.setattr(module, "N_SPLITS", 4)
    monkeypatch.setattr(module, "propose_candidates", scripted)
    monkeypatch.setattr(module, "held_out", lambda candidate, setting, *, units: units)
    found = find_candidates(drawn.panel, drawn.setting, seed=np.random.SeedSequence(1))
    (again,) = [f for f, _ in found if f.level == AGAIN]
    assert again.estimate == 0.5
    assert again.status == "descriptive"
    assert again.notes[0].startswith("2 of 4")


@pytest.mark.parametrize(
    "condition",
    [
        LUNCH,
        Condition(moderator="rit_fall@fall", sign="<=", value="205.5"),
        Condition(moderator="teacher years", sign=">", value="-3"),
        Condition(moderator="setting", sign="is not", value="city = large"),
    ],
)
def test_a_condition_can_be_read_back(condition):
    assert Condition.read(condition.text) == condition


def test_a_rule_can_be_read_back_whatever_its_codes_hold():
    rule = (
        Condition(moderator="track", sign="=", value="reading and art > 3"),
        Condition(moderator="x y", sign=">", value="2"),
    )
    assert read_rule(write_rule(rule), moderators_of(rule)) == rule


def test_a_rule_is_written_in_codes():
    assert write_rule((LUNCH, Condition(moderator="rit_fall", sign="<=", value="205"))) == "frl = Y and rit_fall <= 205"


def test_cuts_leave_someone_on_either_side():
    opened = classrooms(48)
    _, member = members(opened.panel, opened.main)
    assert member.any(axis=0).all()
    assert not member.all(axis=0).any()


def test_the_search_judges_by_the_score_test_over_clusters():
    """A plain loop over rules and clusters gives the same t."""
    rng = np.random.default_rng(9)
    n, cluster = 240, np.repeat(np.arange(24), 10)
    treated = (cluster % 2 == 0)[rng.permutation(24)[cluster]]
    treated = np.isin(cluster, rng.permutation(24)[:12])
    member, residual, weights = rng.random((n, 3)) < 0.4, rng.normal(size=n), rng.uniform(1, 3, n)
    mix = rng.permutation(n)
    half = Half.of(
        member=member[mix], residual=residual[mix], treated=treated[mix], weights=weights[mix], cluster=cluster[mix],
        block=np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    z = np.where(treated, 0.5, -0.5)
    first, second = (np.average(residual[arm], weights=weights[arm]) for arm in (treated, ~treated))
    residual = residual - np.mean(residual - (first - second) * z)
    average = np.sum(weights * z * residual) / np.sum(weights * z * z)
    judged = half.judge(np.vstack([np.ones(n), half.member.T[0]]))
    columns = [*member.T, *(member & member[:, [0]]).T]
    for column, t in zip(columns, judged.ravel(), strict=True):
        sums = [
            sum(weights[i] * z[i] * (column[i] - column.mean()) * (residual[i] - average * z[i])
                for i in np.flatnonzero(cluster == c))
            for c in range(24)
        ]  # fmt: skip
        assert np.isclose(t, sum(sums) / np.sqrt(sum(s * s for s in sums)))


def test_a_group_found_in_two_clusters_of_an_arm_is_never_proposed():
    """Break on purpose: columns that name classrooms, however large the effect there."""
    cluster = np.repeat(np.arange(20), 10)
    treated = cluster % 2 == 0
    names = cluster[:, None] == np.arange(20)
    pair = np.isin(cluster, [0, 2, 1, 3, 5])[:, None]
    residual = 5.0 * treated * np.isin(cluster, [0, 2]) + np.random.default_rng(1).normal(size=200)
    half = Half.of(
        member=np.hstack([names, pair]), residual=residual, treated=treated, weights=np.ones(200), cluster=cluster,
        block=np.zeros(200, dtype=np.int64),
    )  # fmt: skip
    conditions = tuple(Condition(moderator=f"room{k}", sign="=", value="1") for k in range(21))
    assert propose_rules(half, conditions) == ()


def test_a_plan_that_takes_the_class_for_a_moderator_is_refused():
    plan = classrooms(48).panel.plan
    text = plan.to_toml() + f'\n[[moderators]]\ncolumn = "{plan.levels["class"]}"\nlevel = "class"\n'
    with pytest.raises(PlanError, match="names the class"):
        Plan.parse(text)


def test_candidates_are_honest_where_effects_vary_along_nothing():
    """100 replicates, 48 classes, effects varying over classes alone (true differences are 0).

    The held-out estimates' mean lies within 3.3 Monte-Carlo standard errors of 0
    and at most 8 % + 3.1 of theirs have p <= .05: either fails by chance once in
    1,000 runs. The same rules' estimates in their own half are far above 0.
    """
    opened = classrooms(48)
    p, told, cheated = [], np.zeros(100), np.zeros(100)
    for seed in range(100):
        drawn = redraw(opened, seed=seed, varying=0.3)
        half = split_clusters(drawn.setting, rngs=[np.random.default_rng([seed, 1])])[0]
        for candidate in propose(drawn, half):
            found, _ = estimate_candidate(drawn.panel, drawn.setting, candidate, units=~half)
            p.append(found.p_value)
            told[seed] += np.nan_to_num(found.estimate)
            if len(candidate.rule) == 1:
                inside, known = follow_rule(candidate.rule, drawn.panel, drawn.setting)
                basis = np.column_stack([np.ones(len(inside)), inside])
                cheated[seed] += (
                    fit_effects(drawn.setting.scores, basis=basis, keep=half & known).effects([0, 1]).estimate[0]
                )
    n = int(np.isfinite(p).sum())
    assert n > 150
    assert np.mean(np.array(p)[np.isfinite(p)] <= 0.05) <= 0.08 + 3.1 * np.sqrt(0.08 * 0.92 / n)
    assert abs(bias_in_errors(told)) <= stats.norm.ppf(0.9995)
    assert bias_in_errors(cheated) > 5


def bias_in_errors(totals: np.ndarray) -> float:
    """Return the mean over replicates in its own standard errors."""
    return float(totals.mean() / (totals.std(ddof=1) / np.sqrt(len(totals))))


def test_one_cut_is_told_from_the_side_that_gains_more_whatever_is_better():
    drawn, half = lunch_matters()
    setting = drawn.setting
    lower = replace(setting, outcome=setting.outcome.model_copy(update={"better": "lower"}))
    sides = []
    for each in (setting, lower):
        rules = [candidate.rule for candidate in propose(replace(drawn, setting=each), half)]
        sides.append({rule[0].moderator: rule[0] for rule in rules if len(rule) == 1})
    both = sides[0].keys() & sides[1].keys()
    assert both
    assert all(sides[0][name] != sides[1][name] for name in both)
