"""From where a caveat is said: on which side of its threshold each number falls."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from tests.findings.pilots import student_moderator, three_arms
from tests.findings.test_caveats import dealt, derive, dominant, having, newcomers, taken_up, with_outcome


@pytest.mark.parametrize(("n_received", "told"), [(9, False), (10, True)])
def test_crossover_is_told_from_a_tenth_of_those_of_control_whose_take_up_is_known(n_received, told):
    assert ("crossover" in taken_up(1.0, n_received / 100, n=100, min_cell=5, min_clusters=1)) == told


@pytest.mark.parametrize(("moved", "told"), [(49.9, True), (50.0, False)])
def test_take_up_is_little_below_fifty_points(moved, told):
    assert ("little_takeup" in taken_up(0.6, 0.1, moved=moved)) == told


@pytest.mark.parametrize(("reliability", "told"), [(0.49, True), (0.5, False)])
def test_an_outcome_is_unreliable_below_a_half(reliability, told):
    assert ("unreliable_outcome" in with_outcome(reliability=reliability)) == told


@pytest.mark.parametrize(("phi", "told"), [(0.45, False), (0.55, True), (-0.45, False), (-0.55, True)])
def test_moderators_go_together_from_a_correlation_of_a_half_of_either_sign(phi, told):
    """Of two halves the same share of students, (1 + phi) / 2, is in both or in neither: their correlation is phi."""
    opened = student_moderator()
    n = len(opened.panel.values)
    lunch = np.arange(n) % 2
    same = np.random.default_rng(0).permutation(n // 2 + 1)[np.arange(n) // 2] < (1 + phi) / 2 * n / 2
    columns = {}
    for name, codes in (("frl", lunch), ("sex", np.where(same, lunch, 1 - lunch))):
        levels = opened.panel.values[name].cat.categories
        columns[name] = pd.Categorical.from_codes(codes, levels, ordered=True)
    said = derive(having(values=columns)).get("correlated_moderators")
    pair = said is not None and opened.panel.variable("sex").label in said.sentence
    assert pair == told


def test_newcomers_of_a_third_arm_are_none_of_the_two_compared():
    """Half of the third arm's students lack the pre-test, of the others nobody."""
    opened = three_arms()
    main = opened.main
    either = main.treated | main.control
    pretest = opened.panel.values["rit_fall"].fillna(200.0).to_numpy(dtype=float).copy()
    third = main.scores.rows[~either]
    pretest[third[::2]] = np.nan
    assert len(third[::2]) > 0.1 * len(either)
    assert "joiners" not in derive(having(opened, values={"rit_fall": pretest}))
    pretest[main.scores.rows[either][::2]] = np.nan
    assert "joiners" in derive(having(opened, values={"rit_fall": pretest}))


def test_pairs_beyond_the_third_are_counted():
    opened = student_moderator()
    values = opened.panel.values
    same = values["rit_fall"].to_numpy(dtype=float)
    codes = (same > np.nanmedian(same)).astype(int)
    alike = {
        name: pd.Categorical.from_codes(codes, values[name].cat.categories, ordered=True)
        for name in ("frl", "devices", "sex")
    }
    assert "3 more pairs" in derive(having(values=alike))["correlated_moderators"].sentence


def test_few_newcomers_are_told_without_their_number():
    assert "in 100 under" in newcomers(0.2)["joiners"].sentence
    opened = student_moderator()
    strict = opened.panel.plan.report.model_copy(update={"min_cell": 100_000})
    pretest = np.where(np.arange(len(opened.panel.values)) % 5 == 0, np.nan, 200.0)
    told = derive(having(values={"rit_fall": pretest}, plan={"report": strict}))["joiners"].sentence
    assert not re.search(r"\d", told)


@pytest.mark.parametrize(("arms", "min_clusters", "told"), [((0, 1), 9, False), ((1,), 9, False), ((1,), 8, True)])
def test_newcomers_of_few_classes_are_told_without_their_number(arms, min_clusters, told):
    """Of eight classes of an arm: enough students for the smallest cell, and not always enough classes."""
    opened = student_moderator()
    scores = opened.scores
    chosen = np.concatenate([np.unique(scores.cluster[scores.z == arm])[:8] for arm in arms])
    pretest = np.full(len(opened.panel.values), 200.0)
    pretest[scores.rows[np.isin(scores.cluster, chosen)]] = np.nan
    cell = opened.panel.plan.report.model_copy(update={"min_clusters": min_clusters})
    sentence = derive(having(values={"rit_fall": pretest}, plan={"report": cell}))["joiners"].sentence
    assert bool(re.search(r"\d", sentence)) == told


def test_a_division_without_a_p_is_left_out_of_the_range_that_is_told():
    assert "(.02 to .06)" in dealt(0.03, (np.nan, 0.06, 0.02))["fragile_over_seeds"].sentence


@pytest.mark.parametrize(
    ("share", "n_others", "so"),
    [(0.33, 3, ""), (0.74, 1, ""), (0.9, 1, "so the findings speak mostly of it."),
     (0.24, 9, ""), (0.3, 9, "so it weighs more than any other."),
     (0.55, 9, "so the findings speak mostly of it.")],
)  # fmt: skip
def test_a_site_dominates_with_over_a_quarter_and_twice_an_equal_share(share, n_others, so):
    said = dominant(share, n_others).get("dominant_site")
    assert (said is not None) == bool(so)
    assert said is None or said.sentence.endswith(so)
