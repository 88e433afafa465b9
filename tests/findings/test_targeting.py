"""The targeting curve against its definition, counted out one unit at a time."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from whoworks.findings.searches.ranking import units_halved
from whoworks.findings.searches.targeting import draw_halves, targeting_curve


def counted_out(score: np.ndarray, priority: np.ndarray) -> tuple[list[float], float]:
    """TOC(j / n) for every j, and their mean, in one order by falling priority."""
    order = sorted(range(len(score)), key=lambda i: -priority[i])
    toc = [float(np.mean([score[i] for i in order[:j]]) - np.mean(score)) for j in range(1, len(score) + 1)]
    return toc, float(np.mean(toc))


def curve_of(score, priority, *, shares, fold=None, held=None):
    fold = np.zeros(len(score), dtype=np.int64) if fold is None else fold
    held = np.ones((1, len(score)), dtype=bool) if held is None else held
    return targeting_curve(score=score, priority=priority, fold=fold, shares=np.array(shares), held=held)


@pytest.fixture
def units() -> tuple[np.ndarray, np.ndarray]:
    """Return scores and priorities of 12 units."""
    rng = np.random.default_rng(5)
    return rng.normal(size=12), rng.normal(size=12)


def test_the_curve_and_its_area_are_those_of_the_definition(units):
    toc, area = counted_out(*units)
    curve = curve_of(*units, shares=[j / 12 for j in range(1, 13)])[0]
    np.testing.assert_allclose(curve, [*toc, area], atol=1e-12)


def test_offering_to_everyone_is_offering_to_all(units):
    assert abs(curve_of(*units, shares=[1.0])[0, 0]) < 1e-12


def test_ties_count_as_the_average_over_every_order():
    score, priority = np.array([3.0, -1.0, 2.0, 7.0, 0.5]), np.array([2.0, 2.0, 2.0, 1.0, 1.0])
    orders = [counted_out(score, priority + 1e-6 * np.array(jitter)) for jitter in permutations(range(5))]
    expected = [np.mean([toc[j] for toc, _ in orders]) for j in range(5)] + [np.mean([area for _, area in orders])]
    curve = curve_of(score, priority, shares=[j / 5 for j in range(1, 6)])[0]
    np.testing.assert_allclose(curve, expected, atol=1e-12)


def test_a_rule_that_tells_nobody_apart_is_worth_nothing():
    score = np.random.default_rng(1).normal(size=30)
    np.testing.assert_allclose(curve_of(score, np.zeros(30), shares=[0.2, 1 / 3, 0.9]), 0, atol=1e-12)


def test_no_shift_of_scores_and_no_rescaling_of_priorities_matters(units):
    score, priority = units
    base = curve_of(score, priority, shares=[0.3, 0.5])
    np.testing.assert_allclose(curve_of(score + 9, np.exp(priority), shares=[0.3, 0.5]), base, atol=1e-12)


def test_folds_are_ranked_by_themselves_and_averaged_by_size(units):
    score, priority = units
    fold = np.array([0] * 4 + [1] * 8)
    parts = [curve_of(score[fold == k], priority[fold == k], shares=[0.5])[0] for k in (0, 1)]
    both = curve_of(score, priority + 100 * fold, shares=[0.5], fold=fold)[0]
    np.testing.assert_allclose(both, (4 * parts[0] + 8 * parts[1]) / 12, atol=1e-12)


def test_a_sample_is_ranked_as_if_the_others_were_not_there(units):
    score, priority = units
    priority = np.round(priority)
    held = np.random.default_rng(3).random((5, 12)) < 0.6
    expected = [curve_of(score[h], priority[h], shares=[0.25, 0.7])[0] for h in held]
    np.testing.assert_allclose(curve_of(score, priority, shares=[0.25, 0.7], held=held), expected, atol=1e-12)


def test_halves_take_half_of_each_arms_clusters_and_whole_ones():
    cluster = np.repeat(np.arange(11), 3)
    stratum = np.repeat([0] * 4 + [1] * 7, 3)
    held, factor = draw_halves(cluster=cluster, stratum=stratum, n_samples=50, rng=np.random.default_rng(1))
    by_cluster = held.reshape(50, 11, 3)
    assert (by_cluster.all(axis=2) == by_cluster.any(axis=2)).all()
    assert (by_cluster[:, :4, 0].sum(axis=1) == 2).all()
    assert (by_cluster[:, 4:, 0].sum(axis=1) == 3).all()
    assert factor == 5 / 6


def test_halves_give_the_variance_of_a_mean():
    """A mean's variance is s^2 / G exactly; 20,000 halves miss it by under 5 % (4 standard errors of theirs)."""
    value = np.random.default_rng(2).normal(size=9)
    code = np.arange(9)
    held, factor = draw_halves(cluster=code, stratum=0 * code, n_samples=20_000, rng=np.random.default_rng(3))
    means = (held * value).sum(axis=1) / held.sum(axis=1)
    assert np.isclose(factor * ((means - value.mean()) ** 2).mean(), value.var(ddof=1) / 9, rtol=0.05)


def level(design: list[list[int]]) -> SimpleNamespace:
    """Return clusters of three units in blocks: each entry lists the clusters of a block."""
    cluster = np.array([c for block in design for c in block]).repeat(3)
    block = np.array([b for b, held in enumerate(design) for _ in held]).repeat(3)
    return SimpleNamespace(cluster=cluster, block=block)


def test_clusters_of_a_small_block_are_halved_together_and_those_of_a_large_one_alone():
    scores = level([[0, 1], [2, 3, 4], [5, 6, 7, 8]])
    units = units_halved(scores)
    assert [len(np.unique(units[scores.block == b])) for b in range(3)] == [1, 1, 4]
    assert len(np.unique(units)) == 6


def test_clusters_that_meet_several_blocks_are_halved_alone():
    scores = level([[0, 1], [1, 2]])
    np.testing.assert_array_equal(units_halved(scores), scores.cluster)
