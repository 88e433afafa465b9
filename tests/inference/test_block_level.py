"""The level of a block: what a constant effect leaves of it, whichever of its clusters are treated."""

from __future__ import annotations

import numpy as np

from whoworks.inference.block_level import block_level

SCHOOLS, CLASSES, STUDENTS = 300, 4, 5
CLASS = np.repeat(np.arange(SCHOOLS * CLASSES), STUDENTS)
SCHOOL = CLASS // CLASSES


def draw_arms(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One class of four is treated in each school: z, and one over the own arm's probability."""
    treated = rng.permuted(np.tile([True, False, False, False], (SCHOOLS, 1)), axis=1).ravel()[CLASS]
    return np.where(treated, 0.5, -0.5), np.where(treated, 4.0, 4 / 3)


def test_a_constant_effect_is_halved_between_the_arms():
    rng = np.random.default_rng(1)
    z, weights = draw_arms(rng)
    school = rng.normal(size=SCHOOLS)[SCHOOL]
    np.testing.assert_allclose(block_level(school + 3.0 * z, SCHOOL, z=z, weights=weights), school, atol=1e-9)


def test_a_block_of_one_arm_is_levelled_as_the_others_are():
    rng = np.random.default_rng(2)
    z, weights = draw_arms(rng)
    z[SCHOOL == 0], weights[SCHOOL == 0] = 0.5, 4.0
    school = rng.normal(size=SCHOOLS)[SCHOOL]
    np.testing.assert_allclose(block_level(school + 3.0 * z, SCHOOL, z=z, weights=weights), school, atol=1e-9)


def test_units_that_do_not_count_have_their_blocks_level_and_no_part_in_it():
    rng = np.random.default_rng(3)
    z, weights = draw_arms(rng)
    y, out = rng.normal(size=len(z)), rng.random(len(z)) < 0.3
    alone = block_level(y[~out], SCHOOL[~out], z=z[~out], weights=weights[~out])
    level = block_level(np.where(out, 1e6, y), SCHOOL, z=z, weights=np.where(out, 0.0, weights))
    np.testing.assert_allclose(level[~out], alone)
    assert all(len(np.unique(level[b == SCHOOL])) == 1 for b in range(10))


def test_the_level_tells_nothing_of_a_blocks_difference_where_one_class_of_four_is_treated():
    """Break on purpose: the mean of the two arms' means tells much of it."""
    rng = np.random.default_rng(4)
    z, weights = draw_arms(rng)
    y = 0.3 * rng.normal(size=SCHOOLS)[SCHOOL] + rng.normal(size=SCHOOLS * CLASSES)[CLASS] + 0.4 * z
    first, second = (np.bincount(SCHOOL, y * arm) / np.bincount(SCHOOL, arm) for arm in (z > 0, z < 0))
    level = block_level(y, SCHOOL, z=z, weights=weights)[:: CLASSES * STUDENTS]
    correlations = [np.corrcoef(first - second, told)[0, 1] for told in (level, (first + second) / 2)]
    assert abs(correlations[0]) < 0.15  # one over the root of 300 is .058
    assert correlations[1] > 0.3
