"""The kernels under the t statistic of many draws agree with matrices written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot
from whoworks.design.redraw import list_assigned, list_draws
from whoworks.findings.redrawing.randomization import _reassigned
from whoworks.findings.redrawing.redrawn_t import (
    Clusters,
    Columns,
    adjust,
    adjust_by_axes,
    invert,
    multiply,
    tell_draws,
    turn_level,
)
from whoworks.findings.redrawing.studentised import StudentisedEffect


def cross_products(q, seed=0, like=1.0):
    """Return (q, q) cross-products of columns of very different size, the last `like` away from the first."""
    columns = np.random.default_rng(seed).normal(size=(50, q))
    columns[:, -1] = columns[:, 0] + like * columns[:, -1]
    columns *= 10.0 ** np.arange(q)
    return columns.T @ columns


@pytest.mark.parametrize("q", [1, 2, 5, 20])
def test_cross_products_are_inverted(q):
    products, inverse = cross_products(q), np.empty((q, q))
    assert invert(products, np.empty((q, q)), inverse)
    scale = np.sqrt(np.diag(products))
    scaled = products / np.outer(scale, scale)
    assert inverse * np.outer(scale, scale) @ scaled == pytest.approx(np.eye(q), abs=1e-9)


@pytest.mark.parametrize("like", [0.0, 1e-5])
def test_cross_products_near_to_singular_are_not_inverted(like):
    assert not invert(cross_products(4, like=like), np.empty((4, 4)), np.empty((4, 4)))
    assert invert(cross_products(4, like=1e-2), np.empty((4, 4)), np.empty((4, 4)))


def test_a_column_of_zeros_is_near_to_singular():
    assert not invert(np.diag([1.0, 0.0]), np.empty((2, 2)), np.empty((2, 2)))


def test_matrices_are_multiplied():
    one, other = np.random.default_rng(1).normal(size=(2, 4, 4))
    product = np.empty((4, 4))
    multiply(one, other, product)
    assert product == pytest.approx(one @ other)


@pytest.mark.parametrize("r", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_a_matrix_is_turned_to_its_axes_and_vectors_with_it(r, seed):
    rng = np.random.default_rng(seed)
    square = rng.normal(size=(r, r))
    square = (square + square.T) / 2
    one, other = rng.normal(size=(2, r))
    length, axes = np.linalg.eigh(square)
    expected = (axes.T @ one) * (axes.T @ other)
    turn_level(square, one, other)
    order = np.argsort(np.diag(square))
    assert np.diag(square)[order] == pytest.approx(length, abs=1e-13)
    assert (one * other)[order] == pytest.approx(expected, abs=1e-12)


def square_with(lengths, seed):
    """Return a symmetric matrix of given eigenvalues, two vectors, and the one times its root's inverse the other."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    one, other = rng.normal(size=(2, 3))
    lengths = np.array(lengths)
    power = np.where(lengths > 0, 1 / np.sqrt(np.where(lengths > 0, lengths, 1.0)), 0.0)
    return axes @ np.diag(lengths) @ axes.T, one, other, one @ axes @ (power * (axes.T @ other))


LENGTHS = [(1.0, 1.0, 1.0), (1.0, 1.0, 0.4), (1.2, 0.9, 0.9), (1.0, 0.5, 0.01), (0.03, 0.03, 0.03), (3.0, 1.0, 0.02)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lengths", LENGTHS)
def test_the_root_of_a_matrix_needs_no_eigenvalues_and_is_that_of_its_axes(lengths, seed):
    square, one, other, expected = square_with(lengths, seed)
    assert adjust(np.eye(3) - square, one, other) == pytest.approx(expected, rel=1e-11, abs=1e-12)
    assert adjust_by_axes(np.eye(3) - square, one, other) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("lengths", [(1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.7, 0.3, -1e-13), (1.0, 1.0, 1e-6)])
def test_a_leverage_near_to_one_is_left_to_the_axes_and_one_of_one_counts_for_nothing(lengths):
    square, one, other, expected = square_with(lengths, 0)
    assert np.isnan(adjust(np.eye(3) - square, one, other))
    assert adjust_by_axes(np.eye(3) - square, one, other) == pytest.approx(expected, rel=1e-8)


def test_a_leverage_of_all_but_one_is_left_to_the_regression():
    square, one, other, _ = square_with((1.0, 1.0, 1e-9), 0)
    assert np.isnan(adjust_by_axes(np.eye(3) - square, one, other))


def two_arms(x, weight):
    """Return what the kernels take for G clusters' outcomes x, (G, n): no prognosis and no blocks."""
    gram, root, back = (np.zeros((len(x), 3, 3)) for _ in range(3))
    cross = np.zeros((len(x), 3))
    gram[:, 0, 0], cross[:, 0] = x.shape[1], x.sum(axis=1)
    root[:, 0, 0], back[:, 0, 0] = np.sqrt(x.shape[1]), 1 / np.sqrt(x.shape[1])
    clusters = Clusters(
        gram=gram, cross=cross, forth=root, back=back, weight=weight, block=np.zeros(len(x), dtype=np.int64)
    )
    columns = Columns(
        place=np.array([[[0, 1]], [[0, 1]]]), source=np.zeros((2, 1, 2), dtype=np.int64), filled=np.array([[1], [2]]),
        width=2, asked=1,
    )  # fmt: skip
    return clusters, columns


def written_out(y, arms, weight):
    """Return the t statistic of CR2 from matrices over units: B_c to the power -1/2, eigenvalues of zero left out."""
    n_clusters, n = y.shape
    z, cluster = arms.repeat(n), np.arange(n_clusters).repeat(n)
    x, w = np.column_stack([np.ones(len(z)), z]), weight[np.arange(n_clusters), arms].repeat(n)
    m = np.linalg.inv(x.T @ (w[:, None] * x))
    beta = m @ x.T @ (w * y.ravel())
    left = np.eye(len(z)) - x @ m @ (x * w[:, None]).T
    variance = 0.0
    for c in range(n_clusters):
        own = cluster == c
        length, axes = np.linalg.eigh((left @ left.T)[np.ix_(own, own)])
        power = np.where(length > 1e-9, 1 / np.sqrt(np.maximum(length, 1e-9)), 0.0)
        g = axes @ (power * (axes.T @ (w[own] * (x[own] @ m[:, 1]))))
        variance += (g @ (y.ravel() - x @ beta)[own]) ** 2
    return beta[1] / np.sqrt(variance)


def test_the_statistic_is_that_of_matrices_written_out_even_where_a_leverage_is_one():
    """The last draws leave a single cluster in an arm: its leverage is one."""
    rng = np.random.default_rng(4)
    y, weight = rng.normal(size=(6, 5)), rng.uniform(1, 3, size=(6, 2))
    drawn = np.array([[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1], [1, 1, 0, 1, 1, 1]])
    told = tell_draws(*two_arms(y, weight), drawn, 1, 0.0)
    assert told == pytest.approx([written_out(y, arms, weight) for arms in drawn], rel=1e-10)
    raised = tell_draws(*two_arms(y, weight), drawn, 1, 2.5)
    shifted = [written_out(y + 2.5 * arms[:, None], arms, weight) for arms in drawn]
    assert raised == pytest.approx(shifted, rel=1e-10)


def test_an_arm_that_nobody_is_in_is_left_to_the_regression():
    y, weight = np.ones((4, 3)), np.ones((4, 2))
    assert np.isnan(tell_draws(*two_arms(y, weight), np.zeros((1, 4), dtype=np.int64), 1, 0.0)).all()


def test_a_draw_and_its_mirror_image_give_opposite_statistics_up_to_rounding():
    """The tie that a randomisation p counts on: every statistic of an even design comes twice."""
    pilot = open_pilot("no-effect", names=("frl",), students=160, classes=8, schools=8, blocks="none", seed=5)
    scores, design = pilot.scores, pilot.design
    place = np.searchsorted(design.rows, scores.rows)
    units = list_assigned(arm=design.arm, assigned=design.assigned, block=design.block)
    drawn = list_draws(units)
    frl = pilot.panel.values["frl"].iloc[scores.rows].cat.codes.to_numpy(dtype=float)
    statistic = StudentisedEffect(basis=np.column_stack([np.ones(len(frl)), frl]), keep=frl >= 0)
    run = {"unit": units.unit[place], "compared": (1,), "probability": design.probability[place], "effect": 0.0}
    told = statistic.over_draws(scores, drawn=drawn, base=scores.y, **run)
    mirrored = statistic.over_draws(scores, drawn=1 - drawn, base=scores.y, **run)
    assert told == pytest.approx(-mirrored, rel=1e-11)
    plain = statistic(_reassigned(replace(scores), design, drawn[3][units.unit][place], place, scores.y, 0.0))
    assert told[3] == pytest.approx(plain, rel=1e-9)
