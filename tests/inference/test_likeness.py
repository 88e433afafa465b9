"""The generalisability index from means: what it equals, and what chance alone would make of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from whoworks.inference.likeness import grade_likeness, index_from_means, index_of_random_draw

DIFFERENCE = np.array([0.8, -0.5, 0.3])
COVARIANCE = np.array([[1.0, 0.4, 0.1], [0.4, 2.0, -0.3], [0.1, -0.3, 0.5]])


def bhattacharyya(first, second):
    """Integrate sqrt(f g) of two normal distributions."""
    return integrate.quad(lambda x: np.sqrt(first.pdf(x) * second.pdf(x)), -40, 40)[0]


def test_equal_means_are_alike_in_full():
    assert index_from_means(difference=np.zeros(3), covariance=COVARIANCE) == 1.0


def test_one_trait_gives_the_overlap_of_two_normal_densities():
    index = index_from_means(difference=np.array([1.7]), covariance=np.array([[4.0]]))
    assert index == pytest.approx(bhattacharyya(stats.norm(0, 2), stats.norm(1.7, 2)), rel=1e-9)


def test_several_traits_give_the_overlap_of_the_propensities_to_take_part():
    d2 = DIFFERENCE @ np.linalg.solve(COVARIANCE, DIFFERENCE)  # the log odds of taking part: normal, d2 apart
    overlap = bhattacharyya(stats.norm(d2 / 2, np.sqrt(d2)), stats.norm(-d2 / 2, np.sqrt(d2)))
    assert index_from_means(difference=DIFFERENCE, covariance=COVARIANCE) == pytest.approx(overlap, rel=1e-9)


def test_the_units_of_the_traits_change_nothing():
    mix = np.array([[10.0, 0.0, 0.0], [3.0, 1.0, 0.0], [-1.0, 2.0, 0.1]])
    same = index_from_means(difference=mix @ DIFFERENCE, covariance=mix @ COVARIANCE @ mix.T)
    assert same == pytest.approx(index_from_means(difference=DIFFERENCE, covariance=COVARIANCE), rel=1e-10)


def test_traits_that_follow_from_each_other_have_no_index():
    assert np.isnan(index_from_means(difference=np.ones(2), covariance=np.ones((2, 2))))
    assert np.isnan(index_from_means(difference=np.ones(1), covariance=np.array([[np.nan]])))


@pytest.mark.parametrize(("n_sites", "n_traits"), [(12, 4), (40, 3)])
def test_a_random_draw_reaches_its_index_nineteen_times_in_twenty(n_sites, n_traits):
    rng, n = np.random.default_rng(5), 2000
    least = index_of_random_draw(n_sites=n_sites, n_traits=n_traits)
    reached = 0
    for _ in range(n):
        sites = rng.normal(size=(n_sites, n_traits))
        index = index_from_means(difference=sites.mean(axis=0), covariance=np.cov(sites, rowvar=False))
        reached += index >= least
    low, high = stats.binom.interval(0.999, n, 0.95)
    assert low <= reached <= high


def test_more_traits_than_sites_have_no_index_by_chance():
    assert np.isnan(index_of_random_draw(n_sites=4, n_traits=4))


@pytest.mark.parametrize(
    ("index", "grade"),
    [(1.0, "very high"), (0.9, "very high"), (0.894, "high"), (0.8, "high"), (0.79, "medium"), (0.5, "medium"),
     (0.499, "medium"), (0.49, "low")],
)  # fmt: skip
def test_the_index_is_graded_as_it_is_told(index, grade):
    assert grade_likeness(index) == grade
