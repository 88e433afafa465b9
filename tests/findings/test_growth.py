"""Growth over waves: the change of each student by hand, missing later waves, and what selection does to it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.findings.pilots import open_study, where
from whoworks.findings.finding import Finding, Findings
from whoworks.findings.multiplicity.families import adjust_families, is_test
from whoworks.findings.planned.growth import (
    AT_A_WAVE,
    CHANGE,
    QUESTION,
    find_growth,
    fit_pair,
    grade_growth,
    list_pairs,
)
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.plan.plan import Plan

WAVES = ("winter", "spring")


def plan_of(waves=WAVES, *, kind="continuous", treatments=("new",)):
    return Plan.build(
        {
            "schema": 1,
            "study": {"name": "Two winters", "question": "Does it last?"},
            "records": [{"name": "long", "path": "long.csv"}],
            "waves": {"column": "term", "order": {wave: wave for wave in waves}},
            "levels": {"student": "id", "class": "room"},
            "arms": {"column": "arm", "control": "usual", "treatments": list(treatments)},
            "design": {
                "kind": "randomised", "assigned": "class",
                "probability": {arm: 1 / (1 + len(treatments)) for arm in ("usual", *treatments)},
            },
            "outcomes": [
                {"column": "score", "wave": wave, "label": "reading", "primary": wave == waves[0], "kind": kind}
                for wave in waves
            ],
        }
    )  # fmt: skip


def draw(rng, *, classes=24, size=10, effects=(0.3, 0.3), arms=("usual", "new"), stays=None, common=0.7):
    """Return a long table and each student's scores, (n, waves); `stays` tells who is measured after the first wave."""
    n, room = classes * size, np.repeat(np.arange(classes), size)
    arm = np.tile(np.arange(len(arms)), classes)[:classes][room]
    own = common * (0.5 * rng.standard_normal(classes)[room] + rng.standard_normal(n))
    scores = np.column_stack(
        [own + 0.5 * rng.standard_normal(n) + np.asarray(effect) * (arm > 0) for effect in effects]
    )
    frame = {"id": np.arange(n), "room": room, "arm": np.array(arms, dtype=object)[arm]}
    parts = []
    for place in range(len(effects)):
        there = np.ones(n, dtype=bool) if stays is None or place == 0 else stays(scores[:, 0], arm, rng)
        wave = (*WAVES, "summer")[place]
        parts.append(pd.DataFrame(frame | {"term": wave, "score": np.where(there, scores[:, place], np.nan)}))
    return pd.concat(parts).astype(object), scores, arm, room


def leaves(score, arm, rng):
    """Students of the new arm who score low are measured no more."""
    return (arm == 0) | (score > -0.3) | (rng.random(len(score)) < 0.3)


@cache
def two_waves():
    frame, scores, arm, room = draw(np.random.default_rng(1), effects=(0.2, 0.6))
    return open_study(plan_of(), frame), scores, arm, room


def test_with_everyone_measured_twice_it_is_the_regression_of_each_students_change():
    opened, scores, arm, room = two_waves()
    found = where(find_growth(opened.panel.plan, opened.settings), quantity=CHANGE)
    hand = cluster_robust(
        X=np.column_stack([np.ones(len(arm)), arm]), y=scores[:, 1] - scores[:, 0], cluster=room
    ).estimates
    assert found.estimate == pytest.approx(hand.estimate[1], rel=1e-8)
    assert found.std_error == pytest.approx(hand.std_error[1], rel=1e-6)
    assert found.df == pytest.approx(hand.df[1], rel=1e-6)


def test_the_change_is_the_later_effect_less_the_earlier_of_the_same_students():
    frame, *_ = draw(np.random.default_rng(2), stays=leaves)
    opened = open_study(plan_of(), frame)
    found = find_growth(opened.panel.plan, opened.settings)
    first, second = (where(found, wave=wave, quantity=AT_A_WAVE) for wave in WAVES)
    change = where(found, quantity=CHANGE)
    assert change.estimate == pytest.approx(second.estimate - first.estimate)
    assert first.n_units == second.n_units == change.n_units < len(opened.settings[0].scores.y)
    assert "measured in the earlier wave alone are left out" in change.notes[0]
    assert (change.wave, change.level, change.reference) == ("spring", "spring - winter", "winter")


def test_three_waves_are_compared_in_turn_and_the_last_with_the_first():
    waves = (*WAVES, "summer")
    frame, *_ = draw(np.random.default_rng(3), effects=(0.1, 0.2, 0.3))
    opened = open_study(plan_of(waves), frame)
    found = find_growth(opened.panel.plan, opened.settings)
    levels = [f.level for f in found if f.quantity == CHANGE]
    assert levels == ["spring - winter", "summer - spring", "summer - winter"]
    assert len({f.finding_id for f in found}) == len(found) == 9


def test_the_order_of_time_is_the_plans_and_not_that_of_its_outcomes():
    opened, *_ = two_waves()
    pairs = list(list_pairs(opened.panel.plan, opened.settings[::-1]))
    assert [pair.level for pair in pairs] == ["spring - winter"]


def test_an_outcome_of_one_wave_has_no_growth():
    frame, *_ = draw(np.random.default_rng(4))
    opened = open_study(plan_of(WAVES[:1]), frame[frame["term"] == "winter"])
    assert find_growth(opened.panel.plan, opened.settings) == ()


def test_every_treatment_has_a_growth_of_its_own():
    arms = ("usual", "new", "newer")
    frame, *_ = draw(np.random.default_rng(5), arms=arms)
    opened = open_study(plan_of(treatments=arms[1:]), frame)
    found = [f for f in find_growth(opened.panel.plan, opened.settings) if f.quantity == CHANGE]
    assert [f.contrast for f in found] == ["new - usual", "newer - usual"]


def test_a_yes_or_no_outcome_grows_in_percentage_points():
    frame, scores, arm, _ = draw(np.random.default_rng(6))
    frame["score"] = (frame["score"].astype(float) > 0).astype(int)
    opened = open_study(plan_of(kind="binary"), frame)
    found = where(find_growth(opened.panel.plan, opened.settings), quantity=CHANGE)
    change = (scores[:, 1] > 0).astype(float) - (scores[:, 0] > 0)
    assert found.unit == "percentage points"
    assert found.estimate == pytest.approx(100 * (change[arm == 1].mean() - change[arm == 0].mean()))


def test_three_classes_an_arm_give_a_range_and_two_say_that_it_is_not_assessable():
    few = open_study(plan_of(), draw(np.random.default_rng(7), classes=6)[0])
    found = where(find_growth(few.panel.plan, few.settings), quantity=CHANGE)
    assert found.conf_low < found.estimate < found.conf_high

    def two_classes(score, arm, rng):
        return np.arange(len(score)) < 40

    lost = open_study(plan_of(), draw(np.random.default_rng(7), classes=6, stays=two_classes)[0])
    (told,) = find_growth(lost.panel.plan, lost.settings)
    assert np.isnan(told.estimate)
    assert told.notes[0].startswith("not assessable")


def test_only_the_change_is_a_test_and_its_grade_is_low_at_most():
    opened, *_ = two_waves()
    found = adjust_families(find_growth(opened.panel.plan, opened.settings))
    assert [is_test(f, found) for f in found] == [False, False, True]
    change = grade_growth(replace(found[2], p_adjusted=0.0001))
    assert (change.credibility, change.status) == ("low", "exploratory")
    assert grade_growth(replace(change, p_adjusted=0.2)).credibility == "very low"
    assert grade_growth(replace(change, p_adjusted=np.nan)).credibility == "not assessable"
    assert {f.question for f in found} == {QUESTION}
    assert isinstance(Findings(items=found).items[0], Finding)


@pytest.mark.truth
def test_where_leaving_depends_on_arm_and_score_the_change_among_those_who_stayed_is_nearer_the_truth():
    # the same effect in both waves for everyone; 60 draws: the change over whoever was there carries the bias of
    # those who left, the change among those measured at both less than half of it
    rng, whoever, both, held = np.random.default_rng(8), [], [], 0
    for _ in range(60):
        opened = open_study(plan_of(), draw(rng, classes=16, size=12, stays=leaves)[0])
        (pair,) = list_pairs(opened.panel.plan, opened.settings)
        told = fit_pair(pair)
        single = [s.scores.y[s.scores.z == 1].mean() - s.scores.y[s.scores.z == 0].mean() for s in opened.settings]
        whoever.append(single[1] - single[0])
        both.append(told.estimate[2])
        held += abs(told.estimate[2]) <= 2.1 * told.std_error[2] + 0.2
    assert np.mean(whoever) > 0.15
    assert abs(np.mean(both)) < 0.5 * abs(np.mean(whoever))
    assert held > 50


@pytest.mark.truth
def test_where_effects_change_by_class_and_by_nothing_on_average_growth_is_seldom_claimed():
    # 60 draws of 12 classes; more rejections than allowed would come by chance once in 2,000 runs of a test of size
    # .05
    rng, p = np.random.default_rng(9), []
    for _ in range(60):
        frame, *_ = draw(rng, classes=12, size=12)
        own = rng.standard_normal((2, 12))
        room, arm = frame["room"].to_numpy(dtype=int), frame["arm"].to_numpy() == "new"
        wave = (frame["term"] == "spring").to_numpy().astype(int)
        frame["score"] = frame["score"].to_numpy(dtype=float) + 0.4 * own[wave, room] * arm
        opened = open_study(plan_of(), frame)
        p.append(where(find_growth(opened.panel.plan, opened.settings), quantity=CHANGE).p_value)
    assert sum(value <= 0.05 for value in p) <= stats.binom.ppf(0.9995, 60, 0.05)
