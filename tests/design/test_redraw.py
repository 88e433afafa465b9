from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from whoworks.design.redraw import (
    count_draws,
    draw_many,
    enumerate_arms,
    list_assigned,
    redraw_arms,
    smallest_p,
)

blocks_of_arms = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=4)


def design_of(blocks: list[list[int]], size: int = 2) -> dict[str, np.ndarray]:
    """One assigned unit per entry, `size` students each."""
    arm = np.array([code for block in blocks for code in block]).repeat(size)
    block = np.array([place for place, block in enumerate(blocks) for _ in block]).repeat(size)
    assigned = np.arange(len(arm) // size).repeat(size)
    return {"arm": arm, "assigned": assigned, "block": block}


@given(blocks_of_arms, st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_a_redraw_keeps_whole_units_and_each_block_s_counts(blocks, seed):
    codes = design_of(blocks)
    drawn = redraw_arms(**codes, rng=np.random.default_rng(seed))
    for unit in np.unique(codes["assigned"]):
        assert len(np.unique(drawn[codes["assigned"] == unit])) == 1
    for block in np.unique(codes["block"]):
        here = codes["block"] == block
        assert Counter(drawn[here].tolist()) == Counter(codes["arm"][here].tolist())


@given(blocks_of_arms, st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_a_redraw_does_not_depend_on_the_order_of_rows(blocks, seed):
    codes = design_of(blocks)
    order = np.random.default_rng(seed + 1).permutation(len(codes["arm"]))
    straight = redraw_arms(**codes, rng=np.random.default_rng(seed))
    shuffled = redraw_arms(**{name: code[order] for name, code in codes.items()}, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(shuffled, straight[order])


@given(blocks_of_arms)
@settings(max_examples=100, deadline=None)
def test_enumeration_gives_every_draw_once(blocks):
    codes = design_of(blocks)
    count = count_draws(**codes)
    if count > 2000:
        return
    drawn = {tuple(arms.tolist()) for arms in enumerate_arms(**codes)}
    assert len(drawn) == count == len(list(enumerate_arms(**codes)))
    orders = [set(itertools.permutations(block)) for block in blocks]
    brute = {tuple(np.concatenate(draw).repeat(2).tolist()) for draw in itertools.product(*orders)}
    assert drawn == brute


@pytest.mark.truth
def test_every_draw_is_equally_likely():
    """20 + 3 x 3 cells: a chi-square at 1e-3 with a fixed seed (false-alarm rate 1 in 1,000)."""
    units = list_assigned(**design_of([[0, 0, 1, 1], [0, 1, 2]]))
    draws = draw_many(units, n_draws=36 * 400, rng=np.random.default_rng(5))
    counts = Counter(map(tuple, draws.tolist()))
    assert len(counts) == 36
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize(
    ("blocks", "p"),
    [
        ([[0] * 3 + [1] * 3], 0.10),
        ([[0] * 4 + [1] * 4], 2 / 70),
        ([[0, 1]] * 5, 0.0625),
        ([[0] * 3 + [1] * 4], 1 / 35),
        ([[0, 0, 1, 1, 2, 2]], 2 / 90),
        ([[0, 0]], 1.0),
    ],
)
def test_the_smallest_p_is_the_design_s_own(blocks, p):
    assert smallest_p(**design_of(blocks)) == pytest.approx(p)


def test_many_draws_are_counted_without_overflow():
    codes = design_of([[0] * 20 + [1] * 20])
    assert count_draws(**codes) == pytest.approx(137846528820, rel=1e-9)
    assert count_draws(**design_of([[0] * 20_000 + [1] * 20_000], size=1)) == float("inf")


def test_the_draw_that_was_made_is_among_the_enumerated():
    codes = design_of([[1, 0, 0], [0, 1]])
    assert any(np.array_equal(arms, codes["arm"]) for arms in enumerate_arms(**codes))


def test_one_treated_unit_among_a_thousand_is_enumerated():
    codes = design_of([[1] + [0] * 1499], size=1)
    assert sum(1 for _ in enumerate_arms(**codes)) == 1500
