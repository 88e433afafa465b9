"""Where the known probability of the programme differs within a block, it enters the regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import Opened, open_pilot, open_study
from whoworks.findings.planned.average import measure_precision
from whoworks.findings.regression import fit_effects, has_uneven_blocks, weighting_difference
from whoworks.inference.cluster_robust import cluster_robust
from whoworks.plan.arguments import plan_from_arguments

CHANCES = np.array([0.3, 0.5, 0.7])


def open_coins(seed: int, *, clusters: int = 24, students: int = 12, by_block: int = 6) -> Opened:
    """Toss a coin for every class, its chance its own and outcomes higher by 5 SD per unit of it; effects .2 SD."""
    rng = np.random.default_rng([9, seed])
    kind, block = np.arange(clusters) % 3, np.arange(clusters) // by_block
    arm = (rng.random(clusters) < CHANCES[kind]).astype(int)
    klass = np.repeat(np.arange(clusters), students)
    fall = rng.normal(size=len(klass)) + 0.4 * rng.normal(size=clusters)[klass]
    noise = 0.3 * rng.normal(size=clusters) + 0.3 * rng.normal(size=clusters)[block]
    own = noise + 5.0 * (CHANCES[kind] - 0.5) + 0.2 * arm
    frame = pd.DataFrame({
        "y": 0.7 * fall + 0.65 * rng.normal(size=len(klass)) + own[klass], "fall": fall, "chance": CHANCES[kind][klass],
        "class_id": [f"c{c:02d}" for c in klass], "block_id": [f"b{b}" for b in block[klass]],
        "arm": np.where(arm[klass] == 1, "T", "C"),
    })  # fmt: skip
    plan = plan_from_arguments(
        frame, outcome="y", arm="arm", control="C", assigned="class_id", blocks="block_id", probability="chance",
        baseline="fall",
    )  # fmt: skip
    return open_study(plan, frame, seed=seed)


def test_the_regression_has_the_probability_beside_the_prognosis():
    scores = open_coins(1).scores
    plain = cluster_robust(
        X=np.column_stack([scores.z, scores.h, scores.e]), y=scores.y, cluster=scores.cluster, weights=1 / scores.own,
        absorb=scores.block,
    ).linear([1.0, 0.0, 0.0])  # fmt: skip
    told = fit_effects(scores).effects([1.0])
    assert (told.estimate[0], told.std_error[0], told.df[0]) == pytest.approx(
        (plain.estimate[0], plain.std_error[0], plain.df[0]), rel=1e-8
    )
    moved = fit_effects(replace(scores, y=scores.y + 50 * scores.e)).effects([1.0])
    assert moved.estimate[0] == pytest.approx(told.estimate[0], rel=1e-8)
    shifted = weighting_difference(replace(scores, y=scores.y + 50 * scores.e))
    assert shifted.estimate[0] == pytest.approx(float(weighting_difference(scores).estimate[0]), abs=1e-8)


def test_the_rule_says_so_and_the_plain_difference_goes_without():
    opened = open_coins(1)
    assert "differs within each block, enters beside it" in measure_precision(opened.main).rule
    bare = fit_effects(opened.scores, adjusted=False)
    assert bare.regressors.X.shape[1] == 1
    no_model = replace(opened.scores, fold=np.zeros_like(opened.scores.fold), h=None)
    assert fit_effects(no_model).regressors.X.shape[1] == 1


def test_a_probability_that_is_the_same_within_each_block_adds_nothing():
    opened = open_pilot("unequal-shares", names=("frl",), students=480, classes=40, schools=10)
    assert np.ptp(opened.scores.e) > 0.2
    assert not has_uneven_blocks(opened.scores)
    assert fit_effects(opened.scores).regressors.X.shape[1] == 2  # the arm and h
    assert "probability" not in measure_precision(opened.main).rule


def test_outcomes_that_follow_the_probability_do_not_bias_the_effect():
    """80 trials: the mean lies within 3 Monte-Carlo errors of .2; without the column it does not, and spreads more."""
    told, without = [], []
    for seed in range(80):
        scores = open_coins(seed).scores
        told.append(float(fit_effects(scores).effects([1.0]).estimate[0]))
        even = replace(scores, e=np.full_like(scores.e, 0.5))  # the weights are those of `own`
        without.append(float(fit_effects(even).effects([1.0]).estimate[0]))
    errors = [np.std(each) / np.sqrt(80) for each in (told, without)]
    assert abs(np.mean(told) - 0.2) < 3 * errors[0]
    assert np.mean(without) - 0.2 > 3 * errors[1]
    assert np.std(told) < np.std(without)
