"""How seldom a draw leaves a trait to one arm: exact, and no oftener than it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from whoworks.design.redraw import list_assigned, list_draws
from whoworks.design.separation import chance_of_separation, smallest_chance


def every_p(holds, arm, block):
    """Return the p of every draw with the arm that holds fewer called rare, and how often it was drawn."""
    units = list_assigned(arm=arm.astype(np.int64), assigned=np.arange(len(arm)), block=block)
    draws = list_draws(units).astype(bool)
    return draws, np.array(
        [
            min(chance_of_separation(holds=holds, arm=each, block=block, rare=rare) for rare in (False, True))
            for each in draws
        ]
    )


def test_without_blocks_it_is_twice_fishers_tail():
    holds, arm = np.arange(20) < 9, np.isin(np.arange(20), [0, 10, 11, 12, 13, 14, 15, 16])
    expected = 2 * stats.hypergeom(20, 9, 8).cdf(1)
    found = chance_of_separation(holds=holds, arm=arm, block=np.zeros(20, dtype=np.int64), rare=True)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "p"), [(4, 2 / 70), (6, 2 / 924), (10, 2 / 184_756)])
def test_arms_told_apart_entirely_have_the_smallest_p_there_is(n, p):
    holds, block = np.arange(2 * n) < n, np.zeros(2 * n, dtype=np.int64)
    assert chance_of_separation(holds=holds, arm=holds, block=block, rare=False) == pytest.approx(p, rel=1e-10)
    assert smallest_chance(holds=holds, arm=holds, block=block) == pytest.approx(p, rel=1e-10)


@pytest.mark.parametrize("held", [0, 1, 12])
def test_a_trait_of_one_unit_or_of_all_is_no_evidence(held):
    arm, block = np.arange(12) < 6, np.zeros(12, dtype=np.int64)
    assert smallest_chance(holds=np.arange(12) < held, arm=arm, block=block) == 1.0
    assert chance_of_separation(holds=np.arange(12) < held, arm=arm, block=block, rare=False) == 1.0


def test_over_every_draw_of_a_blocked_design_a_p_is_reached_no_oftener_than_it_says():
    block = np.repeat([0, 1, 2], [4, 6, 2])
    arm = np.array([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0], dtype=bool)
    for held in ([0, 1, 4, 5, 10], [0, 4, 5, 6], [4, 5, 6, 7, 8, 9, 0]):
        holds = np.isin(np.arange(12), held)
        _, p = every_p(holds, arm, block)
        for level in np.unique(p):
            assert (p <= level + 1e-12).mean() <= level + 1e-12
        assert p.min() == pytest.approx(smallest_chance(holds=holds, arm=arm, block=block), rel=1e-10)


def test_it_is_the_share_of_draws_with_as_few_twice():
    block, arm = np.repeat([0, 1], 5), np.tile([True, True, False, False, False], 2)
    holds = np.isin(np.arange(10), [0, 1, 5, 6, 7])
    draws, _ = every_p(holds, arm, block)
    for each in draws[:: len(draws) // 10]:
        seen = int((holds & each).sum())
        share = float(((draws & holds).sum(axis=1) <= seen).mean())
        found = chance_of_separation(holds=holds, arm=each, block=block, rare=True)
        assert found == pytest.approx(min(1.0, 2 * share), rel=1e-10)


def test_thousands_of_units_stay_finite():
    rng = np.random.default_rng(0)
    arm = rng.random(20_000) < 0.5
    found = chance_of_separation(holds=arm, arm=arm, block=np.zeros(20_000, dtype=np.int64), rare=False)
    assert math.isfinite(found)
    assert found < 1e-300
